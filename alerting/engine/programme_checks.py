"""What makes a programme contradictory, although its fields are right one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

from alerting.engine.expressions import (
    Comparison,
    Condition,
    Feature,
    FeatureName,
    comparisons,
)
from alerting.engine.programme import COUNT_UNIT, LONGEST_DURATION_US, TIME_UNITS_US, Limit, Programme, Rule
from models.kinds import KIND_BY_NAME
from models.units import UNIT_BY_SPELLING, UNITS, is_unit_of

OF_CODED_KINDS = frozenset({FeatureName.AGE, FeatureName.COUNT, FeatureName.MISSED})
WITH_MAX_AGE = frozenset({FeatureName.LAST, FeatureName.RISE, FeatureName.FALL})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a programme: the field as a path, what was expected, what was found."""

    path: tuple[str, ...]
    expected: str
    found: str


def problems(programme: Programme) -> list[Problem]:
    """What contradicts itself in a programme whose fields are right one by one."""
    found = [*_in_limits(programme), *_in_schedules(programme)]
    used = {name for rule in programme.rules.values() for name in _names_used(rule)}
    for section, names in (("limits", programme.limits), ("schedule", programme.schedule)):
        found += [
            Problem((section, name), "a name that some rule uses", f"{name}, used by none")
            for name in names
            if name not in used
        ]
    for name, rule in programme.rules.items():
        in_rule = [
            p
            for field, condition in rule.conditions()
            for p in _in_condition(programme, rule, field, condition)
        ]
        in_rule = in_rule or list(_contradictions(programme, rule))
        found += [Problem(("rules", name, *p.path), p.expected, p.found) for p in in_rule]
    return found


def _names_used(rule: Rule) -> Iterator[str]:
    for _, condition in rule.conditions():
        for comparison in comparisons(condition):
            yield comparison.limit
            yield comparison.feature.subject


def _in_limits(programme: Programme) -> Iterator[Problem]:
    for name, limit in programme.limits.items():
        if not limit.low <= limit.default <= limit.high:
            yield Problem(
                ("limits", name, "default"),
                f"a number within low {limit.low} … high {limit.high}",
                str(limit.default),
            )
        if not limit.is_duration and limit.unit not in (COUNT_UNIT, *UNITS):
            units = ", ".join((*TIME_UNITS_US, COUNT_UNIT, *UNITS))
            yield Problem(("limits", name, "unit"), f"one of {units}", limit.unit)
        if (
            limit.is_duration
            and not 0 <= limit.low <= limit.high <= LONGEST_DURATION_US / TIME_UNITS_US[limit.unit]
        ):
            yield Problem(
                ("limits", name, "high"), "a duration within 0 … 30 days", f"{limit.low} … {limit.high}"
            )


def _in_schedules(programme: Programme) -> Iterator[Problem]:
    for name, schedule in programme.schedule.items():
        if schedule.kind not in KIND_BY_NAME:
            yield Problem(("schedule", name, "kind"), "a kind of models.kinds", schedule.kind)


def _in_condition(programme: Programme, rule: Rule, field: str, condition: Condition) -> Iterator[Problem]:
    for comparison in comparisons(condition):
        feature = comparison.feature
        limit = programme.limits.get(comparison.limit)
        if limit is None:
            yield Problem((field,), f"one of the limits {', '.join(programme.limits)}", comparison.limit)
        elif feature.name is FeatureName.MISSED and feature.subject not in programme.schedule:
            yield Problem((field,), f"one of the schedules {', '.join(programme.schedule)}", feature.subject)
        elif feature.name is not FeatureName.MISSED and feature.subject not in KIND_BY_NAME:
            yield Problem((field,), "a kind of models.kinds", feature.subject)
        elif not all(kind in KIND_BY_NAME for kind in programme.subject_kinds(feature)):
            continue  # the schedule's own problem
        elif expected := _wrong_unit(programme, feature, limit):
            yield Problem((field,), expected, f"{comparison} in {limit.unit}")
        if feature.name is FeatureName.LAST and rule.max_age is None:
            yield Problem(("max_age",), f"how long {feature} stands, as {{days: 2}}", "nothing")


