"""What one version of the programmes found in a history, as columns; and who was followed for how long."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.findings import Signal

NEVER_US = 2**62
"""Stands for a clearing that has not come: the finding still holds at the end."""


@dataclass(frozen=True, slots=True)
class FoundRule:
    """A rule that findings are of."""

    programme: str
    version: int
    rule: str
    signal: Signal


@dataclass(frozen=True, slots=True)
class Found:
    """Findings that were not retracted, by patient, then opening, then rule.

    **Shape**: each array is [n]. `patient` is an index into `Followed.patients`, `rule` one into `rules`.
    `severity`: the rank of the worst that was reached; `quiet`: within the cooldown of the one before.
    **Units**: microseconds since 1970 UTC; `cleared_at_us` NEVER_US while it holds.
    """

    rules: Sequence[FoundRule]
    patient: NDArray[np.int32]
    rule: NDArray[np.int16]
    severity: NDArray[np.int8]
    opened_at_us: NDArray[np.int64]
    cleared_at_us: NDArray[np.int64]
    quiet: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.patient)


@dataclass(frozen=True, slots=True)
class Followed:
    """Who was followed, the same for each version. **Shape**: arrays are [patients].

    **Units**: microseconds since 1970 UTC; a patient-day is 24 hours between the two, at home or not.
    """

    patients: Sequence[str]
    from_us: NDArray[np.int64]
    until_us: NDArray[np.int64]
    readings: NDArray[np.int64]

    @property
    def days(self) -> NDArray[np.float64]:
        """Patient-days of each patient."""
        return np.maximum(self.until_us - self.from_us, 0) / 86_400_000_000
