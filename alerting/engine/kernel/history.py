"""What outlives single readings: quarters of an hour of dense series, and one value for each day.

Both are closed when time has passed them, opened again by what arrives late, and follow from the readings.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.blocks import BINS, DAYS, EXTREMES, block, roomy
from alerting.engine.kernel.compiling import part
from alerting.engine.kernel.layout import (
    BIN_US,
    BINS_A_DAY,
    DAY_US,
    Memory,
    Rows,
    Scratch,
    Tables,
)
from alerting.engine.kernel.numbers import canonical_of, median
from alerting.engine.kernel.readings import counts_at, first_from, reading_at, taken_at
from alerting.engine.kernel.snapshots import forget_oldest, oldest_us

SHIFT = 8
"""When the room for bins or days is full, so large a part of it is given up."""

Values = NDArray[np.float64]


@part
def reopen(m: Memory, s: int, taken_us: int) -> None:
    """Forgets what was closed from a reading's time on, for it has changed."""
    h = m.series[s].history
    if h < 0:
        return
    history = m.histories[h]
    number = taken_us // BIN_US
    if number < history.binned:
        history.binned = number
        while history.bins_len > 0 and m.bins[history.bins + history.bins_len - 1].number >= number:
            history.bins_len -= 1
    day = taken_us // DAY_US
    if day < history.days_first:
        history.days_first = day
        history.days_len = 0
    else:
        history.days_len = min(history.days_len, day - history.days_first)
    history.cached_on[0] = -1
    history.cached_on[1] = -1


@part
def _forget_snapshots_before(m: Memory, p: int, kept_us: int, first_us: int) -> None:
    """Gives up snapshots that would look back at what is gone."""
    while m.patients[p].snapshots > 0 and oldest_us(p, m) - kept_us < first_us:
        forget_oldest(p, m)


@part
def _copy_bins(m: Memory, history: Any, bins: int, extremes: int, drop: int) -> None:
    """All bins but the first to another place, or to one before their own."""
    for i in range(history.bins_len - drop):
        to, row = m.bins[bins + i], m.bins[history.bins + drop + i]
        to.number = row.number
        to.n = row.n
        to.sum = row.sum
    for i in range(history.bins_len - drop if history.has_extremes != 0 else 0):
        beside, old = m.extremes[extremes + i], m.extremes[history.extremes + drop + i]
        beside.low = old.low
        beside.high = old.high
        beside.last = old.last
    history.bins_len -= drop


@part
def _shift_bins(m: Memory, p: int, history: Any) -> None:
    drop = history.bins_cap // SHIFT + 1
    _copy_bins(m, history, history.bins, history.extremes, drop)
    first_us = m.bins[history.bins].number * BIN_US
    _forget_snapshots_before(m, p, history.bins_kept * BIN_US, first_us)


@part
def _larger_block(history: Any, rows: int, m: Memory) -> bool:
    """The bins of a series into a block of so many rows; False where the arena is too small."""
    beside = 0
    if history.has_extremes != 0:
        if m.used[BINS] + rows > m.room[BINS]:
            return False
        beside = block(EXTREMES, rows, history.extremes_cap, m)
    at = -1 if beside < 0 else block(BINS, rows, history.bins_cap, m)
    if at < 0:
        return False
    _copy_bins(m, history, at, beside, 0)
    history.bins = at
    history.bins_cap = rows
    if history.has_extremes != 0:
        history.extremes = beside
        history.extremes_cap = rows
    return True


@part
def first_bin(bins: Rows, low: int, high: int, number: int) -> int:
    """The first of the bins low…high that does not come before a number."""
    while low < high:
        middle = (low + high) // 2
        if bins[middle].number < number:
            low = middle + 1
        else:
            high = middle
    return low


