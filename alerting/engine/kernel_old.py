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
from numba.extending import intrinsic
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
Values = NDArray[np.float64]
Units = NDArray[np.float64]
Days = NDArray[np.int32]


@njit(cache=True, nogil=True, error_model="numpy")
def _in_unit(row: Any, target: int, units: Units) -> float:
    """The value of a reading in a unit: as it arrived when it arrived in that one."""
    unit = row.unit
    if unit == target or unit < 0 or target < 0:
        return row.value
    kind = row.kind
    canonical = (row.value - units[0, kind, unit]) * units[1, kind, unit] / units[2, kind, unit]
    return canonical * units[2, kind, target] / units[1, kind, target] + units[0, kind, target]


@njit(cache=True, nogil=True)
def _millionths(value: float) -> float:
    return np.floor(value * 1e6 + 0.5)  # math.floor would make an integer of a NaN


@njit(cache=True, nogil=True)
def due_on_day(day: int, before_min: int, days: Days) -> int:
    """The moment of a local time on a local day. **Units**: day since 1970, microseconds."""
    offset_s = days[0, day] if before_min < DST_MINUTE else days[1, day]
    return (day * 86_400 + before_min * 60 - offset_s) * 1_000_000


@njit(cache=True, nogil=True)
def next_due(after_us: int, schedule: Any, days: Days) -> int:
    """The first due moment after a time; NEVER when the table ends before it."""
    first = max(0, after_us // DAY_US - 1)
    for day in range(first, min(first + 11, days.shape[1])):
        if schedule.days >> ((day + 3) % 7) & 1:
            due = due_on_day(day, schedule.before_min, days)
            if due > after_us:
                return due
    return NEVER


@njit(cache=True, nogil=True)
def last_due(until_us: int, schedule: Any, days: Days) -> int:
    """The last due moment up to and including a time; −1 when there is none since 1970."""
    first = min(until_us // DAY_US + 1, days.shape[1] - 1)
    for day in range(first, max(first - 11, -1), -1):
        if schedule.days >> ((day + 3) % 7) & 1:
            due = due_on_day(day, schedule.before_min, days)
            if due <= until_us:
                return due
    return -1


@njit(cache=True, nogil=True)
def _matches(row: Any, kinds: int) -> bool:
    return row.counts != 0 and (kinds >> np.uint64(row.kind)) & np.uint64(1) != 0


@njit(cache=True, nogil=True)
def _missed(atom: Any, schedule: Any, first: int, end: int, at_us: int, readings: Rows, days: Days) -> int:
    count = 0
    i = end - 1
    due = last_due(at_us, schedule, days)
    while due > at_us - atom.window_us and due > schedule.start_us:
        previous = last_due(due - 1, schedule, days)
        if previous < schedule.start_us:
            break
        while i >= first and readings[i].taken_us > due:
            i -= 1
        measured = False
        while i >= first and readings[i].taken_us > previous and not measured:
            measured = _matches(readings[i], atom.kinds)
            i -= 1
        if not measured:
            count += 1
        due = previous
    return count


@njit(cache=True, nogil=True)
def _last(kinds: int, first: int, end: int, oldest_us: int, readings: Rows) -> int:
    """Row of the last value that is not before `oldest_us`; −1 when there is none."""
    i = end - 1
    while i >= first and readings[i].taken_us >= oldest_us:
        if _matches(readings[i], kinds):
            return i
        i -= 1
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def _feature(
    atom: Any, schedule: Any, first: int, end: int, at_us: int, readings: Rows, units: Units, days: Days
) -> float:
    """The value of a feature, not yet rounded; an age in microseconds; NaN for unknown."""
    kind_of = atom.feature
    if kind_of == MISSED:
        return float(_missed(atom, schedule, first, end, at_us, readings, days))
    if kind_of == AGE:
        i = _last(atom.kinds, first, end, -1, readings)
        return np.nan if i < 0 else float(at_us - readings[i].taken_us)
    if kind_of == LAST:
        i = _last(atom.kinds, first, end, at_us - atom.max_age_us, readings)
        if i < 0:
            return np.nan
        row = readings[i]
        return _in_unit(row, atom.unit, units)
    if kind_of == RISE or kind_of == FALL:
        i = _last(atom.kinds, first, end, max(at_us - atom.max_age_us, at_us - atom.window_us + 1), readings)
        if i < 0:
            return np.nan
        row = readings[i]
        newest = _in_unit(row, atom.unit, units)
        best = np.nan
        i -= 1
        while i >= first and readings[i].taken_us > at_us - atom.window_us:
            row = readings[i]
            if _matches(row, atom.kinds):
                value = _in_unit(row, atom.unit, units)
                if math.isnan(best) or (value < best if kind_of == RISE else value > best):
                    best = value
            i -= 1
        return newest - best if kind_of == RISE else best - newest
    i = end
    while i > first and readings[i - 1].taken_us > at_us - atom.window_us:
        i -= 1
    count = 0
    total = 0.0
    lowest = highest = np.nan
    while i < end:  # oldest first: the order of additions is part of the definition
        row = readings[i]
        if _matches(row, atom.kinds):
            count += 1
            if kind_of != COUNT:
                value = _in_unit(row, atom.unit, units)
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
    code: NDArray[np.int32],
    atoms: Rows,
    limits: Rows,
    limits_at: int,
    schedules: Rows,
    schedules_at: int,
    first: int,
    end: int,
    at_us: int,
    readings: Rows,
    units: Units,
    days: Days,
    stack: Ints,
    values: Values,
) -> int:
    """Kleene truth of a condition; leaves its values and limits in `values` [2, MOST_VALUES]."""
    depth = 0
    values[:] = np.nan
    for c in range(start, start + length):
        op = code[c]
        if op == NOT:
            stack[depth - 1] = -stack[depth - 1]
        elif op < 0:
            depth -= 1
            left, right = stack[depth - 1], stack[depth]
            stack[depth - 1] = min(left, right) if op == AND else max(left, right)
        else:
            atom = atoms[op]
            limit = limits[limits_at + atom.limit]
            schedule = schedules[schedules_at + max(0, atom.schedule)]
            value = _feature(atom, schedule, first, end, at_us, readings, units, days)
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
    rule: Any,
    atoms: Rows,
    limits: Rows,
    limits_at: int,
    schedules: Rows,
    schedules_at: int,
    first: int,
    end: int,
    at_us: int,
    readings: Rows,
    days: Days,
) -> int:
    """When a rule must be evaluated next because of an age or of a measurement that is due."""
    due = NEVER
    for a in range(rule.atoms, rule.atoms + rule.atoms_len):
        atom = atoms[a]
        if atom.feature == AGE:
            i = _last(atom.kinds, first, end, -1, readings)
            if i >= 0:
                late = 1 if atom.comparator == ABOVE or atom.comparator == AT_MOST else 0
                crossing = readings[i].taken_us + np.int64(limits[limits_at + atom.limit].compared) + late
                if crossing > at_us:
                    due = min(due, crossing)
        elif atom.feature == MISSED:
            schedule = schedules[schedules_at + atom.schedule]
            if schedule.start_us != NEVER:
                due = min(due, next_due(at_us, schedule, days))
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
def _attach(out: Rows, n: int, values: Values) -> None:
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
    rule: Any,
    state: Any,
    by_reading: bool,
    at_us: int,
    first: int,
    end: int,
    limits_at: int,
    schedules_at: int,
    code: NDArray[np.int32],
    atoms: Rows,
    limits: Rows,
    schedules: Rows,
    readings: Rows,
    units: Units,
    days: Days,
    stack: Ints,
    values: Values,
    out: Rows,
    n: int,
) -> int:
    """One rule at one moment: opens, raises or clears, and sets when it is due next."""
    when = _condition(
        rule.when, rule.when_len, code, atoms, limits, limits_at, schedules, schedules_at,
        first, end, at_us, readings, units, days, stack, values,
    )  # fmt: skip
    if by_reading:
        state.bits = (state.bits << 1 | (1 if when == TRUE else 0)) & 0xFFFF
    if when != TRUE:
        state.run_us = -1
    elif state.run_us < 0:
        state.run_us = at_us
    if state.open != 0:
        if when != TRUE:
            clear = _condition(
                rule.clear, rule.clear_len, code, atoms, limits, limits_at, schedules, schedules_at,
                first, end, at_us, readings, units, days, stack, values,
            )  # fmt: skip
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
            rule.raised, rule.raised_len, code, atoms, limits, limits_at, schedules, schedules_at,
            first, end, at_us, readings, units, days, stack, values,
        )  # fmt: skip
        if raised == TRUE:
            state.raised = 1
            state.severity = rule.raised_severity
            _attach(out, n, values)
            n = _emit(out, n, p, number, RAISE, state, at_us)
    state.due_us = NEVER
    if rule.timed != 0:
        state.due_us = _deadline(
            rule, atoms, limits, limits_at, schedules, schedules_at, first, end, at_us, readings, days
        )
    if rule.held_us != 0 and state.open == 0 and state.run_us >= 0 and state.run_us + rule.held_us > at_us:
        state.due_us = min(state.due_us, state.run_us + rule.held_us)
    return n


