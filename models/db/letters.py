"""What a letter needs beside alert, escalation and findings: desks, care, deeds, and who it is about."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from models.alerts import Alert, AlertEvent
from models.clock import to_datetime, to_us
from models.db.alerts import alert_of
from models.db.escalations import escalation_of
from models.db.outbox import message_of
from models.db.pool import Connection
from models.escalations import Escalation, Message

_MESSAGE = "SELECT * FROM message WHERE message_id = $1"
_ESCALATION = "SELECT * FROM escalation WHERE escalation_id = $1"
_ALERTS = """
SELECT * FROM alert WHERE patient_id = $1 AND alert_id = ANY($2::uuid[])
ORDER BY severity = 'high' DESC, severity = 'medium' DESC, opened_at, alert_id
"""
_FINDINGS = """
SELECT f.finding_id FROM alert_finding AS l JOIN finding AS f USING (patient_id, finding_id)
WHERE l.patient_id = $1 AND l.alert_id = ANY($2::uuid[]) AND (NOT f.retracted OR $3)
GROUP BY f.patient_id, f.finding_id
ORDER BY f.severity = 'high' DESC, f.severity = 'medium' DESC, f.cleared_at IS NULL DESC, f.opened_at DESC,
    f.finding_id
"""
_DESK = """
SELECT o.name, (
    SELECT a.address FROM message_address AS a
    WHERE a.organisation_id = o.organisation_id AND a.channel = 'phone' AND a.until_at IS NULL
    ORDER BY a.from_at DESC, a.address_id LIMIT 1
) AS telephone
FROM organisation AS o WHERE o.organisation_id = $1
"""
_PEOPLE = "SELECT person_id, name FROM person WHERE person_id = ANY($1::uuid[])"
_CARE = """
SELECT treatment_plan, advance_care, language FROM patient_care
WHERE patient_id = $1 ORDER BY version DESC LIMIT 1
"""
_EVENTS = """
SELECT happened_at, event, to_value, by, why FROM alert_event
WHERE patient_id = $1 AND alert_id = ANY($2::uuid[]) AND happened_at > $3
ORDER BY happened_at, event_no
"""
_REMARKS = """
SELECT taken_at, text FROM (
    SELECT DISTINCT ON (kind, taken_at, device_id) taken_at, void, text FROM reading
    WHERE patient_id = $1 AND taken_at > $2 AND taken_at <= $3 AND text IS NOT NULL
    ORDER BY kind, taken_at, device_id, revision DESC, void DESC
) AS newest
WHERE NOT void ORDER BY taken_at DESC LIMIT $4
"""
_IDENTITY = "SELECT patient_id, sealed, key_id FROM identity_for_letter($1)"


@dataclass(frozen=True, slots=True)
class Told:
    """An organisation as it is told of: name and telephone, where they are known."""

    name: str | None
    telephone: str | None


@dataclass(frozen=True, slots=True)
class CareTold:
    """What a letter tells of a patient's care."""

    treatment_plan: str | None = None
    advance_care: str | None = None
    language: str = "nl"


@dataclass(frozen=True, slots=True)
class EventTold:
    """An event of an alert. **Units**: microseconds since 1970 UTC."""

    at_us: int
    event: AlertEvent
    to_value: str | None
    by: str
    why: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SealedTold:
    """An identity as it is stored."""

    patient_id: UUID
    sealed: bytes
    key_id: str


async def find_message(connection: Connection, message_id: UUID) -> Message | None:
    """A message by its id."""
    row = await connection.fetchrow(_MESSAGE, message_id)
    return None if row is None else message_of(row)


async def find_escalation(connection: Connection, escalation_id: UUID) -> Escalation | None:
    """An escalation by its id."""
    row = await connection.fetchrow(_ESCALATION, escalation_id)
    return None if row is None else escalation_of(row)


async def alerts_told(connection: Connection, patient_id: UUID, alerts: Sequence[UUID]) -> list[Alert]:
    """These alerts of a patient as they are now, the worst first."""
    return [alert_of(row) for row in await connection.fetch(_ALERTS, patient_id, list(alerts))]


async def findings_of(
    connection: Connection, patient_id: UUID, alerts: Sequence[UUID], *, retracted: bool
) -> list[UUID]:
    """The findings of these alerts, the worst first; those that were retracted only where wanted."""
    rows = await connection.fetch(_FINDINGS, patient_id, list(alerts), retracted)
    return [row["finding_id"] for row in rows]


async def told(connection: Connection, organisation_id: UUID) -> Told:
    """An organisation by name and telephone."""
    row = await connection.fetchrow(_DESK, organisation_id)
    return Told(None, None) if row is None else Told(row["name"], row["telephone"])


async def names_of(connection: Connection, people: Sequence[UUID]) -> dict[UUID, str]:
    """People by name."""
    return {row["person_id"]: row["name"] for row in await connection.fetch(_PEOPLE, list(people))}


async def care_told(connection: Connection, patient_id: UUID) -> CareTold:
    """What is known of a patient's care now; nothing of who is known through the log alone."""
    row = await connection.fetchrow(_CARE, patient_id)
    return CareTold() if row is None else CareTold(*row)


async def events_told(
    connection: Connection, patient_id: UUID, alerts: Sequence[UUID], after_us: int
) -> list[EventTold]:
    """What happened to these alerts after a moment, in order."""
    rows = await connection.fetch(_EVENTS, patient_id, list(alerts), to_datetime(after_us))
    return [
        EventTold(
            to_us(row["happened_at"]),
            AlertEvent(row["event"]),
            row["to_value"],
            row["by"],
            json.loads(row["why"] or "{}"),
        )
        for row in rows
    ]


async def remarks(
    connection: Connection, patient_id: UUID, after_us: int, to_us_: int, most: int
) -> list[tuple[int, str]]:
    """What a patient wrote between two moments, the newest, in order of time."""
    rows = await connection.fetch(_REMARKS, patient_id, to_datetime(after_us), to_datetime(to_us_), most)
    return [(to_us(row["taken_at"]), row["text"]) for row in reversed(rows)]


async def sealed_for_letter(connection: Connection, escalation_id: UUID) -> SealedTold | None:
    """Who an escalation is about, sealed; None for who is known through the log alone, or when it is over.

    Whoever looks puts it on record in the same transaction.
    """
    row: asyncpg.Record | None = await connection.fetchrow(_IDENTITY, escalation_id)
    return None if row is None else SealedTold(row["patient_id"], row["sealed"], row["key_id"])
