"""What is still to be done about a resolved alert: corrections, and a look whether it was right; pure."""

from alerting.escalation.situation import Decision, Look, Opened, Reason
from alerting.escalation.telling import correct_withdrawn
from alerting.escalation.work import Work
from alerting.transition import Transition
from models.alerts import Alert, AlertEvent, HeldBack, happening_to
from models.escalations import EscalationState


def after_resolving(work: Work) -> Decision:
    """A resolved alert never escalates. What was asked about it is taken back; a recheck has its time.

    Where a finding of it still holds then, and nothing else is open about it, a new alert opens that follows.
    """
    for escalation in work.open_escalations():
        work.end(escalation, EscalationState.WITHDRAWN, "resolved")
        correct_withdrawn(work, escalation.escalation_id)
    recheck_us = work.alert.recheck_at_us
    if recheck_us is None:
        return work.decision(Look.OVER, None, "resolved")
    if work.now_us < recheck_us:
        return work.decision(Look.OVER, recheck_us, "recheck", "its_time_has_not_come")
    holding = [r for r in work.situation.reasons if r.holds and not r.moved]
    why = _why_not(work, holding)
    work.step.becomes(recheck_at_us=None)
    if why is None:
        work.opened = _open(work, holding)
    opened = None if work.opened is None else str(work.opened.transition.alert.alert_id)
    work.step.tell(AlertEvent.RECHECKED, because=why or "still_holds", followed_by=opened)
    return work.decision(Look.RECHECKED, None, why or "still_holds")


def _why_not(work: Work, holding: list[Reason]) -> str | None:
    if work.situation.ended:
        return "follow_up_ended"
    if not holding:
        return "nothing_holds_any_more"
    return None if work.situation.another is None else "another_alert_is_open_for_it"


def _open(work: Work, holding: list[Reason]) -> Opened:
    was = work.alert
    worst = max((reason.severity for reason in holding), key=lambda severity: severity.rank)
    alert = Alert(
        alert_id=next(work.ids),
        patient_id=was.patient_id,
        organisation_id=was.organisation_id,
        signal=was.signal,
        severity=worst,
        opened_at_us=work.now_us,
        origin=was.origin,
        held_back=HeldBack.ADMISSION if work.situation.admitted else None,
        follows=was.alert_id,
    )
    why = {"because": "recheck", "follows": str(was.alert_id)}
    events = [happening_to(alert, work.now_us, AlertEvent.OPENED, (None, worst), why=why)]
    if alert.held_back is not None:
        events.append(happening_to(alert, work.now_us, AlertEvent.HELD_BACK, (None, alert.held_back)))
    transition = Transition(alert, tuple(events), work.now_us, "opened")
    return Opened(transition, tuple(reason.finding_id for reason in holding))
