"""What makes a programme contradictory, although its fields are right one by one."""

from collections.abc import Iterator

from alerting.engine import limit_units
from alerting.engine.expressions import Comparator, Comparison, Condition, comparisons
from alerting.engine.features import LONGEST_WINDOW_US, NEWS2_FEATURES, UNITS_OF_TIME_US, Feature, FeatureName
from alerting.engine.programme import (
    CODE_UNIT,
    COUNT_UNIT,
    LONGEST_DURATION_US,
    PER_DAY,
    TIME_UNITS_US,
    TOGETHER,
    Limit,
    Programme,
    Rule,
)
from alerting.yaml_files import Problem
from models.kinds import KIND_BY_NAME, Kind
from models.units import UNITS

WITH_MAX_AGE = frozenset({FeatureName.LAST, FeatureName.RISE, FeatureName.FALL})
RAW_US = 48 * UNITS_OF_TIME_US["hours"]
"""So far back readings of dense kinds are looked at one by one."""

SAID_OTHERWISE = {kind: subject for subject, kinds in TOGETHER.items() for kind in kinds if kind != subject}


def problems(programme: Programme) -> list[Problem]:
    """What contradicts itself in a programme whose fields are right one by one."""
    found = [*_in_limits(programme), *_in_schedules(programme), *_unused(programme)]
    for name, rule in programme.rules.items():
        in_rule = [
            p
            for field, condition in rule.conditions()
            for p in _in_condition(programme, rule, field, condition)
        ]
        in_rule = in_rule or list(_contradictions(programme, rule))
        found += [Problem(("rules", name, *p.path), p.expected, p.found) for p in in_rule]
    return found


def _unused(programme: Programme) -> Iterator[Problem]:
    used = {name for rule in programme.rules.values() for name in _names_used(rule)}
    for section, names in (("limits", programme.limits), ("schedule", programme.schedule)):
        for name in names:
            if name not in used:
                yield Problem((section, name), "a name that some rule uses", f"{name}, used by none")


def _names_used(rule: Rule) -> Iterator[str]:
    for _, condition in rule.conditions():
        for comparison in comparisons(condition):
            yield from (comparison.limit, comparison.feature.subject, *comparison.feature.limits())


def _in_limits(programme: Programme) -> Iterator[Problem]:
    known = (*TIME_UNITS_US, CODE_UNIT, *UNITS)
    for name, limit in programme.limits.items():
        within = f"{limit.low:g} … {limit.high:g}"
        if not limit.low <= limit.default <= limit.high:
            yield Problem(
                ("limits", name, "default"),
                f"a number within low {limit.low} … high {limit.high}",
                str(limit.default),
            )
        if limit.unit not in known and limit.unit.removesuffix(PER_DAY) not in UNITS:
            expected = f"one of {', '.join(known)}, or one of them a day, as kg{PER_DAY}"
            yield Problem(("limits", name, "unit"), expected, limit.unit)
        if (
            limit.is_duration
            and not 0 <= limit.low <= limit.high <= LONGEST_DURATION_US / TIME_UNITS_US[limit.unit]
        ):
            yield Problem(("limits", name, "high"), "a duration within 0 … 30 days", within)


def _in_schedules(programme: Programme) -> Iterator[Problem]:
    for name, schedule in programme.schedule.items():
        if expected := _no_subject(schedule.kind):
            yield Problem(("schedule", name, "kind"), expected, schedule.kind)


def _no_subject(kind: str) -> str | None:
    """What is expected in place of a name that no rule may speak of."""
    if kind in SAID_OTHERWISE:
        return f"{SAID_OTHERWISE[kind]}, which takes both"
    return None if kind in KIND_BY_NAME else "a kind of models.kinds"


def _in_condition(programme: Programme, rule: Rule, field: str, condition: Condition) -> Iterator[Problem]:
    for comparison in comparisons(condition):
        feature = comparison.feature
        for name in (comparison.limit, *feature.limits()):
            if name not in programme.limits:
                yield Problem((field,), f"one of the limits {', '.join(programme.limits)}", name)
        if feature.name is FeatureName.LAST and rule.max_age is None:
            yield Problem(("max_age",), f"how long {feature} stands, as {{days: 2}}", "nothing")
        if expected := _wrong_subject(programme, feature):
            yield Problem((field,), expected, feature.subject)
        elif all(kind in KIND_BY_NAME for kind in programme.subject_kinds(feature)):
            kinds = [KIND_BY_NAME[kind] for kind in programme.subject_kinds(feature)]
            yield from (
                Problem((field,), expected, found)
                for expected, found in _in_comparison(programme, comparison, kinds)
            )


