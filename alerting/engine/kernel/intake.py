"""Readings into patients' memory: one sorted block for each series in one arena."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.compiling import compiled, part
from alerting.engine.kernel.gate import may_jump
from alerting.engine.kernel.handing import memory_of, scratch_of, tables_of
from alerting.engine.kernel.history import Values, close_bins, close_days, reopen, room_for_bins
from alerting.engine.kernel.layout import (
    BIN_US,
    DAY_US,
    DEVICE_SHIFT,
    GATE,
    HAS,
    OTHER,
    REVISION_SHIFT,
    SNAPSHOTS,
    SUSPECT,
    UNIT_COUNT,
    UNIT_SHIFT,
    VOID,
    Memory,
    Scratch,
    Tables,
)
from alerting.engine.kernel.numbers import (
    SMALLEST_BLOCK,
    counts,
    device_of,
    fetch,
    first_from,
    is_after,
    ones,
    revision_of,
    rows_of_size,
    size_for,
)

FULL = 0.9
"""A block that is fuller than this after old readings were dropped is replaced by a larger one."""

MANY_READINGS = 512
"""Who has more than this of one series measures by the minute, and keeps snapshots for hours only."""

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
def copy_reading(to: Any, row: Any) -> None:
    """One row into another."""
    to.taken_us = row.taken_us
    to.value = row.value
    to.tag = row.tag


@part
def _oldest_snapshot(p: int, m: Memory) -> int:
    """What a patient's oldest snapshot is the state after; −1 where it is older than everything."""
    patient = m.patients[p]
    return m.snapshot_us[p * SNAPSHOTS + patient.oldest] if patient.snapshots != 0 else -1


