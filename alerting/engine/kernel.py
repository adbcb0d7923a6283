"""The kernel: inserts readings and evaluates rules, patient by patient, without a Python object.

Everything that calls each other stands in this one file, because a compiled function that is cached does
not notice changes in others. What it means is semantics.md; the twin in tests/naive/ says the same slowly.
"""
# ruff: noqa: C901, PLR0911, PLR0912, PLR0915, PLR1714, SIM109
# One long function is what a compiler makes fast, and what reads best beside the definitions.

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.engine.layout import Memory, Rows, Tables

NEVER = 9_000_000_000_000_000_000
DAY_US = 86_400_000_000
SNAPSHOT_EVERY_US = 3 * DAY_US
RING = 4
SMALLEST_BLOCK = 16
DST_MINUTE = 180
"""Both clock changes are over at 03:00 local time; an hour that comes twice is meant the first time."""

FALSE, UNKNOWN, TRUE = -1, 0, 1
LAST, AGE, COUNT, MEAN, MIN, MAX, RISE, FALL, MISSED = 0, 1, 2, 3, 4, 5, 6, 7, 8
ABOVE, AT_LEAST, BELOW, AT_MOST = 0, 1, 2, 3
AND, OR, NOT = -1, -2, -3
OPEN, RAISE, CLEAR, KEEP = 0, 1, 2, 3
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def _converted(value: float, kind: int, unit: int, target: int, t: Tables) -> float:
    if unit == target or unit < 0 or target < 0:
        return value
    canonical = (value - t.offset[kind, unit]) * t.multiply[kind, unit] / t.divide[kind, unit]
    return canonical * t.divide[kind, target] / t.multiply[kind, target] + t.offset[kind, target]


@njit(cache=True, nogil=True)
def _millionths(value: float) -> float:
    return np.floor(value * 1e6 + 0.5)  # math.floor would make an integer of a NaN


@njit(cache=True, nogil=True)
def due_on_day(day: int, before_min: int, t: Tables) -> int:
    """The moment of a local time on a local day. **Units**: day since 1970, microseconds."""
    offset_s = t.day_starts_s[day] if before_min < DST_MINUTE else t.day_ends_s[day]
    return (day * 86_400 + before_min * 60 - offset_s) * 1_000_000