@njit(cache=True, nogil=True)
def _leave(
    p: int, g: int, goes_on: bool, at_us: int, patient: Any, segments: Rows, states: Rows,
    versions: Rows, rules_of_states: Any, out: Rows, n: int,
) -> int:  # fmt: skip
    """The end of a segment: closes the findings of rules that the next one, if any, does not have."""
    version = versions[segments[g].version]
    for s in range(version.states):
        rule = rules_of_states[version.rules_of_states + s]
        gone = not goes_on
        if goes_on:
            gone = rules_of_states[versions[segments[g + 1].version].rules_of_states + s] < 0
        if gone and rule >= 0:
            n = _close(out, n, p, rule, states[patient.states + segments[g].states + s], at_us)
    return n


@njit(cache=True, nogil=True)
def _next_due_of(patient: Any, segments: Rows, states: Rows) -> int:
    """When something is due for a patient after what was done."""
    due = NEVER
    for g in range(patient.segments, patient.segments + patient.segments_len):
        if segments[g].from_us > patient.done_us:
            due = min(due, segments[g].from_us)
        elif segments[g].to_us > patient.done_us:
            due = min(due, segments[g].to_us)
    for s in range(patient.states, patient.states + patient.states_len):
        due = min(due, states[s].due_us)
    return due


