"""What may be told of a comparison: all of it, or of real patients only what is of many; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.insight.suppression import FEW, hidden
from alerting.shadow.comparison import Comparison, Count, Side

Told = Count | None
"""None: of too few patients to be told."""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule, or all together: alerts of each, and those of which the other has nothing."""

    live: Told
    candidate: Told
    only_live: Told
    only_candidate: Told


@dataclass(frozen=True, slots=True)
class Table:
    """All alerts, and by rule."""

    all: Row
    by_rule: Mapping[str, Row]


def table(comparison: Comparison, *, tells_all: bool) -> Table:
    """The figures of both sides, without those that would tell of few patients unless all may be told."""
    live, candidate = comparison.live, comparison.candidate
    rules = sorted({*live.by_rule, *candidate.by_rule})
    sides = [_side(side, tells_all=tells_all) for side in (live, candidate)]
    (all_a, only_a, rules_a, alone_a), (all_b, only_b, rules_b, alone_b) = sides
    none = Count(0, 0, 0)
    return Table(
        Row(all_a, all_b, only_a, only_b),
        {
            rule: Row(
                rules_a.get(rule, none),
                rules_b.get(rule, none),
                alone_a.get(rule, none),
                alone_b.get(rule, none),
            )
            for rule in rules
        },
    )


def _side(side: Side, *, tells_all: bool) -> tuple[Told, Told, Mapping[str, Told], Mapping[str, Told]]:
    if tells_all:
        return side.all, side.only, side.by_rule, side.only_by_rule
    secret = hidden({rule: count.patients for rule, count in side.by_rule.items()})
    by_rule = {rule: None if rule in secret else count for rule, count in side.by_rule.items()}
    none = Count(0, 0, 0)
    alone = {
        rule: None if rule in secret else _part(side.only_by_rule.get(rule, none), count)
        for rule, count in side.by_rule.items()
    }
    whole = None if is_few(side.all) else side.all
    return whole, None if whole is None else _part(side.only, whole), by_rule, alone


def is_few(count: Count) -> bool:
    """Whether it is of few patients, but not of nobody."""
    return 0 < count.patients < FEW


def _part(part: Count, whole: Count) -> Told:
    """A part of a figure that is told; not where it, or what is left, may be of few patients."""
    rest = whole.alerts - part.alerts
    return None if is_few(part) or 0 < rest < FEW else part
