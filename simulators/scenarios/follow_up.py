"""Who is followed, with which limits, and when not: the changes that the register writes to the log."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alerting.engine.programme import Limit, Programme
from models.clock import DAY_US, HOUR_US
from models.errors import RefuseToStart
from models.labels import Label
from models.messages import Origin
from simulators.patients.courses import Courses, Planted
from simulators.patients.habits import Habits
from simulators.patients.measurers import absence
from simulators.patients.parameters import CONDITIONS
from simulators.patients.population import Ints, Population
from simulators.patients.streams import Purpose, stream, uuid_texts, uuids4, uuids7

NEVER_US = 2**62
FROM_THE_START = 0.85
NEW_LIMIT_PER_YEAR = 0.6
NEW_SCHEDULE_PER_YEAR = 0.1
ORGANISATIONS = 3
PRACTICES = 40
SENSOR_LIMITS = {"sensor_late": 90.0, "sensor_silent": 180.0}
"""Minutes: a sensor's values come hourly here, so a programme's defaults would call each hour silence."""
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change on its way to the log. `content` is what stands under `change` in its message."""

    at_us: int
    patient: int
    content: dict[str, Any]


class FollowUp:
    """Registrations, enrolments, limits, holidays, admissions and ends; advances one day at a time.

    Without `registers`, registrations are left to somebody else; all that follows on them is the same.
    **Shape**: each array is [n]. **Units**: microseconds since 1970.
    """

    def __init__(
        self,
        population: Population,
        courses: Courses,
        programmes: Mapping[str, Programme],
        *,
        begin_us: int,
        days: int,
        habits: Habits,
        registers: bool = True,
        organisation: UUID | None = None,
    ) -> None:
        n = len(population)
        self.registers = registers
        self.population = population
        self.courses = courses
        self.habits = habits
        self._programmes = programmes
        self._require_programmes()
        # What is about devices is for everybody, where there is such a programme.
        self.devices = programmes.get("devices")
        uniform = stream(population.seed, Purpose.CHANGES).random((n, 5))
        # In the first hour, one after the other; later ones on working hours in the first half.
        first_us = begin_us + SECOND_US + (np.arange(n) * (HOUR_US // max(n, 1))) // 1000 * 1000
        day = 1 + (uniform[:, 1] * max(days // 2 - 1, 0)).astype(np.int64)
        office_us = begin_us + day * DAY_US + ((9 + 8 * uniform[:, 2]) * 3600).astype(np.int64) * SECOND_US
        later = (uniform[:, 0] >= FROM_THE_START) & (days > 3)
        self.registered_us: Ints = np.where(later, office_us, first_us)
        self.away_from_us = np.full(n, NEVER_US)
        self.away_until_us = np.full(n, NEVER_US)
        self.admitted_us = np.full(n, NEVER_US)
        self.discharged_us = np.full(n, NEVER_US)
        self.ended_us = np.full(n, NEVER_US)
        organisations = uuid_texts(uuids4(stream(population.seed, Purpose.REGISTER), ORGANISATIONS))
        if organisation is not None:
            organisations = [str(organisation)] * ORGANISATIONS
        self.organisation = [organisations[int(u * ORGANISATIONS)] for u in uniform[:, 3]]
        self.huisarts = [f"praktijk-{int(u * PRACTICES) + 1:03}" for u in uniform[:, 4]]
        self.forgotten = stream(population.seed, Purpose.REGISTER, 0).random(n) < 0.4
        self._later: list[PlannedChange] = []
        self._labels: list[Label] = []

    def _require_programmes(self) -> None:
        numbers = np.flatnonzero(self.population.conditions.any(axis=0)).tolist()
        needed = {CONDITIONS[number].programme for number in numbers}
        if missing := sorted(needed - self._programmes.keys()):
            raise RefuseToStart(
                f"No programme is called {' or '.join(missing)}, which patients of this scenario are in. "
                f"There are {', '.join(sorted(self._programmes))} (THUISWACHT_PROGRAMMES)."
            )

    def begin_day(self, day: int, midnight_us: int, until_us: int) -> list[PlannedChange]:
        """The changes of a day, in the order in which they reach the log."""
        chance = stream(self.population.seed, Purpose.CHANGES, day)
        uniform = chance.random((len(self.population), 10))
        begins = np.flatnonzero((self.registered_us >= midnight_us) & (self.registered_us < until_us))
        planned: list[PlannedChange] = []
        if self.registers:
            planned += [change for row in map(int, begins) for change in self.registration(row)]
        planned += self._go_away(uniform, midnight_us, until_us)
        planned += self._leave(uniform, midnight_us, until_us)
        planned += self._new_limits(uniform, midnight_us)
        self._later += planned
        today = [change for change in self._later if change.at_us < until_us]
        self._later = [change for change in self._later if change.at_us >= until_us]
        return sorted(today, key=lambda change: (change.at_us, change.patient))

    def admit(self, planted: Planted) -> None:
        """Plan the admissions that new events end in; whoever is in hospital then stays there."""
        for row, from_us, until_us in zip(
            planted.rows.tolist(), planted.admitted_us.tolist(), planted.discharged_us.tolist(), strict=True
        ):
            is_there = from_us <= self.discharged_us[row] < NEVER_US
            if from_us == NEVER_US or is_there:
                continue
            self.admitted_us[row], self.discharged_us[row] = from_us, until_us
            self._later += [
                PlannedChange(from_us, row, {"admit": {}}),
                PlannedChange(until_us, row, {"discharge": {}}),
            ]

    def able(self, midnight_us: int) -> NDArray[np.bool_]:
        """Who is at home, registered and still followed on a day."""
        registered = self.registered_us < midnight_us + 2 * HOUR_US
        away = (self.away_from_us <= midnight_us) & (midnight_us < self.away_until_us)
        admitted = (self.admitted_us < midnight_us + 8 * HOUR_US) & (self.discharged_us > midnight_us)
        return registered & ~away & ~admitted & (self.ended_us > midnight_us)

    def labels_until(self, end_us: int) -> list[Label]:
        """The journeys that began before the end."""
        return [label for label in self._labels if label.onset_us < end_us]

    def programmes(self, row: int) -> list[Programme]:
        """The programmes that a patient is in; first that of the condition they are followed for first."""
        numbers = [int(self.population.condition[row]), *np.flatnonzero(self.population.conditions[row])]
        names = dict.fromkeys(CONDITIONS[number].programme for number in numbers)
        return [self._programmes[name] for name in names]

    def registration(self, row: int) -> list[PlannedChange]:
        """How a patient comes into the log: registered, then enrolled, a millisecond apart."""
        register = {
            "origin": Origin.SIMULATED.value,
            "organisation_id": self.organisation[row],
            "huisarts": self.huisarts[row],
            "wijk": self.population.wijk[row],
            "language": self.population.language[row],
        }
        contents: list[dict[str, Any]] = [{"register": register}]
        for programme in self.programmes(row):
            version = {"programme": programme.programme, "version": programme.version}
            contents.append({"enrol": {**version, "limits": self._agreed_limits(row, programme)}})
        if self.devices is not None:
            version = {"programme": self.devices.programme, "version": self.devices.version}
            contents.append({"enrol": version})
        at_us = int(self.registered_us[row])
        return [PlannedChange(at_us + 1000 * place, row, one) for place, one in enumerate(contents)]

    def _agreed_limits(self, row: int, programme: Programme) -> dict[str, Any]:
        """What fits a patient better than a default: their usual pressure, how often their sensor sends."""
        fitting: dict[str, float] = {}
        if not self.forgotten[row]:
            fitting |= self._fitting_pressures(row, programme.programme)
        if self.population.has_sensor[row]:
            fitting |= SENSOR_LIMITS
        known = {name: programme.limits[name] for name in fitting if name in programme.limits}
        return {
            name: {
                "value": min(max(fitting[name], limit.low), limit.high),
                "unit": limit.unit,
                "set_by": "monitoring-centre",
            }
            for name, limit in known.items()
        }

    def _fitting_pressures(self, row: int, programme: str) -> dict[str, float]:
        """Whose usual pressure is near a default gets a limit that fits, when somebody thinks of it."""
        usual = round(float(self.population.systolic[row] + self.population.cuff_bias[row]))
        if programme == "heart_failure" and usual < 108:
            return {"systolic_low": usual - 20, "systolic_low_over": usual - 15}
        if programme == "hypertension" and usual > 129:
            return {"mean_systolic": usual + 7, "mean_systolic_over": usual + 4}
        return {}

    def _go_away(self, uniform: NDArray[np.float64], midnight_us: int, from_us: int) -> list[PlannedChange]:
        goes = self.able(midnight_us) & (self.registered_us < midnight_us)
        goes &= uniform[:, 0] < self.habits.journeys_per_year / 365
        planned: list[PlannedChange] = []
        for row in map(int, np.flatnonzero(goes)):
            until_us = from_us + int(5 + 9 * uniform[row, 1]) * DAY_US
            self.away_from_us[row], self.away_until_us[row] = from_us, until_us
            announced = bool(uniform[row, 2] < self.habits.announced)
            kind = "pause" if announced else "journey"
            self._labels.append(absence(self.population.patient_text[row], kind, from_us, until_us))
            if not announced:
                continue
            at_us = midnight_us + 15 * HOUR_US
            if uniform[row, 3] < 0.5:
                pause = {"until_us": until_us, "reason": "vakantie"}
                planned.append(PlannedChange(at_us, row, {"pause": pause}))
            else:
                planned.append(PlannedChange(at_us, row, {"pause": {"reason": "vakantie"}}))
                planned.append(PlannedChange(until_us, row, {"resume": {}}))
        return planned

    def _leave(self, uniform: NDArray[np.float64], midnight_us: int, until_us: int) -> list[PlannedChange]:
        # Nobody leaves in the middle of getting worse: what was planted can then be found.
        well = self.courses.free_from_us <= midnight_us
        goes = self.able(midnight_us) & well & (uniform[:, 4] < self.habits.leaves_per_year / 365)
        goes &= self.registered_us < midnight_us
        rows = np.flatnonzero(goes)
        self.ended_us[rows] = until_us
        reasons = ("finished", "moved", "withdrew", "died")
        return [
            PlannedChange(
                midnight_us + 16 * HOUR_US, row, {"end": {"reason": reasons[int(uniform[row, 5] * 4)]}}
            )
            for row in map(int, rows)
        ]

    def _new_limits(self, uniform: NDArray[np.float64], midnight_us: int) -> list[PlannedChange]:
        followed = self.able(midnight_us) & (self.registered_us < midnight_us)
        planned: list[PlannedChange] = []
        for row in map(int, np.flatnonzero(followed & (uniform[:, 6] < NEW_LIMIT_PER_YEAR / 365))):
            programme = self.programmes(row)[0]
            names = _limits_that_people_set(programme)
            name = names[int(uniform[row, 7] * len(names))]
            limit = programme.limits[name]
            content = {
                "programme": programme.programme,
                "limits": {name: _personal(limit, uniform[row, 8])},
            }
            planned.append(PlannedChange(midnight_us + 14 * HOUR_US, row, {"limits": content}))
        for row in map(int, np.flatnonzero(followed & (uniform[:, 9] < NEW_SCHEDULE_PER_YEAR / 365))):
            programme = self.programmes(row)[0]
            if not programme.schedule:
                continue
            schedule = {min(programme.schedule): {"before": "12:30", "set_by": "monitoring-centre"}}
            content = {"programme": programme.programme, "schedule": schedule}
            planned.append(PlannedChange(midnight_us + 13 * HOUR_US, row, {"schedule": content}))
        return planned


def change_messages(
    seed: int, day: int, changes: list[PlannedChange], patient_text: list[str]
) -> list[bytes]:
    """The messages of the given changes, as they stand in the log."""
    at_us = np.array([change.at_us for change in changes], np.int64)
    ids = uuid_texts(uuids7(stream(seed, Purpose.MESSAGES, day), at_us))
    return [
        json.dumps(
            {
                "schema": 1,
                "type": "change",
                "change_id": change_id,
                "patient_id": patient_text[change.patient],
                "valid_from_us": change.at_us,
                "change": change.content,
            },
            separators=(",", ":"),
        ).encode()
        for change, change_id in zip(changes, ids, strict=True)
    ]


def _limits_that_people_set(programme: Programme) -> list[str]:
    """Those in a unit of measurement that say when something begins, not when it is over or worse."""
    return sorted(
        name
        for name, limit in programme.limits.items()
        if not (limit.is_duration or limit.unit == "1" or name.endswith(("_over", "_severe")))
    )


def _personal(limit: Limit, uniform: float) -> dict[str, Any]:
    """A limit a little above or below the default: a tenth of what is allowed, at most."""
    value = round(limit.default + (uniform - 0.5) * 0.2 * (limit.high - limit.low), 1)
    value = min(max(value, limit.low), limit.high)
    return {"value": value, "unit": limit.unit, "set_by": "monitoring-centre"}
