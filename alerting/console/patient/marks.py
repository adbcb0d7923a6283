"""What is drawn into a chart beside its readings: findings that held, and what people did; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from alerting.console.patient.charts import Mark, Shade
from alerting.console.patient.entries import Entered
from alerting.console.texts import Speaker
from alerting.engine.expressions import comparisons
from alerting.engine.programme import Programme, kinds_of
from alerting.explain.vocabulary import SIGNALS
from models.alerts import AlertEvent, AlertHappening
from models.db.calls import Call
from models.findings import Finding, Signal

MARKED = frozenset({
    AlertEvent.ACKNOWLEDGED, AlertEvent.RESOLVED, AlertEvent.REOPENED, AlertEvent.ESCALATED,
    AlertEvent.ESCALATION_ANSWERED,
})  # fmt: skip
"""What is drawn of the history of an alert; all of it stands in the list."""

Names = Mapping[UUID, str]


def kinds_touched(finding: Finding, programme: Programme | None) -> set[str]:
    """What a finding looked at: as stored with it, and as its rule says."""
    found = {reading.kind for part in (*finding.opening, *finding.raised) for reading in part.readings}
    rule = None if programme is None else programme.rules.get(finding.rule)
    if rule is not None and programme is not None:
        for comparison in comparisons(rule.when):
            subject = comparison.feature.subject
            schedule = programme.schedule.get(subject)
            found |= set(kinds_of(subject if schedule is None else schedule.kind))
    return found


def shades(
    findings: Iterable[tuple[Finding, set[str], str]], kinds: Sequence[str], from_us: int, to_us: int
) -> list[Shade]:
    """When findings about some kinds held, within a stretch of time; each with what it looked at and says."""
    return [
        Shade(
            max(finding.opened_at_us, from_us),
            min(finding.cleared_at_us or to_us, to_us),
            finding.severity,
            label,
        )
        for finding, touched, label in findings
        if not finding.retracted
        and touched & set(kinds)
        and finding.opened_at_us <= to_us
        and (finding.cleared_at_us is None or finding.cleared_at_us >= from_us)
    ]


def marks(
    happened: Sequence[AlertHappening],
    signals: Mapping[UUID, Signal],
    calls: Sequence[Call],
    entered: Sequence[Entered],
    names: Names,
    t: Speaker,
) -> list[Mark]:
    """What people did, in order of time."""
    found = [
        *_of_alerts(happened, signals, names, t),
        *(
            Mark(
                call.happened_at_us,
                "called",
                t(f"patient.mark.{call.outcome}", who=names.get(call.by, "?")),
            )
            for call in calls
        ),
        *(
            Mark(one.taken_at_us, "entered", t(f"patient.mark.{one.what}", who=names.get(one.by, "?")))
            for one in entered
        ),
    ]
    return sorted(found, key=lambda mark: mark.at_us)


def within(every: Iterable[Mark], from_us: int, to_us: int) -> list[Mark]:
    """Those of a stretch of time."""
    return [mark for mark in every if from_us <= mark.at_us <= to_us]


def who(by: str, names: Names) -> str | None:
    """The name of who did something, None where nobody did: it happened by itself."""
    try:
        return names.get(UUID(by), "?")
    except ValueError:
        return None


def _of_alerts(
    happened: Sequence[AlertHappening], signals: Mapping[UUID, Signal], names: Names, t: Speaker
) -> Iterator[Mark]:
    for one in happened:
        if one.event in MARKED:
            signal = SIGNALS[signals[one.alert_id]].said(t.language)
            by = who(one.by, names) or t("patient.by_itself")
            yield Mark(one.happened_at_us, one.event, f"{t.of('patient.event', one.event)} ({signal}): {by}")
