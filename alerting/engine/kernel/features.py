"""Features of the readings in a window: one by one, by quarters of an hour where they are dense, or by days.

What each means is in `alerting/programmes/README.md`; `tests/naive/features.py` says it slowly.
"""

import math
from typing import Any

import numpy as np

from alerting.engine.kernel.compiling import part, small_part
from alerting.engine.kernel.history import bin_now, close_bins, days_up_to_now, first_bin
from alerting.engine.kernel.layout import (
    BIN_US,
    BINS_A_DAY,
    DAY_US,
    SOURCES,
    SUSPECT,
    Memory,
    Scratch,
    Tables,
)
from alerting.engine.kernel.numbers import (
    canonical_of,
    converted,
    in_unit,
    median,
    millionths,
    unit_of,
)
from alerting.engine.kernel.readings import (
    ALIKE,
    IS_ODD,
    SOURCE_MASK,
    counts_at,
    digits_of,
    reading_at,
    tag_of,
    taken_at,
    value_of,
    window_start,
)

LAST, AGE, COUNT, MEAN, MEDIAN, MIN, MAX, RISE, FALL, SLOPE = range(10)
SHARE, STRETCH, DAYS_WITH, REPEATS, MISSED = range(10, 15)
EWMA, CUSUM, MACD, BASELINE, SPREAD, DEVIATION, RELATIVE = range(15, 22)
NEWS2, NEWS2_WORST, NEWS2_MISSING = range(22, 25)
BY_READINGS, BY_BINS, BY_DAYS = 0, 1, 2
BINS_APART = 2
THIRD = 3


@part
def is_within(canonical: float, atom: Any, limits_at: int, m: Memory, t: Tables) -> bool:
    """Whether a canonical value lies inside all bounds of a feature."""
    if atom.low >= 0:
        value = millionths(converted(canonical, atom.series, atom.low_unit, t))
        limit = m.limits[limits_at + atom.low].compared
        if value < limit or (atom.low_open != 0 and value == limit):
            return False
    if atom.high >= 0:
        value = millionths(converted(canonical, atom.series, atom.high_unit, t))
        limit = m.limits[limits_at + atom.high].compared
        if value > limit or (atom.high_open != 0 and value == limit):
            return False
    return True


@small_part
def is_inside(row: Any, atom: Any, limits_at: int, m: Memory, t: Tables) -> bool:
    """Whether a reading lies inside all bounds of a feature, each in the bound's own unit."""
    if atom.low >= 0:
        value = millionths(in_unit(row, atom.series, atom.low_unit, t))
        limit = m.limits[limits_at + atom.low].compared
        if value < limit or (atom.low_open != 0 and value == limit):
            return False
    if atom.high >= 0:
        value = millionths(in_unit(row, atom.series, atom.high_unit, t))
        limit = m.limits[limits_at + atom.high].compared
        if value > limit or (atom.high_open != 0 and value == limit):
            return False
    return True


@small_part
def last_row(m: Memory, first: int, end: int, oldest_us: int) -> int:
    """Row of the last value that is not before `oldest_us`; −1 when there is none."""
    i = end - 1
    while i >= first and taken_at(i, m) >= oldest_us:
        if counts_at(i, m):
            return i
        i -= 1
    return -1


@small_part
def _value_of(row: Any, atom: Any, t: Tables) -> float:
    if atom.relative != 0:
        return canonical_of(row, atom.series, t)
    return in_unit(row, atom.series, atom.unit, t)


@part
def difference(atom: Any, newest: float, best: float) -> float:
    """A rise or fall from the best earlier value; in per cent of that where it is relative."""
    found = newest - best if atom.feature == RISE else best - newest
    if atom.relative == 0:
        return found
    return np.nan if best == 0.0 else 100.0 * found / best


