"""Rules of one enrolment at one moment: which are evaluated, and what they open, raise and clear."""

from typing import Any

import numpy as np

from alerting.engine.kernel.compiling import part, small_part
from alerting.engine.kernel.conditions import TRUE, Here, condition, deadline, values_of
from alerting.engine.kernel.layout import MOST_SERIES, MOST_VALUES, NEVER, Memory, Scratch, Tables
from alerting.engine.kernel.numbers import lowest
from alerting.engine.kernel.snapshots import at_rest
from alerting.engine.kernel.triggers import woken

OPEN, RAISE, CLEAR, KEEP = 0, 1, 2, 3


@part
def emit(scratch: Scratch, n: int, p: int, g: int, rule: int, what: int, state: Any, at_us: int) -> int:
    """One transition more."""
    row = scratch.out[n]
    row.patient = p
    row.segment = g
    row.rule = rule
    row.what = what
    row.severity = state.severity
    row.opened_at_us = state.since_us
    row.at_us = at_us
    row.raised = state.raised
    row.unconfirmed = state.unconfirmed
    return n + 1


@part
def _attach(n: int, start: int, length: int, here: Here, m: Memory, t: Tables, scratch: Scratch) -> None:
    """The values of a condition to the row that was emitted last."""
    values_of(start, length, here, m, t, scratch)
    for i in range(MOST_VALUES):
        scratch.out[n - 1].values[i] = scratch.values[i]
        scratch.out[n - 1].limits[i] = scratch.values[MOST_VALUES + i]


@part
def _close(scratch: Scratch, n: int, p: int, g: int, rule: int, state: Any, at_us: int) -> int:
    """Ends the finding of a rule that no longer applies, and forgets the rule's state."""
    if state.open != 0:
        n = emit(scratch, n, p, g, rule, CLEAR, state, at_us)
    state.open = 0
    state.raised = 0
    state.bits = 0
    state.since_us = -1
    state.due_us = NEVER
    return n


@small_part
def _evaluate(
    number: int, g: int, state: Any, by_reading: bool, waits: bool, here: Here,
    m: Memory, t: Tables, scratch: Scratch, n: int,
) -> int:  # fmt: skip
    """One rule at one moment: opens, raises or clears, and sets when it is due next."""
    rule = t.rules[number]
    at_us = here.at_us
    p = here.patient
    in_doubt = 1 if waits else 0
    when = condition(rule.when, rule.when_len, here, m, t, scratch)
    if by_reading:
        state.bits = (state.bits << 1 | (1 if when == TRUE else 0)) & rule.counted
    if state.open != 0:
        if when != TRUE and not waits:
            if condition(rule.clear, rule.clear_len, here, m, t, scratch) == TRUE:
                n = emit(scratch, n, p, g, number, CLEAR, state, at_us)
                state.open = 0
                state.raised = 0
                state.since_us = -1
    elif when != TRUE:
        state.since_us = -1
    else:
        if state.since_us < 0:
            state.since_us = at_us
        if at_us - state.since_us >= rule.held_us:
            trues = 0
            for i in range(rule.n):
                trues += state.bits >> i & 1
            if trues >= rule.k:
                state.open = 1
                state.severity = rule.severity
                state.since_us = at_us
                state.unconfirmed = in_doubt
                n = emit(scratch, n, p, g, number, OPEN, state, at_us)
                _attach(n, rule.when, rule.when_len, here, m, t, scratch)
    if state.open != 0 and state.raised == 0 and rule.raised_len != 0:
        if condition(rule.raised, rule.raised_len, here, m, t, scratch) == TRUE:
            state.raised = 1
            state.severity = rule.raised_severity
            state.unconfirmed = max(state.unconfirmed, in_doubt)
            n = emit(scratch, n, p, g, number, RAISE, state, at_us)
            _attach(n, rule.raised, rule.raised_len, here, m, t, scratch)
    state.due_us = NEVER
    if rule.timed != 0:
        atoms = rule.when_atoms if at_rest(state) else rule.atoms_len
        state.due_us = deadline(rule, atoms, at_us, here, m, t, scratch)
    if rule.held_us != 0 and state.open == 0 and state.since_us >= 0:
        if state.since_us + rule.held_us > at_us:
            state.due_us = min(state.due_us, state.since_us + rule.held_us)
    return n


