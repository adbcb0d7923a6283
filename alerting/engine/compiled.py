"""Programmes compiled to the tables of the kernel, and back: what a rule's number and values mean."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.engine import kernel, local_days
from alerting.engine.expressions import (
    AnyOf,
    Comparator,
    Comparison,
    Condition,
    FeatureName,
    Not,
    comparisons,
)
from alerting.engine.layout import ATOM, LIMIT, RULE, VERSION, Rows, Tables
from alerting.engine.programme import (
    DAYS,
    LONGEST_DURATION_US,
    TIME_UNITS_US,
    Limit,
    Programme,
    Rule,
    Schedule,
)
from models.findings import RuleIdentity, Severity
from models.kinds import KIND_BY_NAME, KINDS
from models.units import DIVIDE, MULTIPLY, OFFSET, UNIT_BY_SPELLING

FEATURES: Mapping[FeatureName, int] = {
    FeatureName.LAST: kernel.LAST,
    FeatureName.AGE: kernel.AGE,
    FeatureName.COUNT: kernel.COUNT,
    FeatureName.MEAN: kernel.MEAN,
    FeatureName.MIN: kernel.MIN,
    FeatureName.MAX: kernel.MAX,
    FeatureName.RISE: kernel.RISE,
    FeatureName.FALL: kernel.FALL,
    FeatureName.MISSED: kernel.MISSED,
}
COMPARATORS: Mapping[Comparator, int] = {
    Comparator.ABOVE: kernel.ABOVE,
    Comparator.AT_LEAST: kernel.AT_LEAST,
    Comparator.BELOW: kernel.BELOW,
    Comparator.AT_MOST: kernel.AT_MOST,
}
SEVERITIES = tuple(Severity)
WITHOUT_VALUE = frozenset({FeatureName.AGE, FeatureName.COUNT, FeatureName.MISSED})
LONGEST_SLOT_US = 8 * TIME_UNITS_US["d"]
"""From one due moment to the next: a week and a clock change at most."""

if len(KINDS) > 64:
    raise AssertionError("a set of kinds must fit 64 bits")


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """What a rule's number stands for; `opening` and `raising` are the comparisons in the order of values."""

    identity: RuleIdentity
    severity: Severity
    raised_severity: Severity | None
    opening: tuple[Comparison, ...]
    raising: tuple[Comparison, ...]
    units: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CompiledVersion:
    """A programme in a version. `limits` is where its default limits begin in the arena of limits."""

    number: int
    programme: Programme
    limits: int
    states: int


@dataclass(frozen=True, slots=True)
class CompiledProgrammes:
    """Everything the engine needs to know of all programmes in all versions."""

    tables: Tables
    rules: tuple[CompiledRule, ...]
    versions: Mapping[tuple[str, int], CompiledVersion]
    by_number: tuple[CompiledVersion, ...]
    default_limits: Rows


@dataclass(slots=True)
class _Collected:
    """Rows as they are gathered."""

    rules: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    code: list[int] = field(default_factory=list[int])
    atoms: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    kept_us: NDArray[np.int64] = field(default_factory=lambda: np.full(len(KINDS), -1, np.int64))


def compared(value: float, limit: Limit) -> float:
    """A limit as it is compared: in whole microseconds for a duration, else in whole millionths."""
    return math.floor(value * TIME_UNITS_US.get(limit.unit, 1_000_000) + 0.5)


def due_minute(before: str) -> int:
    """Minutes since midnight of a time of day.

    >>> due_minute("11:30")
    690
    """
    return int(before[:2]) * 60 + int(before[3:])


def day_bits(days: Sequence[str]) -> int:
    """Days of the week as bits, Monday lowest."""
    return sum(1 << DAYS.index(day) for day in set(days))


def compile_programmes(programmes: Sequence[Programme]) -> CompiledProgrammes:
    """The tables for these programmes, one per name and version."""
    ordered = sorted(programmes, key=lambda p: (p.programme, p.version))
    places: dict[str, list[str]] = {}
    for programme in ordered:
        names = places.setdefault(programme.programme, [])
        names += [name for name in programme.rules if name not in names]
    collected = _Collected()
    rules: list[CompiledRule] = []
    versions: list[CompiledVersion] = []
    rows: list[tuple[int, ...]] = []
    rules_of_states: list[int] = []
    limits: list[tuple[float, float]] = []
    for number, programme in enumerate(ordered):
        names = places[programme.programme]
        rows.append((len(rules_of_states), len(names), len(programme.limits), len(programme.schedule)))
        versions.append(CompiledVersion(number, programme, len(limits), len(names)))
        limits += [(limit.default, compared(limit.default, limit)) for limit in programme.limits.values()]
        first = len(rules)
        for name, rule in programme.rules.items():
            _add_rule(collected, programme, rule)
            rules.append(_compiled_rule(programme, name, rule))
        order = list(programme.rules)
        rules_of_states += [first + order.index(name) if name in programme.rules else -1 for name in names]
    tables = Tables(
        versions=np.array(rows, VERSION),
        rules_of_states=np.array(rules_of_states, np.int32),
        rules=np.array(collected.rules, RULE),
        code=np.array(collected.code, np.int32),
        atoms=np.array(collected.atoms, ATOM),
        units=np.stack([OFFSET, MULTIPLY, DIVIDE]),
        kept_us=collected.kept_us,
        days=local_days.offsets(),
    )
    by_name = {(v.programme.programme, v.programme.version): v for v in versions}
    return CompiledProgrammes(tables, tuple(rules), by_name, tuple(versions), np.array(limits, LIMIT))


