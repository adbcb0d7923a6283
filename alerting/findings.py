"""From the engine's verdict to the findings as they should be stored; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from alerting.engine.verdict import Transition, What
from models.findings import Finding, finding_id


@dataclass(frozen=True, slots=True)
class PatientVerdict:
    """What the engine says of one patient after a stretch of the log, in the order of event time.

    With `replayed_from_us` it has evaluated again from there: findings that opened later and are not opened
    again never were. **Units**: microseconds since 1970 UTC.
    """

    patient_id: UUID
    organisation_id: UUID
    log_partition: int
    transitions: tuple[Transition, ...]
    replayed_from_us: int | None = None


@dataclass(frozen=True, slots=True)
class FindingChange:
    """A finding before and after; `at_us` is the moment of event time, `late` whether a replay found it."""

    before: Finding | None
    after: Finding
    at_us: int
    late: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """The changes to carry out, and whether the stored findings and the engine contradict each other.

    A contradiction means that the patient is to be evaluated again from the database.
    """

    changes: tuple[FindingChange, ...]
    contradiction: str | None = None


def fold(existing: Iterable[Finding], verdict: PatientVerdict) -> Folded:
    """What the verdict makes of the patient's stored findings.

    `existing` must hold those that are open, those that opened or cleared after the replay began, and the one
    before each newly opened one of the same rule that lies within its cooldown.
    """
    findings = {finding.finding_id: finding for finding in existing}
    if verdict.replayed_from_us is None:
        return _advance(findings, verdict)
    return _replay(findings, verdict, verdict.replayed_from_us)


def _advance(findings: dict[UUID, Finding], verdict: PatientVerdict) -> Folded:
    changes: list[FindingChange] = []
    for transition in verdict.transitions:
        key = _id_of(verdict, transition)
        before = findings.get(key)
        if before is None and transition.what is not What.OPEN:
            return Folded(tuple(changes), _unknown(key, transition))
        if transition.what is What.OPEN and (other := _still_open(key, transition, findings.values())):
            return Folded(tuple(changes), _already_open(other, transition))
        after = _applied(verdict, key, before, transition)
        if transition.what is What.OPEN:
            after = _quietened(after, findings.values(), transition.rule.cooldown_us)
        findings[key] = after
        if after != before:
            changes.append(FindingChange(before, after, transition.at_us))
    return Folded(tuple(changes))


def _replay(findings: dict[UUID, Finding], verdict: PatientVerdict, from_us: int) -> Folded:
    stored = dict(findings)
    cooldowns_us: dict[UUID, int] = {}
    reached: set[UUID] = set()
    contradiction: str | None = None
    for transition in verdict.transitions:
        key = _id_of(verdict, transition)
        before = findings.get(key)
        if before is None and transition.what is not What.OPEN:
            contradiction = _unknown(key, transition)
            continue
        findings[key] = _applied(verdict, key, before, transition)
        reached.add(key)
        if transition.what is What.OPEN:
            cooldowns_us[key] = transition.rule.cooldown_us
    for key, finding in findings.items():
        if key in reached or finding.retracted:
            continue
        if finding.opened_at_us > from_us:
            findings[key] = replace(finding, retracted=True)
        elif finding.cleared_at_us is None or finding.cleared_at_us > from_us:
            contradiction = f"finding {key} is stored as open at {from_us}, the engine does not know it"
    for key, cooldown_us in cooldowns_us.items():
        findings[key] = _quietened(findings[key], findings.values(), cooldown_us)
    changed = sorted(
        (finding for key, finding in findings.items() if finding != stored.get(key)),
        key=lambda finding: (finding.opened_at_us, finding.programme, finding.rule),
    )
    changes = (
        FindingChange(stored.get(after.finding_id), after, after.opened_at_us, late=True) for after in changed
    )
    return Folded(tuple(changes), contradiction)


def _applied(verdict: PatientVerdict, key: UUID, before: Finding | None, transition: Transition) -> Finding:
    if before is None:
        return _opened(verdict, key, transition)
    match transition.what:
        case What.OPEN:
            return _opened(verdict, key, transition)
        case What.RAISE:
            return replace(
                before,
                severity=transition.severity,
                raised_at_us=transition.at_us,
                raised=transition.evidence,
                unconfirmed=before.unconfirmed or transition.unconfirmed,
            )
        case What.CLEAR:
            return replace(before, cleared_at_us=transition.at_us)
        case What.KEEP:
            kept = replace(
                before,
                cleared_at_us=None,
                retracted=False,
                severity=transition.severity,
                unconfirmed=transition.unconfirmed,
            )
            return kept if transition.raised else replace(kept, raised_at_us=None, raised=())


def _opened(verdict: PatientVerdict, key: UUID, transition: Transition) -> Finding:
    rule = transition.rule
    return Finding(
        finding_id=key,
        patient_id=verdict.patient_id,
        organisation_id=verdict.organisation_id,
        log_partition=verdict.log_partition,
        programme=rule.programme,
        version=rule.version,
        rule=rule.rule,
        signal=rule.signal,
        severity=transition.severity,
        opened_at_us=transition.opened_at_us,
        opening=transition.evidence,
        programme_hash=rule.programme_hash,
        unconfirmed=transition.unconfirmed,
    )


def _quietened(finding: Finding, others: Iterable[Finding], cooldown_us: int) -> Finding:
    """Quiet when the same rule spoke shortly before and it is no worse than it was then.

    **Units**: `cooldown_us` counts from where the previous finding cleared.
    """
    previous = max(_earlier(finding, others), key=lambda other: other.opened_at_us, default=None)
    quiet = (
        previous is not None
        and previous.cleared_at_us is not None
        and cooldown_us > 0
        and finding.opened_at_us - previous.cleared_at_us <= cooldown_us
        and finding.severity.rank <= previous.severity.rank
    )
    return replace(finding, quiet=quiet)


def _earlier(finding: Finding, others: Iterable[Finding]) -> Sequence[Finding]:
    return [
        other
        for other in others
        if (other.programme, other.rule) == (finding.programme, finding.rule)
        and other.opened_at_us < finding.opened_at_us
        and not other.retracted
    ]


def _id_of(verdict: PatientVerdict, transition: Transition) -> UUID:
    rule = transition.rule
    return finding_id(verdict.patient_id, rule.programme, rule.rule, transition.opened_at_us)


def _still_open(key: UUID, transition: Transition, findings: Iterable[Finding]) -> Finding | None:
    """Another finding of the same rule that holds: the engine, which knows only one, cannot mean it."""
    rule = transition.rule
    return next(
        (
            other
            for other in findings
            if other.holds
            and other.finding_id != key
            and (other.programme, other.rule) == (rule.programme, rule.rule)
        ),
        None,
    )


def _already_open(other: Finding, transition: Transition) -> str:
    return (
        f"the engine opens {transition.rule.programme}/{transition.rule.rule} at {transition.opened_at_us}, "
        f"finding {other.finding_id} of the same rule is stored as open"
    )


def _unknown(key: UUID, transition: Transition) -> str:
    return f"the engine speaks of finding {key} ({transition.what.name.lower()}), which is not stored"