@part
def _drop_old_bins(m: Memory, p: int, history: Any) -> None:
    """Drops the bins that no snapshot looks back at; where days are kept, only of days that are closed."""
    if m.patients[p].snapshots == 0:
        return
    before = oldest_us(p, m) // BIN_US - history.bins_kept
    if history.days_most > 0:
        closed = history.days_first + history.days_len if history.days_first >= 0 else 0
        before = min(before // BINS_A_DAY, closed) * BINS_A_DAY
    drop = first_bin(m.bins, history.bins, history.bins + history.bins_len, before) - history.bins
    if drop > 0:
        _copy_bins(m, history, history.bins, history.extremes, drop)


@part
def give_back_bins(m: Memory, p: int, s: int) -> None:
    """Drops old bins and makes their block smaller."""
    h = m.series[s].history
    if h < 0 or m.histories[h].bins_kept == 0:
        return
    history = m.histories[h]
    _drop_old_bins(m, p, history)
    rows = min(history.bins_cap, roomy(history.bins_len))
    m.wasted[BINS] += history.bins_cap - rows
    history.bins_cap = rows
    if history.has_extremes != 0:
        m.wasted[EXTREMES] += history.extremes_cap - rows
        history.extremes_cap = rows


@part
def room_for_bins(m: Memory, p: int, s: int) -> bool:
    """Room for a bin of each reading that is not in one yet, up to the most there may be."""
    series = m.series[s]
    if series.history < 0:
        return True
    history = m.histories[series.history]
    if history.bins_kept == 0:
        return True
    end = series.readings + series.readings_len
    coming = end - first_from(m, series.readings, end, history.binned * BIN_US)
    wanted = min(history.bins_most, history.bins_len + coming)
    if wanted <= history.bins_cap:
        return True
    _drop_old_bins(m, p, history)
    wanted = min(history.bins_most, history.bins_len + coming)
    return wanted <= history.bins_cap or _larger_block(history, roomy(wanted), m)


@part
def room_for_days(m: Memory, p: int, s: int, until: int) -> bool:
    """Room for the value of each day before a day, up to the most there may be; notes how long it lasts."""
    series = m.series[s]
    if series.history < 0:
        return True
    history = m.histories[series.history]
    if history.days_cap == history.days_most or series.readings_len == 0:
        return True
    first = history.days_first if history.days_first >= 0 else taken_at(series.readings, m) // DAY_US
    if until - first > history.days_cap:
        rows = min(history.days_most, roomy(until - first))
        at = block(DAYS, rows, history.days_cap, m)
        if at < 0:
            return False
        for i in range(history.days_len):
            m.days[at + i] = m.days[history.days + i]
        history.days = at
        history.days_cap = rows
    if history.days_cap < history.days_most:
        patient = m.patients[p]
        patient.room_until = min(patient.room_until, first + history.days_cap + 1)
    return True


@part
def _close_bins(m: Memory, p: int, s: int, until: int, t: Tables) -> None:
    """Closes all bins before a number; there is room for those of a few days."""
    series = m.series[s]
    history = m.histories[series.history]
    if history.binned >= until:
        return
    end = series.readings + series.readings_len
    i = first_from(m, series.readings, end, history.binned * BIN_US)
    until_us = until * BIN_US
    while i < end and taken_at(i, m) < until_us:
        row = reading_at(series, i, m)
        i += 1
        if not counts_at(i - 1, m):
            continue
        number = row.taken_us // BIN_US
        value = canonical_of(row, series.number, t)
        if history.bins_len == 0 or m.bins[history.bins + history.bins_len - 1].number != number:
            if history.bins_len == history.bins_cap:
                _shift_bins(m, p, history)
            b = m.bins[history.bins + history.bins_len]
            history.bins_len += 1
            b.number = number
            b.n = 0
            b.sum = 0.0
        b = m.bins[history.bins + history.bins_len - 1]
        b.n += 1
        b.sum += value
        if history.has_extremes != 0:
            beside = m.extremes[history.extremes + history.bins_len - 1]
            beside.low = value if b.n == 1 else min(beside.low, value)
            beside.high = value if b.n == 1 else max(beside.high, value)
            beside.last = value
    history.binned = until


@part
def bin_now(m: Memory, s: int, end: int, at_us: int, t: Tables) -> tuple[int, float, float, float, float]:
    """The bin of a moment as far as it has come: n, sum, low, high, last of the readings up to `end`."""
    series = m.series[s]
    i = end
    start_us = at_us // BIN_US * BIN_US
    while i > series.readings and taken_at(i - 1, m) >= start_us:
        i -= 1
    n = 0
    total = low = high = last = 0.0
    while i < end:
        if counts_at(i, m):
            value = canonical_of(reading_at(series, i, m), series.number, t)
            total += value
            low = value if n == 0 else min(low, value)
            high = value if n == 0 else max(high, value)
            last = value
            n += 1
        i += 1
    return n, total, low, high, last


@part
def _shift_days(m: Memory, p: int, history: Any) -> None:
    drop = history.days_cap // SHIFT + 1
    for i in range(history.days_len - drop):
        m.days[history.days + i] = m.days[history.days + i + drop]
    history.days_len -= drop
    history.days_first += drop
    _forget_snapshots_before(m, p, history.days_kept * DAY_US, history.days_first * DAY_US)


@part
def _value_of_day(m: Memory, s: int, day: int, t: Tables, some: Values) -> float:
    """The value of a day that is over; its bins are closed. NaN for none."""
    series = m.series[s]
    history = m.histories[series.history]
    n = 0
    if history.dense:
        b = first_bin(m.bins, history.bins, history.bins + history.bins_len, day * BINS_A_DAY)
        while b < history.bins + history.bins_len and m.bins[b].number < (day + 1) * BINS_A_DAY:
            some[n] = m.bins[b].sum / m.bins[b].n
            n += 1
            b += 1
    else:
        end = series.readings + series.readings_len
        i = first_from(m, series.readings, end, day * DAY_US)
        while i < end and taken_at(i, m) < (day + 1) * DAY_US:
            if counts_at(i, m):
                some[n] = canonical_of(reading_at(series, i, m), series.number, t)
                n += 1
            i += 1
    return np.nan if n == 0 else median(some, n)


@part
def close_days(m: Memory, p: int, s: int, until: int, t: Tables, some: Values) -> None:
    """Closes all days before a day."""
    series = m.series[s]
    history = m.histories[series.history]
    if history.days_first + history.days_len >= until and history.days_first >= 0:
        return
    if history.days_first < 0:
        if series.readings_len == 0:
            return
        history.days_first = taken_at(series.readings, m) // DAY_US
    while history.days_first + history.days_len < until:
        if history.days_len == history.days_cap:
            _shift_days(m, p, history)
        day = history.days_first + history.days_len
        if history.dense:
            _close_bins(m, p, s, (day + 1) * BINS_A_DAY, t)
        value = _value_of_day(m, s, day, t, some)
        m.days[history.days + history.days_len] = value
        history.days_len += 1


@part
def close_bins(m: Memory, p: int, s: int, until: int, t: Tables, some: Values) -> None:
    """Closes all bins before a number; days first, for their bins may have to make room for later ones."""
    if m.histories[m.series[s].history].days_most > 0:
        close_days(m, p, s, until // BINS_A_DAY, t, some)
    _close_bins(m, p, s, until, t)


@part
def value_today(m: Memory, p: int, s: int, end: int, at_us: int, t: Tables, some: Values) -> float:
    """The value of the day of a moment, as far as it has come; NaN for none."""
    series = m.series[s]
    day = at_us // DAY_US
    n = 0
    if m.histories[series.history].dense:
        number = at_us // BIN_US
        close_bins(m, p, s, number, t, some)
        history = m.histories[series.history]
        bins_end = history.bins + history.bins_len
        b = first_bin(m.bins, history.bins, bins_end, day * BINS_A_DAY)
        while b < bins_end and m.bins[b].number < number:
            some[n] = m.bins[b].sum / m.bins[b].n
            n += 1
            b += 1
        now, total, _, _, _ = bin_now(m, s, end, at_us, t)
        if now > 0:
            some[n] = total / now
            n += 1
    else:
        i = end - 1
        while i >= series.readings and taken_at(i, m) >= day * DAY_US:
            if counts_at(i, m):
                some[n] = canonical_of(reading_at(series, i, m), series.number, t)
                n += 1
            i -= 1
    return np.nan if n == 0 else median(some, n)


@part
def days_between(m: Memory, s: int, first: int, end: int, out: Values, numbers: Values) -> int:
    """The values of the closed days first…end into `out`, their numbers beside; gives how many there are."""
    history = m.histories[m.series[s].history]
    if history.days_first < 0:
        return 0
    n = 0
    for day in range(max(first, history.days_first), min(end, history.days_first + history.days_len)):
        value = m.days[history.days + day - history.days_first]
        if not math.isnan(value):
            out[n] = value
            numbers[n] = day
            n += 1
    return n


@part
def days_up_to_now(
    m: Memory, p: int, s: int, end: int, at_us: int, first: int, t: Tables, scratch: Scratch
) -> int:
    """The daily values from a day up to today, so far, into `scratch.some`, their days into `others`."""
    today = at_us // DAY_US
    close_days(m, p, s, today, t, scratch.some)
    value = value_today(m, p, s, end, at_us, t, scratch.some)
    n = days_between(m, s, first, today, scratch.some, scratch.others)
    if not math.isnan(value):
        scratch.some[n] = value
        scratch.others[n] = today
        n += 1
    return n
