"""Handing an alert to the next party, or asking it a question: responsibility moves when a person accepts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from alerting.acts.checks import require_mine_or_nobodys, require_unresolved, written
from alerting.acts.escalations import over
from alerting.acts.handing_on import hand_on, message_of
from alerting.acts.steps import Step, party
from alerting.escalation.duty import Duty
from alerting.escalation.policy import Policy
from alerting.transition import Transition
from models.access import POLICY, Action, Role, User
from models.alerts import Alert, AlertEvent, AlertState
from models.errors import BadInput, Outdated
from models.escalations import (
    OPEN_ESCALATION,
    Channel,
    Escalation,
    EscalationState,
    Party,
    Recipient,
    RequestKind,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of whom, and how they hear of it: the next channel when one gives up.

    With a question it is a teleconsultation. `accept_within_us`: how soon they are expected to take it
    over, where that was agreed on. **Units**: `…_within_us` in microseconds.
    """

    recipient: Recipient
    to: Party
    request: RequestKind
    reason: str
    channels: tuple[Channel, ...]
    question: str | None = None
    answer_within_us: int | None = None
    accept_within_us: int | None = None


def escalate(
    alert: Alert,
    by: User,
    *,
    escalation_id: UUID,
    message_id: UUID,
    asked: Asked,
    now_us: int,
) -> Transition:
    """Somebody hands it on, or asks; until a named person accepts, nothing changes in who is responsible.

    One message, by the first channel that needs one: its body names those to be tried after it.
    **Units**: microseconds since 1970 UTC.
    **Raises**: BadInput for nobody, oneself, no reason, no channel, a question without a time for the answer;
    Outdated where it is closed or somebody else's.
    """
    require_mine_or_nobodys(alert, by)
    reason, question = _asking(by, asked)
    step = Step.of(alert, by, now_us)
    escalation = Escalation(
        escalation_id=escalation_id,
        alert_id=alert.alert_id,
        patient_id=alert.patient_id,
        organisation_id=alert.organisation_id,
        step_no=alert.step_no,
        recipient=asked.recipient,
        request=asked.request,
        to=asked.to,
        asked_at_us=now_us,
        reason=reason,
        asked_by=by.person_id,
        question=question,
        answer_by_us=None if asked.answer_within_us is None else now_us + asked.answer_within_us,
    )
    hand_on(step, escalation)
    by_us = None if asked.accept_within_us is None else now_us + asked.accept_within_us
    message = message_of(alert, escalation, message_id, asked.channels, due_us=now_us, by_us=by_us)
    messages = () if message is None else (message,)
    return step.at_once("escalated", escalations=(escalation,), messages=messages)


def accept_escalation(
    alert: Alert,
    escalation: Escalation,
    by: User,
    *,
    policy: Policy,
    duty: Duty,
    now_us: int,
    others: Iterable[Escalation] = (),
) -> Transition:
    """A named person of who was asked takes it over: they own the alert, and their party is responsible.

    `others` are the other escalations of the alert: who accepted before is passed on, who was only asked need
    not come any more; questions stay. Accepting a question moves nothing: they will answer it.
    **Units**: microseconds since 1970 UTC.
    **Raises**: Outdated where the alert is closed, the escalation is over or accepted already (it names by
    whom); BadInput for who was not asked, or is no person.
    """
    _require_asked(alert, escalation, by)
    if escalation.state is not EscalationState.ASKED:
        raise Outdated(f"The escalation was accepted by {escalation.accepted_by} already.")
    if by.role is Role.SERVICE:
        raise BadInput(where="by", expected="a named person", found="a system", reason="not_a_person")
    step = Step.of(alert, by, now_us)
    accepted = _accepted(step, escalation, by)
    if escalation.question is not None:
        return step.at_once("escalation_accepted", escalations=(accepted,))
    promise = step.promises(by, policy, duty)
    step.tell(
        AlertEvent.ACKNOWLEDGED,
        alert.state,
        AlertState.ACKNOWLEDGED,
        **promise,
        instead_of=None if alert.owner is None else str(alert.owner),
        escalation_id=str(escalation.escalation_id),
    )
    step.moves(escalation.to)
    return step.promised(duty, escalations=(accepted, *_instead(step, escalation, others)))


def answer_escalation(
    alert: Alert,
    escalation: Escalation,
    by: User,
    *,
    answer: str,
    referral_avoided: bool | None,
    now_us: int,
) -> Transition:
    """Who was asked says what they know or did, and the escalation is over.

    A question changes nothing else. What was handed to them comes back with the answer: the nurses of the
    alert's organisation are responsible again, it is open, and its ladder begins anew with them.
    **Units**: microseconds since 1970 UTC.
    **Raises**: Outdated where the alert is closed, somebody else's, or the escalation is over; BadInput for
    who was not asked, and for no answer.
    """
    _require_asked(alert, escalation, by)
    text = written(answer, "answer")
    step = Step.of(alert, by, now_us)
    answered = escalation
    if escalation.state is EscalationState.ASKED:
        answered = _accepted(step, escalation, by)
    answered = over(step, answered, EscalationState.ANSWERED, answer=text, referral_avoided=referral_avoided)
    answered = replace(answered, answered_at_us=now_us, answer=text, referral_avoided=referral_avoided)
    if escalation.question is None and _has(alert, escalation):
        require_mine_or_nobodys(alert, by)
        _come_back(step, "answered")
        step.becomes(step_no=0, stepped_at_us=None)
    return step.at_once("escalation_answered", escalations=(_once(answered, escalation),))


