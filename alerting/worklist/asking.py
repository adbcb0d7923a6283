"""What people's requests rest on beside the alert itself: who there is to ask, by which channels."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from alerting import acts
from alerting.escalation.duty import Rosters
from alerting.escalation.policy import Policy, Step
from alerting.escalation.recipients import Contact, Contacts
from alerting.transition import Transition
from alerting.worklist import deciding
from alerting.worklist.forms import EscalateForm, SeveralForm
from alerting.worklist.handling import NOT_THERE, Decide, Rules, Seen, Situation, handle_each
from alerting.worklist.looking import as_it_is
from ingest.acting import Acting
from models.access import User
from models.alerts import Alert
from models.clock import MINUTE_US
from models.db.worklist import is_there, keys_of
from models.errors import BadInput, NotThere, Outdated
from models.escalations import Channel, Party, Recipient

IN_ORDER = (
    Channel.FHIR,
    Channel.WEBHOOK,
    Channel.SECURE_MAIL,
    Channel.KAFKA,
    Channel.PULL,
    Channel.EMAIL,
)
"""Channels where neither the form nor the policy says by which: into the other's own system before mail."""


async def acknowledge_each(act: Acting, rules: Rules, form: SeveralForm) -> list[dict[str, Any]]:
    """Takes several alerts; what came of each, in that order. **Raises**: BadInput for one named twice."""
    seen = [Seen(one.alert_id, one.version) for one in form.alerts]
    if len({one.alert_id for one in seen}) < len(seen):
        raise BadInput(where="alerts", expected="each alert once", found="one twice")
    results = await handle_each(act, rules, seen, deciding.acknowledge(act.user))
    return [{"alert_id": key, **await _result(act, result)} for key, result in results.items()]


async def require_somebody(act: Acting, alert_id: UUID, to: Party, person_id: UUID | None) -> None:
    """Lets a hand-over through for which there is somebody. **Raises**: BadInput, NotThere."""
    patient_id, _ = await _key(act, alert_id)
    if not await is_there(act.connection, patient_id, to.role, to.organisation_id, person_id):
        raise BadInput(
            where="hand_over" if person_id is None else "hand_over.person_id",
            expected="somebody who has this role today at an organisation that treats the patient",
            found="nobody",
        )


def escalate(by: User, form: EscalateForm) -> tuple[UUID, Decide]:
    """Handing an alert on, as the form says, to who is meant at this moment; the id that it gets.

    The decision **raises** BadInput when nobody is.
    """
    escalation_id, message_id = uuid4(), uuid4()

    def decide(at: Situation) -> Transition:
        return acts.escalate(
            at.alert,
            by,
            escalation_id=escalation_id,
            message_id=message_id,
            asked=asked_of(form, at.contacts, at.policy, at.rosters, at.now_us),
            now_us=at.now_us,
        )

    return escalation_id, decide


def asked_of(
    form: EscalateForm, contacts: Contacts, policy: Policy, rosters: Rosters, now_us: int
) -> acts.Asked:
    """Who is asked what: at this moment perhaps another than was named, such as the post for the practice.

    **Units**: microseconds since 1970 UTC. **Raises**: BadInput.
    """
    recipient = rosters.on_duty(form.recipient, now_us).recipient
    contact = contacts.get(recipient)
    if contact is None:
        raise BadInput(
            where="recipient", expected="somebody who is there for this patient", found=f"no {recipient}"
        )
    minutes = form.answer_within_minutes
    step = _agreed(form, recipient, policy)
    return acts.Asked(
        recipient=recipient,
        to=contact.party,
        request=form.request,
        reason=form.reason,
        channels=_channels(form, contact, step),
        question=form.question,
        answer_within_us=None if minutes is None else minutes * MINUTE_US,
        accept_within_us=_accept_within_us(form, step),
    )


def _agreed(form: EscalateForm, recipient: Recipient, policy: Policy) -> Step | None:
    """The step of the policy that asks the same recipient, or for whom they stand in."""
    meant = [step for step in policy.steps if step.recipient in (recipient, form.recipient)]
    return next((step for step in meant if step.request is form.request), meant[0] if meant else None)


def _accept_within_us(form: EscalateForm, step: Step | None) -> int | None:
    """What was agreed on counts for requests of the same kind: who asks something acute means now."""
    if step is None or form.question is not None or step.request is not form.request:
        return None
    return step.accepted_within_us


def _channels(form: EscalateForm, contact: Contact, step: Step | None) -> tuple[Channel, ...]:
    if form.channels is not None:
        if unknown := [one for one in form.channels if one not in contact.channels]:
            expected = "channels with an address there: " + ", ".join(_ordered(contact.channels))
            raise BadInput(where="channels", expected=expected, found=", ".join(unknown))
        return form.channels
    of_policy: Sequence[Channel] = IN_ORDER if step is None else step.channels
    found = tuple(one for one in of_policy if one in contact.channels)
    return found or (Channel.WORKLIST,)


def _ordered(channels: Iterable[Channel]) -> list[Channel]:
    return sorted(channels, key=list(Channel).index)


async def _key(act: Acting, alert_id: UUID) -> tuple[UUID, UUID]:
    keys = await keys_of(act.connection, [alert_id])
    if alert_id not in keys:
        raise NotThere(NOT_THERE)
    return keys[alert_id]


async def _result(act: Acting, result: Alert | BadInput | NotThere | Outdated) -> dict[str, Any]:
    match result:
        case Alert():
            return {"done": True, "alert": await as_it_is(act, result)}
        case Outdated():
            return {"done": False, "status": 409, "detail": str(result), "now": result.now}
        case NotThere():
            return {"done": False, "status": 404, "detail": str(result)}
        case BadInput():
            return {"done": False, "status": 422, "detail": str(result)}
