"""What a system gets: the structured body of webhooks, Kafka and pulled messages. Pure.

Documented in BODY.md; `schema` counts changes that a reader has to know of, new fields may come at any time.
"""

import json
from typing import Any, TypeAlias

from alerting.notify.channels import Correspondent, Note
from alerting.notify.grouping import accept_by_us
from models.alerts import Alert
from models.clock import to_datetime
from models.escalations import Escalation, Message

SCHEMA = 1

Body: TypeAlias = dict[str, Any]


def body_of(note: Note, public_url: str | None) -> Body:
    """The body; its first field says who is responsible until a named person accepts, and whom to ring."""
    message = note.message
    return {
        "responsible": {
            **_correspondent(note.sender),
            "role": note.responsible.role.value,
            "until": "a named person accepts",
        },
        "schema": SCHEMA,
        "type": f"thuiswacht.{message.kind.value}",
        "message_id": str(message.message_id),
        "number": message.number,
        "state": message.state.value,
        "to": None if note.to is None else _correspondent(note.to),
        "origin": message.origin.value,
        "patient_id": str(message.patient_id),
        "severity": message.severity.value,
        "due_at": iso(message.due_at_us),
        "corrects": None if message.corrects is None else str(message.corrects),
        "alerts": [_alert(alert) for alert in note.alerts],
        "escalations": [_escalation(message, escalation, public_url) for escalation in note.escalations],
    }


def written(note: Note, public_url: str | None) -> bytes:
    """The body as it travels."""
    return json.dumps(body_of(note, public_url), ensure_ascii=False, separators=(",", ":")).encode()


def iso(at_us: int) -> str:
    """A moment as ISO 8601, in UTC, to the microsecond.

    >>> iso(1795332680000001)
    '2026-11-22T07:31:20.000001Z'
    """
    return to_datetime(at_us).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _correspondent(one: Correspondent) -> Body:
    return {"organisation_id": str(one.organisation_id), "organisation": one.name, "telephone": one.telephone}


def _alert(alert: Alert) -> Body:
    return {
        "alert_id": str(alert.alert_id),
        "signal": alert.signal.value,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "opened_at": iso(alert.opened_at_us),
        "cleared_at": _iso(alert.cleared_at_us),
        "retracted": alert.retracted,
        "unconfirmed": alert.unconfirmed,
        "outcome": alert.outcome,
        "follows": None if alert.follows is None else str(alert.follows),
        "version": alert.version,
    }


def _escalation(message: Message, one: Escalation, public_url: str | None) -> Body:
    return {
        "escalation_id": str(one.escalation_id),
        "alert_id": str(one.alert_id),
        "recipient": one.recipient.value,
        "role": one.to.role.value,
        "request": one.request.value,
        "state": one.state.value,
        "asked_at": iso(one.asked_at_us),
        "reason": one.reason,
        "question": one.question,
        "answer_by": _iso(one.answer_by_us),
        "accept_by": None if one.question is not None else _iso(accept_by_us(message, one)),
        "link": link_of(one, public_url),
    }


def link_of(escalation: Escalation | None, public_url: str | None) -> str | None:
    """Where a person finds an escalation in the console; a random id is all that is in it."""
    if public_url is None:
        return None
    base = public_url.rstrip("/")
    if escalation is None:
        return base
    return f"{base}/console/huisarts/{escalation.escalation_id}"


def _iso(at_us: int | None) -> str | None:
    return None if at_us is None else iso(at_us)
