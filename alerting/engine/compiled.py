"""Programmes compiled to the tables of the kernel, and back: what a rule's number and values mean."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alerting.engine import local_days
from alerting.engine.atoms import TIMED, Need, atom_of, needs_of, series_bits
from alerting.engine.expressions import AnyOf, Comparison, Condition, Not, comparisons
from alerting.engine.gates import GATES
from alerting.engine.kernel import conditions
from alerting.engine.kernel.layout import ATOM, LIMIT, NEVER, RULE, VERSION, Rows, Tables
from alerting.engine.programme import DAYS, TIME_UNITS_US, Limit, Programme, Rule, Schedule
from alerting.engine.triggers import Wait, Waiting, asleep_bits, bits_of, named_by_series, wait_of
from models.findings import RuleIdentity, Severity
from models.kinds import KINDS
from models.units import DIVIDE, MULTIPLY, OFFSET, UNIT_BY_SPELLING

SEVERITIES = tuple(Severity)


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """What a rule's number stands for; `opening` and `raising` are the comparisons in the order of values."""

    identity: RuleIdentity
    severity: Severity
    raised_severity: Severity | None
    opening: tuple[Comparison, ...]
    raising: tuple[Comparison, ...]
    units: Mapping[str, str]
    programme: Programme


@dataclass(frozen=True, slots=True)
class CompiledVersion:
    """A programme in a version. `limits` is where its default limits begin in the arena of limits.

    `needs` says for each series by number how much of it its rules look back at.
    """

    number: int
    programme: Programme
    limits: int
    states: int
    needs: Mapping[int, Need]


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
    """Rows as they are gathered; `slots` numbers the features that are the same for all enrolments."""

    rules: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    code: list[int] = field(default_factory=list[int])
    atoms: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    slots: dict[tuple[Any, ...], int] = field(default_factory=dict[tuple[Any, ...], int])
    waits: list[Wait] = field(default_factory=list[Wait])


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


def schedule_bits(schedule: Schedule) -> tuple[int, int]:
    """A schedule's minute of the day and days, as the kernel takes them."""
    return due_minute(schedule.before), day_bits(schedule.on)


def compile_programmes(programmes: Sequence[Programme]) -> CompiledProgrammes:
    """The tables for these programmes, one per name and version."""
    ordered = sorted(programmes, key=lambda p: (p.programme, p.version))
    names_of: dict[str, list[str]] = {}
    most_counted: dict[tuple[str, str], int] = {}
    for programme in ordered:
        names = names_of.setdefault(programme.programme, [])
        names += [name for name in programme.rules if name not in names]
        for name, rule in programme.rules.items():
            key = programme.programme, name
            most_counted[key] = max(most_counted.get(key, 0), rule.k_of_n.n if rule.k_of_n is not None else 0)
    collected = _Collected()
    rules: list[CompiledRule] = []
    versions: list[CompiledVersion] = []
    rows: list[tuple[int, ...]] = []
    rules_of_states: list[int] = []
    limits: list[tuple[float, float]] = []
    for number, programme in enumerate(ordered):
        names = names_of[programme.programme]
        first = len(rules)
        for name, rule in programme.rules.items():
            _add_rule(collected, programme, rule, names.index(name), most_counted[programme.programme, name])
            rules.append(_compiled_rule(programme, name, rule))
        own = list(programme.rules)
        timed = bits_of(_is_timed(programme.rules[name]) for name in own)
        asleep = asleep_bits(list(programme.rules.values()), collected.waits[first:])
        rows.append((first, len(own), len(rules_of_states), len(names), timed, *asleep))
        rules_of_states += [first + own.index(name) if name in programme.rules else -1 for name in names]
        versions.append(CompiledVersion(number, programme, len(limits), len(names), needs_of(programme)))
        limits += [(limit.default, compared(limit.default, limit)) for limit in programme.limits.values()]
    tables = _tables(collected, rows, rules_of_states)
    by_name = {(v.programme.programme, v.programme.version): v for v in versions}
    return CompiledProgrammes(tables, tuple(rules), by_name, tuple(versions), np.array(limits, LIMIT))


def _tables(collected: _Collected, versions: list[tuple[int, ...]], rules_of_states: list[int]) -> Tables:
    rules = np.array(collected.rules, RULE)
    atoms = np.array(collected.atoms, ATOM)
    named, triggers = named_by_series(versions, rules, atoms, collected.waits)
    gates = [GATES.get(kind.name) for kind in KINDS]
    return Tables(
        versions=np.array(versions, VERSION),
        rules_of_states=np.array(rules_of_states, np.int32),
        named=named,
        triggers=triggers,
        rules=rules,
        code=np.array(collected.code, np.int32),
        atoms=atoms,
        units=np.stack([OFFSET, MULTIPLY, DIVIDE]),
        canonical=np.array([UNIT_BY_SPELLING[k.unit] if k.unit else -1 for k in KINDS], np.int64),
        days=local_days.offsets(),
        gate_share=np.array([_or_nan(gate and gate.jump_share) for gate in gates]),
        gate_level=np.array([_or_nan(gate and gate.above) for gate in gates]),
        gate_wait_us=np.array([gate.wait_us if gate is not None else 0 for gate in gates], np.int64),
        slots=len(collected.slots),
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


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
        programme=programme,
    )


def _is_timed(rule: Rule) -> bool:
    """Whether time alone may make it true or false."""
    return rule.held_for is not None or _has_deadlines(rule)


def _has_deadlines(rule: Rule) -> bool:
    return any(c.feature.name in TIMED for _, condition in rule.conditions() for c in comparisons(condition))


def _add_rule(to: _Collected, programme: Programme, rule: Rule, state: int, counted: int) -> None:
    first_atom = len(to.atoms)
    places: dict[str, tuple[int, int]] = {"when": (0, 0), "raise": (0, 0), "clear": (0, 0)}
    series = 0
    timers: set[str] = set()
    for condition_name, condition in rule.conditions():
        start = len(to.code)
        numbers: list[int] = []
        for place, comparison in enumerate(comparisons(condition)):
            numbers.append(len(to.atoms))
            to.atoms.append(atom_of(programme, rule, comparison, place, to.slots, timers))
            series |= series_bits(programme.subject_kinds(comparison.feature))
        code: list[int] = []
        _add_code(code, condition, numbers)
        to.code += code
        places[condition_name] = start, len(code)
    severity = SEVERITIES.index(rule.severity)
    wait = wait_of(programme, rule)
    to.rules.append(
        (
            series,
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
            state,
            int(_has_deadlines(rule)),
            sum(1 for _ in comparisons(rule.when))
            if wait.waiting is Waiting.TURNING
            else len(to.atoms) - first_atom,
            (1 << counted) - 1,
        )
    )
    to.waits.append(wait)


def _add_code(code: list[int], condition: Condition, atoms: list[int]) -> None:
    """Postfix: a comparison's number, or an operator of the kernel.

    Before each further part of an *and* stands a jump to the end, for when what came before is false already;
    for an *or*, when it is true.
    """
    match condition:
        case Comparison():
            code.append(atoms.pop(0))
        case Not(part):
            _add_code(code, part, atoms)
            code.append(conditions.NOT)
        case _:
            is_or = isinstance(condition, AnyOf)
            jumps: list[int] = []
            for i, part in enumerate(condition.parts):
                if i:
                    code += [conditions.IF_TRUE if is_or else conditions.IF_FALSE, NEVER]
                    jumps.append(len(code) - 1)
                _add_code(code, part, atoms)
                if i:
                    code.append(conditions.OR if is_or else conditions.AND)
            for place in jumps:
                code[place] = len(code)