@njit(cache=True, nogil=True)
def _remember(
    p: int, at_us: int, patient: Any, states: Rows, snapshot_us: Ints, snapshot_mark_us: Ints
) -> None:
    """Keeps a snapshot of the states as they are just before an event."""
    if patient.snapshots == RING:
        patient.oldest = (patient.oldest + 1) % RING
    else:
        patient.snapshots += 1
    place = (patient.oldest + patient.snapshots - 1) % RING
    snapshot_us[p, place] = patient.done_us
    snapshot_mark_us[p, place] = at_us
    copy = patient.states + (1 + place) * patient.states_len
    for s in range(patient.states_len):
        states[copy + s] = states[patient.states + s]


@njit(cache=True, nogil=True)
def _go_back(
    p: int, patient: Any, segments: Rows, states: Rows, snapshot_us: Ints,
    versions: Rows, rules_of_states: Any, out: Rows, n: int,
) -> int:  # fmt: skip
    """Restores the newest snapshot before `again_us`, says which findings it holds; −1: none so old."""
    kept = patient.snapshots
    while kept > 0 and snapshot_us[p, (patient.oldest + kept - 1) % RING] >= patient.again_us:
        kept -= 1
    if kept == 0:
        return -1
    patient.snapshots = kept
    place = (patient.oldest + kept - 1) % RING
    patient.done_us = snapshot_us[p, place]
    copy = patient.states + (1 + place) * patient.states_len
    for s in range(patient.states_len):
        states[patient.states + s] = states[copy + s]
    for g in range(patient.segments, patient.segments + patient.segments_len):
        segment = segments[g]
        if segment.from_us <= patient.done_us < segment.to_us:
            version = versions[segment.version]
            for s in range(version.states):
                rule = rules_of_states[version.rules_of_states + s]
                state = states[patient.states + segment.states + s]
                if rule >= 0 and state.open != 0:
                    n = _emit(out, n, p, rule, KEEP, state, patient.done_us)
    return n


@njit(cache=True, nogil=True)
def _first_after(patient: Any, readings: Rows) -> int:
    """The first reading after what was done."""
    low, high = patient.readings, patient.readings + patient.readings_len
    if low == high or readings[high - 1].taken_us <= patient.done_us:
        return high
    while low < high:
        middle = (low + high) // 2
        if readings[middle].taken_us <= patient.done_us:
            low = middle + 1
        else:
            high = middle
    return low


