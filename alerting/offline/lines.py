"""From the engine's verdict on patients' whole histories to lines of findings.

Nothing is late here, so nothing is ever taken back: what opens stays, is raised, is cleared.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from typing import Any
from uuid import UUID

from alerting.engine.compiled import SEVERITIES, CompiledProgrammes, CompiledRule
from alerting.engine.expressions import Comparison
from alerting.engine.verdict import Verdict, What
from models.clock import DAY_US, SECOND_US, to_datetime
from models.errors import Broken

Values = tuple[float, ...]


@dataclass(slots=True)
class Found:
    """A finding. **Units**: microseconds since 1970 UTC; NaN for a value that was unknown."""

    patient: int
    rule: CompiledRule
    severity: int
    opened_at_us: int
    values: Values
    limits: Values
    unconfirmed: bool
    cleared_at_us: int | None = None
    raised_at_us: int | None = None
    raised_by: CompiledRule | None = None
    raised_values: Values = ()


def found(verdict: Verdict) -> Sequence[Found]:
    """The findings of patients of whom the engine had heard nothing before, in order of opening.

    Sorted by patient, then time, programme and rule.
    """
    if verdict.rebuild or verdict.replayed:
        raise Broken("The engine wants to evaluate patients again of whom it was told everything at once.")
    findings: list[Found] = []
    open_: dict[tuple[int, str, str], Found] = {}
    for patient, rule, what, severity, opened_at_us, at_us, values, limits, unconfirmed in _rows(verdict):
        key = patient, rule.identity.programme, rule.identity.rule
        if what == What.OPEN:
            finding = Found(patient, rule, severity, opened_at_us, values, limits, unconfirmed)
            findings.append(finding)
            open_[key] = finding
        elif what == What.RAISE:
            finding = open_[key]
            finding.severity, finding.raised_at_us = severity, at_us
            finding.raised_by, finding.raised_values = rule, values
        elif what == What.CLEAR:
            open_.pop(key).cleared_at_us = at_us
        else:
            raise Broken(f"The engine says of a finding that nobody replayed: {What(what).name}.")
    return sorted(
        findings,
        key=lambda f: (f.patient, f.opened_at_us, f.rule.identity.programme, f.rule.identity.rule),
    )


def _rows(
    verdict: Verdict,
) -> Iterator[tuple[int, CompiledRule, int, int, int, int, Values, Values, bool]]:
    transitions = verdict.transitions
    rules = verdict.programmes.rules
    names = ("patient", "what", "severity", "opened_at_us", "at_us", "values", "limits")
    columns: dict[str, list[Any]] = {name: transitions[name].tolist() for name in names}
    number: list[int] = transitions["rule"].tolist()
    known = "unconfirmed" in transitions.dtype.names
    unconfirmed = transitions["unconfirmed"].tolist() if known else [0] * len(number)
    for place, patient in enumerate(columns["patient"]):
        yield (
            patient,
            rules[number[place]],
            columns["what"][place],
            columns["severity"][place],
            columns["opened_at_us"][place],
            columns["at_us"][place],
            tuple(columns["values"][place]),
            tuple(columns["limits"][place]),
            bool(unconfirmed[place]),
        )


class Writer:
    """Findings as lines of JSON; knows the texts of rules, which repeat.

    Written by hand: a year of a region has a million findings, and a general encoder takes ten times as long.
    """

    def __init__(self, programmes: CompiledProgrammes) -> None:
        self._texts = {id(rule): _texts(rule) for rule in programmes.rules}

    def line(self, finding: Found, patient_id: UUID, patient: str) -> str:
        """A finding as a line; `patient` is the id as the file gives it, as JSON."""
        texts = self._texts[id(finding.rule)]
        raised = ""
        if finding.raised_by is not None:
            raised = _object(self._texts[id(finding.raised_by)].raising, finding.raised_values)
        return (
            f'{{"id":"{_id(patient_id, texts.name, finding.opened_at_us)}","patient_id":{patient},'
            f'{texts.head},"severity":"{SEVERITIES[finding.severity].value}",'
            f'"opened_at":"{iso(finding.opened_at_us)}","cleared_at":{_time(finding.cleared_at_us)},'
            f'"raised_at":{_time(finding.raised_at_us)},'
            f'"unconfirmed":{"true" if finding.unconfirmed else "false"},'
            f'"values":{{{_object(texts.opening, finding.values)}}},'
            f'"limits":{{{_object(texts.limits, finding.limits)}}},"raised_values":{{{raised}}}}}\n'
        )


Names = Sequence[tuple[int, str]]
"""What stands in front of the values of a condition: place of the value, text."""


@dataclass(frozen=True, slots=True)
class _Texts:
    name: str
    head: str
    opening: Names
    limits: Names
    raising: Names


def _texts(rule: CompiledRule) -> _Texts:
    identity = rule.identity
    content = {
        "programme": identity.programme,
        "version": identity.version,
        "rule": identity.rule,
        "signal": identity.signal.value,
    }
    limits = [comparison.limit for comparison in rule.opening]
    return _Texts(
        name=f"{identity.programme}/{identity.rule}/",
        head=json.dumps(content, separators=(",", ":"))[1:-1],
        opening=_once(_features(rule, rule.opening)),
        limits=_once(limits),
        raising=_once(_features(rule, rule.raising)),
    )


def _features(rule: CompiledRule, comparisons: Sequence[Comparison]) -> Sequence[str]:
    """What the values of a condition are called: a feature has one in each unit that it is compared in."""
    units: dict[str, str] = {}
    names: list[str] = []
    for comparison in comparisons:
        feature, unit = str(comparison.feature), rule.units[comparison.limit]
        names.append(feature if units.setdefault(feature, unit) == unit else f"{feature} in {unit}")
    return names


def _once(names: Sequence[str]) -> Names:
    return [(names.index(name), f"{json.dumps(name)}:") for name in dict.fromkeys(names)]


def _object(names: Names, values: Values) -> str:
    """The inside of an object. A number is not equal to itself where it is unknown."""
    return ",".join(
        f"{text}{values[place]!r}" if values[place] == values[place] else f"{text}null"
        for place, text in names
    )


def _id(patient_id: UUID, name: str, opened_at_us: int) -> str:
    """As `models.findings.finding_id`, without an object for it. **Source**: RFC 9562, UUIDv5."""
    digest = sha1(patient_id.bytes + f"{name}{opened_at_us}".encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def _time(at_us: int | None) -> str:
    return "null" if at_us is None else f'"{iso(at_us)}"'


def iso(at_us: int) -> str:
    """A moment as ISO 8601, with microseconds where it has some. **Units**: microseconds since 1970 UTC.

    >>> iso(1_795_332_660_000_001)
    '2026-11-22T07:31:00.000001Z'
    """
    day, rest_us = divmod(at_us, DAY_US)
    seconds, us = divmod(rest_us, SECOND_US)
    minutes, second = divmod(seconds, 60)
    fraction = f".{us:06}" if us else ""
    return f"{_date(day)}T{minutes // 60:02}:{minutes % 60:02}:{second:02}{fraction}Z"


@cache
def _date(day: int) -> str:
    return to_datetime(day * DAY_US).date().isoformat()
