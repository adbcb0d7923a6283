"""Weight above the median of a week, as ENGAGE-HF has it: two features compared, which rules cannot say."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.found import NEVER_US, Followed, Found, FoundRule
from alerting.backtest.result import Series
from models.clock import DAY_US
from models.findings import Severity, Signal

POUND_KG = 0.45359237
LIMIT_KG = 3 * POUND_KG
WEEK_US = 7 * DAY_US
FEWEST = 3
"""Weights in the week before, else there is no median of it."""
RULE = FoundRule("engage_hf", 1, "median_gain", Signal.FLUID)


def median_gain(series: Mapping[int, Series], followed: Followed) -> Found:
    """What *latest weight minus median of the last 7 days ≥ 3 lb* finds, while it holds.

    **Source**: ENGAGE-HF. The rounding is that of rules: to a millionth of the unit.
    """
    rows: list[tuple[int, int, int]] = []
    for patient in range(len(followed.patients)):
        mine = series[patient]
        weighed = np.array([kind == "body_weight" for kind in mine.kind], np.bool_) & ~np.isnan(mine.value)
        rows += [
            (patient, *held) for held in _held(mine.taken_at_us[weighed], mine.value[weighed] / POUND_KG)
        ]
    columns = np.array(rows, np.int64).reshape(-1, 3)
    n = len(columns)
    return Found(
        rules=[RULE],
        patient=columns[:, 0].astype(np.int32),
        rule=np.zeros(n, np.int16),
        severity=np.full(n, Severity.MEDIUM.rank, np.int8),
        opened_at_us=columns[:, 1],
        cleared_at_us=columns[:, 2],
        quiet=np.zeros(n, np.bool_),
    )


def _held(at_us: NDArray[np.int64], pounds: NDArray[np.float64]) -> list[tuple[int, int]]:
    """From when until when the latest weight is so far above the median of the week up to it."""
    found: list[tuple[int, int]] = []
    since_us: int | None = None
    first = np.searchsorted(at_us, at_us - WEEK_US, side="right")
    for place, (begin, now_us) in enumerate(zip(first.tolist(), at_us.tolist(), strict=True)):
        week = pounds[begin : place + 1]
        above = len(week) >= FEWEST and np.floor((pounds[place] - np.median(week)) * 1e6 + 0.5) >= 3_000_000
        if above and since_us is None:
            since_us = now_us
        elif not above and since_us is not None:
            found.append((since_us, now_us))
            since_us = None
    return found if since_us is None else [*found, (since_us, NEVER_US)]
