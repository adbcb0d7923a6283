"""An alert handed to somebody, by a person or by the ladder: on it, in its history, in the outbox."""

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from alerting.acts.steps import Step, party
from models.alerts import Alert, AlertEvent
from models.escalations import Channel, Escalation, Message, MessageKind


def hand_on(step: Step, escalation: Escalation) -> None:
    """Tells of an escalation on its alert. Asking moves no responsibility; from now on somebody was told."""
    step.becomes(sent=True)
    step.tell(
        AlertEvent.ESCALATED,
        party(step.alert.responsible),
        party(escalation.to),
        escalation_id=str(escalation.escalation_id),
        recipient=escalation.recipient.value,
        request=escalation.request.value,
        reason=escalation.reason,
        question=escalation.question,
        answer_by_us=escalation.answer_by_us,
        sent=True,
    )


def message_about(
    alert: Alert,
    message_id: UUID,
    kind: MessageKind,
    channel: Channel,
    due_us: int,
    facts: dict[str, object],
    **more: object,
) -> Message:
    """A message of one alert; `more` are fields of it. **Units**: microseconds since 1970 UTC."""
    message = Message(
        message_id=message_id,
        patient_id=alert.patient_id,
        organisation_id=alert.organisation_id,
        origin=alert.origin,
        kind=kind,
        channel=channel,
        severity=alert.severity,
        alerts=(alert.alert_id,),
        due_at_us=due_us,
        body=json.dumps(facts),
    )
    return replace(message, **more)


def message_of(
    alert: Alert,
    escalation: Escalation,
    message_id: UUID,
    channels: Sequence[Channel],
    *,
    due_us: int,
    by_us: int | None = None,
    deliver_by_us: int | None = None,
) -> Message | None:
    """The message that carries an escalation; None where the worklist does.

    By the first of the channels: its body names those that its sender tries after it. `by_us`: until when
    somebody is expected to accept. **Units**: microseconds since 1970 UTC.
    """
    carrying = [channel for channel in channels if channel is not Channel.WORKLIST]
    if not carrying:
        return None
    facts: dict[str, object] = {"channels": carrying[1:]}
    if by_us is not None:
        facts["by_us"] = by_us
    return message_about(
        alert,
        message_id,
        MessageKind.ESCALATION if escalation.question is None else MessageKind.QUESTION,
        carrying[0],
        due_us,
        facts,
        to_id=escalation.to.organisation_id,
        escalation_id=escalation.escalation_id,
        deliver_by_us=deliver_by_us,
    )
