"""What is compared: five rules, the readings of some patients, and what a peer found in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alerting.engine.compiled import compared as as_compared
from alerting.engine.programme import Programme
from alerting.engine.programme_files import load_file
from benchmarks.rules.batches import Columns, at_home, without_oddities
from benchmarks.rules.crowd import Crowd, crowd

FOLDER = Path(__file__).parent
PROGRAMME = load_file(FOLDER / "compared.yaml")
RULES = tuple(PROGRAMME.rules)
Opened = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Compared:
    """The readings of some patients, by patient and time; every value in its kind's canonical unit."""

    people: Crowd
    columns: Columns
    days: int

    def __len__(self) -> int:
        return len(self.columns.patient)

    def rows(self) -> Iterator[tuple[int, int, int, float]]:
        """Patient, kind, time and value of each reading, as Python has them."""
        patient, kind, taken_at_us, value, _ = (column.tolist() for column in self.columns)
        return zip(patient, kind, taken_at_us, value, strict=True)

    def of_first(self, patients: int) -> "Compared":
        """The readings of the first patients alone."""
        end = int(np.searchsorted(self.columns.patient, patients))
        return Compared(self.people, self.columns.take(slice(end)), self.days)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a peer found, and how long it took.

    **Shape**: `opened` is how often each rule opened for each of the first patients, [rules, patients].
    """

    peer: str
    how: str
    readings: int
    elapsed_s: float
    cpu_s: float
    opened: Opened

    @property
    def per_s(self) -> float:
        """Readings per second."""
        return self.readings / self.elapsed_s


@dataclass(frozen=True, slots=True)
class Unable:
    """A peer that cannot run here, and why."""

    peer: str
    why: str


def compared(patients: int, days: int) -> Compared:
    """Weight, pressures, pulse and oxygen saturation of so many patients, once or twice a day."""
    people = crowd(patients, {PROGRAMME.programme: 1.0}, own=[PROGRAMME])
    columns = at_home(people, np.arange(patients, dtype=np.int32), 0, days, without_oddities())
    return Compared(people, columns, days)


def limits(programme: Programme = PROGRAMME) -> dict[str, int]:
    """The default limits as they are compared: in whole millionths, or as they are where they count.

    >>> limits()["gain"], limits()["often"]
    (2000000, 2)
    """
    return {
        name: int(limit.default if limit.unit == "1" else as_compared(limit.default, limit))
        for name, limit in programme.limits.items()
    }
