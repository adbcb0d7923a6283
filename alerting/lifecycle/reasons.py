"""Which alert a finding or a remark belongs to, and what it does to that alert."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from alerting.circumstances import Circumstances, circumstances_at, heard_at_us
from alerting.findings import FindingChange
from alerting.lifecycle.book import waits
from alerting.lifecycle.work import Work
from alerting.remarks import Remark
from models.alerts import Alert, AlertEvent, AlertState, Outcome
from models.findings import Finding, Severity, Signal


def attach_all(work: Work, changes: Sequence[FindingChange], at_us: int, now: Circumstances) -> None:
    """Each finding that changed, or may be heard only now, to its alert."""
    before = {change.after.finding_id: change.before for change in changes}
    candidates = [work.findings[key] for key in before]
    candidates += [f for key, f in work.findings.items() if f.holds and key not in work.links | before]
    for finding in candidates:
        if finding.retracted or waits(finding):
            continue
        timeline = work.book.timeline
        heard_us = heard_at_us(timeline, finding.signal, finding.opened_at_us, finding.cleared_at_us)
        if heard_us is None or heard_us > at_us:
            continue
        linked = work.links.get(finding.finding_id)
        if linked is None:
            _attach(work, finding, heard_us, at_us, now, follows=None)
        else:
            _return(work, finding, before.get(finding.finding_id), work.alerts[linked], at_us, now)


def remark(work: Work, said: Remark) -> None:
    """What the patient wrote opens an alert that waits for somebody to read it, or joins the one that does.

    Always low: nobody knows what it says before somebody has read it, and what else is the matter with the
    patient has an alert of its own. It is heard when it was received: nobody could read it before. Who has
    the alert has not read this one, so their promise is over.
    """
    at_us = said.received_at_us
    if circumstances_at(work.book.timeline, at_us).ended:
        return
    why = {"kind": said.kind, "taken_at_us": said.taken_at_us, "remark_id": str(said.remark_id)}
    alert = work.unresolved(Signal.REMARK)
    if alert is None:
        work.open(Signal.REMARK, Severity.LOW, at_us, why)
    else:
        work.tell(alert, at_us, AlertEvent.REMARKED, (None, None), why)
        work.lapse(alert.alert_id, at_us, AlertEvent.REMARKED)


def _attach(
    work: Work, finding: Finding, heard_us: int, at_us: int, now: Circumstances, *, follows: UUID | None
) -> None:
    alert = work.unresolved(finding.signal)
    if alert is None:
        alert = work.open(
            finding.signal,
            finding.severity,
            heard_us,
            work.why(finding),
            quiet=finding.quiet,
            admitted=now.admitted,
            follows=follows,
        )
        work.link(alert, finding, at_us)
        return
    work.link(alert, finding, at_us)
    work.tell(alert, at_us, AlertEvent.FINDING_JOINED, (None, finding.severity), work.why(finding))
    if not (finding.finding_id in work.late and (finding.programme, finding.rule) in work.moved):
        work.lapse(alert.alert_id, at_us, AlertEvent.FINDING_JOINED, finding_id=str(finding.finding_id))
    if not finding.quiet:
        _end_quiet(work, alert.alert_id, finding, at_us)
    _raise(work, alert.alert_id, finding, at_us)


def _return(
    work: Work, finding: Finding, before: Finding | None, alert: Alert, at_us: int, now: Circumstances
) -> None:
    """A finding that had an alert changed: it goes back to it, unless people were done with that."""
    if alert.state is not AlertState.RESOLVED:
        _raise(work, alert.alert_id, finding, at_us)
        return
    returned = finding.holds and (before is None or not before.holds)
    seen_rank = -1 if before is None else before.severity.rank - waits(before)
    rose = before is not None and finding.holds and finding.severity.rank > seen_rank
    if alert.outcome == Outcome.ENDED or not (returned or rose):
        return
    if alert.outcome == Outcome.BY_ITSELF and work.unresolved(finding.signal) is None:
        work.reopen(alert, finding, at_us)
        _raise(work, alert.alert_id, finding, at_us)
    else:
        _attach(work, finding, at_us, at_us, now, follows=alert.alert_id)


def _raise(work: Work, key: UUID, finding: Finding, at_us: int) -> None:
    alert = work.alerts[key]
    if finding.severity.rank <= alert.severity.rank:
        return
    work.alerts[key] = replace(alert, severity=finding.severity)
    work.tell(alert, at_us, AlertEvent.SEVERITY_RAISED, (alert.severity, finding.severity), work.why(finding))
    work.lapse(key, at_us, AlertEvent.SEVERITY_RAISED, finding_id=str(finding.finding_id))
    _end_quiet(work, key, finding, at_us)


def _end_quiet(work: Work, key: UUID, finding: Finding, at_us: int) -> None:
    alert = work.alerts[key]
    if alert.quiet:
        work.alerts[key] = replace(alert, quiet=False)
        work.tell(alert, at_us, AlertEvent.QUIET_ENDED, ("cooldown", None), work.why(finding))