@small_part
def _change(atom: Any, series: Any, end: int, at_us: int, m: Memory, t: Tables) -> float:
    """Rise and fall."""
    first = series.readings
    oldest_us = at_us - atom.window_us + 1
    i = last_row(m, first, end, max(at_us - atom.max_age_us, oldest_us))
    if i < 0:
        return np.nan
    newest = _value_of(reading_at(series, i, m), atom, t)
    best = np.nan
    i -= 1
    while i >= first and taken_at(i, m) >= oldest_us:
        if counts_at(i, m):
            value = _value_of(reading_at(series, i, m), atom, t)
            if math.isnan(best) or (value < best if atom.feature == RISE else value > best):
                best = value
        i -= 1
    return np.nan if math.isnan(best) else difference(atom, newest, best)


@part
def fitted_slope(xs: Any, values: Any, n: int) -> float:
    """Least squares through the first n points; NaN where all lie at one place."""
    total_x = total = 0.0
    for i in range(n):
        total_x += xs[i]
        total += values[i]
    middle_x, middle = total_x / n, total / n
    above = below = 0.0
    for i in range(n):
        above += (xs[i] - middle_x) * (values[i] - middle)
        below += (xs[i] - middle_x) * (xs[i] - middle_x)
    return np.nan if below == 0.0 else above / below


@part
def _slope(
    atom: Any, series: Any, start: int, end: int, m: Memory, t: Tables, scratch: Scratch
) -> float:  # fmt: skip
    n = 0
    first_us = last_us = 0
    for i in range(start, end):
        row = reading_at(series, i, m)
        if counts_at(i, m):
            if n == 0:
                first_us = row.taken_us
            last_us = row.taken_us
            scratch.others[n] = (row.taken_us - first_us) / DAY_US
            scratch.some[n] = in_unit(row, atom.series, atom.unit, t)
            n += 1
    if n < 3 or THIRD * (last_us - first_us) < atom.window_us:
        return np.nan
    return fitted_slope(scratch.others, scratch.some, n)


@part
def _share_or_stretch(
    atom: Any, series: Any, start: int, end: int, limits_at: int, m: Memory, t: Tables
) -> float:  # fmt: skip
    n = inside = 0
    run_us = -1
    before_us = longest_us = 0
    for i in range(start, end):
        row = reading_at(series, i, m)
        if not counts_at(i, m):
            continue
        n += 1
        if not is_inside(row, atom, limits_at, m, t):
            run_us = -1
            continue
        inside += 1
        if run_us < 0 or row.taken_us - before_us > atom.apart_us:
            run_us = row.taken_us
        before_us = row.taken_us
        longest_us = max(longest_us, row.taken_us - run_us)
    if n == 0:
        return np.nan
    return float(longest_us) if atom.feature == STRETCH else 100.0 * inside / n


@small_part
def _number(
    atom: Any, series: Any, end: int, oldest_us: int, limits_at: int, m: Memory, t: Tables
) -> float:  # fmt: skip
    """Count, days with, repeats: back from the newest as far as it takes."""
    n = 0
    day = -1
    newest = np.nan
    i = end - 1
    while i >= series.readings and taken_at(i, m) > oldest_us:
        i -= 1
        if not counts_at(i + 1, m):
            continue
        row = reading_at(series, i + 1, m)
        if atom.feature == REPEATS:
            value = canonical_of(row, atom.series, t)
            if n > 0 and value != newest:
                break
            newest = value
            n += 1
        elif is_inside(row, atom, limits_at, m, t):
            if atom.feature == COUNT:
                n += 1
            elif row.taken_us // DAY_US != day:
                day = row.taken_us // DAY_US
                n += 1
    return float(n)