def _borrow(_typing: Any, array: Any) -> Any:
    """The same array without an owner, hence without counting who uses it."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = view.meminfo.type(None)
        return view._getvalue()  # noqa: SLF001 - numba's own way of putting an array together

    return array(array), build


_borrowed: Any = intrinsic(_borrow)


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
    # Borrowed once: an array that Python owns is counted, atomically, wherever it is passed on, and that
    # counting took two thirds of the kernel's time. `m` and `t` keep them alive meanwhile.
    readings, segments = _borrowed(m.readings), _borrowed(m.segments)
    schedules, states = _borrowed(m.schedules), _borrowed(m.states)
    limits, patients = _borrowed(m.limits), _borrowed(m.patients)
    snapshot_us, snapshot_mark_us = _borrowed(m.snapshot_us), _borrowed(m.snapshot_mark_us)
    versions, rules_of_states = _borrowed(t.versions), _borrowed(t.rules_of_states)
    rules, code, atoms = _borrowed(t.rules), _borrowed(t.code), _borrowed(t.atoms)
    units, days = _borrowed(t.units), _borrowed(t.days)
    found = _borrowed(out)
    stack, values = _borrowed(m.stack), _borrowed(m.values)
    n = 0
    for j in range(start, touched.size):
        p = touched[j]
        patient = patients[p]
        room = 2 * patient.states_len
        if n + room > out.size:
            return j, n
        if patient.again_us <= patient.done_us:
            went = _go_back(p, patient, segments, states, snapshot_us, versions, rules_of_states, found, n)
            replayed_us[j] = -3 if went < 0 else patient.done_us
            n = max(n, went)
            patient.stale = 1
        patient.again_us = NEVER
        if patient.stale != 0:
            patient.due_us = _next_due_of(patient, segments, states)
            patient.stale = 0
        horizon = max(now_us, patient.latest_us)
        i = _first_after(patient, readings)
        first, end = patient.readings, patient.readings + patient.readings_len
        while True:
            while i < end and readings[i].counts == 0:
                i += 1
            at_us = patient.due_us
            if i < end:
                at_us = min(at_us, readings[i].taken_us)
            if at_us > horizon:
                break
            if n + room > out.size:
                return j, n
            newest = (patient.oldest + patient.snapshots - 1) % RING
            if patient.snapshots == 0 or at_us - snapshot_mark_us[p, newest] >= SNAPSHOT_EVERY_US:
                _remember(p, at_us, patient, states, snapshot_us, snapshot_mark_us)
            kinds: Any = np.uint64(0)
            while i < end and readings[i].taken_us == at_us:
                if readings[i].counts != 0:
                    kinds |= np.uint64(1) << np.uint64(readings[i].kind)
                i += 1
            due = NEVER
            last = patient.segments + patient.segments_len - 1
            for g in range(patient.segments, last + 1):
                segment = segments[g]
                if segment.from_us > at_us:
                    due = min(due, segment.from_us)
                    continue
                if segment.to_us < at_us:
                    continue
                if segment.to_us == at_us:
                    goes_on = (
                        g < last
                        and segments[g + 1].states == segment.states
                        and segments[g + 1].from_us == at_us
                    )
                    n = _leave(
                        p, g, goes_on, at_us, patient, segments, states, versions, rules_of_states, found, n
                    )
                    continue
                due = min(due, segment.to_us)
                version = versions[segment.version]
                for s in range(version.states):
                    number = rules_of_states[version.rules_of_states + s]
                    if number < 0:
                        continue
                    rule = rules[number]
                    state = states[patient.states + segment.states + s]
                    named = rule.kinds & kinds != 0
                    if named or segment.from_us == at_us or state.due_us == at_us:
                        n = _evaluate(
                            p, number, rule, state, named, at_us, first, i,
                            segment.limits, patient.schedules + segment.schedules,
                            code, atoms, limits, schedules, readings, units, days, stack, values, found, n,
                        )  # fmt: skip
                    due = min(due, state.due_us)
            patient.due_us = due
            patient.done_us = at_us
    return touched.size, n
