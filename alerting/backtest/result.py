"""What a backtest hands on to be measured: versions as tried, who was followed, what really happened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.found import Followed, Found
from alerting.engine.programme import Programme
from models.labels import Label


@dataclass(frozen=True, slots=True)
class Tried:
    """One version of the programmes, and what it found. `hash` is the same for the same programmes."""

    name: str
    programmes: Sequence[Programme]
    hash: str
    found: Found


@dataclass(frozen=True, slots=True)
class Swept:
    """One limit at several values, all else as in the version `base` (a place among the versions).

    **Units**: `default` (what the base has) and `values` in `unit`.
    """

    programme: str
    rule: str
    limit: str
    unit: str
    base: int
    default: float
    values: Sequence[float]
    tried: Sequence[Tried]


@dataclass(frozen=True, slots=True)
class Held:
    """When alerts of whom are held back, by patient, then time: while paused, or admitted.

    **Shape**: each is [n]; `patient` is an index into `Followed.patients`. **Units**: microseconds since 1970
    UTC; `until_us` NEVER_US where no end is known.
    """

    patient: NDArray[np.int32]
    admission: NDArray[np.bool_]
    from_us: NDArray[np.int64]
    until_us: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """The readings of one patient, by time.

    **Shape**: each is [n]. **Units**: `value` in `unit`, the kind's canonical one, NaN where there is a
    `code` instead; `taken_at_us` in microseconds since 1970 UTC.
    """

    kind: Sequence[str]
    taken_at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    unit: Sequence[str]
    code: Sequence[str | None]


SeriesOf = Callable[[Sequence[int]], Mapping[int, Series]]
"""The readings of some patients, by their indices in `Followed.patients`."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """Versions on one history. **Units**: `from_us`, `until_us`, the stretch, in microseconds since 1970 UTC.

    `readings` and `labels_from` say where they come from, for people. `real`: the patients exist, so that no
    id of theirs may be told. `labels` is None where nothing is known: then only load can be measured.
    `series` may read the history once more: it is to be asked once, for all examples.
    """

    versions: Sequence[Tried]
    sweeps: Sequence[Swept]
    followed: Followed
    held: Held
    from_us: int
    until_us: int
    readings: str
    rows: int
    refused: int
    real: bool
    labels: Sequence[Label] | None
    labels_from: str
    series: SeriesOf
