"""Lives to look at: what a population measures day after day, as tables, with nothing between it and us."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
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
from simulators.patients.measurements import Measurements
from simulators.patients.population import Bools, Floats, Ints, Population
from simulators.patients.sessions import Sessions
from simulators.patients.streams import Purpose, stream

START = date(2026, 1, 1)
NIGHT_MIN = 180


@dataclass(frozen=True, slots=True)
class Lives:
    """What was measured, by day and patient, and what was the matter.

    **Shape**: `mornings` of each kind [days, n], NaN where nothing was measured (the first of the morning);
    `nights` of each kind [days, n], read at three from everybody; `readings`, `pressures`, `high_pressures`
    [n]: all that was measured, blood pressures, those of 135/85 or more; `unwell` [days, n].
    """

    population: Population
    labels: Sequence[Label]
    mornings: dict[str, Floats]
    nights: dict[str, Floats]
    readings: Ints
    pressures: Ints
    high_pressures: Ints
    unwell: Bools

    @property
    def days(self) -> int:
        """How long they were looked at."""
        return len(self.unwell)

    def day_of(self, at_us: int) -> int:
        """The day on which a moment lies."""
        return (at_us - midnight_us(START, 0)) // DAY_US

    def events(self, kinds: AbstractSet[str]) -> list[tuple[int, Label]]:
        """Events of some kinds, each with the row of its patient."""
        rows = {text: row for row, text in enumerate(self.population.patient_text)}
        return [(rows[label.patient_id], label) for label in self.labels if label.kind in kinds]


def live(
    population: Population, days: int, mornings: Sequence[str] = (), nights: Sequence[str] = ()
) -> Lives:
    """Let a population live; everybody is followed and at home all the time."""
    n = len(population)
    courses = Courses(population)
    bodies = Bodies(population, courses)
    sessions = Sessions(bodies)
    seen = {kind: np.full((days, n), np.nan) for kind in mornings}
    asleep = {kind: np.zeros((days, n)) for kind in nights}
    readings, pressures, high = (np.zeros(n, np.int64) for _ in range(3))
    for day in range(days):
        begin_us = midnight_us(START, day)
        courses.begin_day(day, begin_us, np.ones(n, np.bool_))
        bodies.next_day(day, begin_us)
        measured = sessions.measure(day, begin_us, np.ones(n, np.bool_))
        for kind, table in seen.items():
            table[day] = _first_of_the_morning(measured, kind, n)
        chance = stream(population.seed, Purpose.CALIBRATION, day)
        at = bodies.at(np.arange(n), np.full(n, begin_us + NIGHT_MIN * MINUTE_US))
        for kind, table in asleep.items():
            table[day] = bodies.reading(kind, at, chance)
        upper, lower = (measured.kind == KIND_BY_NAME[kind].number for kind in ("systolic", "diastolic"))
        of, above = measured.patient[upper], (measured.value[upper] >= 135) | (measured.value[lower] >= 85)
        readings += np.bincount(measured.patient, minlength=n)
        pressures += np.bincount(of, minlength=n)
        high += np.bincount(of[above], minlength=n)
    labels = courses.labels
    unwell = _unwell(labels, population, days)
    return Lives(population, labels, seen, asleep, readings, pressures, high, unwell)


def _first_of_the_morning(measured: Measurements, kind: str, n: int) -> Floats:
    """What each patient read first of a kind. **Shape**: [n], NaN for who did not."""
    morning = (measured.kind == KIND_BY_NAME[kind].number) & (measured.session == 0)
    rows = np.flatnonzero(morning & (measured.group <= 0))[::-1]
    read = np.full(n, np.nan)
    read[measured.patient[rows]] = measured.value[rows]
    return read


def _unwell(labels: Sequence[Label], population: Population, days: int) -> NDArray[np.bool_]:
    """From the day of the onset to the day after the end."""
    unwell = np.zeros((days, len(population)), np.bool_)
    rows = {text: row for row, text in enumerate(population.patient_text)}
    begin_us = midnight_us(START, 0)
    for label in labels:
        first, last = ((at_us - begin_us) // DAY_US for at_us in (label.onset_us, label.end_us))
        unwell[first : last + 2, rows[label.patient_id]] = True
    return unwell
