"""Taking a step of the ladder: who is asked, and by which channel; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from alerting.acts.handing_on import hand_on, message_of
from alerting.escalation.delivery import Way, delivery_of
from alerting.escalation.duty import Duty
from alerting.escalation.policy import Step
from alerting.escalation.recipients import Contact
from alerting.escalation.work import Work
from models.alerts import AlertEvent
from models.escalations import (
    Channel,
    Escalation,
    EscalationState,
    MessageState,
    Recipient,
    Trouble,
)
from models.findings import Severity

_REFERS = (Recipient.REFERRAL_DESK, Recipient.SPECIALIST)


@dataclass(frozen=True, slots=True)
class Reached:
    """A step that leads to somebody: which one, who is on duty for it, and by which of its channels.

    `passed_over`: whom the steps before it would have asked, and could not.
    """

    step_no: int
    step: Step
    duty: Duty
    contact: Contact
    channels: tuple[Channel, ...]
    passed_over: tuple[Recipient, ...] = ()


def reachable(work: Work, numbers: Iterable[int]) -> Reached | None:
    """The first of these steps that leads to somebody; each that does not is trouble, and says so."""
    passed_over: list[Recipient] = []
    for number in numbers:
        step = work.policy.steps[number - 1]
        duty = work.rosters.on_duty(step.recipient, work.now_us)
        if step.recipient in _REFERS and _is_avoided(work):
            work.why.append(f"step_{number}_skipped_referral_avoided")
            continue
        contact = work.situation.contacts.get(duty.recipient)
        channels = () if contact is None else tuple(c for c in step.channels if c in contact.channels)
        if contact is not None and channels:
            return Reached(number, step, duty, contact, channels, tuple(passed_over))
        passed_over.append(duty.recipient)
        work.why.append(f"step_{number}_reaches_nobody")
        work.notice(
            Trouble.UNREACHABLE_STEP,
            f"{work.policy.label} step {number} {duty.recipient}",
            "no such organisation" if contact is None else "no address for any channel of the step",
            None if contact is None else contact.party.organisation_id,
        )
    return None


def ask(work: Work, reached: Reached, why: str, *, anew: bool, stepped_us: int | None = None) -> None:
    """Takes a step: whoever the ladder asked before is passed on, and the step's recipient is asked.

    Unless `anew`, nobody is asked twice: who was asked already, by the ladder or a person, is waited for.
    `stepped_us` is since when the step counts, where not since now.
    """
    party_asked = reached.contact.party
    same = None if anew else _asked_already(work, reached)
    for escalation in work.open_escalations():
        if escalation is not same and escalation.asked_by is None:
            work.end(escalation, EscalationState.PASSED_ON, why)
    was = work.alert.step_no
    work.step.becomes(
        step_no=reached.step_no,
        stepped_at_us=work.now_us if stepped_us is None else stepped_us,
        policy=work.policy.label,
    )
    work.step.tell(
        AlertEvent.STEPPED,
        str(was),
        str(reached.step_no),
        because=why,
        policy=work.policy.label,
        recipient=reached.duty.recipient.value,
        duty=reached.duty.name,
        shift=reached.duty.shift.value,
        passed_over=[one.value for one in reached.passed_over] or None,
    )
    work.why.append(why)
    if same is not None:
        work.why.append("was_asked_already")
    elif party_asked == work.alert.responsible and Channel.WORKLIST in reached.channels:
        work.why.append("stands_in_their_worklist")
    else:
        _hand(work, reached, why)


def undelivered(work: Work, escalation: Escalation) -> None:
    """Not delivered in time is trouble, of whose endpoint it is; what was given up its sender has told of."""
    last = delivery_of(escalation, work.messages, work.now_us).last
    if last is not None and last.state in (MessageState.DUE, MessageState.ATTEMPTED):
        details = f"message {last.message_id}: not delivered in time, after {last.attempts} attempts"
        work.notice(Trouble.UNDELIVERED, f"{last.channel} to {last.to_id}", details, last.to_id)


def _hand(work: Work, reached: Reached, why: str) -> None:
    step, to = reached.step, reached.contact.party
    by_worklist = reached.channels[0] is Channel.WORKLIST
    escalation = Escalation(
        escalation_id=next(work.ids),
        alert_id=work.alert.alert_id,
        patient_id=work.alert.patient_id,
        organisation_id=work.alert.organisation_id,
        step_no=reached.step_no,
        recipient=reached.duty.recipient,
        request=step.request,
        to=to,
        asked_at_us=work.now_us,
        reason=why,
        question=step.question,
        answer_by_us=_after(work, None if step.question is None else step.answer_within_us),
        delivered_at_us=work.now_us if by_worklist else None,
    )
    work.write(escalation)
    hand_on(work.step, escalation)
    message = message_of(
        work.alert,
        escalation,
        next(work.ids),
        reached.channels,
        due_us=work.now_us + (0 if work.alert.severity is Severity.HIGH else work.policy.group_wait_us),
        by_us=_after(work, step.accepted_within_us),
        deliver_by_us=_after(work, step.delivered_within_us),
    )
    if message is not None and not by_worklist:
        work.new_messages.append(message)


def _after(work: Work, within_us: int | None) -> int | None:
    return None if within_us is None else work.now_us + within_us


def _asked_already(work: Work, reached: Reached) -> Escalation | None:
    """Who is asked the same already, and got it or may yet get it."""
    for escalation in work.open_escalations():
        if (
            escalation.to == reached.contact.party
            and escalation.state is EscalationState.ASKED
            and (escalation.question is None) == (reached.step.question is None)
            and delivery_of(escalation, work.messages, work.now_us).way is not Way.LOST
        ):
            return escalation
    return None


def _is_avoided(work: Work) -> bool:
    """Whether the last question about it was answered in a way that makes a referral needless."""
    answered = [e for e in work.escalations.values() if e.state is EscalationState.ANSWERED and e.question]
    return bool(answered) and answered[-1].referral_avoided is True
