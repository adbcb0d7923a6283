"""Readings into patients' memory: one sorted block for each series in one arena."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.blocks import READINGS, block, roomy
from alerting.engine.kernel.compiling import compiled, part, small_part
from alerting.engine.kernel.gate import may_jump
from alerting.engine.kernel.handing import memory_of, scratch_of, tables_of
from alerting.engine.kernel.history import (
    Values,
    close_bins,
    close_days,
    give_back_bins,
    reopen,
    room_for_bins,
    room_for_days,
)
from alerting.engine.kernel.layout import (
    BIN_US,
    DAY_US,
    DEVICE_SHIFT,
    HAS,
    HOUR_US,
    OTHER,
    REVISION_SHIFT,
    UNIT_BITS,
    UNIT_COUNT,
    UNIT_SHIFT,
    VOID,
    Memory,
    Scratch,
    Tables,
)
from alerting.engine.kernel.numbers import device_of, fetch, fetch_word, is_after, ones, revision_of
from alerting.engine.kernel.readings import (
    STATUS,
    Reading,
    counts_at,
    first_from,
    forget_sources,
    give_up,
    has_room,
    put,
    reading_at,
    replace,
    taken_at,
)
from alerting.engine.kernel.snapshots import oldest_us

UNIT_MASK = ((1 << UNIT_BITS) - 1) << UNIT_SHIFT

FULL = 0.9
"""A block that is fuller than this after old readings were dropped is replaced by a larger one."""

MANY_READINGS = 512
"""Who has more than this of one series measures by the minute, and keeps snapshots for hours only."""

SMALL_BLOCK = 8
"""It is not worth making one of so many readings smaller."""

FAR, NEAR, NEAREST = 16, 8, 4
"""So many readings ahead memory is asked for their patients, series and the ends of their blocks."""

RADIX_BITS = 11
RADIX = 1 << RADIX_BITS


@compiled
def order_by_patient(patient: NDArray[np.int32], most: int) -> NDArray[np.int64]:
    """The order that brings the readings of each patient together, each in its order. **Shape**: [n].

    `most` is larger than every patient.
    """
    n = patient.size
    order = np.arange(n)
    other = np.empty(n, np.int64)
    shift = 0
    while most >> shift > 0:
        starts = np.zeros(RADIX + 1, np.int64)
        for i in range(n):
            starts[((patient[i] >> shift) & (RADIX - 1)) + 1] += 1
        for digit in range(RADIX):
            starts[digit + 1] += starts[digit]
        for i in range(n):
            digit = (patient[order[i]] >> shift) & (RADIX - 1)
            other[starts[digit]] = order[i]
            starts[digit] += 1
        order, other = other, order
        shift += RADIX_BITS
    return order


@compiled
def end_of_part(patient: NDArray[np.int32], order: NDArray[np.int64], begin: int, size: int) -> int:
    """Where a part of readings ends that holds all of its patients and has about the given size."""
    end = min(begin + size, order.size)
    while end < order.size and patient[order[end]] == patient[order[end - 1]]:
        end += 1
    return end


@compiled
def each_once(patient: NDArray[np.int32], order: NDArray[np.int64]) -> NDArray[np.int32]:
    """The patients of readings that an order brings together."""
    found = np.empty(order.size, np.int32)
    n = 0
    for o in range(order.size):
        p = patient[order[o]]
        if n == 0 or found[n - 1] != p:
            found[n] = p
            n += 1
    return found[:n].copy()


@compiled
def survey(
    patient: NDArray[np.int32], kind: NDArray[np.int16], taken_us: NDArray[np.int64],
    device: NDArray[np.int32], revision: NDArray[np.int32], too_late: NDArray[np.bool_],
    kinds: int, latest_us: int, used: NDArray[np.bool_],
) -> tuple[bool, bool, bool, int]:  # fmt: skip
    """Whether all readings are within bounds, whether all are in time, whether they are sorted; largest row.

    `used` gets which devices they name, the last one for none.
    """
    fine = in_time = is_sorted = True
    most = -1
    before = -1
    for r in range(patient.size):
        p = patient[r]
        fine &= p >= 0 and 0 <= kind[r] < kinds and 0 <= taken_us[r] <= latest_us and revision[r] >= 0
        in_time &= not too_late[r]
        is_sorted &= p >= before
        before = p
        most = max(most, p)
        used[device[r]] = True
    return fine, in_time, is_sorted, most


@part
def drop_old(p: int, s: int, m: Memory, t: Tables, some: Values) -> None:
    """Drops what no snapshot can look back at, but the newest of it; closes the bins and days it was in."""
    snapshot_us = oldest_us(p, m)
    series = m.series[s]
    if snapshot_us < 0 or series.readings_len == 0:
        return
    before_us = snapshot_us - series.kept_hours * HOUR_US
    if series.history >= 0:  # whole bins; whole days where they do not come from bins
        history = m.histories[series.history]
        step_us = BIN_US if history.dense != 0 else DAY_US
        before_us = before_us // step_us * step_us
    first, end = series.readings, series.readings + series.readings_len
    kept = first_from(m, first, end, before_us)
    newest = kept - 1  # the newest of the older ones stays, for its age
    while newest >= first and not counts_at(newest, m):
        newest -= 1
    if newest >= first:
        kept = newest
    if kept == first:
        return
    if series.history >= 0:
        history = m.histories[series.history]
        if history.bins_kept > 0:
            close_bins(m, p, s, before_us // BIN_US, t, some)
        if history.days_most > 0:
            close_days(m, p, s, before_us // DAY_US, t, some)
    for i in range(first, kept):
        give_up(i, m)
    for i in range(end - kept):
        m.readings[first + i] = m.readings[kept + i]
    series.readings_len = end - kept
    forget_sources(series, m)


@part
def _move(s: int, rows: int, m: Memory) -> bool:
    """A series' readings into a block of so many rows; False where the arena is too small."""
    series = m.series[s]
    at = block(READINGS, rows, series.readings_cap, m)
    if at < 0:
        return False
    for i in range(series.readings_len):
        m.readings[at + i] = m.readings[series.readings + i]
    series.readings = at
    series.readings_cap = rows
    return True