@part
def leave(p: int, g: int, at_us: int, goes_on: bool, m: Memory, t: Tables, scratch: Scratch, n: int) -> int:
    """The end of a segment: closes the findings of rules that the next one, if any, does not have."""
    patient = m.patients[p]
    segment = m.segments[patient.segments + g]
    version = t.versions[segment.version]
    for s in range(version.states):
        rule = t.rules_of_states[version.rules_of_states + s]
        gone = not goes_on
        if goes_on:
            following = t.versions[m.segments[patient.segments + g + 1].version]
            gone = t.rules_of_states[following.rules_of_states + s] < 0
        if gone and rule >= 0:
            n = _close(scratch, n, p, g, rule, m.states[patient.states + segment.states + s], at_us)
    return n


@part
def _look_up(p: int, g: int, m: Memory, t: Tables) -> None:
    """Which rules of a segment are awake, after something else than its readings changed that."""
    patient = m.patients[p]
    segment = m.segments[patient.segments + g]
    version = t.versions[segment.version]
    segment.awake = 0
    segment.likely = version.leading
    for r in range(version.rules_len):
        state = m.states[patient.states + segment.states + t.rules[version.rules + r].state]
        if not at_rest(state):
            segment.awake |= 1 << r


@small_part
def _next_due(segment: Any, states: int, m: Memory, t: Tables) -> int:
    """When the next of a segment's rules is due."""
    version = t.versions[segment.version]
    due = NEVER
    left = version.timed
    while left != 0:
        state = m.states[states + t.rules[version.rules + lowest(left)].state]
        due = min(due, state.due_us)
        left &= left - 1
    return due


@small_part
def _spared_us(
    r: int, version: int, moved: int, series_at: int, m: Memory, t: Tables, scratch: Scratch
) -> int:
    """For how long after the readings of this moment a rule cannot be true; 0 where they do not say."""
    spared_us = 0
    for j in range(moved):
        named = t.named[version * MOST_SERIES + m.series[series_at + scratch.moved[j]].number]
        if named.spared >> r & 1 != 0:
            spared_us = max(spared_us, named.spared_us)
    return spared_us


@small_part
def judge(
    p: int, g: int, at_us: int, moment: int, moved: int, pending: Any,
    m: Memory, t: Tables, scratch: Scratch, n: int,
) -> int:  # fmt: skip
    """The rules of a segment at a moment at which it holds; gives how many rows of `out` are filled.

    **Shape**: `pending` are the series with a reading in doubt, as bits.
    """
    patient = m.patients[p]
    segment = m.segments[patient.segments + g]
    version = t.versions[segment.version]
    named = np.int64(0)
    for j in range(moved):
        number = m.series[patient.series + scratch.moved[j]].number
        named |= t.named[segment.version * MOST_SERIES + number].rules
    begins = segment.from_us == at_us
    is_due = segment.due_us <= at_us
    if named == 0 and not is_due and not begins:
        return n
    if segment.due_us < 0:
        _look_up(p, g, m, t)
    run = named & woken(segment, moved, patient.series, m, t, scratch) if named != 0 else np.int64(0)
    if begins:
        run = np.int64(-1) if version.rules_len == 64 else (np.int64(1) << version.rules_len) - 1
    left = run | (named & version.waking) | (version.timed if is_due else np.int64(0))
    any_timed = left & version.timed != 0
    states = patient.states + segment.states
    here = Here(
        p, at_us, moment, patient.series, patient.named, segment.limits,
        patient.schedules + segment.schedules, segment.enrolled_us,
    )  # fmt: skip
    while left != 0:
        r = lowest(left)
        left &= left - 1
        rule = t.rules[version.rules + r]
        state = m.states[states + rule.state]
        if run >> r & 1 != 0 or state.due_us == at_us:
            by_reading = named >> r & 1 != 0
            waits = rule.series & pending != 0
            n = _evaluate(version.rules + r, g, state, by_reading, waits, here, m, t, scratch, n)
            bit = np.int64(1) << r
            segment.awake = segment.awake & ~bit if at_rest(state) else segment.awake | bit
        elif (named & version.waking) >> r & 1 != 0:
            spared_us = _spared_us(r, segment.version, moved, patient.series, m, t, scratch)
            from_us = at_us + max(0, spared_us - 1)
            state.due_us = deadline(rule, rule.when_atoms, from_us, here, m, t, scratch)
    if any_timed or is_due or begins:
        segment.due_us = _next_due(segment, states, m, t)
    return n
