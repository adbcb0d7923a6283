"""Messages, alerts and escalations for tests of what is sent."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from alerting.notify.channels import Address, Correspondent, Note
from models.access import Role
from models.alerts import Alert
from models.escalations import (
    Channel,
    Escalation,
    Message,
    MessageKind,
    Party,
    Recipient,
    RequestKind,
)
from models.findings import Severity, Signal
from models.messages import Origin

NOW_US = 1_795_332_680_000_000  # 2026-11-22, 07:31:20 UTC
CENTRE, PRACTICE, HOSPITAL = (UUID(int=n, version=4) for n in range(21, 24))
PATIENT = UUID(int=77, version=4)
CENTRE_NAME, CENTRE_PHONE = "Meldkamer Haaglanden", "070 123 45 67"


def alert(**changes: Any) -> Alert:
    made = Alert(
        alert_id=uuid4(),
        patient_id=PATIENT,
        organisation_id=CENTRE,
        signal=Signal.FLUID,
        severity=Severity.MEDIUM,
        opened_at_us=NOW_US - 60_000_000,
        origin=Origin.SIMULATED,
    )
    return replace(made, **changes)


def escalation(of: Alert, **changes: Any) -> Escalation:
    made = Escalation(
        escalation_id=uuid4(),
        alert_id=of.alert_id,
        patient_id=of.patient_id,
        organisation_id=of.organisation_id,
        step_no=2,
        recipient=Recipient.HUISARTS,
        request=RequestKind.REGULAR,
        to=Party(Role.HUISARTS, PRACTICE),
        asked_at_us=NOW_US,
        reason="drie kilo erbij in vijf dagen",
    )
    return replace(made, **changes)


def message(of: Escalation, **changes: Any) -> Message:
    made = Message(
        message_id=uuid4(),
        patient_id=of.patient_id,
        organisation_id=of.organisation_id,
        origin=Origin.SIMULATED,
        kind=MessageKind.ESCALATION,
        channel=Channel.WEBHOOK,
        severity=Severity.MEDIUM,
        alerts=(of.alert_id,),
        due_at_us=NOW_US,
        to_id=of.to.organisation_id,
        escalation_id=of.escalation_id,
        number=1,
    )
    return replace(made, **changes)


def note(
    alerts: Sequence[Alert] = (), escalations: Sequence[Escalation] | None = None, **changes: Any
) -> Note:
    """A note; `changes` are those of its message. Without anything else, of one alert and its escalation."""
    told = list(alerts) or [alert()]
    handed = [escalation(one) for one in told] if escalations is None else list(escalations)
    said = message(handed[0] if handed else escalation(told[0]), alerts=tuple(a.alert_id for a in told))
    worst = max(told, key=lambda one: one.severity.rank)
    return Note(
        message=replace(said, **changes),
        alerts=tuple(told),
        escalations=tuple(handed),
        sender=Correspondent(worst.responsible.organisation_id, CENTRE_NAME, CENTRE_PHONE),
        responsible=worst.responsible,
        to=Correspondent(PRACTICE, "Praktijk Duinoord"),
        now_us=NOW_US,
    )


def address(text: str, *, sandbox: bool = True) -> Address:
    return Address(uuid4(), text, sandbox)
