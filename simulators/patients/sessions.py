"""Who measures what today, and when: mornings before eleven, some also evenings, questions once a week."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.kinds import KIND_BY_NAME
from simulators.patients.bodies import Bodies
from simulators.patients.deteriorations import CHANNELS
from simulators.patients.measurements import NO_CODE, NO_GROUP, Device, Measurements, joined
from simulators.patients.population import CONDITIONS, Floats, Ints
from simulators.patients.streams import Purpose, stream

FORGETS_ONE = 0.03
"""How often somebody who does measure leaves one device out."""
MORNING, EVENING = 0, 1
LATEST_MIN = {MORNING: 700.0, EVENING: 1265.0}
SECOND_US = 1_000_000
LOW_BATTERY = 12

WEIGHT, SYSTOLIC, DIASTOLIC, PULSE, SPO2, BATTERY, STATE = (
    KIND_BY_NAME[name].number
    for name in ("body_weight", "systolic", "diastolic", "pulse", "spo2", "battery", "device_state")
)
BATTERY_LOW = KIND_BY_NAME["device_state"].codes.index("battery_low")
DYSPNOEA = KIND_BY_NAME["symptom_dyspnoea"].number


class Sessions:
    """Measures a whole population, one day at a time; `bodies` must be at that day."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self.population = bodies.population

    def measure(self, day: int, midnight_us: int, able: NDArray[np.bool_]) -> Measurements:
        """What all patients measure on a day, those left out who are not able to."""
        n = len(self.population)
        adherence = stream(self.population.seed, Purpose.ADHERENCE, day)
        uniform = adherence.random((n, 7))
        minutes = adherence.standard_normal((n, 2))
        chance = stream(self.population.seed, Purpose.DEVICES, day)
        up = able & (uniform[:, 0] < self.population.adherence)
        evenings = self.population.per_patient(lambda c: float(c.evening_too)) > 0
        in_the_evening = up & evenings & (uniform[:, 6] >= FORGETS_ONE)
        parts = [
            *self._scale(up & (uniform[:, 1] >= FORGETS_ONE), midnight_us, minutes, day),
            *self._cuff(up & (uniform[:, 2] >= FORGETS_ONE), MORNING, midnight_us, minutes, chance),
            *self._cuff(in_the_evening, EVENING, midnight_us, minutes, chance),
            *self._oximeter(up & (uniform[:, 3] >= FORGETS_ONE), midnight_us, minutes, chance),
            *self._questions(up & (uniform[:, 4] >= FORGETS_ONE), midnight_us, minutes, chance, day),
        ]
        return joined(parts)

    def _at(
        self, rows: Ints, session: int, midnight_us: int, minutes: Floats, later_s: Floats | float
    ) -> Ints:
        habit = self.population.morning_min if session == MORNING else self.population.evening_min
        # Eight minutes up or down; every hundredth morning somebody sleeps in.
        minute = habit[rows] + 8 * minutes[rows, session]
        minute += 60 * (minutes[rows, session] > 2.33)
        seconds = np.minimum(minute, LATEST_MIN[session]) * 60 + later_s
        return midnight_us + seconds.astype(np.int64) * SECOND_US

    def _moved(self, rows: Ints, at_us: Ints) -> Floats:
        return self.bodies.deteriorations.effect_at(rows, at_us)

    def _scale(
        self, up: NDArray[np.bool_], midnight_us: int, minutes: Floats, day: int
    ) -> Sequence[Measurements]:
        rows = np.flatnonzero(up & self.population.has_scale)
        at_us = self._at(rows, MORNING, midnight_us, minutes, 0)
        weight = self.bodies.weights(rows, self._moved(rows, at_us))
        charge = 97 - (day // 2 + rows * 13) % 90
        reports = (rows + day) % 7 == 3
        low = reports & (charge < LOW_BATTERY)
        return [
            _rows(rows, Device.SCALE, WEIGHT, at_us, weight),
            _rows(
                rows[reports], Device.SCALE, BATTERY, at_us[reports],
                charge[reports].astype(np.float64),
            ),
            _answers(rows[low], STATE, at_us[low], np.full(int(low.sum()), BATTERY_LOW), device=Device.SCALE),
        ]  # fmt: skip

    def _cuff(
        self,
        up: NDArray[np.bool_],
        session: int,
        midnight_us: int,
        minutes: Floats,
        chance: np.random.Generator,
    ) -> Sequence[Measurements]:
        repeats = self.population.per_patient(lambda c: c.readings_per_session)
        parts: list[Measurements] = []
        for number in range(max(c.readings_per_session for c in CONDITIONS)):
            rows = np.flatnonzero(up & (repeats > number))
            later_s = 180 + 75 * number + chance.integers(0, 10, size=len(rows)).astype(np.float64)
            at_us = self._at(rows, session, midnight_us, minutes, later_s)
            moved = self._moved(rows, at_us)
            upper, lower = self.bodies.pressures(rows, moved, chance)
            pulse = self.bodies.heart_rates(rows, moved, chance)
            parts += [
                _rows(rows, Device.CUFF, kind, at_us, value, session=session, group=2 * session + number)
                for kind, value in ((SYSTOLIC, upper), (DIASTOLIC, lower), (PULSE, pulse))
            ]
        return parts

    def _oximeter(
        self, up: NDArray[np.bool_], midnight_us: int, minutes: Floats, chance: np.random.Generator
    ) -> Sequence[Measurements]:
        rows = np.flatnonzero(up & self.population.has_oximeter)
        at_us = self._at(rows, MORNING, midnight_us, minutes, 420)
        moved = self._moved(rows, at_us)
        return [
            _rows(rows, Device.OXIMETER, SPO2, at_us, self.bodies.saturations(rows, moved, chance)),
            _rows(rows, Device.OXIMETER, PULSE, at_us, self.bodies.heart_rates(rows, moved, chance)),
        ]

    def _questions(
        self,
        up: NDArray[np.bool_],
        midnight_us: int,
        minutes: Floats,
        chance: np.random.Generator,
        day: int,
    ) -> Sequence[Measurements]:
        parts: list[Measurements] = []
        due = up & ((np.arange(len(up)) + day) % 7 == 0)
        for number, condition in enumerate(CONDITIONS):
            rows = np.flatnonzero(due & (self.population.condition == number))
            at_us = self._at(rows, MORNING, midnight_us, minutes, 600)
            breathless = self._moved(rows, at_us)[:, CHANNELS.index("dyspnoea")]
            for question in condition.questions:
                kind = KIND_BY_NAME[question]
                usual = np.where(chance.random(len(rows)) < 0.2, 1, 0)
                worse = breathless.astype(np.int64) if kind.number == DYSPNOEA else 0
                answer = np.minimum(usual + worse, len(kind.codes) - 1)
                parts.append(_answers(rows, kind.number, at_us, answer, group=0))
        return parts


def _rows(
    rows: Ints,
    device: Device,
    kind: int,
    at_us: Ints,
    value: Floats,
    *,
    session: int = MORNING,
    group: int = NO_GROUP,
) -> Measurements:
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


def _answers(
    rows: Ints, kind: int, at_us: Ints, code: Ints, *, device: Device = Device.APP, group: int = NO_GROUP
) -> Measurements:
    given = _rows(rows, device, kind, at_us, np.full(len(rows), np.nan), group=group)
    given.code[:] = code
    return given
