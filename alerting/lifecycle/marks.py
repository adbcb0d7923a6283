"""Marks beside an alert's state: cleared, retracted, unconfirmed, held back; and what late data changed."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from alerting.circumstances import Circumstances
from alerting.findings import FindingChange
from alerting.lifecycle.book import closes_by_itself
from alerting.lifecycle.work import Work
from models.alerts import AlertEvent, AlertState, HeldBack, Outcome
from models.findings import Evidence, Finding, Severity


def tell(work: Work, change: FindingChange, at_us: int) -> None:
    """Says on the alert what late data changed in a finding that people may have seen."""
    linked = work.links.get(change.after.finding_id)
    if linked is None or change.before is None or not change.late:
        return
    differences = _differences(change.before, change.after)
    if not differences:
        return
    why = work.why(change.after) | {"changed": differences}
    alert = work.alerts[linked]
    work.tell(
        alert,
        at_us,
        AlertEvent.FINDING_CHANGED,
        (_standing(change.before), _standing(change.after)),
        why,
    )


def mark(work: Work, key: UUID, reasons: Sequence[Finding], at_us: int) -> None:
    """Cleared when none of its findings holds any more, retracted when none ever did."""
    alert = work.alerts[key]
    true = [finding for finding in reasons if not finding.retracted]
    clears = [finding.cleared_at_us for finding in true if finding.cleared_at_us is not None]
    cleared_us = max(clears) if true and len(clears) == len(true) else None
    marked = replace(alert, cleared_at_us=cleared_us, retracted=not true)
    work.alerts[key] = marked
    if alert.state is AlertState.RESOLVED:
        return
    was_over = alert.retracted or alert.cleared_at_us is not None
    is_over = marked.retracted or cleared_us is not None
    if marked.retracted and not alert.retracted:
        work.tell(alert, at_us, AlertEvent.RETRACTED)
    elif is_over and not was_over:
        work.tell(alert, at_us, AlertEvent.CLEARED, why={"at_us": cleared_us})
    elif was_over and not is_over:
        work.tell(alert, at_us, AlertEvent.HOLDS_AGAIN)
    if is_over and closes_by_itself(marked) and work.book.may_close(marked, reasons):
        work.resolve(marked, Outcome.BY_ITSELF, at_us)


def mark_doubt(work: Work, key: UUID, reasons: Sequence[Finding], at_us: int) -> None:
    """Unconfirmed while a finding of it that is seen all the same rests on a measurement in doubt.

    Where such a finding was taken back, or is less bad without the doubt, its own event says so.
    """
    alert = work.alerts[key]
    severe = [f for f in reasons if f.severity is Severity.HIGH and not f.retracted]
    in_doubt = [finding for finding in severe if finding.unconfirmed]
    work.alerts[key] = replace(alert, unconfirmed=bool(in_doubt))
    if alert.state is AlertState.RESOLVED or alert.unconfirmed == bool(in_doubt):
        return
    confirmed = [finding for finding in severe if finding.finding_id in work.doubted]
    if in_doubt:
        work.tell(alert, at_us, AlertEvent.UNCONFIRMED, why=work.why(in_doubt[0]))
    elif confirmed:
        work.tell(alert, at_us, AlertEvent.CONFIRMED, why=work.why(confirmed[0]))


def hold_back(work: Work, key: UUID, now: Circumstances, at_us: int) -> None:
    """In hospital an alert is marked as held back; at home again it is released."""
    alert = work.alerts[key]
    if alert.state is AlertState.RESOLVED:
        return
    if now.admitted and alert.held_back is not HeldBack.ADMISSION:
        work.alerts[key] = replace(alert, held_back=HeldBack.ADMISSION)
        work.tell(alert, at_us, AlertEvent.HELD_BACK, (alert.held_back, HeldBack.ADMISSION))
    elif not now.admitted and alert.held_back is HeldBack.ADMISSION:
        work.alerts[key] = replace(alert, held_back=None)
        work.tell(alert, at_us, AlertEvent.RELEASED, (HeldBack.ADMISSION, None))


def _standing(finding: Finding) -> str:
    if finding.retracted:
        return "retracted"
    return "holds" if finding.cleared_at_us is None else "cleared"


def _differences(before: Finding, after: Finding) -> dict[str, list[object]]:
    """What is different, as from and to."""
    looked_at = ("severity", "cleared_at_us", "raised_at_us", "retracted", "unconfirmed")
    changed: dict[str, list[object]] = {
        name: [getattr(before, name), getattr(after, name)]
        for name in looked_at
        if getattr(before, name) != getattr(after, name)
    }
    for name in ("opening", "raised"):
        was, now = _values(getattr(before, name)), _values(getattr(after, name))
        if was != now:
            changed[name] = [was, now]
    return changed


def _values(evidence: Sequence[Evidence]) -> list[list[object]]:
    return [[part.feature, part.value, part.unit] for part in evidence]
