"""Conditions of rules at one moment: Kleene's truth, the values behind it, when time alone may change it."""

import math
from typing import Any, NamedTuple

import numpy as np

from alerting.engine.kernel.compiling import part, small_part
from alerting.engine.kernel.features import (
    AGE,
    BY_BINS,
    BY_READINGS,
    EWMA,
    FALL,
    LAST,
    MISSED,
    NEWS2,
    RISE,
    by_bins,
    by_days,
    by_readings,
    last_row,
)
from alerting.engine.kernel.layout import MOST_VALUES, NEVER, Memory, Scratch, Tables
from alerting.engine.kernel.numbers import in_unit, millionths, ones
from alerting.engine.kernel.readings import reading_at, taken_at
from alerting.engine.kernel.schedules import missed, next_due_again
from alerting.engine.kernel.scores import news2
from alerting.engine.kernel.usual import from_usual

FALSE, UNKNOWN, TRUE = -1, 0, 1
ABOVE, AT_LEAST, BELOW, AT_MOST = 0, 1, 2, 3
AND, OR, NOT, IF_FALSE, IF_TRUE = -1, -2, -3, -4, -5
"""Operators in code; the last two are followed by the place to go on at when the result is known already."""


class Here(NamedTuple):
    """Where and when a condition is evaluated. **Units**: microseconds; the others are places in memory."""

    patient: int
    at_us: int
    moment: int  # counts the moments of a call, for what is remembered during one
    series: int
    named: int
    limits: int
    schedules: int
    enrolled_us: int


@part
def _computed(atom: Any, here: Here, m: Memory, t: Tables, scratch: Scratch) -> float:
    """The value of a feature, not yet rounded; a duration in microseconds; NaN for unknown."""
    feature = atom.feature
    at_us = here.at_us
    if feature >= NEWS2:
        return news2(atom, here.series, here.named, at_us, here.limits, m, t, scratch)
    k = ones(here.named & ((1 << atom.series) - 1))
    s = here.series + k
    series = m.series[s]
    first, end = series.readings, scratch.ends[k]
    if feature == LAST:
        i = last_row(m, first, end, at_us - atom.max_age_us)
        return np.nan if i < 0 else in_unit(reading_at(series, i, m), atom.series, atom.unit, t)
    if feature == AGE:
        i = last_row(m, first, end, -1)
        return np.nan if i < 0 else float(at_us - taken_at(i, m))
    if feature == MISSED:
        schedule = m.schedules[here.schedules + atom.schedule]
        return float(missed(atom.window_us, schedule, first, end, at_us, m, t.days))
    if feature >= EWMA:
        return from_usual(atom, here.patient, s, end, at_us, here.enrolled_us, here.limits, m, t, scratch)
    if atom.on == BY_READINGS:
        return by_readings(atom, series, end, at_us, here.limits, m, t, scratch)
    if (feature == RISE or feature == FALL) and last_row(m, first, end, at_us - atom.max_age_us) < 0:
        return np.nan
    if atom.on == BY_BINS:
        return by_bins(atom, here.patient, s, end, at_us, here.limits, m, t, scratch)
    return by_days(atom, here.patient, s, end, at_us, m, t, scratch)


@small_part
def _feature(atom: Any, here: Here, m: Memory, t: Tables, scratch: Scratch) -> float:
    """The value of a feature; within one moment several rules often ask for the same."""
    slot = atom.slot
    if slot < 0:
        return _computed(atom, here, m, t, scratch)
    if scratch.memo_at[slot] != here.moment:
        scratch.memo[slot] = _computed(atom, here, m, t, scratch)
        scratch.memo_at[slot] = here.moment
    return scratch.memo[slot]


@small_part
def _compared(atom: Any, value: float) -> float:
    return value if atom.duration != 0 else millionths(value)


@small_part
def truth(atom: Any, compared: float, limit: float) -> int:
    """Kleene truth of a comparison."""
    if math.isnan(compared):
        return UNKNOWN
    if atom.comparator == ABOVE:
        holds = compared > limit
    elif atom.comparator == AT_LEAST:
        holds = compared >= limit
    elif atom.comparator == BELOW:
        holds = compared < limit
    else:
        holds = compared <= limit
    return TRUE if holds else FALSE


@small_part
def _comparison(number: int, here: Here, m: Memory, t: Tables, scratch: Scratch) -> int:
    """Kleene truth of a feature beside its limit."""
    atom = t.atoms[number]
    compared = _compared(atom, _feature(atom, here, m, t, scratch))
    return truth(atom, compared, m.limits[here.limits + atom.limit].compared)


@part
def condition(start: int, length: int, here: Here, m: Memory, t: Tables, scratch: Scratch) -> int:
    """Kleene truth of a condition, evaluated from the left as far as it takes."""
    if length == 1:
        return _comparison(t.code[start], here, m, t, scratch)
    depth = 0
    c = start
    end = start + length
    stack = scratch.stack
    while c < end:
        op = t.code[c]
        c += 1
        if op >= 0:
            stack[depth] = _comparison(op, here, m, t, scratch)
            depth += 1
        elif op == IF_FALSE or op == IF_TRUE:
            if stack[depth - 1] == (FALSE if op == IF_FALSE else TRUE):
                c = start + t.code[c]
            else:
                c += 1
        elif op == NOT:
            stack[depth - 1] = -stack[depth - 1]
        else:
            depth -= 1
            left, right = stack[depth - 1], stack[depth]
            stack[depth - 1] = min(left, right) if op == AND else max(left, right)
    return stack[0]


@part
def values_of(start: int, length: int, here: Here, m: Memory, t: Tables, scratch: Scratch) -> None:
    """All values and limits of a condition, into `scratch.values`."""
    for i in range(2 * MOST_VALUES):
        scratch.values[i] = np.nan
    c = start
    while c < start + length:
        op = t.code[c]
        c += 1
        if op == IF_FALSE or op == IF_TRUE:
            c += 1
        elif op >= 0:
            atom = t.atoms[op]
            limit = m.limits[here.limits + atom.limit]
            compared = _compared(atom, _feature(atom, here, m, t, scratch))
            scratch.values[atom.place] = compared / (atom.unit_us if atom.duration != 0 else 1e6)
            scratch.values[MOST_VALUES + atom.place] = limit.value


@part
def deadline(rule: Any, atoms: int, from_us: int, here: Here, m: Memory, t: Tables, scratch: Scratch) -> int:
    """When a rule must be evaluated next because of an age or of a measurement that is due.

    Because of the first `atoms` of its comparisons, after `from_us`, which is now or later.
    """
    due = NEVER
    for a in range(rule.atoms, rule.atoms + atoms):
        atom = t.atoms[a]
        if atom.timer == 0:
            continue
        if atom.feature == AGE:
            k = ones(here.named & ((1 << atom.series) - 1))
            i = last_row(m, m.series[here.series + k].readings, scratch.ends[k], -1)
            if i >= 0:
                late = 1 if atom.comparator == ABOVE or atom.comparator == AT_MOST else 0
                limit_us: Any = np.int64(m.limits[here.limits + atom.limit].compared)
                crossing = taken_at(i, m) + limit_us + late
                if crossing > from_us:
                    due = min(due, crossing)
        else:
            schedule = m.schedules[here.schedules + atom.schedule]
            if schedule.start_us != NEVER:
                due = min(due, next_due_again(from_us, schedule, t.days))
    return due