def hand_back(alert: Alert, escalation: Escalation, by: User, *, reason: str, now_us: int) -> Transition:
    """Who was asked does not see to it: the alert's own nurses are responsible, the ladder goes on.

    **Raises**: Outdated where the alert is closed, somebody else's, or the escalation is over; BadInput for
    who was not asked, and for no reason.
    """
    _require_asked(alert, escalation, by)
    text = written(reason, "reason")
    step = Step.of(alert, by, now_us)
    back = over(step, escalation, EscalationState.HANDED_BACK, reason=text)
    if _has(alert, escalation):
        require_mine_or_nobodys(alert, by)
        _come_back(step, "handed_back")
    return step.at_once("escalation_handed_back", escalations=(back,))


def withdraw(alert: Alert, escalation: Escalation, by: User, *, reason: str, now_us: int) -> Transition:
    """Who asked, or has the alert, takes it back; who was asked hears that they are not needed.

    **Raises**: Outdated where the alert is closed, the escalation is over, or accepted (it names by whom):
    what is somebody's only they hand back; BadInput for who neither asked nor is responsible.
    """
    require_unresolved(alert)
    _require_open(alert, escalation)
    if by.person_id not in (escalation.asked_by, alert.owner):
        if by.organisation_id not in (alert.organisation_id, alert.responsible.organisation_id):
            raise BadInput(
                where="by",
                expected="who asked, or who is responsible for the alert",
                found=f"{by.role} at {by.organisation_id}",
                reason="not_asker",
            )
        require_mine_or_nobodys(alert, by)
    if escalation.question is None and escalation.state is EscalationState.ACCEPTED:
        raise Outdated(f"The escalation was accepted by {escalation.accepted_by}: they hand it back.")
    text = written(reason, "reason")
    step = Step.of(alert, by, now_us)
    back = over(step, escalation, EscalationState.WITHDRAWN, because="taken_back", reason=text)
    return step.at_once("escalation_withdrawn", escalations=(back,))


def _asking(by: User, asked: Asked) -> tuple[str, str | None]:
    """Reason and question as they are kept. **Raises**: BadInput."""
    if asked.to == Party(by.role, by.organisation_id):
        raise BadInput(where="to", expected="somebody else", found="your own role and organisation")
    if asked.to.role not in POLICY[Action.ESCALATION_ANSWER]:
        raise BadInput(where="to.role", expected="a role that answers escalations", found=asked.to.role)
    if not asked.channels:
        raise BadInput(where="channels", expected="at least one", found="none")
    if (asked.question is None) != (asked.answer_within_us is None):
        raise BadInput(where="answer_within", expected="a time for a question, and only there", found="else")
    if asked.answer_within_us is not None and asked.answer_within_us <= 0:
        raise BadInput(where="answer_within", expected="more than nothing", found=str(asked.answer_within_us))
    question = None if asked.question is None else written(asked.question, "question")
    return written(asked.reason, "reason"), question


def _accepted(step: Step, escalation: Escalation, by: User) -> Escalation:
    step.tell(
        AlertEvent.ESCALATION_ACCEPTED,
        escalation.state,
        EscalationState.ACCEPTED,
        escalation_id=str(escalation.escalation_id),
        asked=party(escalation.to),
    )
    return replace(
        escalation,
        state=EscalationState.ACCEPTED,
        accepted_at_us=step.now_us,
        accepted_by=by.person_id,
        version=escalation.version + 1,
    )


def _instead(step: Step, accepted: Escalation, others: Iterable[Escalation]) -> Iterable[Escalation]:
    """What becomes of the other escalations when one is accepted."""
    for other in others:
        if other.escalation_id == accepted.escalation_id or other.question is not None:
            continue
        if other.state is EscalationState.ACCEPTED:
            yield over(step, other, EscalationState.PASSED_ON, because="accepted_by_another")
        elif other.state is EscalationState.ASKED:
            yield over(step, other, EscalationState.WITHDRAWN, because="accepted_by_another")


def _come_back(step: Step, because: str) -> None:
    """The alert's own nurses answer for it again, and nobody has promised anything."""
    was = step.alert
    if was.state is AlertState.ACKNOWLEDGED:
        step.opens()
        step.tell(
            AlertEvent.LAPSED,
            AlertState.ACKNOWLEDGED,
            AlertState.OPEN,
            owner=str(was.owner),
            because=because,
        )
    step.moves(was.at_home)


def _has(alert: Alert, escalation: Escalation) -> bool:
    """Whether who was asked is responsible for the alert now."""
    return (
        escalation.question is None
        and escalation.state is EscalationState.ACCEPTED
        and alert.responsible == escalation.to
    )


def _require_open(alert: Alert, escalation: Escalation) -> None:
    if escalation.alert_id != alert.alert_id:
        raise BadInput(where="escalation_id", expected="an escalation of this alert", found="one of another")
    if escalation.state not in OPEN_ESCALATION:
        raise Outdated(f"The escalation is over: {escalation.state}.")


def _require_asked(alert: Alert, escalation: Escalation, by: User) -> None:
    require_unresolved(alert)
    _require_open(alert, escalation)
    if by.organisation_id != escalation.to.organisation_id:
        raise BadInput(
            where="by",
            expected=f"somebody at {escalation.to.organisation_id}, who was asked",
            found=f"{by.role} at {by.organisation_id}",
            reason="not_asked",
        )


def _once(changed: Escalation, was: Escalation) -> Escalation:
    """One version more than it was, however much changed in one act."""
    return replace(changed, version=was.version + 1)