@part
def _room_for_closing(p: int, s: int, m: Memory) -> bool:
    """Room for the values of the days that dropping readings closes."""
    series = m.series[s]
    if series.readings_len == 0:
        return True
    newest_us = taken_at(series.readings + series.readings_len - 1, m)
    return room_for_days(m, p, s, newest_us // DAY_US + 1)


@part
def _make_room(p: int, s: int, coming: int, m: Memory, t: Tables, some: Values) -> bool:
    """Room for some more readings; False where the arena is too small."""
    series = m.series[s]
    if not room_for_bins(m, p, s) or not _room_for_closing(p, s, m):
        return False
    if series.readings_cap != 0:
        drop_old(p, s, m, t, some)
    wanted = series.readings_len + coming
    return wanted <= FULL * series.readings_cap or _move(s, roomy(wanted), m)


@small_part
def _supersedes(new: Any, old: Any) -> bool:
    """The highest revision counts; at the same one a void beats a value, whichever came first."""
    if revision_of(new.tag) != revision_of(old.tag):
        return revision_of(new.tag) > revision_of(old.tag)
    return new.tag & VOID != 0 and old.tag & VOID == 0


@small_part
def _is_same(series: Any, i: int, row: Reading, m: Memory) -> bool:
    """Whether the reading of a row has the identity of another one."""
    if taken_at(i, m) != row.taken_us:
        return False
    tag = reading_at(series, i, m).tag
    return device_of(tag) == device_of(row.tag) and tag & OTHER == row.tag & OTHER


@part
def _put(p: int, s: int, row: Reading, m: Memory) -> int:
    """One reading where it belongs; notes from when its patient is to be evaluated again. There is room.

    Gives its row where it is the newest and was not known, −1 otherwise.
    """
    patient = m.patients[p]
    series = m.series[s]
    first = series.readings
    i = first + series.readings_len
    if i > first and taken_at(i - 1, m) > row.taken_us:  # late: somewhere before
        i = first_from(m, first, i, row.taken_us + 1)
    while i > first and taken_at(i - 1, m) == row.taken_us:
        if not is_after(reading_at(series, i - 1, m), row, m.digests):
            break
        i -= 1
    if i == first or not _is_same(series, i - 1, row, m):
        for j in range(first + series.readings_len, i, -1):
            m.readings[j] = m.readings[j - 1]
        put(series, i, row, m)
        series.readings_len += 1
        changed = row.tag & HAS != 0
        if not changed:  # it may take back what was dropped
            snapshot_us = oldest_us(p, m)
            changed = snapshot_us >= 0 and row.taken_us <= snapshot_us - series.kept_hours * HOUR_US
        m.longest[0] = max(m.longest[0], series.readings_len)
        if series.readings_len > MANY_READINGS:
            patient.often = 1
        if i < first + series.readings_len - 1:
            i = -1
    else:
        old = reading_at(series, i - 1, m)
        if not _supersedes(row, old):
            return -1
        had = old.tag & HAS
        changed = row.tag & HAS != had or (
            had != 0 and (row.value != old.value or row.tag & UNIT_MASK != old.tag & UNIT_MASK)
        )
        replace(series, i - 1, Reading(row.taken_us, row.value, row.tag | old.tag & STATUS), m)
        i = -1
    if changed:
        patient.again_us = min(patient.again_us, row.taken_us)
        reopen(m, s, row.taken_us)
    return i


@part
def _fetch_series(p: Any, number: Any, m: Memory) -> None:
    patient = m.patients[p]
    bit = 1 << number
    if patient.named & bit != 0:
        fetch(m.series[patient.series + ones(patient.named & (bit - 1))])


@part
def _fetch_end(p: Any, number: Any, m: Memory) -> None:
    patient = m.patients[p]
    bit = 1 << number
    if patient.named & bit != 0:
        series = m.series[patient.series + ones(patient.named & (bit - 1))]
        if series.readings_len > 0:
            fetch_word(m.readings, series.readings + series.readings_len - 1)


@compiled
def take_in(
    start: int, end: int, order: NDArray[np.int64], patient: NDArray[np.int32], taken_us: NDArray[np.int64],
    kind: NDArray[np.int16], value: NDArray[np.float64], received: NDArray[np.float64],
    unit: NDArray[np.int16], code: NDArray[np.int16], device: NDArray[np.int32],
    revision: NDArray[np.int32], void: NDArray[np.bool_], numbers: NDArray[np.int64],
    series_of_kind: NDArray[np.int64], own: Memory, tables: Tables, room: Scratch,
) -> int:  # fmt: skip
    """Takes readings in, from `start` to `end` in that order; gives where an arena was too small, else `end`.

    **Shape**: columns are [n] in the order of the log; `numbers` are those of the devices.
    """
    m, t, scratch = memory_of(own), tables_of(tables), scratch_of(room)
    some = scratch.some
    for o in range(start, end):
        r = order[o]
        p: Any = patient[r]
        if o + FAR < end:
            fetch(m.patients[patient[order[o + FAR]]])
        if o + NEAR < end:
            _fetch_series(patient[order[o + NEAR]], series_of_kind[kind[order[o + NEAR]]], m)
        if o + NEAREST < end:
            _fetch_end(patient[order[o + NEAREST]], series_of_kind[kind[order[o + NEAREST]]], m)
        who = m.patients[p]
        who.latest_us = max(who.latest_us, taken_us[r])
        number = series_of_kind[kind[r]]
        bit = 1 << number
        if who.named & bit == 0:
            continue
        s = who.series + ones(who.named & (bit - 1))
        series = m.series[s]
        if series.readings_len == series.readings_cap:
            coming = 1
            for later in range(o + 1, end):  # of this patient, who is looked at in one go
                if patient[order[later]] != p:
                    break
                coming += 1 if series_of_kind[kind[order[later]]] == number else 0
            if not _make_room(p, s, coming, m, t, some):
                return o
        if not has_room(m):
            return o
        tag = numbers[device[r]] << DEVICE_SHIFT | np.int64(revision[r]) << REVISION_SHIFT
        if 0 <= unit[r] < UNIT_COUNT:
            measured = received[r]
            tag |= np.int64(unit[r] + 1) << UNIT_SHIFT
        elif code[r] >= 0:
            measured = float(code[r])
        else:
            measured = value[r]
            tag |= (t.canonical[kind[r]] + 1) << UNIT_SHIFT
        if void[r]:
            tag |= VOID
        elif not np.isnan(measured):
            tag |= HAS
        if kind[r] != number:
            tag |= OTHER
        i = _put(p, s, Reading(taken_us[r], measured, tag), m)
        who.fresh |= bit
        if t.gate_wait_us[number] > 0 and who.jumps == 0 and (i < 0 or may_jump(s, i, m, t)):
            who.jumps = 1
    return end


@compiled
def give_back(rows: NDArray[np.int32], start: int, own: Memory, tables: Tables, room: Scratch) -> int:
    """Drops the old readings of patients and makes their blocks smaller: the room is for others.

    Gives how many patients are done; fewer than all where an arena has no room for what is closed.
    """
    m, t, some = memory_of(own), tables_of(tables), scratch_of(room).some
    for j in range(start, rows.size):
        patient = m.patients[rows[j]]
        for k in range(ones(patient.named)):
            s = patient.series + k
            series = m.series[s]
            if series.readings_cap <= SMALL_BLOCK:
                continue
            if not room_for_bins(m, rows[j], s) or not _room_for_closing(rows[j], s, m):
                return j
            drop_old(rows[j], s, m, t, some)
            give_back_bins(m, rows[j], s)
            cap = min(series.readings_cap, roomy(series.readings_len))
            m.wasted[READINGS] += series.readings_cap - cap
            series.readings_cap = cap
    return rows.size
