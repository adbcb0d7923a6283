"""Who measures what today, and when: rounds in the morning, for some in the evening, pricks through the day.

A patient has the devices and the questions of all their conditions; each thing is measured once in a round.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.clock import SECOND_US
from models.kinds import KIND_BY_NAME, Kind
from simulators.patients.bodies import Bodies, Moments
from simulators.patients.conditions import CONDITIONS
from simulators.patients.measurements import NO_CODE, NO_GROUP, Device, Measurements, joined
from simulators.patients.measurers import Measurers
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream

FORGETS_ONE = 0.03
"""How often somebody who does measure leaves one device out."""
MORNING, EVENING, NOON = 0, 1, 2
LATEST_MIN = {MORNING: 700.0, EVENING: 1265.0, NOON: 1015.0}
LATE_MIN = (750.0, 270.0)
"""Whoever is late in the morning measures so long after midnight, and up to so much later."""
REPEATS = 900
"""From this session on: what is measured again because somebody asked."""
REPEATED_WITH = {"body_weight": Device.SCALE, "glucose": Device.METER}
LOW_BATTERY = 12

WEIGHT, SYSTOLIC, DIASTOLIC, PULSE, SPO2, BATTERY, STATE = (
    KIND_BY_NAME[name].number
    for name in ("body_weight", "systolic", "diastolic", "pulse", "spo2", "battery", "device_state")
)
BATTERY_LOW = KIND_BY_NAME["device_state"].codes.index("battery_low")
OXYGEN = KIND_BY_NAME["supplemental_oxygen"]
EACH_ROUND = "consciousness"
"""What is asked in the evening as well, of those who do rounds."""


class _Today(NamedTuple):
    """What holds for one day. **Shape**: `minute` [n, rounds], `forgets` [n, devices]."""

    day: int
    midnight_us: int
    minute: Floats
    forgets: NDArray[np.bool_]
    chance: np.random.Generator


class Sessions:
    """Measures a whole population, one day at a time; `bodies` must be at that day.

    Without `measurers` everybody measures in their own measure, year in, year out; `late` is the share of
    mornings that become afternoons.
    """

    def __init__(self, bodies: Bodies, measurers: Measurers | None = None, late: float = 0.0) -> None:
        self.bodies = bodies
        self.population = bodies.population
        self.measurers = measurers
        self.late = late
        people = self.population
        self.evening_too = _any(people, [c.evening_too for c in CONDITIONS])
        self.repeats = _most(people, [c.readings_per_session for c in CONDITIONS])
        self.rounds = people.has_thermometer
        self.carries = people.has_wearable & ~_any(
            people, [c.programme == "hospital_at_home" for c in CONDITIONS]
        )

    def measure(self, day: int, midnight_us: int, able: NDArray[np.bool_]) -> Measurements:
        """What all patients measure on a day, those left out who are not able to."""
        n = len(self.population)
        adherence = stream(self.population.seed, Purpose.ADHERENCE, day)
        likely = adherence.random(n)
        if self.measurers is None:
            up = able & (likely < self.population.adherence)
        else:
            up = self.measurers.measuring(day, midnight_us, able, likely)
        uniform = adherence.random((n, len(Device) + 2))
        today = _Today(
            day,
            midnight_us,
            self._minutes(adherence.standard_normal((n, 3)), uniform[:, -2:]),
            uniform[:, : len(Device)] < FORGETS_ONE,
            stream(self.population.seed, Purpose.DEVICES, day),
        )
        parts = [*self._scale(up, today), *self._carried(up, today), *self._pricks(up, today)]
        for session, who in ((MORNING, up), (EVENING, up & self.evening_too)):
            parts += self._cuff(who, session, today)
            round_ = who if session == MORNING else who & self.rounds
            parts += [*self._oximeter(round_, session, today), *self._thermometer(round_, session, today)]
            parts += self._questions(round_, session, today)
        return joined([*parts, *self._spirometer(up, today)])

    def repeat(
        self, kind: Kind, rows: Ints, at_us: Ints, place: int, chance: np.random.Generator
    ) -> Measurements:
        """What patients measure again, each at a moment of today; sent by itself."""
        value = self.bodies.reading(kind.name, self.bodies.at(rows, at_us), chance)
        return _values(rows, REPEATED_WITH[kind.name], kind.number, at_us, value, session=REPEATS + place)

    def _minutes(self, normal: Floats, uniform: Floats) -> Floats:
        """When each round begins: eight minutes up or down; every hundredth morning somebody sleeps in."""
        habit = np.stack([self.population.morning_min, self.population.evening_min], axis=1)
        habit = np.concatenate([habit, habit.mean(axis=1, keepdims=True)], axis=1)
        minute = habit + 8 * normal + 60 * (normal > 2.33)
        minute = np.minimum(minute, list(LATEST_MIN.values()))
        earliest, more = LATE_MIN
        minute[:, MORNING] = np.where(
            uniform[:, 0] < self.late, earliest + more * uniform[:, 1], minute[:, MORNING]
        )
        return minute

    def _at(self, rows: Ints, session: int, today: _Today, later_s: Floats | float) -> Moments:
        seconds = today.minute[rows, session] * 60 + later_s
        return self.bodies.at(rows, today.midnight_us + seconds.astype(np.int64) * SECOND_US)

    def _with(self, up: NDArray[np.bool_], has: NDArray[np.bool_], device: Device, today: _Today) -> Ints:
        return np.flatnonzero(up & has & ~today.forgets[:, device])

    def _scale(self, up: NDArray[np.bool_], today: _Today) -> Sequence[Measurements]:
        rows = self._with(up, self.population.has_scale, Device.SCALE, today)
        at = self._at(rows, MORNING, today, 0)
        weight = self.bodies.reading("body_weight", at, today.chance)
        charge = 97 - (today.day // 2 + rows * 13) % 90
        reports = (rows + today.day) % 7 == 3
        low = reports & (charge < LOW_BATTERY)
        return [
            _values(rows, Device.SCALE, WEIGHT, at.at_us, weight),
            _values(
                rows[reports], Device.SCALE, BATTERY, at.at_us[reports], charge[reports].astype(np.float64)
            ),
            _codes(
                rows[low], Device.SCALE, STATE, at.at_us[low], np.full(int(low.sum()), BATTERY_LOW)
            ),
        ]  # fmt: skip

    def _cuff(self, up: NDArray[np.bool_], session: int, today: _Today) -> Sequence[Measurements]:
        everybody = self._with(up, self.population.has_cuff, Device.CUFF, today)
        parts: list[Measurements] = []
        for number in range(int(self.repeats.max(initial=0))):
            rows = everybody[self.repeats[everybody] > number]
            later_s = 180 + 75 * number + today.chance.integers(0, 10, size=len(rows)).astype(np.float64)
            at = self._at(rows, session, today, later_s)
            upper, lower = self.bodies.pressures(at, today.chance)
            pulse = self.bodies.reading("heart_rate", at, today.chance)
            parts += [
                _values(rows, Device.CUFF, kind, at.at_us, value, session=session, group=2 * session + number)
                for kind, value in ((SYSTOLIC, upper), (DIASTOLIC, lower), (PULSE, pulse))
            ]
        return parts

    def _oximeter(self, up: NDArray[np.bool_], session: int, today: _Today) -> Sequence[Measurements]:
        rows = self._with(up, self.population.has_oximeter, Device.OXIMETER, today)
        at = self._at(rows, session, today, 420)
        return [
            _values(rows, Device.OXIMETER, kind, at.at_us, self.bodies.reading(name, at, today.chance),
                    session=session)
            for kind, name in ((SPO2, "spo2"), (PULSE, "heart_rate"))
        ]  # fmt: skip

    def _thermometer(self, up: NDArray[np.bool_], session: int, today: _Today) -> Sequence[Measurements]:
        """With it comes what is counted by hand: breaths; and whether there is oxygen."""
        rows = self._with(up, self.population.has_thermometer, Device.THERMOMETER, today)
        at = self._at(rows, session, today, 480)
        counted = self._at(rows, session, today, 540)
        return [
            self._named(rows, Device.THERMOMETER, "temperature", at, session, today),
            self._named(rows, Device.APP, "respiratory_rate", counted, session, today),
            _codes(rows, Device.APP, OXYGEN.number, counted.at_us, np.zeros(len(rows), np.int64),
                   session=session),
        ]  # fmt: skip

    def _spirometer(self, up: NDArray[np.bool_], today: _Today) -> Sequence[Measurements]:
        rows = self._with(up, self.population.has_spirometer, Device.SPIROMETER, today)
        at = self._at(rows, MORNING, today, 660)
        return [
            self._named(rows, Device.SPIROMETER, name, at, MORNING, today) for name in ("peak_flow", "fev1")
        ]

    def _pricks(self, up: NDArray[np.bool_], today: _Today) -> Sequence[Measurements]:
        """Fasting, before dinner, before the night; who wears a sensor pricks in the morning alone."""
        parts: list[Measurements] = []
        for session, later_s in ((MORNING, 60), (NOON, 3_600), (EVENING, 1_800)):
            who = up if session == MORNING else up & ~self.population.has_sensor
            rows = self._with(who, self.population.has_meter, Device.METER, today)
            at = self._at(rows, session, today, later_s)
            parts.append(self._named(rows, Device.METER, "glucose", at, session, today))
        return parts

    def _carried(self, up: NDArray[np.bool_], today: _Today) -> Sequence[Measurements]:
        """Steps so far: what somebody carries tells them in the morning, before eleven, and at night."""
        rows = self._with(up, self.carries, Device.WEARABLE, today)
        parts: list[Measurements] = []
        for session, latest_min in ((MORNING, 640), (EVENING, 1_290)):
            seconds = np.full(len(rows), latest_min * 60.0) + today.chance.integers(0, 600, size=len(rows))
            at = self.bodies.at(rows, today.midnight_us + seconds.astype(np.int64) * SECOND_US)
            parts.append(self._named(rows, Device.WEARABLE, "steps", at, session, today))
        return parts

    def _named(
        self, rows: Ints, device: Device, name: str, at: Moments, session: int, today: _Today
    ) -> Measurements:
        value = self.bodies.reading(name, at, today.chance)
        return _values(rows, device, KIND_BY_NAME[name].number, at.at_us, value, session=session)

    def _questions(self, up: NDArray[np.bool_], session: int, today: _Today) -> Sequence[Measurements]:
        people = self.population
        turn = np.arange(len(people)) + today.day
        asked: dict[str, NDArray[np.bool_]] = {}
        for number, condition in enumerate(CONDITIONS):
            due = people.conditions[:, number] & (turn % condition.questions_every_days == 0)
            for question in condition.questions:
                if session == MORNING or question == EACH_ROUND:
                    asked[question] = asked.get(question, False) | due
        parts: list[Measurements] = []
        for question, who in asked.items():
            rows = self._with(up, who, Device.APP, today)
            at = self._at(rows, session, today, 600)
            answers = self.bodies.answer(question, at, today.chance)
            parts.append(
                _codes(
                    rows, Device.APP, KIND_BY_NAME[question].number, at.at_us, answers,
                    session=session, group=session,
                )
            )  # fmt: skip
        return parts


def _any(people: Population, has: Sequence[bool]) -> NDArray[np.bool_]:
    """Whether any of a patient's conditions has something."""
    return np.any(people.conditions & np.array(has), axis=1)


def _most(people: Population, amounts: Sequence[int]) -> Ints:
    """The most that any of a patient's conditions asks for."""
    most: Ints = np.where(people.conditions, np.array(amounts, np.int64), 0).max(axis=1, initial=0)
    return most


def _values(
    rows: Ints, device: Device, kind: int, at_us: Ints, value: Floats, *,
    session: int = MORNING, group: int = NO_GROUP,
) -> Measurements:  # fmt: skip
    n = len(rows)
    return Measurements(
        patient=rows.astype(np.int32),
        device=np.full(n, device, np.int8),
        kind=np.full(n, kind, np.int16),
        taken_at_us=at_us,
        value=value,
        code=np.full(n, NO_CODE, np.int16),
        session=np.full(n, session, np.int16),
        group=np.full(n, group, np.int8),
    )


def _codes(
    rows: Ints, device: Device, kind: int, at_us: Ints, code: Ints, *,
    session: int = MORNING, group: int = NO_GROUP,
) -> Measurements:  # fmt: skip
    given = _values(rows, device, kind, at_us, np.full(len(rows), np.nan), session=session, group=group)
    given.code[:] = code
    return given