@small_part
def _mean(atom: Any, series: Any, end: int, oldest_us: int, m: Memory, t: Tables) -> float:
    """The mean of the values after a time, added up oldest first."""
    start = window_start(m, series.readings, end, oldest_us)
    as_it_is = 0
    for source in range(SOURCES):
        unit = unit_of(tag_of(np.int64(series.sources[source])))
        as_it_is |= (1 if unit == atom.unit else 0) << source
    n = 0
    total = 0.0
    for i in range(start, end):
        word = m.readings[i]
        if as_it_is >> (word & SOURCE_MASK) & 1 != 0:
            if word & SUSPECT == 0:
                total += value_of(word)
                n += 1
        elif counts_at(i, m):
            total += in_unit(reading_at(series, i, m), atom.series, atom.unit, t)
            n += 1
    return np.nan if n == 0 else total / n


@part
def _extreme(atom: Any, series: Any, start: int, end: int, m: Memory, t: Tables) -> float:
    """The lowest or the highest value. Readings like the first one are compared as they are packed."""
    is_low = atom.feature == MIN
    best = np.nan
    alike, row, most = -1, -1, 0
    for i in range(start, end):
        word = m.readings[i]
        if word & ALIKE == alike:
            digits = digits_of(word) if is_low else -digits_of(word)
            if digits < most:
                row, most = i, digits
        elif counts_at(i, m):
            if row < 0 and word & SOURCE_MASK != IS_ODD:
                alike, row = word & ALIKE, i
                most = digits_of(word) if is_low else -digits_of(word)
                continue
            value = in_unit(reading_at(series, i, m), atom.series, atom.unit, t)
            if math.isnan(best) or (value < best if is_low else value > best):
                best = value
    if row >= 0:
        value = in_unit(reading_at(series, row, m), atom.series, atom.unit, t)
        if math.isnan(best) or (value < best if is_low else value > best):
            best = value
    return best


@small_part
def by_readings(
    atom: Any, series: Any, end: int, at_us: int, limits_at: int, m: Memory, t: Tables, scratch: Scratch
) -> float:
    """The value of a feature from the readings of its window, of which the last is before row `end`."""
    feature = atom.feature
    if feature == RISE or feature == FALL:
        return _change(atom, series, end, at_us, m, t)
    oldest_us = at_us - atom.window_us
    if feature == COUNT or feature == DAYS_WITH or feature == REPEATS:
        return _number(atom, series, end, oldest_us, limits_at, m, t)
    if feature == MEAN:
        return _mean(atom, series, end, oldest_us, m, t)
    start = window_start(m, series.readings, end, oldest_us)
    if feature == MIN or feature == MAX:
        return _extreme(atom, series, start, end, m, t)
    if feature == SHARE or feature == STRETCH:
        return _share_or_stretch(atom, series, start, end, limits_at, m, t)
    if feature == SLOPE:
        return _slope(atom, series, start, end, m, t, scratch)
    n = 0
    for i in range(start, end):
        if counts_at(i, m):
            scratch.some[n] = in_unit(reading_at(series, i, m), atom.series, atom.unit, t)
            n += 1
    return np.nan if n == 0 else median(scratch.some, n)