@part
def drop_old(p: int, s: int, m: Memory, t: Tables, some: Values) -> None:
    """Drops what no snapshot can look back at, but the newest of it; closes the bins and days it was in."""
    oldest_us = _oldest_snapshot(p, m)
    series = m.series[s]
    if oldest_us < 0 or series.readings_len == 0:
        return
    before_us = oldest_us - series.kept_us
    if series.history >= 0:  # whole bins; whole days where they do not come from bins
        history = m.histories[series.history]
        step_us = BIN_US if history.dense != 0 else DAY_US
        before_us = before_us // step_us * step_us
    first, end = series.readings, series.readings + series.readings_len
    kept = first_from(m.readings, first, end, before_us)
    newest = kept - 1  # the newest of the older ones stays, for its age
    while newest >= first and not counts(m.readings[newest].tag):
        newest -= 1
    if newest >= first:
        kept = newest
    if kept == first:
        return
    if series.history >= 0:
        history = m.histories[series.history]
        if history.bins_kept > 0:
            close_bins(m, p, s, before_us // BIN_US, t, some)
        if history.days_cap > 0:
            close_days(m, p, s, before_us // DAY_US, t, some)
    for i in range(end - kept):
        copy_reading(m.readings[first + i], m.readings[kept + i])
    series.readings_len = end - kept


@part
def _move(s: int, size: int, m: Memory) -> bool:
    """A series' readings into another block of that size; False where the arena is too small."""
    series = m.series[s]
    block = m.free[size]
    if block >= 0:
        m.free[size] = m.readings[block].taken_us
    else:
        block = m.used[0]
        if block + rows_of_size(size) > m.readings_room:
            return False
        m.used[0] = block + rows_of_size(size)
    for i in range(series.readings_len):
        copy_reading(m.readings[block + i], m.readings[series.readings + i])
    if series.readings_cap != 0:
        release(s, m)
    series.readings = block
    series.readings_cap = rows_of_size(size)
    return True


@part
def release(s: int, m: Memory) -> None:
    """Gives a series' block back."""
    series = m.series[s]
    old = size_for(series.readings_cap)
    m.readings[series.readings].taken_us = m.free[old]
    m.free[old] = series.readings
    series.readings_cap = 0


@part
def _make_room(p: int, s: int, m: Memory, t: Tables, some: Values) -> bool:
    """Room for one more reading; False where the arena is too small."""
    series = m.series[s]
    if not room_for_bins(m, p, s):
        return False
    if series.readings_cap != 0:
        drop_old(p, s, m, t, some)
    if series.readings_cap != 0 and series.readings_len + 1 <= FULL * series.readings_cap:
        return True
    return _move(s, size_for(series.readings_len + 1 + series.readings_len // 8), m)


@part
def _supersedes(new: Any, old: Any) -> bool:
    """The highest revision counts; at the same one a void beats a value, whichever came first."""
    if revision_of(new.tag) != revision_of(old.tag):
        return revision_of(new.tag) > revision_of(old.tag)
    return new.tag & VOID != 0 and old.tag & VOID == 0


@part
def _put(p: int, s: int, row: Any, m: Memory) -> int:
    """One reading where it belongs; notes from when its patient is to be evaluated again. There is room.

    Gives its row where it is the newest and was not known, −1 otherwise.
    """
    patient = m.patients[p]
    series = m.series[s]
    first = series.readings
    i = first + series.readings_len
    if i > first and m.readings[i - 1].taken_us > row.taken_us:  # late: somewhere before
        i = first_from(m.readings, first, i, row.taken_us + 1)
    while i > first and is_after(m.readings[i - 1], row, m.digests):
        i -= 1
    known = (
        i > first
        and m.readings[i - 1].taken_us == row.taken_us
        and device_of(m.readings[i - 1].tag) == device_of(row.tag)
        and m.readings[i - 1].tag & OTHER == row.tag & OTHER
    )
    if not known:
        for j in range(first + series.readings_len, i, -1):
            copy_reading(m.readings[j], m.readings[j - 1])
        copy_reading(m.readings[i], row)
        series.readings_len += 1
        changed = row.tag & HAS != 0
        if not changed:  # it may take back what was dropped
            oldest_us = _oldest_snapshot(p, m)
            changed = oldest_us >= 0 and row.taken_us <= oldest_us - series.kept_us
        m.longest[0] = max(m.longest[0], series.readings_len)
        if series.readings_len > MANY_READINGS:
            patient.often = 1
    else:
        old = m.readings[i - 1]
        if not _supersedes(row, old):
            return -1
        had = old.tag & HAS
        unit_mask = 31 << UNIT_SHIFT
        changed = row.tag & HAS != had or (
            had != 0 and (row.value != old.value or row.tag & unit_mask != old.tag & unit_mask)
        )
        gate = old.tag & (GATE | SUSPECT)
        old.value = row.value
        old.tag = row.tag | gate
    if changed:
        patient.again_us = min(patient.again_us, row.taken_us)
        reopen(m, s, row.taken_us)
    return i if not known and i == first + series.readings_len - 1 else -1


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
            fetch(m.readings[series.readings + series.readings_len - 1])


@compiled
def take_in(
    start: int, order: NDArray[np.int64], patient: NDArray[np.int32], taken_us: NDArray[np.int64],
    kind: NDArray[np.int16], value: NDArray[np.float64], received: NDArray[np.float64],
    unit: NDArray[np.int16], code: NDArray[np.int16], device: NDArray[np.int32],
    revision: NDArray[np.int32], void: NDArray[np.bool_], numbers: NDArray[np.int64],
    series_of_kind: NDArray[np.int64], own: Memory, tables: Tables, room: Scratch,
) -> int:  # fmt: skip
    """Takes readings in, from `start` on in that order; gives where an arena was too small, n for nowhere.

    **Shape**: columns are [n] in the order of the log; `numbers` are those of the devices.
    """
    m, t, scratch = memory_of(own), tables_of(tables), scratch_of(room)
    some = scratch.some
    for o in range(start, order.size):
        r = order[o]
        p: Any = patient[r]
        if o + FAR < order.size:
            fetch(m.patients[patient[order[o + FAR]]])
        if o + NEAR < order.size:
            _fetch_series(patient[order[o + NEAR]], series_of_kind[kind[order[o + NEAR]]], m)
        if o + NEAREST < order.size:
            _fetch_end(patient[order[o + NEAREST]], series_of_kind[kind[order[o + NEAREST]]], m)
        who = m.patients[p]
        who.latest_us = max(who.latest_us, taken_us[r])
        number = series_of_kind[kind[r]]
        bit = 1 << number
        if who.named & bit == 0:
            continue
        s = who.series + ones(who.named & (bit - 1))
        series = m.series[s]
        if series.readings_len == series.readings_cap and not _make_room(p, s, m, t, some):
            return o
        tag = numbers[device[r]] << DEVICE_SHIFT | np.int64(revision[r]) << REVISION_SHIFT
        row = scratch.new[0]
        row.taken_us = taken_us[r]
        if 0 <= unit[r] < UNIT_COUNT:
            row.value = received[r]
            tag |= np.int64(unit[r] + 1) << UNIT_SHIFT
        elif code[r] >= 0:
            row.value = float(code[r])
        else:
            row.value = value[r]
            tag |= (t.canonical[kind[r]] + 1) << UNIT_SHIFT
        if void[r]:
            tag |= VOID
        elif not np.isnan(row.value):
            tag |= HAS
        if kind[r] != number:
            tag |= OTHER
        row.tag = tag
        i = _put(p, s, row, m)
        who.fresh |= bit
        if t.gate_wait_us[number] > 0 and who.jumps == 0 and (i < 0 or may_jump(s, i, m, t)):
            who.jumps = 1
    return order.size


@part
def _packed_size(s: int, m: Memory) -> int:
    """Rows of the block that a series is packed into: no larger than the one it has."""
    series = m.series[s]
    wanted = rows_of_size(size_for(series.readings_len + series.readings_len // 8 + 1))
    return min(series.readings_cap, wanted)


@compiled
def rows_packed(patients: int, own: Memory) -> int:
    """How many rows the readings of all patients take without what is free between them."""
    m = memory_of(own)
    total = 0
    for p in range(patients):
        patient = m.patients[p]
        for k in range(ones(patient.named)):
            total += _packed_size(patient.series + k, m)
    return total


@compiled
def pack(patients: int, own: Memory, to: Memory) -> None:
    """Moves all readings into another arena, side by side; `to` is the same memory with that arena."""
    m, other = memory_of(own), memory_of(to)
    at = 0
    for p in range(patients):
        patient = m.patients[p]
        for s in range(patient.series, patient.series + ones(patient.named)):
            series = m.series[s]
            rows = _packed_size(s, m)
            for i in range(series.readings_len):
                copy_reading(other.readings[at + i], m.readings[series.readings + i])
            series.readings = at
            series.readings_cap = rows
            at += rows
    m.used[0] = at


@compiled
def give_back(rows: NDArray[np.int32], start: int, own: Memory, tables: Tables, room: Scratch) -> int:
    """Drops the old readings of patients and moves the rest into smaller blocks: the room is for others.

    Gives how many patients are done; fewer than all where the arena has no room to move.
    """
    m, t, some = memory_of(own), tables_of(tables), scratch_of(room).some
    for j in range(start, rows.size):
        patient = m.patients[rows[j]]
        for k in range(ones(patient.named)):
            s = patient.series + k
            series = m.series[s]
            if series.readings_cap <= 2 * SMALLEST_BLOCK:
                continue
            if not room_for_bins(m, rows[j], s):
                return j
            drop_old(rows[j], s, m, t, some)
            size = size_for(series.readings_len + series.readings_len // 8 + 1)
            if rows_of_size(size) < series.readings_cap and not _move(s, size, m):
                return j
    return rows.size
