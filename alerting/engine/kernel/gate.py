"""Readings that jump: whether they are suspect, and who has to be asked to measure again.

A jump waits for a repeat. A repeat nearer to the former value makes it suspect; another repeat, or none
within the time, lets it count. See `alerting/engine/gates.py` for the numbers.
"""

import math

import numpy as np

from alerting.engine.gates import FORMER_US
from alerting.engine.kernel.compiling import part
from alerting.engine.kernel.history import reopen
from alerting.engine.kernel.layout import (
    BY_JUMP,
    BY_LEVEL,
    CONFIRMED,
    GATE,
    GATE_SHIFT,
    HAS,
    NEVER,
    NOTHING_ASKED,
    OTHER,
    PENDING,
    SUSPECT,
    SUSPECTED,
    UNANSWERED,
    WITHDRAWN,
    Memory,
    Scratch,
    Tables,
)
from alerting.engine.kernel.numbers import canonical_of, millionths, ones
from alerting.engine.kernel.readings import counts_at, mark, reading_at, taken_at
from alerting.engine.kernel.snapshots import oldest_us


@part
def status_of(tag: int) -> int:
    """What came of a jump."""
    return SUSPECTED if tag & SUSPECT != 0 else (tag & GATE) >> GATE_SHIFT


@part
def _bits(status: int) -> int:
    """The bits of a tag that say so."""
    return SUSPECT if status == SUSPECTED else status << GATE_SHIFT


@part
def _jump(value: float, former: float, series: int, t: Tables) -> int:
    """Why a value must be measured again; −1 where it need not."""
    if not math.isnan(t.gate_share[series]) and former != 0.0:
        away = millionths(abs(value - former) / abs(former))
        if away > millionths(t.gate_share[series]):
            return BY_JUMP
    level = millionths(t.gate_level[series])
    if millionths(value) > level and millionths(former) <= level:
        return BY_LEVEL
    return -1


@part
def may_jump(s: int, i: int, m: Memory, t: Tables) -> bool:
    """Whether jumps must be looked for, after a reading became row i, the newest of a gated series."""
    series = m.series[s]
    row = reading_at(series, i, m)
    if series.pending_us != NEVER:
        return True
    former_row = i - 1
    while former_row >= series.readings and not counts_at(former_row, m):
        former_row -= 1
    if row.tag & HAS == 0 or former_row < series.readings:
        return False
    former = reading_at(series, former_row, m)
    if row.taken_us - former.taken_us > FORMER_US:
        return False
    number = series.number
    return _jump(canonical_of(row, number, t), canonical_of(former, number, t), number, t) >= 0


@part
def _decided(
    i: int, end: int, value: float, former: float, horizon_us: int, s: int, m: Memory, t: Tables
) -> int:
    """What comes of the jump of row i: by the next reading within the wait, or by the time."""
    series = m.series[s]
    taken_us = taken_at(i, m)
    due_us = taken_us + t.gate_wait_us[series.number]
    j = i + 1
    while j < end and taken_at(j, m) <= due_us:
        row = reading_at(series, j, m)
        if row.taken_us > taken_us and row.tag & HAS != 0:
            repeat = canonical_of(row, series.number, t)
            return SUSPECTED if abs(repeat - former) < abs(repeat - value) else CONFIRMED
        j += 1
    return UNANSWERED if horizon_us >= due_us else PENDING


@part
def _first_open(p: int, first: int, end: int, wait_us: int, m: Memory) -> int:
    """The first row whose status may still change: what no snapshot reaches is settled."""
    settled_us = oldest_us(p, m) - wait_us
    i = first
    while i < end and taken_at(i, m) < settled_us:
        i += 1
    return i


@part
def _look(p: int, s: int, horizon_us: int, n: int, m: Memory, t: Tables, scratch: Scratch) -> int:
    """Goes through the readings of a gated series once more, in their order."""
    patient = m.patients[p]
    series = m.series[s]
    wait_us = t.gate_wait_us[series.number]
    first, end = series.readings, series.readings + series.readings_len
    i = _first_open(p, first, end, wait_us, m)
    former_row = i - 1
    while former_row >= first and not counts_at(former_row, m):
        former_row -= 1
    series.pending_us = NEVER
    while i < end:
        row = reading_at(series, i, m)
        before = status_of(row.tag)
        status = NOTHING_ASKED
        reason = -1
        value = former = np.nan
        if row.tag & HAS != 0:
            value = canonical_of(row, series.number, t)
            if former_row >= first and row.taken_us - taken_at(former_row, m) <= FORMER_US:
                former = canonical_of(reading_at(series, former_row, m), series.number, t)
                reason = _jump(value, former, series.number, t)
            if reason >= 0:
                status = _decided(i, end, value, former, horizon_us, s, m, t)
            if status != SUSPECTED:
                former_row = i
            if status == PENDING:
                series.pending_us = min(series.pending_us, row.taken_us)
        if status != before:
            mark(i, _bits(status), m)
            if (status == SUSPECTED) != (before == SUSPECTED):
                reopen(m, s, row.taken_us)
            patient.again_us = min(patient.again_us, row.taken_us)
            question = scratch.asked[n]
            question.patient = p
            question.kind = series.number + (1 if row.tag & OTHER != 0 else 0)
            question.taken_us = row.taken_us
            question.due_us = row.taken_us + wait_us
            question.value = value
            question.former = former
            question.reason = max(reason, 0)
            question.status = status if status != NOTHING_ASKED else WITHDRAWN
            n += 1
        i += 1
    return n


@part
def look_for_jumps(p: int, horizon_us: int, n: int, m: Memory, t: Tables, scratch: Scratch) -> int:
    """Decides what jumped as far as the horizon allows; gives how much of `asked` is filled, −1: no room.

    Patients whose readings turned out differently are to be evaluated again from there.
    """
    patient = m.patients[p]
    number_of_series = ones(patient.named)
    room = 0
    for k in range(number_of_series):
        series = m.series[patient.series + k]
        if t.gate_wait_us[series.number] > 0:
            room += series.readings_len
    if n + room > scratch.asked_room:
        return -1
    patient.gate_due_us = NEVER
    for k in range(number_of_series):
        series = m.series[patient.series + k]
        wait_us = t.gate_wait_us[series.number]
        if wait_us > 0:
            n = _look(p, patient.series + k, horizon_us, n, m, t, scratch)
            if series.pending_us != NEVER:
                patient.gate_due_us = min(patient.gate_due_us, series.pending_us + wait_us)
    patient.jumps = 0
    return n
