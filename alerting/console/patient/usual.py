"""What is usual for a patient, as a band behind their readings; pure.

As the engine has it (`alerting/engine/kernel/usual.py`): mean and spread of the stable days among those that
end some days before. A picture of it, not what findings are made of: those keep their own evidence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.console.patient.levels import Usual
from models.clock import DAY_US

TO_SIGMA = 1.4826
STABLE = 3.0
FEWEST_DAYS = 7
_BIN_US = DAY_US // 96


@dataclass(frozen=True, slots=True)
class Band:
    """What was usual on one day. **Units**: `at_us` its beginning, microseconds since 1970 UTC."""

    at_us: int
    low: float
    high: float


def usual_band(
    taken_at_us: NDArray[np.int64],
    value: NDArray[np.float64],
    usual: Usual,
    from_us: int,
    to_us: int,
    *,
    dense: bool = False,
) -> list[Band]:
    """The band of each day of a stretch of time; days without enough before them have none.

    **Shape**: readings in order of time, from `usual.days + usual.gap_days` days before the stretch on.
    """
    days, values = _daily(taken_at_us, value, dense=dense)
    found: list[Band] = []
    for day in range(from_us // DAY_US, to_us // DAY_US + 1):
        until = day - usual.gap_days
        first, last = np.searchsorted(days, (until - usual.days, until))
        middle, spread = stable(values[first:last].tolist())
        if not math.isnan(spread):
            found.append(Band(day * DAY_US, middle - spread, middle + spread))
    return found


def stable(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of the days within three robust spreads of their median; NaN for too few.

    >>> stable([79.0, 81.0, 79.0, 81.0, 79.0, 81.0, 80.0])
    (80.0, 1.0)
    """
    if len(values) < FEWEST_DAYS:
        return math.nan, math.nan
    every = np.array(values)
    center = float(np.median(every))
    sigma = TO_SIGMA * float(np.median(np.abs(every - center)))
    kept = every[np.abs(every - center) <= STABLE * sigma]
    if len(kept) < 2:
        return float(kept.mean()), math.nan
    return float(kept.mean()), float(kept.std(ddof=1))


def _daily(
    taken_at_us: NDArray[np.int64], value: NDArray[np.float64], *, dense: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Each day with readings and its median; of dense kinds the median of its quarters of an hour."""
    if dense and len(value):
        bins, places = np.unique(taken_at_us // _BIN_US, return_inverse=True)
        value = np.bincount(places, value) / np.bincount(places)
        taken_at_us = bins * _BIN_US
    days, starts = np.unique(taken_at_us // DAY_US, return_index=True)
    parts = np.split(value, starts[1:]) if len(value) else []
    return days, np.array([float(np.median(part)) for part in parts])