def _compiled_rule(programme: Programme, name: str, rule: Rule) -> CompiledRule:
    return CompiledRule(
        identity=RuleIdentity(
            programme=programme.programme,
            version=programme.version,
            rule=name,
            signal=rule.signal,
            programme_hash=programme.hash,
            cooldown_us=rule.cooldown.us if rule.cooldown is not None else 0,
        ),
        severity=rule.severity,
        raised_severity=rule.raise_.severity if rule.raise_ is not None else None,
        opening=tuple(comparisons(rule.when)),
        raising=tuple(comparisons(rule.raise_.when)) if rule.raise_ is not None else (),
        units={limit: programme.limits[limit].unit for limit in programme.limits},
    )


def _add_rule(to: _Collected, programme: Programme, rule: Rule) -> None:
    first_atom = len(to.atoms)
    places: dict[str, tuple[int, int]] = {"when": (0, 0), "raise": (0, 0), "clear": (0, 0)}
    for condition_name, condition in rule.conditions():
        start = len(to.code)
        atoms = [_add_atom(to, programme, rule, c, i) for i, c in enumerate(comparisons(condition))]
        _add_code(to.code, condition, atoms)
        places[condition_name] = start, len(to.code) - start
    all_comparisons = [c for _, condition in rule.conditions() for c in comparisons(condition)]
    kinds = 0
    for comparison in all_comparisons:
        kinds |= kind_bits(programme.subject_kinds(comparison.feature))
    timed = any(c.feature.name in (FeatureName.AGE, FeatureName.MISSED) for c in all_comparisons)
    severity = SEVERITIES.index(rule.severity)
    to.rules.append(
        (
            kinds,
            rule.held_for.us if rule.held_for is not None else 0,
            *places["when"],
            *places["raise"],
            *places["clear"],
            first_atom,
            len(to.atoms) - first_atom,
            rule.k_of_n.k if rule.k_of_n is not None else 0,
            rule.k_of_n.n if rule.k_of_n is not None else 0,
            severity,
            SEVERITIES.index(rule.raise_.severity) if rule.raise_ is not None else severity,
            int(timed),
        )
    )


def kind_bits(names: Sequence[str]) -> int:
    """Kinds as a set of bits."""
    return sum(1 << KIND_BY_NAME[name].number for name in names)


def _add_atom(to: _Collected, programme: Programme, rule: Rule, comparison: Comparison, place: int) -> int:
    feature = comparison.feature
    kinds = programme.subject_kinds(feature)
    limit = programme.limits[comparison.limit]
    schedules = list(programme.schedule)
    longest = kernel.NEVER if feature.name is not FeatureName.LAST else LONGEST_DURATION_US
    max_age_us = rule.max_age.us if rule.max_age is not None else longest
    kept_us = feature.window_us
    if feature.name is FeatureName.LAST:
        kept_us = max_age_us + 1
    elif feature.name is FeatureName.MISSED:
        kept_us += LONGEST_SLOT_US
    for kind in kinds:
        number = KIND_BY_NAME[kind].number
        to.kept_us[number] = max(to.kept_us[number], kept_us)
    to.atoms.append(
        (
            kind_bits(kinds),
            feature.window_us,
            max_age_us,
            list(programme.limits).index(comparison.limit),
            schedules.index(feature.subject) if feature.name is FeatureName.MISSED else -1,
            -1 if feature.name in WITHOUT_VALUE else UNIT_BY_SPELLING[limit.unit],
            FEATURES[feature.name],
            COMPARATORS[comparison.comparator],
            place,
            float(TIME_UNITS_US.get(limit.unit, 1)),
        )
    )
    return len(to.atoms) - 1


def _add_code(code: list[int], condition: Condition, atoms: list[int]) -> None:
    """Postfix: a comparison's number, or an operator of the kernel."""
    match condition:
        case Comparison():
            code.append(atoms.pop(0))
        case Not(part):
            _add_code(code, part, atoms)
            code.append(kernel.NOT)
        case _:
            operator = kernel.OR if isinstance(condition, AnyOf) else kernel.AND
            for i, part in enumerate(condition.parts):
                _add_code(code, part, atoms)
                if i:
                    code.append(operator)


def schedule_bits(schedule: Schedule) -> tuple[int, int]:
    """A schedule's minute of the day and days, as the kernel takes them."""
    return due_minute(schedule.before), day_bits(schedule.on)
