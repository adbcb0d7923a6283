"""Handing an alert over: offered, and until somebody accepts it, of who offered."""

from collections.abc import Iterable
from uuid import UUID

from alerting.acts.checks import require_mine, require_unresolved, written
from alerting.acts.escalations import over
from alerting.acts.steps import Step, party
from alerting.escalation.duty import Duty
from alerting.escalation.policy import Policy
from alerting.transition import Transition
from models.access import POLICY, Action, User
from models.alerts import ALERTING, Alert, AlertEvent, HandOver
from models.errors import BadInput, Outdated
from models.escalations import Escalation, EscalationState, Party


def hand_over(
    alert: Alert, by: User, *, to: Party | None, person_id: UUID | None, policy: Policy, now_us: int
) -> Transition:
    """The owner offers it to a certain person, or to whoever of a party takes it, for as long as the promise.

    An earlier offer is over. **Units**: microseconds since 1970 UTC.
    **Raises**: BadInput for nobody, oneself, or a role that handles no alerts; Outdated where it is closed or
    not theirs.
    """
    require_mine(alert, by)
    if to is None:
        raise BadInput(where="to", expected="a role at an organisation", found="nobody")
    if to.role not in POLICY[Action.ALERT_HANDLE]:
        raise BadInput(where="to.role", expected="a role that handles alerts", found=to.role)
    if person_id == by.person_id:
        raise BadInput(where="person_id", expected="somebody else", found="yourself")
    until_us = now_us + policy.hand_over_within_us
    if alert.resolve_by_us is not None:
        until_us = min(until_us, alert.resolve_by_us)
    step = Step.of(alert, by, now_us)
    step.becomes(hand_over=HandOver(to.role, to.organisation_id, person_id, until_us))
    if to.organisation_id != alert.organisation_id:
        step.becomes(sent=True)
    step.tell(
        AlertEvent.HANDED_OVER,
        party(alert.responsible),
        party(to),
        person_id=None if person_id is None else str(person_id),
        until_us=until_us,
        sent=step.alert.sent,
    )
    return step.at_once("handed_over")


def accept_hand_over(
    alert: Alert,
    by: User,
    *,
    policy: Policy,
    duty: Duty,
    now_us: int,
    escalations: Iterable[Escalation] = (),
) -> Transition:
    """Who was offered it takes it: a promise of their own from now on, and their party is responsible.

    `escalations` are those of the alert: who had accepted one of them for another party is passed on.
    **Units**: microseconds since 1970 UTC.
    **Raises**: Outdated where it is closed or the offer is over; BadInput for who was not offered it, and
    for who offers it.
    """
    offer = _offer(alert, now_us)
    if by.person_id == alert.owner:
        raise BadInput(where="by", expected="somebody else than who hands over", found="the same")
    _require_offered(offer, by)
    step = Step.of(alert, by, now_us)
    promise = step.promises(by, policy, duty)
    step.tell(AlertEvent.HAND_OVER_ACCEPTED, str(alert.owner), str(by.person_id), **promise)
    step.moves(Party(offer.role, offer.organisation_id))
    passed_on = tuple(
        over(step, escalation, EscalationState.PASSED_ON, because="handed_over")
        for escalation in escalations
        if escalation.state is EscalationState.ACCEPTED
        and escalation.question is None
        and escalation.to != step.alert.responsible
    )
    return step.promised(duty, escalations=passed_on)


def decline_hand_over(alert: Alert, by: User, *, reason: str, now_us: int) -> Transition:
    """Who was offered it does not take it, or who offered it takes that back: it stays the owner's.

    **Raises**: Outdated where it is closed or the offer is over; BadInput for who was not offered it.
    """
    offer = _offer(alert, now_us)
    if by.person_id != alert.owner:
        _require_offered(offer, by)
    step = Step.of(alert, by, now_us)
    step.becomes(hand_over=None)
    step.tell(
        AlertEvent.HAND_OVER_DECLINED,
        party(Party(offer.role, offer.organisation_id)),
        party(alert.responsible),
        owner=str(alert.owner),
        reason=written(reason, "reason"),
    )
    return step.at_once("hand_over_declined")


def hand_over_expired(alert: Alert, *, duty: Duty, now_us: int) -> Transition:
    """Nobody accepted in time: it stays the owner's.

    **Units**: microseconds since 1970 UTC. **Raises**: Outdated where nothing is offered.
    """
    require_unresolved(alert)
    offer = alert.hand_over
    if offer is None:
        raise Outdated("The alert is offered to nobody.")
    step = Step.of(alert, ALERTING, now_us)
    step.becomes(hand_over=None)
    step.tell(
        AlertEvent.HAND_OVER_EXPIRED,
        party(Party(offer.role, offer.organisation_id)),
        party(alert.responsible),
        owner=str(alert.owner),
    )
    return step.promised(duty)


def _offer(alert: Alert, now_us: int) -> HandOver:
    require_unresolved(alert)
    if alert.hand_over is None:
        raise Outdated(f"The alert is offered to nobody (any more); it is of {alert.owner or 'nobody'}.")
    if now_us >= alert.hand_over.until_us:
        raise Outdated(f"The offer is over; the alert is of {alert.owner}.")
    return alert.hand_over


def _require_offered(offer: HandOver, by: User) -> None:
    offered = Party(offer.role, offer.organisation_id)
    fits = Party(by.role, by.organisation_id) == offered
    if not fits or offer.person_id not in (None, by.person_id):
        expected = party(offered) if offer.person_id is None else f"{offer.person_id}, {party(offered)}"
        found = f"{by.person_id}, {party(Party(by.role, by.organisation_id))}"
        raise BadInput(where="by", expected=expected, found=found, reason="not_offered")
