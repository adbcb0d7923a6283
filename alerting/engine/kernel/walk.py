"""The walk: brings patients up to now, event by event, and says what rules opened, raised and cleared.

What it means is semantics.md; the twin in tests/naive/ says the same slowly.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.compiling import compiled, part, small_part
from alerting.engine.kernel.gate import look_for_jumps
from alerting.engine.kernel.handing import memory_of, scratch_of, tables_of
from alerting.engine.kernel.history import room_for_bins, room_for_days
from alerting.engine.kernel.intake import MANY_READINGS
from alerting.engine.kernel.layout import (
    DAY_US,
    DAYS_IN_TABLE,
    HOUR_US,
    NEVER,
    SNAPSHOTS,
    Memory,
    Scratch,
    Tables,
)
from alerting.engine.kernel.numbers import fetch, fetch_word, ones
from alerting.engine.kernel.readings import counts_at, first_from, taken_at
from alerting.engine.kernel.rules import KEEP, emit, judge, leave
from alerting.engine.kernel.snapshots import go_back, has_room, remember

NOT_REPLAYED, NO_SNAPSHOT = -2, -3
SEVERAL, NONE = -1, -2
FAR, NEAR = 8, 3
"""So many patients ahead memory is asked for what they need."""

A_LINE = 8
"""So many readings lie in a cache line."""

SNAPSHOT_EVERY_US = 7 * DAY_US // 2
"""Three of them reach back seven days at least: whatever is not too late finds one."""

SNAPSHOT_OFTEN_US = 4 * HOUR_US
"""Of whoever measures by the minute."""


@part
def _next_due_of(p: int, m: Memory) -> int:
    """When something is due for a patient after what was done; that of single segments is looked up later."""
    patient = m.patients[p]
    due = NEVER
    for g in range(patient.segments, patient.segments + patient.segments_len):
        segment = m.segments[g]
        segment.due_us = -1
        if segment.from_us > patient.done_us:
            due = min(due, segment.from_us)
        elif segment.to_us > patient.done_us:
            due = min(due, segment.to_us)
    for s in range(patient.states, patient.states + patient.states_len):
        due = min(due, m.states[s].due_us)
    return due


@part
def _look_how_often(p: int, m: Memory) -> None:
    """Whether a patient who measured by the minute still does."""
    patient = m.patients[p]
    patient.often = 0
    for s in range(patient.series, patient.series + ones(patient.named)):
        if m.series[s].readings_len > MANY_READINGS:
            patient.often = 1


@small_part
def _remember(p: int, at_us: int, m: Memory) -> None:
    """Keeps a snapshot of the states as they are just before an event, when the newest one is old enough."""
    patient = m.patients[p]
    if patient.snapshots > 0:
        age_us = at_us - m.snapshot_mark_us[p * SNAPSHOTS + patient.snapshots - 1]
        if age_us < (SNAPSHOT_OFTEN_US if patient.often != 0 else SNAPSHOT_EVERY_US):
            return
        if patient.often != 0:
            _look_how_often(p, m)
            if patient.often == 0 and age_us < SNAPSHOT_EVERY_US:
                return
    remember(p, at_us, m)


@part
def _go_back(p: int, m: Memory, t: Tables, scratch: Scratch, n: int) -> int:
    """Restores the newest snapshot before `again_us`, says which findings it holds; −1: none so old."""
    if not go_back(p, m):
        return -1
    patient = m.patients[p]
    patient.fresh = patient.named
    for g in range(patient.segments_len):
        segment = m.segments[patient.segments + g]
        if segment.from_us <= patient.done_us < segment.to_us:
            version = t.versions[segment.version]
            for s in range(version.states):
                rule = t.rules_of_states[version.rules_of_states + s]
                state = m.states[patient.states + segment.states + s]
                if rule >= 0 and state.open != 0:
                    n = emit(scratch, n, p, g, rule, KEEP, state, patient.done_us)
    return n


@small_part
def _advance(k: int, at_us: int, start: int, m: Memory, scratch: Scratch) -> int:
    """Moves the end of a series past a moment; gives the row that counts, SEVERAL or NONE."""
    series = m.series[start + k]
    end = series.readings + series.readings_len
    i = scratch.ends[k]
    row = NONE
    while i < end and taken_at(i, m) <= at_us:
        if counts_at(i, m):
            row = i if row == NONE else SEVERAL
        i += 1
    scratch.ends[k] = i
    return row


@small_part
def _next_reading(k: int, start: int, m: Memory, scratch: Scratch) -> int:
    """Time of the next reading of a series that counts; NEVER when there is none."""
    series = m.series[start + k]
    end = series.readings + series.readings_len
    i = scratch.ends[k]
    while i < end and not counts_at(i, m):
        i += 1
    scratch.ends[k] = i
    return taken_at(i, m) if i < end else NEVER


@small_part
def _begin(p: int, m: Memory, scratch: Scratch) -> int:
    """Where each series of a patient stands; gives how many have readings that were not evaluated yet."""
    patient = m.patients[p]
    coming = k = 0
    left = patient.named
    while left != 0:
        series = m.series[patient.series + k]
        first, end = series.readings, series.readings + series.readings_len
        i = end
        if patient.fresh & (left & -left) != 0:
            if end > first and taken_at(end - 1, m) > patient.done_us:
                i = first_from(m, first, end, patient.done_us + 1)
        scratch.ends[k] = i
        if i < end:
            scratch.coming[coming] = k
            scratch.coming_us[coming] = _next_reading(k, patient.series, m, scratch)
            if scratch.coming_us[coming] != NEVER:
                coming += 1
        left &= left - 1
        k += 1
    return coming


@part
def _walk_patient(
    p: int, horizon_us: int, moment: int, m: Memory, t: Tables, scratch: Scratch, n: int
) -> tuple[int, int, bool]:  # fmt: skip
    """All events of a patient up to the horizon; gives moment, rows filled, whether all found room."""
    patient = m.patients[p]
    start = patient.series
    room = 2 * patient.states_len
    number_of_series = ones(patient.named)
    coming = _begin(p, m, scratch)
    waiting = patient.gate_due_us != NEVER
    while True:
        at_us = m.due_us[p]
        for j in range(coming):
            at_us = min(at_us, scratch.coming_us[j])
        if at_us > horizon_us:
            return moment, n, True
        if n + room > scratch.out_room:
            return moment, n, False
        _remember(p, at_us, m)
        moment += 1
        moved = j = 0
        while j < coming:
            if scratch.coming_us[j] > at_us:
                j += 1
                continue
            k = scratch.coming[j]
            row = _advance(k, at_us, start, m, scratch)
            if row != NONE:
                scratch.moved[moved] = k
                scratch.arrived[moved] = row
                moved += 1
            scratch.coming_us[j] = _next_reading(k, start, m, scratch)
            if scratch.coming_us[j] == NEVER:
                coming -= 1
                scratch.coming[j] = scratch.coming[coming]
                scratch.coming_us[j] = scratch.coming_us[coming]
            else:
                j += 1
        pending = np.int64(0)
        if waiting:
            for k in range(number_of_series):
                series = m.series[start + k]
                if series.pending_us <= at_us:
                    pending |= 1 << series.number
        due = NEVER
        for g in range(patient.segments_len):
            segment = m.segments[patient.segments + g]
            if segment.from_us > at_us:
                due = min(due, segment.from_us)
                continue
            if segment.to_us < at_us:
                continue
            if segment.to_us == at_us:
                goes_on = False
                if g + 1 < patient.segments_len:
                    following = m.segments[patient.segments + g + 1]
                    goes_on = following.states == segment.states and following.from_us == at_us
                n = leave(p, g, at_us, goes_on, m, t, scratch, n)
                continue
            due = min(due, segment.to_us)
            n = judge(p, g, at_us, moment, moved, pending, m, t, scratch, n)
            due = min(due, segment.due_us)
        m.due_us[p] = due
        patient.done_us = at_us


@part
def _fetch_ahead(touched: Any, j: int, m: Memory) -> None:
    """Asks for the rows of patients who are next: first their own, of nearer ones what those point at."""
    if j + FAR < touched.size:
        fetch(m.patients[touched[j + FAR]])
    if j + NEAR < touched.size:
        patient = m.patients[touched[j + NEAR]]
        for s in range(patient.series, patient.series + ones(patient.named)):
            fetch(m.series[s])
        for g in range(patient.segments, patient.segments + patient.segments_len):
            fetch(m.segments[g])
    if j + 1 < touched.size:
        patient = m.patients[touched[j + 1]]
        left = patient.fresh
        while left != 0:
            series = m.series[patient.series + ones(patient.named & ((left & -left) - 1))]
            if series.readings_len > 0:
                fetch_word(m.readings, series.readings + series.readings_len - 1)
            if series.readings_len > A_LINE:
                fetch_word(m.readings, series.readings + series.readings_len - 1 - A_LINE)
            left &= left - 1


@part
def _has_room(p: int, until_day: int, m: Memory) -> bool:
    """Whether there is room for what evaluating a patient up to a day closes and remembers."""
    patient = m.patients[p]
    if not has_room(p, m):
        return False
    left = patient.fresh
    if until_day >= patient.room_until:
        left = patient.named
        patient.room_until = DAYS_IN_TABLE
    while left != 0:
        s = patient.series + ones(patient.named & ((left & -left) - 1))
        if not room_for_bins(m, p, s) or not room_for_days(m, p, s, until_day):
            patient.room_until = 0
            return False
        left &= left - 1
    return True


@compiled
def evaluate(
    touched: NDArray[np.int32], start: int, now_us: int, own: Memory, tables: Tables, room: Scratch,
    replayed_us: NDArray[np.int64],
) -> tuple[int, int, int]:  # fmt: skip
    """Brings the touched patients up to now; gives how many are done, and rows of `out` and `asked` filled.

    **Shape**: `replayed_us` [touched] gets the time of the snapshot that a patient was evaluated again from,
    NOT_REPLAYED where that was not needed and NO_SNAPSHOT where none is old enough. Called again with `start`
    at the patient that did not fit, it goes on there.
    """
    m, t, scratch = memory_of(own), tables_of(tables), scratch_of(room)
    n = questions = moment = 0
    for slot in range(t.slots):
        scratch.memo_at[slot] = -1
    for j in range(start, touched.size):
        p = touched[j]
        _fetch_ahead(touched, j, m)
        patient = m.patients[p]
        if n + 2 * patient.states_len > scratch.out_room:
            return j, n, questions
        horizon_us = max(now_us, patient.latest_us)
        if not _has_room(p, horizon_us // DAY_US, m):
            return j, n, questions
        if patient.jumps != 0 or patient.gate_due_us <= horizon_us:
            filled = look_for_jumps(p, horizon_us, questions, m, t, scratch)
            if filled < 0:
                return j, n, questions
            questions = filled
        if patient.again_us <= patient.done_us:
            went = _go_back(p, m, t, scratch, n)
            replayed_us[j] = NO_SNAPSHOT if went < 0 else patient.done_us
            n = max(n, went)
            patient.stale = 1
        patient.again_us = NEVER
        if patient.stale != 0:
            m.due_us[p] = _next_due_of(p, m)
            patient.stale = 0
        if m.due_us[p] <= horizon_us or patient.latest_us > patient.done_us:
            moment, n, complete = _walk_patient(p, horizon_us, moment, m, t, scratch, n)
            if not complete:
                return j, n, questions
        patient.fresh = 0
        m.due_us[p] = min(m.due_us[p], patient.gate_due_us)
    return touched.size, n, questions