@part
def by_bins(
    atom: Any, p: int, s: int, end: int, at_us: int, limits_at: int, m: Memory, t: Tables, scratch: Scratch
) -> float:
    """The value of a feature from the quarters of an hour of its window."""
    number_now = at_us // BIN_US
    close_bins(m, p, s, number_now, t, scratch.some)
    history = m.histories[m.series[s].history]
    bins_end = history.bins + history.bins_len
    start = first_bin(m.bins, history.bins, bins_end, (at_us - atom.window_us) // BIN_US + 1)
    stop = first_bin(m.bins, start, bins_end, number_now)
    n_now, sum_now, low_now, high_now, last_now = bin_now(m, s, end, at_us, t)
    feature = atom.feature
    n = inside = bins = 0
    total = 0.0
    lowest = highest = lowest_before = highest_before = newest = np.nan
    run = before = first_number = number = -1
    longest = 0
    low = high = last = np.nan
    day = -1
    days = 0
    for b in range(start, stop + 1):
        if b < stop:
            row = m.bins[b]
            number, k, part = row.number, row.n, row.sum
            if history.has_extremes != 0:
                beside = m.extremes[history.extremes + b - history.bins]
                low, high, last = beside.low, beside.high, beside.last
        elif n_now > 0:
            number, k, part, low, high, last = number_now, n_now, sum_now, low_now, high_now, last_now
        else:
            break
        mean = part / k
        lowest_before, highest_before = lowest, highest
        n += k
        total += part
        newest = last
        lowest = low if bins == 0 else min(lowest, low)
        highest = high if bins == 0 else max(highest, high)
        if feature == MEDIAN or feature == SLOPE:
            scratch.some[bins] = mean if feature == MEDIAN else converted(mean, atom.series, atom.unit, t)
            if bins == 0:
                first_number = number
            scratch.others[bins] = (number - first_number) / BINS_A_DAY
        elif (atom.low >= 0 or atom.high >= 0) and is_within(mean, atom, limits_at, m, t):
            inside += k
            if run < 0 or number - before > BINS_APART:
                run = number
            before = number
            longest = max(longest, number - run)
            if number // BINS_A_DAY != day:
                day = number // BINS_A_DAY
                days += 1
        else:
            run = -1
        bins += 1
    if feature == COUNT:
        return float(inside if atom.low >= 0 or atom.high >= 0 else n)
    if feature == DAYS_WITH:
        return float(days)
    if bins == 0:
        return np.nan
    if feature == SHARE:
        return 100.0 * inside / n
    if feature == STRETCH:
        return float(longest * BIN_US)
    if feature == MEAN:
        return converted(total / n, atom.series, atom.unit, t)
    if feature == MEDIAN:
        return converted(median(scratch.some, bins), atom.series, atom.unit, t)
    if feature == MIN:
        return converted(lowest, atom.series, atom.unit, t)
    if feature == MAX:
        return converted(highest, atom.series, atom.unit, t)
    if feature == SLOPE:
        if bins < 3 or THIRD * (number - first_number) * BIN_US < atom.window_us:
            return np.nan
        return fitted_slope(scratch.others, scratch.some, bins)
    return _change_of(atom, newest, lowest_before if feature == RISE else highest_before, t)


@part
def _change_of(atom: Any, newest: float, best: float, t: Tables) -> float:
    """Rise or fall between canonical values."""
    if math.isnan(newest) or math.isnan(best):
        return np.nan
    if atom.relative != 0:
        return difference(atom, newest, best)
    unit = atom.unit
    return difference(atom, converted(newest, atom.series, unit, t), converted(best, atom.series, unit, t))


@part
def by_days(atom: Any, p: int, s: int, end: int, at_us: int, m: Memory, t: Tables, scratch: Scratch) -> float:
    """The value of a feature from the daily values of its window."""
    first_day = at_us // DAY_US - atom.days + 1
    n = days_up_to_now(m, p, s, end, at_us, first_day, t, scratch)
    some, others = scratch.some, scratch.others
    feature = atom.feature
    if n == 0:
        return np.nan
    if feature == RISE or feature == FALL:
        best = np.nan
        for i in range(n - 1):
            if math.isnan(best) or (some[i] < best if feature == RISE else some[i] > best):
                best = some[i]
        return _change_of(atom, some[n - 1], best, t)
    for i in range(n):
        some[i] = converted(some[i], atom.series, atom.unit, t)
    if feature == SLOPE:
        if n < 3 or THIRD * (others[n - 1] - others[0]) < atom.days:
            return np.nan
        start = others[0]
        for i in range(n):
            others[i] -= start
        return fitted_slope(others, some, n)
    if feature == MEDIAN:
        return median(some, n)
    total = lowest = highest = some[0]
    for i in range(1, n):
        total += some[i]
        lowest = min(lowest, some[i])
        highest = max(highest, some[i])
    if feature == MEAN:
        return total / n
    return lowest if feature == MIN else highest
