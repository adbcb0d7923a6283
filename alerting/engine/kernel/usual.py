"""What is usual for this patient, and how far today is from it: baselines, control charts, moving averages.

All of it runs on daily values. **Source**: the constants and run lengths that control charts must meet stand
in `tests/unit/engine/test_run_lengths.py`.
"""

import math
from typing import Any

import numpy as np

from alerting.engine.kernel.compiling import part
from alerting.engine.kernel.features import BASELINE, CUSUM, DEVIATION, EWMA, MACD, RELATIVE
from alerting.engine.kernel.history import close_days, days_between, days_up_to_now, value_today
from alerting.engine.kernel.layout import DAY_US, Memory, Scratch, Tables
from alerting.engine.kernel.numbers import converted, median

TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution."""

STABLE = 3.0
FEWEST_DAYS = 7
SMALLEST_SPREAD = 1e-9
LATEST_DAYS = 180
"""Control charts and moving averages look at so many days at most."""

HIGH, LOW, BOTH = 0, 1, 2


@part
def _center_and_sigma(values: Any, n: int, work: Any) -> tuple[float, float]:
    """Median of the first n and 1.4826 times the median distance from it."""
    for i in range(n):
        work[i] = values[i]
    center = median(work, n)
    for i in range(n):
        work[i] = abs(values[i] - center)
    return center, TO_SIGMA * median(work, n)


@part
def _stable(values: Any, n: int, work: Any) -> tuple[float, float]:
    """Mean and standard deviation of the stable ones of the first n; NaN where there are too few."""
    if n < FEWEST_DAYS:
        return np.nan, np.nan
    center, sigma = _center_and_sigma(values, n, work)
    kept = 0
    total = 0.0
    for i in range(n):
        if abs(values[i] - center) <= STABLE * sigma:
            total += values[i]
            kept += 1
    mean = total / kept
    if kept < 2:
        return mean, np.nan
    squares = 0.0
    for i in range(n):
        if abs(values[i] - center) <= STABLE * sigma:
            squares += (values[i] - mean) * (values[i] - mean)
    return mean, math.sqrt(squares / (kept - 1))


@part
def _baseline(
    p: int, s: int, today: int, days: int, gap: int, m: Memory, t: Tables, scratch: Scratch
) -> tuple[float, float]:
    """Mean and spread of the stable days among those that end `gap` days before today; canonical.

    Kept until the day is over or something older arrives, because minute streams ask for it each minute.
    """
    close_days(m, p, s, today, t, scratch.some)
    history = m.histories[m.series[s].history]
    place = 0 if history.cached_on[0] < 0 or history.cached_days[0] == days else 1
    if (
        history.cached_on[place] != today
        or history.cached_days[place] != days
        or history.cached_gap[place] != gap
    ):
        n = days_between(m, s, today - gap - days, today - gap, scratch.some, scratch.others)
        mean, spread = _stable(scratch.some, n, scratch.others)
        history.cached_on[place] = today
        history.cached_days[place] = days
        history.cached_gap[place] = gap
        history.cached_mean[place] = mean
        history.cached_spread[place] = spread
    return history.cached_mean[place], history.cached_spread[place]


@part
def _relative(
    atom: Any, p: int, s: int, end: int, at_us: int, m: Memory, t: Tables, scratch: Scratch
) -> float:
    today = at_us // DAY_US
    mean, _ = _baseline(p, s, today, atom.more, atom.days - 1, m, t, scratch)
    if math.isnan(mean) or mean == 0.0:
        return np.nan
    n = days_up_to_now(m, p, s, end, at_us, today - atom.days + 1, t, scratch)
    if 2 * n < atom.days:
        return np.nan
    total = 0.0
    for i in range(n):
        total += scratch.some[i]
    return 100.0 * (total / n) / mean


@part
def _standardised(atom: Any, n: int, limits_at: int, m: Memory, t: Tables, scratch: Scratch) -> int:
    """Daily values become distances from target in spreads, in place; gives where they begin, −1: unknown."""
    some = scratch.some
    if atom.target >= 0:
        target = m.limits[limits_at + atom.target].value
        spread = m.limits[limits_at + atom.spread].value
        if spread <= 0.0:
            return -1
        for i in range(n):
            some[i] = (converted(some[i], atom.series, atom.target_unit, t) - target) / spread
        return 0
    if n <= atom.more:
        return -1
    center, sigma = _center_and_sigma(some, atom.more, scratch.others)
    if sigma <= SMALLEST_SPREAD:
        return -1
    for i in range(atom.more, n):
        some[i] = (some[i] - center) / sigma
    return atom.more


@part
def _ewma(factor: float, first: int, n: int, values: Any) -> float:
    average = 0.0
    for i in range(first, n):
        average = factor * values[i] + (1.0 - factor) * average
    return average / math.sqrt(factor / (2.0 - factor))


@part
def _cusum(slack: float, side: int, first: int, n: int, values: Any) -> float:
    high = low = 0.0
    for i in range(first, n):
        high = max(0.0, high + values[i] - slack)
        low = max(0.0, low - values[i] - slack)
    return high if side == HIGH else low if side == LOW else max(high, low)


@part
def _macd(atom: Any, first: int, n: int, values: Any, t: Tables) -> float:
    fast, slow = 2.0 / (atom.more + 1.0), 2.0 / (atom.days + 1.0)
    short = long = converted(values[first], atom.series, atom.unit, t)
    for i in range(first + 1, n):
        value = converted(values[i], atom.series, atom.unit, t)
        short = fast * value + (1.0 - fast) * short
        long = slow * value + (1.0 - slow) * long
    return short - long


@part
def _chart(
    atom: Any, p: int, s: int, end: int, at_us: int, enrolled_us: int, limits_at: int,
    m: Memory, t: Tables, scratch: Scratch,
) -> float:  # fmt: skip
    """EWMA, CUSUM and MACD: over the daily values since enrolment, of the latest 180 days."""
    first_day = max(enrolled_us // DAY_US, at_us // DAY_US - LATEST_DAYS + 1)
    n = days_up_to_now(m, p, s, end, at_us, first_day, t, scratch)
    if n == 0:
        return np.nan
    if atom.feature == MACD:
        return _macd(atom, 0, n, scratch.some, t)
    begin = _standardised(atom, n, limits_at, m, t, scratch)
    if begin < 0:
        return np.nan
    if atom.feature == EWMA:
        return _ewma(atom.factor, begin, n, scratch.some)
    return _cusum(atom.factor, atom.side, begin, n, scratch.some)


@part
def from_usual(
    atom: Any, p: int, s: int, end: int, at_us: int, enrolled_us: int, limits_at: int,
    m: Memory, t: Tables, scratch: Scratch,
) -> float:  # fmt: skip
    """The value of a feature that compares with what is usual for the patient."""
    feature = atom.feature
    if feature == EWMA or feature == CUSUM or feature == MACD:
        return _chart(atom, p, s, end, at_us, enrolled_us, limits_at, m, t, scratch)
    if feature == RELATIVE:
        return _relative(atom, p, s, end, at_us, m, t, scratch)
    today = at_us // DAY_US
    mean, spread = _baseline(p, s, today, atom.days, atom.more, m, t, scratch)
    if feature == BASELINE:
        return converted(mean, atom.series, atom.unit, t)
    if feature == DEVIATION:
        if math.isnan(spread) or spread <= SMALLEST_SPREAD:
            return np.nan
        return (value_today(m, p, s, end, at_us, t, scratch.some) - mean) / spread
    other = converted(mean + spread, atom.series, atom.unit, t)
    return other - converted(mean, atom.series, atom.unit, t)
