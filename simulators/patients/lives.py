"""Lives to look at: what a population measures day after day, as tables, with nothing between it and us."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US, MINUTE_US
from models.kinds import KIND_BY_NAME
from models.labels import Label
from simulators.patients.bodies import Bodies
from simulators.patients.calendar import midnight_us
from simulators.patients.courses import Courses
from simulators.patients.population import Bools, Floats, Ints, Population
from simulators.patients.sessions import Sessions
from simulators.patients.streams import Purpose, stream

START = date(2026, 1, 1)
NIGHT_MIN = 180


@dataclass(frozen=True, slots=True)
class Lives:
    """What was measured, by day and patient, and what was the matter.

    **Shape**: `mornings` of each kind [days, n], NaN where nothing was measured (the first of the morning);
    `nights` of each kind [days, n]: the true level at three, whoever measures; `readings`, `above` [n]: blood
    pressures, and those of at least 135 or 85; `unwell` [days, n].
    """

    population: Population
    labels: Sequence[Label]
    mornings: dict[str, Floats]
    nights: dict[str, Floats]
    rounds: Ints
    above: Ints
    readings: Ints
    unwell: Bools

    @property
    def days(self) -> int:
        """How long they were looked at."""
        return len(self.unwell)

    def with_condition(self, number: int) -> Bools:
        """Who is followed for a condition first."""
        return self.population.condition == number

    def day_of(self, at_us: int) -> int:
        """The day on which a moment lies."""
        return (at_us - midnight_us(START, 0)) // DAY_US

    def events(self, kinds: Set[str]) -> list[tuple[int, Label]]:
        """Events of some kinds, each with the row of its patient."""
        rows = {text: row for row, text in enumerate(self.population.patient_text)}
        return [(rows[label.patient_id], label) for label in self.labels if label.kind in kinds]


def live(
    population: Population, days: int, mornings: Sequence[str], nights: Sequence[str] = (), rate: float = 1.0
) -> Lives:
    """Let a population live; everybody is followed and at home all the time."""
    n = len(population)
    courses = Courses(population, rate)
    bodies = Bodies(population, courses)
    sessions = Sessions(bodies)
    everybody = np.ones(n, np.bool_)
    seen = {kind: np.full((days, n), np.nan) for kind in mornings}
    asleep = {kind: np.zeros((days, n)) for kind in nights}
    rounds, above, readings = (np.zeros(n, np.int64) for _ in range(3))
    for day in range(days):
        begin_us = midnight_us(START, day)
        courses.begin_day(day, begin_us, everybody)
        bodies.next_day(day, begin_us)
        measured = sessions.measure(day, begin_us, everybody)
        for kind, table in seen.items():
            rows = (measured.kind == KIND_BY_NAME[kind].number) & (measured.session == 0)
            rows &= measured.group <= 0
            first = np.flatnonzero(rows)[::-1]
            told = measured.code if KIND_BY_NAME[kind].is_coded else measured.value
            table[day, measured.patient[first]] = told[first]
        chance = stream(population.seed, Purpose.CALIBRATION, day)
        at = bodies.at(np.arange(n), np.full(n, begin_us + NIGHT_MIN * MINUTE_US))
        for kind, table in asleep.items():
            table[day] = bodies.reading(kind, at, chance)
        readings += np.bincount(measured.patient, minlength=n)
        upper, lower = (measured.kind == KIND_BY_NAME[kind].number for kind in ("systolic", "diastolic"))
        high = (measured.value[upper] >= 135) | (measured.value[lower] >= 85)
        rounds += np.bincount(measured.patient[upper], minlength=n)
        above += np.bincount(measured.patient[upper], high, minlength=n).astype(np.int64)
    return Lives(
        population, courses.labels, seen, asleep, rounds, above, readings, _unwell(courses.labels, population, days)
    )


def _unwell(labels: Sequence[Label], population: Population, days: int) -> NDArray[np.bool_]:
    """From the day of the onset to the day after the end."""
    unwell = np.zeros((days, len(population)), np.bool_)
    rows = {text: row for row, text in enumerate(population.patient_text)}
    begin_us = midnight_us(START, 0)
    for label in labels:
        first, last = ((at_us - begin_us) // DAY_US for at_us in (label.onset_us, label.end_us))
        unwell[first : last + 2, rows[label.patient_id]] = True
    return unwell