def _wrong_subject(programme: Programme, feature: Feature) -> str | None:
    if feature.name in NEWS2_FEATURES:
        return None
    if feature.name is not FeatureName.MISSED:
        return _no_subject(feature.subject)
    if feature.subject not in programme.schedule:
        return f"one of the schedules {', '.join(programme.schedule)}"
    return None


def _in_comparison(
    programme: Programme, comparison: Comparison, kinds: list[Kind]
) -> Iterator[tuple[str, str]]:
    """What is expected instead of a comparison of right names, and what was found."""
    feature = comparison.feature
    if expected := _wrong_kind(feature, kinds):
        yield expected, str(feature)
        return
    right = True
    named = ((comparison.limit, limit_units.of_feature(feature.name, kinds)),)
    for name, units in (*named, *limit_units.of_named(feature, kinds)):
        limit = programme.limits.get(name)
        if limit is not None and (expected := _wrong_limit(limit, units, kinds)):
            right = False
            yield expected, f"{comparison} with {name} {limit.low:g} … {limit.high:g} in {limit.unit}"
    if right:
        yield from _in_feature(programme, feature, kinds)


def _wrong_kind(feature: Feature, kinds: list[Kind]) -> str | None:
    if any(kind.is_coded for kind in kinds) and feature.name not in limit_units.OF_CODED_KINDS:
        names = ", ".join(sorted(limit_units.OF_CODED_KINDS - NEWS2_FEATURES))
        return f"one of {names} for answers such as {feature.subject}"
    if any(kind.is_coded for kind in kinds) and feature.window_us > LONGEST_WINDOW_US:
        return f"a window of at most 30 days for answers such as {feature.subject}"
    dense = any(kind.dense for kind in kinds)
    if feature.name is FeatureName.REPEATS and dense and feature.window_us > RAW_US:
        return f"a window of at most 48 hours: {feature.subject} is not kept one by one for longer"
    return None


def _wrong_limit(limit: Limit, units: tuple[str, ...], kinds: list[Kind]) -> str | None:
    if limit.unit not in units:
        more = ", a number of times" if units == (COUNT_UNIT,) else ""
        return f"a limit in {'one of ' if len(units) > 1 else ''}{', '.join(units)}{more}"
    highest = min(len(kind.codes) for kind in kinds) - 1
    whole = limit.default.is_integer() and limit.low >= 0 and limit.high <= highest
    if limit.unit == CODE_UNIT and not whole:
        return f"the place of an answer in {', '.join(kinds[0].codes)}: a whole number within 0 … {highest}"
    return None


def _in_feature(programme: Programme, feature: Feature, kinds: list[Kind]) -> Iterator[tuple[str, str]]:
    """What the limits named inside a feature, each right by itself, must be to each other."""
    limits = programme.limits
    if not all(name in limits for name in feature.limits()):
        return
    if limit_units.exclude_each_other(feature, [limits[b.limit] for b in feature.bounds], kinds):
        yield "bounds that some reading can lie within", str(feature)
    if feature.target and limits[feature.target].unit != limits[feature.spread].unit:
        yield (
            f"a spread in the unit of the target, {limits[feature.target].unit}",
            limits[feature.spread].unit,
        )
    if feature.spread and limits[feature.spread].low <= 0:
        yield "a spread above 0", f"{feature.spread} with low {limits[feature.spread].low:g}"
    if feature.scale and (limits[feature.scale].low, limits[feature.scale].high) != (1, 2):
        scale = limits[feature.scale]
        yield "a scale with low 1 and high 2", f"{feature.scale} {scale.low:g} … {scale.high:g}"


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
    above = _is_above(when)
    clear = rule.clear
    if isinstance(clear, Comparison) and clear.feature == when.feature:
        same_side = _is_above(clear) == above
        if same_side or _beyond(programme, clear.limit, when.limit, above=above):
            yield Problem(("clear",), f"a condition that cannot hold while {when} does", str(clear))
    raised = rule.raise_.when if rule.raise_ is not None else None
    if raised == when:
        yield Problem(("raise", "when"), f"a condition beyond {when}", str(raised))
    elif isinstance(raised, Comparison) and raised.feature == when.feature:
        same_side = _is_above(raised) == above
        if not same_side or _beyond(programme, when.limit, raised.limit, above=above):
            yield Problem(("raise", "when"), f"a condition beyond {when}", str(raised))


def _is_above(comparison: Comparison) -> bool:
    return comparison.comparator in (Comparator.ABOVE, Comparator.AT_LEAST)


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
