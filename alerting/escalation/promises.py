"""What becomes of the promise of who acknowledged an alert, as time goes by; pure."""

from alerting.acts import hand_over_expired, lapse, snooze_over
from alerting.escalation.asking import undelivered
from alerting.escalation.delivery import NOT_DELIVERED, Way, delivery_of
from alerting.escalation.duty import Duty
from alerting.escalation.recipients import as_recipient
from alerting.escalation.situation import Decision, Look
from alerting.escalation.telling import notify_owner
from alerting.escalation.work import Work
from models.alerts import AlertEvent, AlertState
from models.escalations import Escalation, EscalationState, Recipient

_PROMISED = (AlertEvent.ACKNOWLEDGED, AlertEvent.HAND_OVER_ACCEPTED)
_WORSE = (AlertEvent.SEVERITY_RAISED, AlertEvent.FINDING_JOINED)


def keep_promises(work: Work) -> str | None:
    """Ends what is over of a promise: an offer to hand over, a snooze, the promise itself.

    Gives why the promise lapsed, None where it holds or nobody has promised anything. A snoozed alert is left
    alone until the snooze is over, unless it got worse: also when the duty of who snoozed it ends before.
    """
    if work.alert.state is not AlertState.ACKNOWLEDGED:
        return None
    worse = _worse(work)
    if worse is not None:
        return _lapse(work, worse)
    duty = duty_of_promise(work)
    offer = work.alert.hand_over
    if offer is not None and offer.until_us <= work.now_us:
        notify_owner(work, work.alert.owner, (), events=[AlertEvent.HAND_OVER_EXPIRED.value])
        work.absorb(hand_over_expired(work.alert, duty=duty, now_us=work.now_us))
    snoozed_us = work.alert.snoozed_until_us
    if snoozed_us is not None:
        if work.now_us < snoozed_us:
            return None
        work.absorb(snooze_over(work.alert, policy=work.policy, duty=duty, now_us=work.now_us))
    if work.alert.resolve_by_us is not None and work.alert.resolve_by_us <= work.now_us:
        return _lapse(work, "resolve_by_passed")
    if duty.until_us <= work.now_us:
        return _lapse(work, "duty_over")
    return None


def promised(work: Work) -> Decision:
    """Somebody has it: the next look is when the first of what they promised, or were promised, is over."""
    alert = work.alert
    ends: list[tuple[int, str]] = []
    if alert.snoozed_until_us is not None:
        ends.append((alert.snoozed_until_us, "snooze_over"))
    else:
        ends.append((duty_of_promise(work).until_us, "duty_over"))
        if alert.resolve_by_us is not None:
            ends.append((alert.resolve_by_us, "resolve_by_passed"))
    if alert.hand_over is not None:
        ends.append((alert.hand_over.until_us, "hand_over_expired"))
    ends += [end for e in work.open_escalations() if e.asked_by is not None for end in _ends_of(work, e)]
    next_us, what = min(ends, key=lambda end: end[0])
    return work.decision(Look.PROMISED, next_us, what, "somebody_has_it_within_its_time")


def look_after_questions(work: Work) -> None:
    """Ends what people asked and nobody got or answered in time; the owner, or who asked, hears of it."""
    for escalation in work.open_escalations():
        if escalation.asked_by is None:
            continue
        because = None
        delivery = delivery_of(escalation, work.messages, work.now_us)
        if escalation.answer_by_us is not None and escalation.answer_by_us <= work.now_us:
            because = "not_answered"
        elif delivery.way is Way.LOST:
            undelivered(work, escalation)
            because = NOT_DELIVERED
        if because is not None:
            who = work.alert.owner or escalation.asked_by
            facts = {"events": [AlertEvent.ESCALATION_PASSED_ON.value], "because": because}
            notify_owner(work, who, (), escalation_id=str(escalation.escalation_id), **facts)
            work.end(escalation, EscalationState.PASSED_ON, because)
            work.why.append(f"asked_by_a_person_{because}")


def duty_of_promise(work: Work) -> Duty:
    """The duty in which the promise was made: with it, it ends."""
    alert = work.alert
    at_us = work.now_us if alert.acknowledged_at_us is None else alert.acknowledged_at_us
    return work.rosters.on_duty(recipient_of(work), at_us)


def recipient_of(work: Work) -> Recipient:
    """As whom the responsible party is on duty."""
    return as_recipient(work.alert.responsible, work.situation.contacts)


def _worse(work: Work) -> str | None:
    """What made it worse since somebody promised to see to it."""
    found: str | None = None
    for news in work.situation.news:
        if news.happening.event in _PROMISED:
            found = None
        elif news.happening.event in _WORSE:
            found = news.happening.event.value
    return found


def _lapse(work: Work, why: str) -> str:
    notify_owner(work, work.alert.owner, (), events=[AlertEvent.LAPSED.value], because=why)
    work.absorb(lapse(work.alert, why=why, now_us=work.now_us))
    work.why.append(f"lapsed_{why}")
    return why


def _ends_of(work: Work, escalation: Escalation) -> list[tuple[int, str]]:
    ends = [(escalation.answer_by_us, "not_answered")]
    delivery = delivery_of(escalation, work.messages, work.now_us)
    if delivery.way is Way.UNDER_WAY:
        ends.append((delivery.by_us, NOT_DELIVERED))
    return [(at_us, why) for at_us, why in ends if at_us is not None]
