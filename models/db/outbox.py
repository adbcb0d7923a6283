"""The outbox: messages written with the transition that they tell of, and what becomes of them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg

from models.clock import to_datetime, to_us
from models.db.pool import Connection
from models.escalations import Channel, Message, MessageKind, MessageState
from models.findings import Severity
from models.messages import Origin

# Recipients in one order, so that two transactions never wait for each other.
_COUNT = """
INSERT INTO recipient_count AS c (organisation_id, number)
SELECT organisation_id, number FROM unnest($1::uuid[], $2::bigint[]) AS t (organisation_id, number)
ORDER BY organisation_id
ON CONFLICT ON CONSTRAINT recipient_count_pkey DO UPDATE SET number = c.number + excluded.number
RETURNING organisation_id, number
"""

_ADD = """
INSERT INTO message (
    patient_id, message_id, organisation_id, origin, kind, channel, severity, alerts, to_id, person_id,
    escalation_id, corrects, body, number, due_at, deliver_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::jsonb, $14, $15, $16)
"""


async def add_messages(connection: Connection, messages: Collection[Message]) -> list[Message]:
    """Puts new messages into the outbox; gives them with their numbers, without a gap for each recipient."""
    wanted: dict[UUID, int] = {}
    for message in messages:
        if message.to_id is not None:
            wanted[message.to_id] = wanted.get(message.to_id, 0) + 1
    following: dict[UUID, int] = {}
    if wanted:
        rows = await connection.fetch(_COUNT, list(wanted), list(wanted.values()))
        following = {r["organisation_id"]: r["number"] - wanted[r["organisation_id"]] + 1 for r in rows}
    numbered: list[Message] = []
    for message in messages:
        if message.to_id is None:
            numbered.append(message)
            continue
        numbered.append(replace(message, number=following[message.to_id]))
        following[message.to_id] += 1
    await connection.executemany(_ADD, [_row(message) for message in numbered])
    return numbered


def message_of(row: asyncpg.Record) -> Message:
    """A message from a row with all columns of its table."""
    return Message(
        message_id=row["message_id"],
        patient_id=row["patient_id"],
        organisation_id=row["organisation_id"],
        origin=Origin(row["origin"]),
        kind=MessageKind(row["kind"]),
        channel=Channel(row["channel"]),
        severity=Severity(row["severity"]),
        alerts=tuple(row["alerts"]),
        due_at_us=to_us(row["due_at"]),
        to_id=row["to_id"],
        person_id=row["person_id"],
        escalation_id=row["escalation_id"],
        corrects=row["corrects"],
        body=row["body"],
        state=MessageState(row["state"]),
        number=row["number"],
        attempts=row["attempts"],
        attempted_at_us=_us(row["attempted_at"]),
        delivered_at_us=_us(row["delivered_at"]),
        seen_at_us=_us(row["seen_at"]),
        accepted_at_us=_us(row["accepted_at"]),
        over_at_us=_us(row["over_at"]),
        deliver_by_us=_us(row["deliver_by"]),
        why=row["why"],
    )


def _row(m: Message) -> tuple[object, ...]:
    return (
        m.patient_id, m.message_id, m.organisation_id, m.origin, m.kind, m.channel, m.severity,
        list(m.alerts), m.to_id, m.person_id, m.escalation_id, m.corrects, m.body, m.number,
        to_datetime(m.due_at_us), None if m.deliver_by_us is None else to_datetime(m.deliver_by_us),
    )  # fmt: skip


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)
