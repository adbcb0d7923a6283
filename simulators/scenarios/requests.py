"""Measuring again when asked: patients answer what the quality gate doubts in time, late, or never.

Where no service runs nobody is asked, so the gate's own rule is applied here to what devices show. Only
homes whose devices send at once are asked in time; with the others the moment has passed when it arrives.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.engine.gates import FORMER_US, GATES, Gate
from models.clock import DAY_US, MINUTE_US, SECOND_US
from models.kinds import KIND_BY_NAME, Kind
from models.units import UNIT_BY_SPELLING, to_canonical
from simulators.devices.uploads import UNIT_TEXTS, Content, Lines
from simulators.patients.habits import Habits
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream

LATEST_US = DAY_US - 30 * MINUTE_US
"""Nobody measures again after half past eleven at night."""
SOONEST_US = 2 * MINUTE_US
LONGEST_LATE_US = 5 * 60 * MINUTE_US
_UNIT_NUMBERS = np.array([*(UNIT_BY_SPELLING[text] for text in UNIT_TEXTS), -1])


@dataclass(frozen=True, slots=True)
class Again:
    """Who measures a kind again, and when. **Shape**: [m]. **Units**: microseconds since 1970."""

    kind: Kind
    patient: Ints
    at_us: Ints


class Requests:
    """Knows the last value of each patient that the gate would compare with; one day at a time.

    **Shape**: `_former`, `_former_us` are [n] for each gated kind: values in its canonical unit, NaN for
    none yet, and when they were taken.
    """

    def __init__(self, population: Population, habits: Habits, at_once: NDArray[np.bool_]) -> None:
        self.population = population
        self.habits = habits
        self.at_once = at_once
        self._former = {name: np.full(len(population), np.nan) for name in GATES}
        self._former_us = {name: np.zeros(len(population), np.int64) for name in GATES}

    def asked(self, day: int, midnight_us: int, lines: Lines) -> list[Again]:
        """Who measures what again on a day, given what devices show."""
        uniform = stream(self.population.seed, Purpose.ANSWERS, day).random((len(self.population), 2))
        found: list[Again] = []
        for name, gate in GATES.items():
            kind = KIND_BY_NAME[name]
            patient, taken_us, value = _first_of_day(lines, kind, midnight_us)
            is_recent = taken_us - self._former_us[name][patient] <= FORMER_US
            doubtful = is_recent & is_doubtful(value, self._former[name][patient], gate)
            self._former[name][patient], self._former_us[name][patient] = value, taken_us
            who, taken_us = patient[doubtful], taken_us[doubtful]
            at_us = taken_us + self._delay_us(uniform[who, 0], uniform[who, 1], gate)
            answers = self.at_once[who] & (uniform[who, 0] < self._answering)
            answers &= at_us < midnight_us + LATEST_US
            found.append(Again(kind, who[answers], at_us[answers]))
        return found

    def told(self, again: Again, lines: Lines) -> None:
        """What was measured again is what the next value is compared with."""
        value = _canonical(lines)
        plausible = (value >= again.kind.low) & (value <= again.kind.high)
        patient = lines.patient[plausible]
        self._former[again.kind.name][patient] = value[plausible]
        self._former_us[again.kind.name][patient] = lines.taken_at_us[plausible]

    @property
    def _answering(self) -> float:
        return self.habits.answers_in_time + self.habits.answers_late

    def _delay_us(self, which: Floats, how_long: Floats, gate: Gate) -> Ints:
        """In time is within three quarters of what is waited for; late is after all of it."""
        soon = SOONEST_US + (0.75 * gate.wait_us - SOONEST_US) * how_long
        late = gate.wait_us + SOONEST_US + LONGEST_LATE_US * how_long
        seconds = np.where(which < self.habits.answers_in_time, soon, late) // SECOND_US
        return seconds.astype(np.int64) * SECOND_US


def is_doubtful(value: Floats, former: Floats, gate: Gate) -> NDArray[np.bool_]:
    """What the gate asks to be measured again.

    >>> is_doubtful(np.array([91.0, 80.5, 70.0]), np.array([80.0, 80.0, np.nan]), GATES["body_weight"])
    array([ True, False, False])
    """
    doubtful = np.zeros(len(value), np.bool_)
    if gate.jump_share is not None:
        doubtful |= np.abs(value - former) > gate.jump_share * former
    if gate.above is not None:
        doubtful |= (value > gate.above) & (former <= gate.above)
    return doubtful


def _first_of_day(lines: Lines, kind: Kind, midnight_us: int) -> tuple[Ints, Ints, Floats]:
    """Each patient's first plausible value of a kind: patients, times, canonical values."""
    rows = np.flatnonzero((lines.kind == kind.number) & (lines.content == Content.VALUE))
    some = lines.take(rows)
    value = _canonical(some)
    today = (some.taken_at_us >= midnight_us) & (some.taken_at_us < midnight_us + DAY_US)
    good = np.flatnonzero(today & (value >= kind.low) & (value <= kind.high))
    patient, first = np.unique(some.patient[good], return_index=True)
    return patient.astype(np.int64), some.taken_at_us[good][first], value[good][first]


def _canonical(lines: Lines) -> Floats:
    return to_canonical(lines.value, lines.kind, _UNIT_NUMBERS[lines.unit])
