"""What wakes a rule at rest: what a new reading must be like for its condition to become true.

A rule is *at rest* when it is closed and its condition was not true at its last evaluation. Most conditions
can only become true by a reading of a certain kind: `last(spo2) < low` by a low one. Where that did not come,
evaluating the rule would change nothing, so it is left alone. `alerting/engine/triggers.py` says for each
rule what it waits for, and why that is enough.
"""

from typing import Any

from alerting.engine.kernel.compiling import small_part
from alerting.engine.kernel.conditions import FALL, truth
from alerting.engine.kernel.features import is_inside
from alerting.engine.kernel.layout import MOST_SERIES, Memory, Scratch, Tables
from alerting.engine.kernel.numbers import canonical_of, in_unit, millionths
from alerting.engine.kernel.readings import counts_at, reading_at

BY_VALUE, BY_BOUNDS, BY_CHANGE, BY_REPEAT, BY_PRESENCE = range(5)
"""The reading itself holds; lies within the bounds; above or below the one before; equal to it; there."""

ONE = 1e6
"""In millionths."""


@small_part
def _before(i: int, first: int, m: Memory) -> int:
    """The row of the value before; less than `first` when there is none."""
    i -= 1
    while i >= first and not counts_at(i, m):
        i -= 1
    return i


@small_part
def _fires(trigger: Any, series: Any, i: int, limits_at: int, m: Memory, t: Tables) -> bool:
    """Whether the reading of row i is what a trigger waits for."""
    atom = t.atoms[trigger.atom]
    limit = m.limits[limits_at + atom.limit].compared
    row = reading_at(series, i, m)
    how = trigger.how
    if how == BY_VALUE:
        return truth(atom, millionths(in_unit(row, atom.series, atom.unit, t)), limit) > 0
    if how == BY_PRESENCE:
        return truth(atom, ONE, limit) > 0
    if how == BY_BOUNDS:
        return limit <= 0.0 or is_inside(row, atom, limits_at, m, t)
    first = series.readings
    before = _before(i, first, m)
    if how == BY_REPEAT:
        if limit <= ONE:
            return True
        if before < first:
            return False
        return canonical_of(row, atom.series, t) == canonical_of(
            reading_at(series, before, m), atom.series, t
        )
    if limit <= 0.0:
        return True
    if before < first:
        return False
    value = in_unit(row, atom.series, atom.unit, t)
    former = in_unit(reading_at(series, before, m), atom.series, atom.unit, t)
    return value < former if atom.feature == FALL else value > former


@small_part
def woken(segment: Any, moved: int, series_at: int, m: Memory, t: Tables, scratch: Scratch) -> int:
    """The rules that may have something to say after the readings of this moment, as bits.

    Of those that name what moved: those that are not at rest, those for which a trigger fired, and those that
    none speaks for. `series_at` is where the patient's series begin.
    """
    version = t.versions[segment.version]
    fired = spared = settled = 0
    for j in range(moved):
        k = scratch.moved[j]
        series = m.series[series_at + k]
        named = t.named[segment.version * MOST_SERIES + series.number]
        spared |= named.spared
        settled |= named.settled
        i = scratch.arrived[j]
        if i < 0:
            fired |= named.rules
            continue
        for n in range(named.triggers, named.triggers + named.triggers_len):
            trigger = t.triggers[n]
            if trigger.rules & ~fired != 0 and _fires(trigger, series, i, segment.limits, m, t):
                fired |= trigger.rules
    segment.likely = (segment.likely & ~settled) | (fired & version.leading)
    return fired | segment.awake | segment.likely | (version.always & ~spared)
