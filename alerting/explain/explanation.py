"""A stored finding with everything that explains it: rule, values, limits and whose they are, readings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from alerting.engine.expressions import Comparison, Condition, comparisons, parse
from alerting.engine.features import NEWS2_FEATURES, Comparator, ExpressionError, FeatureName
from alerting.engine.programme import NEWS2_KINDS, TOGETHER, Limit, Programme, Rule
from alerting.explain.amounts import Amount
from alerting.explain.looks import SHOWN, Look, look
from alerting.explain.personal import Held, given, personal
from alerting.explain.sentences import Compared
from alerting.explain.slots import Given
from models.changes import PlacedChange
from models.findings import Evidence, EvidenceReading, Finding

_LOWEST = frozenset({FeatureName.RISE, FeatureName.MIN})
_HIGHEST = frozenset({FeatureName.FALL, FeatureName.MAX})


class Stage(StrEnum):
    """Which of a finding's moments something explains."""

    OPENED = "opened"
    ROSE = "rose"


class Basis(StrEnum):
    """What an explanation rests on."""

    PROGRAMME = "programme"
    """The very version that found it."""

    UNKNOWN_VERSION = "unknown_version"
    OTHER_CONTENT = "other_content"
    """A version of that number, but not what found it: only what is stored with the finding explains."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a limit comes from. `held` is the personal one that was in force.

    `agrees` is false where neither that nor the programme's default is what the finding was compared with.
    """

    name: str
    amount: Amount
    kind: str
    limit: Limit | None = None
    held: Held | None = None
    agrees: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """The stored readings of a look: how many there are, and the newest in order of time."""

    readings: tuple[EvidenceReading, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One comparison of a finding: `compared` is None where the feature cannot be read any more."""

    evidence: Evidence
    compared: Compared | None
    sources: tuple[Source, ...]
    readings: tuple[EvidenceReading, ...]
    count: int
    shown: tuple[EvidenceReading, ...]
    not_measured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Because:
    """Why a finding opened, or rose. **Units**: microseconds since 1970 UTC."""

    stage: Stage
    at_us: int
    given: Given
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything there is to say of a finding; `given` and `clearing` are of the moment when it was asked.

    `other_hash` is that of the version of the same number that did not find it.
    """

    finding: Finding
    basis: Basis
    programme: Programme | None
    rule: Rule | None
    because: tuple[Because, ...]
    given: Given
    clearing: tuple[Source, ...]
    other_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a finding: a version of its name and number, and the patient's changes.

    `recorded_hash` is the version's when it was first used; a newer program may write it differently.
    **Units**: `now_us` in microseconds since 1970 UTC, in the time of the log.
    """

    finding: Finding
    version: Programme | None
    changes: Sequence[PlacedChange] = ()
    now_us: int = 0
    recorded_hash: str | None = None

    @property
    def basis(self) -> Basis:
        """What there is to explain with."""
        if self.version is None:
            return Basis.UNKNOWN_VERSION
        same = self.finding.programme_hash in (self.version.hash, self.recorded_hash)
        return Basis.PROGRAMME if same and self.finding.rule in self.version.rules else Basis.OTHER_CONTENT

    @property
    def programme(self) -> Programme | None:
        """The version that found it, None where it is not known or not the same."""
        return self.version if self.basis is Basis.PROGRAMME else None

    def given_at(self, at_us: int) -> Given:
        """What the names in conditions stood for at a moment."""
        if self.programme is None:
            return Given()
        return given(self.programme, personal(self.changes, self.programme, at_us))

    def held_at(self, at_us: int) -> Mapping[str, Held]:
        """The personal limits that were in force at a moment."""
        return {} if self.programme is None else personal(self.changes, self.programme, at_us).limits

    def stages(self) -> Iterator[tuple[Stage, int, tuple[Evidence, ...]]]:
        """When and on what it opened, and rose."""
        yield Stage.OPENED, self.finding.opened_at_us, self.finding.opening
        if self.finding.raised_at_us is not None:
            yield Stage.ROSE, self.finding.raised_at_us, self.finding.raised

    @property
    def asked_at_us(self) -> int:
        """The moment whose limits decide when it clears: when it did, else now."""
        cleared_us = self.finding.cleared_at_us
        return max(self.now_us, self.finding.opened_at_us) if cleared_us is None else cleared_us


def looks(known: Known) -> set[Look]:
    """The readings to look up: those of every feature that does not name all that it looked at."""
    wanted: set[Look] = set()
    for _, at_us, evidence in known.stages():
        given_then = known.given_at(at_us)
        for part in evidence:
            wanted |= _looks_of(part, given_then, at_us)
    return wanted


def explain(known: Known, found: Mapping[Look, Found]) -> Explanation:
    """The explanation of a finding, with the stored readings behind it."""
    finding, programme = known.finding, known.programme
    rule = None if programme is None else programme.rules[finding.rule]
    because: list[Because] = []
    for stage, at_us, evidence in known.stages():
        then = _Moment(known, at_us, known.given_at(at_us), known.held_at(at_us), _condition(rule, stage))
        parts = tuple(_part(then, part, found) for part in evidence)
        because.append(Because(stage, at_us, then.given, parts))
    given_now = known.given_at(known.asked_at_us)
    clearing = () if rule is None else _clearing(known, rule.clear, given_now)
    other_hash = known.version.hash if known.version is not None and programme is None else None
    return Explanation(finding, known.basis, programme, rule, tuple(because), given_now, clearing, other_hash)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What held when a condition became true."""

    known: Known
    at_us: int
    given: Given
    held: Mapping[str, Held]
    condition: Condition | None

    def source(self, name: str, kind: str, amount: Amount) -> Source:
        """Where a limit came from."""
        return _source(self.known, name, kind, amount, self.held.get(name))


def _part(then: _Moment, evidence: Evidence, found: Mapping[Look, Found]) -> Part:
    compared = _compared(evidence, then.condition)
    readings, count = evidence.readings, max(evidence.count, len(evidence.readings))
    for wanted in _looks_of(evidence, then.given, then.at_us):
        stored = found.get(wanted, Found())
        if stored.count >= len(readings):
            readings, count = stored.readings, stored.count
    shown = evidence.readings or telling(readings, None if compared is None else compared.feature.name)
    sources = tuple(_sources(then, evidence, compared))
    return Part(evidence, compared, sources, readings, count, shown, _not_measured(compared, readings))


def _sources(then: _Moment, evidence: Evidence, compared: Compared | None) -> Iterator[Source]:
    """Where the limit came from, and every other one that the feature names."""
    kind = "" if compared is None else then.given.kind(compared.feature)
    if evidence.limit_value is not None:
        yield then.source(evidence.limit, kind, Amount(evidence.limit_value, evidence.unit))
    for name in () if compared is None else compared.feature.limits():
        if name in then.given.limits and name != evidence.limit:
            yield then.source(name, kind, then.given.limits[name])


def telling(readings: Sequence[EvidenceReading], feature: FeatureName | None) -> tuple[EvidenceReading, ...]:
    """Of many readings the newest, and for a feature about the lowest or highest that one as well."""
    newest = tuple(readings[-SHOWN:])
    comparable = len({reading.unit for reading in readings}) == 1
    if len(readings) <= SHOWN or not comparable or feature not in _LOWEST | _HIGHEST:
        return newest
    extreme = (min if feature in _LOWEST else max)(readings, key=lambda reading: reading.value)
    return newest if extreme in newest else (extreme, *newest[1:])


def _looks_of(evidence: Evidence, given_then: Given, at_us: int) -> set[Look]:
    compared = _compared(evidence, None)
    if compared is None or (evidence.readings and evidence.count <= len(evidence.readings)):
        return set()
    return {look(compared.feature, given_then, at_us)}


def _compared(evidence: Evidence, condition: Condition | None) -> Compared | None:
    """The comparison that evidence is of; evidence from before it said how is looked up in the condition."""
    comparator = Comparator(evidence.comparator) if evidence.comparator in set(Comparator) else None
    try:
        parsed = parse(f"{evidence.feature} {comparator or Comparator.ABOVE} {evidence.limit}")
    except ExpressionError:
        return None
    if not isinstance(parsed, Comparison):
        return None
    if comparator is None and condition is not None:
        same = (c for c in comparisons(condition) if (c.feature, c.limit) == (parsed.feature, parsed.limit))
        comparator = next((c.comparator for c in same), None)
    return Compared(
        feature=parsed.feature,
        comparator=comparator,
        limit=evidence.limit,
        unit=evidence.unit,
        limit_value=evidence.limit_value,
        value=evidence.value,
        holds=evidence.holds,
    )


def _condition(rule: Rule | None, stage: Stage) -> Condition | None:
    if rule is None:
        return None
    if stage is Stage.OPENED:
        return rule.when
    return None if rule.raise_ is None else rule.raise_.when


def _source(known: Known, name: str, kind: str, amount: Amount, held: Held | None) -> Source:
    limit = None if known.programme is None else known.programme.limits.get(name)
    in_force = held.limit.value if held is not None else None if limit is None else limit.default
    return Source(name, amount, kind, limit, held, agrees=in_force == amount.value)


def _clearing(known: Known, condition: Condition, given_now: Given) -> tuple[Source, ...]:
    held = known.held_at(known.asked_at_us)
    named = {
        name: given_now.kind(comparison.feature)
        for comparison in comparisons(condition)
        for name in (comparison.limit, *comparison.feature.limits())
    }
    return tuple(
        _source(known, name, kind, given_now.limits[name], held.get(name)) for name, kind in named.items()
    )


def _not_measured(compared: Compared | None, readings: Sequence[EvidenceReading]) -> tuple[str, ...]:
    """The parts of a NEWS2 score of which there is no reading."""
    if compared is None or compared.feature.name not in NEWS2_FEATURES or not readings:
        return ()
    measured = {reading.kind for reading in readings}
    together = {other: name for name, kinds in TOGETHER.items() for other in kinds}
    parts = dict.fromkeys(together.get(kind, kind) for kind in NEWS2_KINDS)
    have = {together.get(kind, kind) for kind in measured}
    return tuple(part for part in parts if part not in have)
