"""How each patient gets worse and better: events begin by chance, walk through their machine, add up.

A machine asks nobody anything on its way, so all of it is walked when an event begins: from then on the state
and the severity at any moment are known, and so is the label. Columns, one row per event that is under way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US, SECOND_US
from models.labels import Label
from simulators.patients.condition import Event
from simulators.patients.labelling import labels_of
from simulators.patients.machine import Walked, walk
from simulators.patients.population import Bools, Floats, Ints, Population
from simulators.patients.streams import Purpose, stream

NEVER_US = 2**62


@dataclass(frozen=True, slots=True)
class Planted:
    """Events that begin. **Shape**: [k]. **Units**: microseconds since 1970, NEVER_US where not admitted."""

    rows: Ints
    worst_us: Ints
    admitted_us: Ints
    discharged_us: Ints


@dataclass(frozen=True, slots=True)
class Pull:
    """What is under way at given moments, one entry for each that is.

    **Shape**: [hits]; `moment` is an index into the moments that were asked for.
    """

    moment: Ints
    severity: Floats
    effects: Floats


class Courses:
    """The events of a population; advances one day at a time. `rate`: so many times as frequent."""

    def __init__(self, population: Population, rate: float = 1.0) -> None:
        self.population = population
        declared = population.parameters.conditions
        self.events: list[Event] = [event for condition in declared for event in condition.events]
        self._first = np.cumsum([0, *(len(condition.events) for condition in declared)])
        rate *= population.parameters.factors.rates
        self._per_day = np.array([condition.events_per_year for condition in declared]) * rate / 365
        self._free_from_us = np.zeros(population.conditions.shape, np.int64)
        self._row = np.zeros(0, np.int64)
        self._walked: Walked | None = None
        self._slots = np.full((len(population), 1), -1, np.int64)
        self._own = 0
        self.labels: list[Label] = []

    @property
    def free_from_us(self) -> Ints:
        """From when on nothing is under way in a patient, nor soon after; of all their conditions."""
        return self._free_from_us.max(axis=1)

    def begin_day(self, day: int, midnight_us: int, able: Bools) -> Planted:
        """Let begin what begins today, among patients who are followed."""
        seed, shape = self.population.seed, self.population.conditions.shape
        uniform = stream(seed, Purpose.COURSE, day).random(shape)
        begins = able[:, None] & self.population.conditions & (uniform < self._per_day)
        begins &= self._free_from_us <= midnight_us
        rows, numbers = np.nonzero(begins)
        self._forget(midnight_us)
        draws = stream(seed, Purpose.EVENTS, day).random((len(rows), 3))
        events = self._which(numbers, draws[:, 0])
        onset_us = midnight_us + (draws[:, 1] * DAY_US).astype(np.int64) // SECOND_US * SECOND_US
        walked = walk(self.events, events, onset_us, rows, self.population, stream(seed, Purpose.WALKS, day))
        rest_us = np.array([event.rest_days for event in self.events])[events] * DAY_US
        self._free_from_us[rows, numbers] = walked.over_us + rest_us.astype(np.int64)
        return self._add(rows, walked)

    def plant(self, rows: Sequence[int], event: Event, onset_us: Sequence[int]) -> Planted:
        """Let an event of one's own begin, at moments that are not before today, in each of the patients."""
        if event not in self.events:
            self.events.append(event)
        patients, onsets = np.array(rows, np.int64), np.array(onset_us, np.int64)
        events = np.full(len(patients), self.events.index(event), np.int64)
        chance = stream(self.population.seed, Purpose.PLANTED, self._own)
        self._own += 1
        return self._add(patients, walk(self.events, events, onsets, patients, self.population, chance))

    def pull(self, rows: NDArray[np.integer], at_us: Ints) -> list[Pull]:
        """What acts on patients at moments; of those who are well nothing is computed."""
        walked, found = self._walked, list[Pull]()
        if walked is None:
            return found
        for slot in self._slots.T:
            moment = np.flatnonzero(slot[rows] >= 0)
            if not len(moment):
                break
            at = slot[rows[moment]]
            severity = walked.severity(at, at_us[moment])
            found.append(Pull(moment, severity, walked.effects[at]))
        return found

    def states(self, at_us: int) -> NDArray[np.int8]:
        """Where patients stand in what they have, as indexes into STATES. **Shape**: [n, conditions]."""
        states = np.zeros(self.population.conditions.shape, np.int8)
        if self._walked is not None:
            condition = np.searchsorted(self._first, self._walked.event, side="right") - 1
            mine = condition < len(self.population.parameters.conditions)
            states[self._row[mine], condition[mine]] = self._walked.state(at_us)[mine]
        return states

    def labels_until(self, end_us: int) -> list[Label]:
        """Labels of what began before the end; those whose worst lies beyond it are marked as cut off."""
        begun = (label for label in self.labels if label.onset_us < end_us)
        return [replace(label, cut_off=label.worst_us >= end_us) for label in begun]

    def _which(self, numbers: Ints, uniform: Floats) -> Ints:
        picked = np.zeros(len(numbers), np.int64)
        for number, condition in enumerate(self.population.parameters.conditions):
            edges = np.cumsum([event.share for event in condition.events])
            mine = numbers == number
            within = np.searchsorted(edges[:-1] / edges[-1], uniform[mine], side="right")
            picked[mine] = self._first[number] + within
        return picked

    def _add(self, rows: Ints, walked: Walked) -> Planted:
        self.labels += labels_of(walked, self.events, rows, self.population)
        if self._walked is None:
            self._row, self._walked = rows, walked
        else:
            self._row, self._walked = np.concatenate([self._row, rows]), self._walked.joined(walked)
        self._arrange()
        admitted_us = np.where(walked.is_admitted, walked.at_us(walked.treated), NEVER_US)
        discharged_us = np.where(walked.is_admitted, walked.at_us(walked.discharged), NEVER_US)
        return Planted(rows, walked.worst_us, admitted_us, discharged_us)

    def _forget(self, midnight_us: int) -> None:
        """What was over before today can no longer be asked for."""
        if self._walked is not None:
            rows = np.flatnonzero(self._walked.over_us >= midnight_us)
            self._row, self._walked = self._row[rows], self._walked.take(rows)
            self._arrange()

    def _arrange(self) -> None:
        """Find the events of each patient: as many columns as the one with the most of them has."""
        order = np.argsort(self._row, kind="stable")
        row = self._row[order]
        begins = np.flatnonzero(np.diff(row, prepend=-1))
        place = np.arange(len(row)) - np.repeat(begins, np.diff(begins, append=len(row)))
        self._slots = np.full((len(self.population), 1 + int(np.max(place, initial=0))), -1, np.int64)
        self._slots[row, place] = order