def _wrong_unit(programme: Programme, feature: Feature, limit: Limit) -> str | None:
    if feature.name is FeatureName.AGE:
        return None if limit.is_duration else f"a limit in one of {', '.join(TIME_UNITS_US)}"
    if feature.name in (FeatureName.COUNT, FeatureName.MISSED):
        return None if limit.unit == COUNT_UNIT else f"a limit in {COUNT_UNIT}, a number of times"
    kinds = [KIND_BY_NAME[name] for name in programme.subject_kinds(feature)]
    if any(kind.is_coded for kind in kinds):
        return f"one of {', '.join(sorted(OF_CODED_KINDS))} for answers such as {feature.subject}"
    number = UNIT_BY_SPELLING.get(limit.unit, -1)
    if number >= 0 and UNITS[number] == limit.unit and all(is_unit_of(kind.number, number) for kind in kinds):
        return None
    units = [unit for i, unit in enumerate(UNITS) if all(is_unit_of(kind.number, i) for kind in kinds)]
    return f"a limit in one of {', '.join(units)}"


def _contradictions(programme: Programme, rule: Rule) -> Iterator[Problem]:
    if rule.held_for is not None and rule.k_of_n is not None:
        yield Problem(("k_of_n",), "held_for or k_of_n, not both", "both")
    if rule.k_of_n is not None and rule.k_of_n.k > rule.k_of_n.n:
        yield Problem(("k_of_n", "k"), f"at most n = {rule.k_of_n.n}", str(rule.k_of_n.k))
    if rule.raise_ is not None and rule.raise_.severity.rank <= rule.severity.rank:
        yield Problem(("raise", "severity"), f"more than {rule.severity}", str(rule.raise_.severity))
    if str(rule.when) == str(rule.clear):
        yield Problem(
            ("clear",), "another condition than when: that one keeps the finding open", str(rule.clear)
        )
    uses_max_age = any(
        c.feature.name in WITH_MAX_AGE for _, part in rule.conditions() for c in comparisons(part)
    )
    if rule.max_age is not None and not uses_max_age:
        yield Problem(("max_age",), f"a rule with {', '.join(sorted(WITH_MAX_AGE))}", "none of them")
    if isinstance(rule.when, Comparison):
        yield from _limits_out_of_order(programme, rule, rule.when)


def _limits_out_of_order(programme: Programme, rule: Rule, when: Comparison) -> Iterator[Problem]:
    """One feature against several limits: they must lie in the order clear, when, raise."""
    above = when.comparator in (">", ">=")
    clear = rule.clear
    if isinstance(clear, Comparison) and str(clear.feature) == str(when.feature):
        same_side = (clear.comparator in (">", ">=")) == above
        if same_side or _beyond(programme, clear.limit, when.limit, above=above):
            yield Problem(("clear",), f"a condition that cannot hold while {when} does", str(clear))
    raised = rule.raise_.when if rule.raise_ is not None else None
    if isinstance(raised, Comparison) and str(raised.feature) == str(when.feature):
        same_side = (raised.comparator in (">", ">=")) == above
        if not same_side or _beyond(programme, when.limit, raised.limit, above=above):
            yield Problem(("raise", "when"), f"a condition beyond {when}", str(raised))


def _beyond(programme: Programme, one: str, other: str, *, above: bool) -> bool:
    """Whether the default of one limit lies further out than that of the other."""
    first, second = programme.limits[one], programme.limits[other]
    if first.is_duration and second.is_duration:
        difference = first.default * TIME_UNITS_US[first.unit] - second.default * TIME_UNITS_US[second.unit]
    elif first.unit == second.unit:
        difference = first.default - second.default
    else:
        return False
    return difference > 0 if above else difference < 0
