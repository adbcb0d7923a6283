"""Readings into patients' memory: one sorted block for each patient in one arena, compiled.

A block is sorted by time, device, kind; it has one row for each identity, that of the revision that counts.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.engine.layout import Memory, Rows

SMALLEST_BLOCK = 16
FULL = 0.75
"""A block that is fuller than this after old readings were dropped is replaced by one of twice the size."""


@njit(cache=True, nogil=True)
def _logarithm(size: int) -> int:
    log = 0
    while 1 << log < size:
        log += 1
    return log


@njit(cache=True, nogil=True)
def _oldest_snapshot(p: int, m: Memory) -> int:
    """What a patient's oldest snapshot is the state after; −1 where it is older than everything."""
    patient = m.patients[p]
    return m.snapshot_us[p, patient.oldest] if patient.snapshots != 0 else -1


@njit(cache=True, nogil=True)
def _drop_old(p: int, m: Memory, kept_us: NDArray[np.int64]) -> None:
    """Drops what no snapshot can look back at: beyond its kind's window, but not the newest of a kind."""
    patient = m.patients[p]
    oldest_us = _oldest_snapshot(p, m)
    if oldest_us < 0:
        return
    first = patient.readings
    end = first + patient.readings_len
    newest_seen = np.uint64(0)
    kept = end
    for i in range(end - 1, first - 1, -1):  # newest first, packed towards the end
        row = m.readings[i]
        keep = row.taken_us > oldest_us - kept_us[row.kind]
        if not keep and row.counts != 0:
            bit = np.uint64(1) << np.uint64(row.kind)
            keep = newest_seen & bit == 0
            newest_seen |= bit
        if keep:
            kept -= 1
            m.readings[kept] = m.readings[i]
    for i in range(end - kept):
        m.readings[first + i] = m.readings[kept + i]
    patient.readings_len = end - kept


@njit(cache=True, nogil=True)
def _move(p: int, log: int, m: Memory) -> bool:
    """A patient's readings into another block of that size; False where the arena is too small."""
    patient = m.patients[p]
    block = m.free[log]
    if block >= 0:
        m.free[log] = m.readings[block].taken_us
    else:
        block = m.used[0]
        if block + (1 << log) > m.readings.size:
            return False
        m.used[0] = block + (1 << log)
    for i in range(patient.readings_len):
        m.readings[block + i] = m.readings[patient.readings + i]
    if patient.readings_cap != 0:
        old = _logarithm(patient.readings_cap)
        m.readings[patient.readings].taken_us = m.free[old]
        m.free[old] = patient.readings
    patient.readings = block
    patient.readings_cap = 1 << log
    return True


@njit(cache=True, nogil=True)
def make_room(
    touched: NDArray[np.int32], more: NDArray[np.int64], start: int, m: Memory, kept_us: NDArray[np.int64]
) -> int:
    """Room for `more` readings for each touched patient; stops where the arena is too small."""
    for j in range(start, touched.size):
        patient = m.patients[touched[j]]
        if patient.readings_len + more[j] <= patient.readings_cap:
            continue
        if patient.readings_cap != 0:
            _drop_old(touched[j], m, kept_us)
        if patient.readings_len + more[j] <= FULL * patient.readings_cap:
            continue
        log = _logarithm(max(SMALLEST_BLOCK, 2 * patient.readings_cap, patient.readings_len + more[j]))
        if not _move(touched[j], log, m):
            return j
    return touched.size


@njit(cache=True, nogil=True)
def give_back(touched: NDArray[np.int32], m: Memory, kept_us: NDArray[np.int64]) -> None:
    """Drops the old readings of patients and moves the rest into smaller blocks: the room is for others."""
    for j in range(touched.size):
        patient = m.patients[touched[j]]
        if patient.readings_cap <= SMALLEST_BLOCK:
            continue
        _drop_old(touched[j], m, kept_us)
        log = _logarithm(max(SMALLEST_BLOCK, 2 * patient.readings_len))
        if 1 << log < patient.readings_cap:
            _move(touched[j], log, m)


@njit(cache=True, nogil=True)
def _after(row: Any, new: Any) -> bool:
    """Whether a reading stands after a new one: by time, device, kind."""
    if row.taken_us != new.taken_us:
        return row.taken_us > new.taken_us
    if row.device != new.device:
        return row.device > new.device
    return row.kind > new.kind


@njit(cache=True, nogil=True)
def insert(
    order: NDArray[np.int64], who: NDArray[np.int32], new: Rows, m: Memory, kept_us: NDArray[np.int64]
) -> None:
    """Puts new readings where they belong and notes from when their patients must be evaluated again.

    **Shape**: `who` and `new` are [n] in log order; `order` holds the rows to insert. There must be room.
    """
    for o in range(order.size):
        row = new[order[o]]
        patient = m.patients[who[order[o]]]
        first = patient.readings
        i = first + patient.readings_len
        while i > first and _after(m.readings[i - 1], row):
            i -= 1
        known = (
            i > first
            and m.readings[i - 1].taken_us == row.taken_us
            and m.readings[i - 1].device == row.device
            and m.readings[i - 1].kind == row.kind
        )
        if not known:
            for j in range(first + patient.readings_len, i, -1):
                m.readings[j] = m.readings[j - 1]
            m.readings[i] = row
            patient.readings_len += 1
            changed = row.counts != 0
            if not changed:  # it may take back what was dropped
                oldest_us = _oldest_snapshot(int(who[order[o]]), m)
                changed = oldest_us >= 0 and row.taken_us <= oldest_us - kept_us[row.kind]
        else:
            old = m.readings[i - 1]
            if row.revision < old.revision:
                continue
            if row.revision == old.revision and (row.void == 0 or old.void != 0):
                continue
            changed = row.counts != old.counts or (
                row.counts != 0 and (row.value != old.value or row.unit != old.unit)
            )
            m.readings[i - 1] = row
        if changed:
            patient.again_us = min(patient.again_us, row.taken_us)
