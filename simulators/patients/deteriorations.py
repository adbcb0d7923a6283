"""Deteriorations: planted day by day, followed through their course, labelled for who must find them."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US, HOUR_US
from models.labels import Label
from simulators.patients.condition import Deterioration, Effect, Range
from simulators.patients.population import CONDITIONS, Floats, Ints, Population, within
from simulators.patients.streams import Purpose, stream

ALL: Final[tuple[Deterioration, ...]] = tuple(d for c in CONDITIONS for d in c.deteriorations)
CHANNELS: Final = ("weight_kg", "systolic", "diastolic", "heart_rate", "spo2", "dyspnoea")
VISIBLE: Final = {"weight_kg": 2.0, "systolic": 15.0, "heart_rate": 20.0, "spo2": -4.0}
"""From which latent change on somebody who looks could see it: the size that published rules speak about."""
REST_DAYS = 30
"""After a deterioration the next one waits at least this long."""
WEEK_DAYS = 7.0


class Deteriorations:
    """The deterioration that each patient is in, as columns; advances one day at a time.

    **Shape**: each array is [n], `effects` [n, channels]. **Units**: days since onset for the course.
    """

    def __init__(self, population: Population, rate: float = 1.0) -> None:
        n = len(population)
        self.population = population
        self.rate_per_day = population.per_patient(lambda c: c.deteriorations_per_year) * rate / 365
        self.kind = np.full(n, -1, np.int64)
        self.onset_us = np.zeros(n, np.int64)
        self.rise, self.hold, self.fall = (np.ones(n) for _ in range(3))
        self.early = np.zeros(n)
        self.effects = np.zeros((n, len(CHANNELS)))
        self.free_from_us = np.zeros(n, np.int64)
        self.admitted = np.zeros(n, np.bool_)
        self.labels: list[Label] = []

    def begin_day(self, day: int, midnight_us: int, able: NDArray[np.bool_]) -> Ints:
        """Plant what begins today, among patients who are followed; gives the rows in which it did."""
        chance = stream(self.population.seed, Purpose.COURSE, day)
        uniform = chance.random((len(self.kind), 2))
        begins = able & (self.free_from_us <= midnight_us) & (uniform[:, 0] < self.rate_per_day)
        rows = np.flatnonzero(begins)
        if len(rows):
            # Few rows, many draws: their own stream keeps the others' independent of how many begin.
            self._plant(rows, midnight_us, uniform[rows, 1], day)
        return rows

    def effect_at(self, rows: NDArray[np.integer], at_us: Ints) -> Floats:
        """What the deteriorations add to each channel at a moment. **Shape**: [len(rows), channels]."""
        severity = course(
            (at_us - self.onset_us[rows]) / DAY_US,
            self.rise[rows], self.hold[rows], self.fall[rows], self.early[rows],
        )  # fmt: skip
        return self.effects[rows] * np.where(self.kind[rows] >= 0, severity, 0.0)[:, None]

    def worst_us(self, rows: Ints) -> Ints:
        """When the worst is reached."""
        return self.onset_us[rows] + (self.rise[rows] * DAY_US).astype(np.int64)

    def labels_until(self, end_us: int) -> list[Label]:
        """Labels of what began before the end; those whose worst lies beyond it are marked as cut off."""
        begun = (label for label in self.labels if label.onset_us < end_us)
        return [replace(label, cut_off=label.worst_us >= end_us) for label in begun]

    def _plant(self, rows: Ints, midnight_us: int, when: Floats, day: int) -> None:
        draws = stream(self.population.seed, Purpose.EVENTS, day).random((len(self.kind), 12))[rows]
        first = np.cumsum([0, *(len(c.deteriorations) for c in CONDITIONS)])
        kinds = np.zeros(len(rows), np.int64)
        for number, condition in enumerate(CONDITIONS):
            mine = self.population.condition[rows] == number
            shares = np.cumsum([d.share for d in condition.deteriorations])
            picked = np.searchsorted(shares[:-1], draws[:, 0], side="right")
            kinds[mine] = first[number] + picked[mine]
        self.kind[rows] = kinds
        self.onset_us[rows] = midnight_us + (when * DAY_US).astype(np.int64) // 1_000_000 * 1_000_000
        self.rise[rows] = within([d.rise_days for d in ALL], kinds, draws[:, 1])
        self.hold[rows] = within([d.hold_days for d in ALL], kinds, draws[:, 2])
        self.fall[rows] = within([d.fall_days for d in ALL], kinds, draws[:, 3])
        self.early[rows] = np.array([d.early for d in ALL])[kinds]
        for channel, name in enumerate(CHANNELS):
            ranges: list[Range] = [_range_of(d.effect, name) for d in ALL]
            self.effects[rows, channel] = within(ranges, kinds, draws[:, 4 + channel])
        # What nobody measures cannot be seen, nor be called detectable.
        self.effects[rows, CHANNELS.index("weight_kg")] *= self.population.has_scale[rows]
        self.effects[rows, CHANNELS.index("spo2")] *= self.population.has_oximeter[rows]
        self.admitted[rows] = draws[:, 10] < np.array([d.admitted for d in ALL])[kinds]
        length = self.rise[rows] + self.hold[rows] + self.fall[rows]
        self.free_from_us[rows] = self.onset_us[rows] + ((length + REST_DAYS) * DAY_US).astype(np.int64)
        self.labels += [self._label(int(row)) for row in rows]

    def _label(self, row: int) -> Label:
        kind, onset_us = ALL[int(self.kind[row])], int(self.onset_us[row])
        length = float(self.rise[row] + self.hold[row] + self.fall[row])
        hours = np.arange(0, int(length * DAY_US), HOUR_US, dtype=np.int64) + onset_us
        latent = self.effect_at(np.full(len(hours), row), hours)
        seen = np.zeros(len(hours), np.bool_)
        for name, size in VISIBLE.items():
            seen |= latent[:, CHANNELS.index(name)] * np.sign(size) >= abs(size)
        return Label(
            patient_id=self.population.patient_text[row],
            kind=kind.name,
            signals=kind.signals,
            onset_us=onset_us,
            detectable_at_us=int(hours[seen.argmax()]) if seen.any() else None,
            worst_us=int(self.worst_us(np.array([row]))[0]),
            end_us=onset_us + int(length * DAY_US),
            admitted=bool(self.admitted[row]),
            cut_off=False,
        )


def course(x: Floats, rise: Floats, hold: Floats, fall: Floats, early: Floats) -> Floats:
    """How far a deterioration has come, 0 to 1, x days after its onset."""
    last = np.minimum(rise, WEEK_DAYS)
    before = rise - last
    slow = early * x / np.where(before > 0, before, 1.0)
    base = np.where(before > 0, early, 0.0)
    done = (x - before) / last
    diverging = base + (1 - base) * done * done
    rising = np.where(x < before, slow, diverging)
    falling = 1 - (x - rise - hold) / fall
    level = np.where(x < rise, rising, np.where(x < rise + hold, 1.0, falling))
    return np.where(x <= 0, 0.0, np.maximum(level, 0.0))


def _range_of(effect: Effect, channel: str) -> Range:
    value: Range = getattr(effect, channel)
    return value