@njit(cache=True, nogil=True)
def next_due(after_us: int, before_min: int, days: int, t: Tables) -> int:
    """The first due moment after a time; NEVER when the table ends before it."""
    first = max(0, after_us // DAY_US - 1)
    for day in range(first, min(first + 11, t.day_starts_s.size)):
        if days >> ((day + 3) % 7) & 1:
            due = due_on_day(day, before_min, t)
            if due > after_us:
                return due
    return NEVER


@njit(cache=True, nogil=True)
def last_due(until_us: int, before_min: int, days: int, t: Tables) -> int:
    """The last due moment up to and including a time; −1 when there is none since 1970."""
    first = min(until_us // DAY_US + 1, t.day_starts_s.size - 1)
    for day in range(first, max(first - 11, -1), -1):
        if days >> ((day + 3) % 7) & 1:
            due = due_on_day(day, before_min, t)
            if due <= until_us:
                return due
    return -1


@njit(cache=True, nogil=True)
def _matches(row: Any, kinds: int) -> bool:
    return row.counts != 0 and (kinds >> np.uint64(row.kind)) & np.uint64(1) != 0


@njit(cache=True, nogil=True)
def _missed(atom: Any, schedule: Any, first: int, end: int, at_us: int, m: Memory, t: Tables) -> int:
    count = 0
    i = end - 1
    due = last_due(at_us, schedule.before_min, schedule.days, t)
    while due > at_us - atom.window_us and due > schedule.start_us:
        previous = last_due(due - 1, schedule.before_min, schedule.days, t)
        if previous < schedule.start_us:
            break
        while i >= first and m.readings[i].taken_us > due:
            i -= 1
        measured = False
        while i >= first and m.readings[i].taken_us > previous and not measured:
            measured = _matches(m.readings[i], atom.kinds)
            i -= 1
        if not measured:
            count += 1
        due = previous
    return count


@njit(cache=True, nogil=True)
def _last(kinds: int, first: int, end: int, oldest_us: int, m: Memory) -> int:
    """Row of the last value that is not before `oldest_us`; −1 when there is none."""
    i = end - 1
    while i >= first and m.readings[i].taken_us >= oldest_us:
        if _matches(m.readings[i], kinds):
            return i
        i -= 1
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def _feature(atom: Any, schedules: int, first: int, end: int, at_us: int, m: Memory, t: Tables) -> float:
    """The value of a feature, not yet rounded; an age in microseconds; NaN for unknown."""
    kind_of = atom.feature
    if kind_of == MISSED:
        return float(_missed(atom, m.schedules[schedules + atom.schedule], first, end, at_us, m, t))
    if kind_of == AGE:
        i = _last(atom.kinds, first, end, -1, m)
        return np.nan if i < 0 else float(at_us - m.readings[i].taken_us)
    if kind_of == LAST:
        i = _last(atom.kinds, first, end, at_us - atom.max_age_us, m)
        if i < 0:
            return np.nan
        row = m.readings[i]
        return _converted(row.value, row.kind, row.unit, atom.unit, t)
    if kind_of == RISE or kind_of == FALL:
        i = _last(atom.kinds, first, end, max(at_us - atom.max_age_us, at_us - atom.window_us + 1), m)
        if i < 0:
            return np.nan
        row = m.readings[i]
        newest = _converted(row.value, row.kind, row.unit, atom.unit, t)
        best = np.nan
        i -= 1
        while i >= first and m.readings[i].taken_us > at_us - atom.window_us:
            row = m.readings[i]
            if _matches(row, atom.kinds):
                value = _converted(row.value, row.kind, row.unit, atom.unit, t)
                if math.isnan(best) or (value < best if kind_of == RISE else value > best):
                    best = value
            i -= 1
        return newest - best if kind_of == RISE else best - newest
    i = end
    while i > first and m.readings[i - 1].taken_us > at_us - atom.window_us:
        i -= 1
    count = 0
    total = 0.0
    lowest = highest = np.nan
    while i < end:  # oldest first: the order of additions is part of the definition
        row = m.readings[i]
        if _matches(row, atom.kinds):
            count += 1
            if kind_of != COUNT:
                value = _converted(row.value, row.kind, row.unit, atom.unit, t)
                total += value
                if count == 1 or value < lowest:
                    lowest = value
                if count == 1 or value > highest:
                    highest = value
        i += 1
    if kind_of == COUNT:
        return float(count)
    if count == 0:
        return np.nan
    if kind_of == MEAN:
        return total / count
    return lowest if kind_of == MIN else highest


@njit(cache=True, nogil=True, error_model="numpy")
def _condition(
    start: int,
    length: int,
    segment: Any,
    schedules: int,
    first: int,
    end: int,
    at_us: int,
    m: Memory,
    t: Tables,
    stack: NDArray[np.int64],
    values: NDArray[np.float64],
) -> int:
    """Kleene truth of a condition; leaves its values and limits in `values` [2, MOST_VALUES]."""
    depth = 0
    values[:] = np.nan
    for op in t.code[start : start + length]:
        if op == NOT:
            stack[depth - 1] = -stack[depth - 1]
        elif op < 0:
            depth -= 1
            left, right = stack[depth - 1], stack[depth]
            stack[depth - 1] = min(left, right) if op == AND else max(left, right)
        else:
            atom = t.atoms[op]
            limit = m.limits[segment.limits + atom.limit]
            value = _feature(atom, schedules + segment.schedules, first, end, at_us, m, t)
            truth = UNKNOWN
            compared = value if atom.feature == AGE else _millionths(value)
            if not math.isnan(compared):
                if atom.comparator == ABOVE:
                    holds = compared > limit.compared
                elif atom.comparator == AT_LEAST:
                    holds = compared >= limit.compared
                elif atom.comparator == BELOW:
                    holds = compared < limit.compared
                else:
                    holds = compared <= limit.compared
                truth = TRUE if holds else FALSE
            values[0, atom.place] = compared / (atom.unit_us if atom.feature == AGE else 1e6)
            values[1, atom.place] = limit.value
            stack[depth] = truth
            depth += 1
    return stack[0]


@njit(cache=True, nogil=True)
def _deadline(
    rule: Any, segment: Any, schedules: int, first: int, end: int, at_us: int, m: Memory, t: Tables
) -> int:
    """When a rule must be evaluated next because of an age or of a measurement that is due."""
    due = NEVER
    for a in range(rule.atoms, rule.atoms + rule.atoms_len):
        atom = t.atoms[a]
        if atom.feature == AGE:
            i = _last(atom.kinds, first, end, -1, m)
            if i >= 0:
                late = 1 if atom.comparator == ABOVE or atom.comparator == AT_MOST else 0
                crossing = (
                    m.readings[i].taken_us + np.int64(m.limits[segment.limits + atom.limit].compared) + late
                )
                if crossing > at_us:
                    due = min(due, crossing)
        elif atom.feature == MISSED:
            schedule = m.schedules[schedules + segment.schedules + atom.schedule]
            if schedule.start_us != NEVER:
                due = min(due, next_due(at_us, schedule.before_min, schedule.days, t))
    return due


@njit(cache=True, nogil=True)
def _emit(out: Rows, n: int, p: int, rule: int, what: int, state: Any, at_us: int) -> int:
    row = out[n]
    row.patient = p
    row.rule = rule
    row.what = what
    row.severity = state.severity
    row.opened_at_us = state.opened_us
    row.at_us = at_us
    row.raised = state.raised
    return n + 1


@njit(cache=True, nogil=True)
def _attach(out: Rows, n: int, values: NDArray[np.float64]) -> None:
    for i in range(values.shape[1]):
        out[n].values[i] = values[0, i]
        out[n].limits[i] = values[1, i]


@njit(cache=True, nogil=True)
def _close(out: Rows, n: int, p: int, rule: int, state: Any, at_us: int) -> int:
    """Ends the finding of a rule that no longer applies, and forgets the rule's state."""
    if state.open != 0:
        n = _emit(out, n, p, rule, CLEAR, state, at_us)
    state.open = 0
    state.raised = 0
    state.bits = 0
    state.opened_us = -1
    state.run_us = -1
    state.due_us = NEVER
    return n


@njit(cache=True, nogil=True)
def _evaluate(
    p: int,
    number: int,
    state: Any,
    segment: Any,
    end: int,
    at_us: int,
    by_reading: bool,
    m: Memory,
    t: Tables,
    stack: Ints,
    values: NDArray[np.float64],
    out: Rows,
    n: int,
) -> int:
    """One rule at one moment: opens, raises or clears, and sets when it is due next."""
    rule = t.rules[number]
    first, schedules = m.patients[p].readings, m.patients[p].schedules
    when = _condition(rule.when, rule.when_len, segment, schedules, first, end, at_us, m, t, stack, values)
    if by_reading:
        state.bits = (state.bits << 1 | (1 if when == TRUE else 0)) & 0xFFFF
    if when != TRUE:
        state.run_us = -1
    elif state.run_us < 0:
        state.run_us = at_us
    if state.open != 0:
        if when != TRUE:
            clear = _condition(
                rule.clear, rule.clear_len, segment, schedules, first, end, at_us, m, t, stack, values
            )
            if clear == TRUE:
                n = _emit(out, n, p, number, CLEAR, state, at_us)
                state.open = 0
                state.raised = 0
                state.opened_us = -1
    elif when == TRUE and at_us - state.run_us >= rule.held_us:
        trues = 0
        for i in range(rule.n):
            trues += state.bits >> i & 1
        if trues >= rule.k:
            state.open = 1
            state.severity = rule.severity
            state.opened_us = at_us
            _attach(out, n, values)
            n = _emit(out, n, p, number, OPEN, state, at_us)
    if state.open != 0 and state.raised == 0 and rule.raised_len != 0:
        raised = _condition(
            rule.raised, rule.raised_len, segment, schedules, first, end, at_us, m, t, stack, values
        )
        if raised == TRUE:
            state.raised = 1
            state.severity = rule.raised_severity
            _attach(out, n, values)
            n = _emit(out, n, p, number, RAISE, state, at_us)
    state.due_us = NEVER
    if rule.timed != 0:
        state.due_us = _deadline(rule, segment, schedules, first, end, at_us, m, t)
    if rule.held_us != 0 and state.open == 0 and state.run_us >= 0 and state.run_us + rule.held_us > at_us:
        state.due_us = min(state.due_us, state.run_us + rule.held_us)
    return n


@njit(cache=True, nogil=True)
def _moment(
    p: int,
    at_us: int,
    kinds: int,
    end: int,
    m: Memory,
    t: Tables,
    stack: Ints,
    values: NDArray[np.float64],
    out: Rows,
    n: int,
) -> tuple[int, int]:
    """Everything that happens to a patient at one moment; gives what is due next beside the new `n`."""
    due = NEVER
    patient = m.patients[p]
    for g in range(patient.segments, patient.segments + patient.segments_len):
        segment = m.segments[g]
        if segment.from_us > at_us:
            due = min(due, segment.from_us)
            continue
        if segment.to_us < at_us:
            continue
        version = t.versions[segment.version]
        states = patient.states + segment.states
        if segment.to_us == at_us:
            after = g + 1
            goes_on = (
                after < patient.segments + patient.segments_len
                and m.segments[after].states == segment.states
                and m.segments[after].from_us == at_us
            )
            for s in range(version.states):
                rule = t.rules_of_states[version.rules_of_states + s]
                gone = not goes_on
                if goes_on:
                    next_version = t.versions[m.segments[after].version]
                    gone = t.rules_of_states[next_version.rules_of_states + s] < 0
                if gone and rule >= 0:
                    n = _close(out, n, p, rule, m.states[states + s], at_us)
            continue
        due = min(due, segment.to_us)
        for s in range(version.states):
            rule = t.rules_of_states[version.rules_of_states + s]
            if rule < 0:
                continue
            state = m.states[states + s]
            named = t.rules[rule].kinds & kinds != 0
            if named or segment.from_us == at_us or state.due_us == at_us:
                n = _evaluate(p, rule, state, segment, end, at_us, named, m, t, stack, values, out, n)
            due = min(due, state.due_us)
    return n, due


@njit(cache=True, nogil=True)
def _next_due_of(p: int, m: Memory) -> int:
    """When something is due for a patient after what was done."""
    due = NEVER
    patient = m.patients[p]
    for g in range(patient.segments, patient.segments + patient.segments_len):
        segment = m.segments[g]
        if segment.from_us > patient.done_us:
            due = min(due, segment.from_us)
        elif segment.to_us > patient.done_us:
            due = min(due, segment.to_us)
    for s in range(patient.states, patient.states + patient.states_len):
        due = min(due, m.states[s].due_us)
    return due


@njit(cache=True, nogil=True)
def _remember(p: int, at_us: int, m: Memory) -> None:
    """Keeps a snapshot of the states as they are just before an event."""
    patient = m.patients[p]
    if patient.snapshots == RING:
        patient.oldest = (patient.oldest + 1) % RING
    else:
        patient.snapshots += 1
    place = (patient.oldest + patient.snapshots - 1) % RING
    m.snapshot_us[p, place] = patient.done_us
    m.snapshot_mark_us[p, place] = at_us
    copy = patient.states + (1 + place) * patient.states_len
    for s in range(patient.states_len):
        m.states[copy + s] = m.states[patient.states + s]


@njit(cache=True, nogil=True)
def _go_back(p: int, m: Memory, t: Tables, out: Rows, n: int) -> int:
    """Restores the newest snapshot before `again_us`, says which findings it holds; −1: none so old."""
    patient = m.patients[p]
    kept = patient.snapshots
    while kept > 0 and m.snapshot_us[p, (patient.oldest + kept - 1) % RING] >= patient.again_us:
        kept -= 1
    if kept == 0:
        return -1
    patient.snapshots = kept
    place = (patient.oldest + kept - 1) % RING
    patient.done_us = m.snapshot_us[p, place]
    copy = patient.states + (1 + place) * patient.states_len
    for s in range(patient.states_len):
        m.states[patient.states + s] = m.states[copy + s]
    for g in range(patient.segments, patient.segments + patient.segments_len):
        segment = m.segments[g]
        if segment.from_us <= patient.done_us < segment.to_us:
            version = t.versions[segment.version]
            for s in range(version.states):
                rule = t.rules_of_states[version.rules_of_states + s]
                state = m.states[patient.states + segment.states + s]
                if rule >= 0 and state.open != 0:
                    n = _emit(out, n, p, rule, KEEP, state, patient.done_us)
    return n


@njit(cache=True, nogil=True)
def _first_after(p: int, m: Memory) -> int:
    """The first reading after what was done."""
    patient = m.patients[p]
    low, high = patient.readings, patient.readings + patient.readings_len
    while low < high:
        middle = (low + high) // 2
        if m.readings[middle].taken_us <= patient.done_us:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _advance(
    p: int,
    now_us: int,
    m: Memory,
    t: Tables,
    stack: Ints,
    values: NDArray[np.float64],
    out: Rows,
    n: int,
) -> tuple[int, bool]:
    """A patient's events in time order until now; false when `out` has no room for the next one."""
    patient = m.patients[p]
    room = 2 * patient.states_len
    horizon = max(now_us, patient.latest_us)
    if patient.stale != 0:
        patient.due_us = _next_due_of(p, m)
        patient.stale = 0
    i = _first_after(p, m)
    end = patient.readings + patient.readings_len
    while True:
        while i < end and m.readings[i].counts == 0:
            i += 1
        at_us = patient.due_us
        if i < end:
            at_us = min(at_us, m.readings[i].taken_us)
        if at_us > horizon:
            return n, True
        if n + room > out.size:
            return n, False
        newest = (patient.oldest + patient.snapshots - 1) % RING
        if patient.snapshots == 0 or at_us - m.snapshot_mark_us[p, newest] >= SNAPSHOT_EVERY_US:
            _remember(p, at_us, m)
        kinds: Any = np.uint64(0)
        while i < end and m.readings[i].taken_us == at_us:
            if m.readings[i].counts != 0:
                kinds |= np.uint64(1) << np.uint64(m.readings[i].kind)
            i += 1
        n, patient.due_us = _moment(p, at_us, kinds, i, m, t, stack, values, out, n)
        patient.done_us = at_us


@njit(cache=True, nogil=True)
def evaluate(
    touched: NDArray[np.int32],
    start: int,
    now_us: int,
    m: Memory,
    t: Tables,
    out: Rows,
    replayed_us: Ints,
) -> tuple[int, int]:
    """Brings the touched patients up to now; gives how many of them are done and how much of `out` is filled.

    **Shape**: `replayed_us` [touched] gets the time of the snapshot that a patient was evaluated again from,
    −2 where that was not needed and −3 where no snapshot is old enough. Called again with `start` at the
    patient that did not fit, it goes on there.
    """
    stack = np.zeros(64, np.int64)
    values = np.zeros((2, 8), np.float64)
    n = 0
    for j in range(start, touched.size):
        p = touched[j]
        patient = m.patients[p]
        if n + patient.states_len > out.size:
            return j, n
        if patient.again_us <= patient.done_us:
            went = _go_back(p, m, t, out, n)
            replayed_us[j] = -3 if went < 0 else patient.done_us
            n = max(n, went)
            patient.stale = 1
        patient.again_us = NEVER
        n, finished = _advance(p, now_us, m, t, stack, values, out, n)
        if not finished:
            return j, n
    return touched.size, n
