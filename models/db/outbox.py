"""The outbox: messages written with the transition that they tell of, and what becomes of them."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

import asyncpg

from models.alerts import Alert
from models.clock import to_datetime, to_datetime_or_none, to_us, to_us_or_none
from models.db.alerts import alert_of
from models.db.escalations import escalation_of
from models.db.pool import Connection
from models.escalations import Channel, Escalation, Message, MessageKind, MessageState
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
    escalation_id, corrects, body, number, due_at, deliver_by, joined, give_up_at, state, delivered_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::jsonb, $14, $15, $16, $17, $18, $19, $20)
"""

# What a sender holds at this moment is on its way: it is not waited for, and takes nothing in.
_UNSENT = """
SELECT * FROM message
WHERE patient_id = ANY($1::uuid[]) AND to_id IS NOT NULL AND state = 'due' AND attempts = 0
  AND pulled_at IS NULL
ORDER BY to_id, number
FOR UPDATE SKIP LOCKED
"""

_REWRITE = """
UPDATE message SET severity = $3, alerts = $4, joined = $5, body = $6::jsonb, due_at = $7, deliver_by = $8,
    give_up_at = $9
WHERE (patient_id, message_id) = ($1, $2)
"""

_ACCEPTED = """
UPDATE message SET state = 'accepted', accepted_at = $2, seen_at = coalesce(seen_at, $2), over_at = $2
WHERE patient_id = $1 AND (escalation_id = $3 OR $3 = ANY(joined)) AND state IN ('delivered', 'seen')
"""

_SEEN = """
UPDATE message SET state = 'seen', seen_at = $3
WHERE (patient_id, message_id) = ($1, $2) AND state = 'delivered'
RETURNING true
"""

_PULL = "SELECT * FROM pull_messages($1, $2, $3)"

_NEWEST = "SELECT coalesce(max(number), 0) FROM recipient_count WHERE organisation_id = $1"


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


async def unsent(connection: Connection, patients: Collection[UUID]) -> list[Message]:
    """Messages to organisations about these patients that nobody has begun to send or has pulled; locked.

    Of each recipient in their order.
    """
    return [message_of(row) for row in await connection.fetch(_UNSENT, list(patients))]


async def rewrite(connection: Connection, messages: Collection[Message]) -> None:
    """Stores what messages that were not sent yet (locked by the caller) say from now on, and by when."""
    rows = [
        (m.patient_id, m.message_id, m.severity, list(m.alerts), list(m.joined), m.body,
         to_datetime(m.due_at_us), to_datetime_or_none(m.deliver_by_us), to_datetime_or_none(m.give_up_at_us))
        for m in messages
    ]  # fmt: skip
    if rows:
        await connection.executemany(_REWRITE, rows)


async def accepted(connection: Connection, patient_id: UUID, escalation_id: UUID, at_us: int) -> None:
    """Whatever carried this escalation to somebody was accepted, for a named person accepted it."""
    await connection.execute(_ACCEPTED, patient_id, to_datetime(at_us), escalation_id)


async def seen(connection: Connection, patient_id: UUID, message_id: UUID, at_us: int) -> bool:
    """Somebody opened this message; False when it was not merely delivered."""
    return await connection.fetchval(_SEEN, patient_id, message_id, to_datetime(at_us)) is not None


async def load_message(connection: Connection, message_id: UUID) -> Message | None:
    """One message as it is now."""
    row = await connection.fetchrow("SELECT * FROM message WHERE message_id = $1", message_id)
    return None if row is None else message_of(row)


async def pull(connection: Connection, after: int, limit: int, at_us: int) -> list[Message]:
    """The messages to the declared user's organisation after this number, in order, without a gap.

    Those up to it that were pulled before have arrived by that.
    """
    return [message_of(row) for row in await connection.fetch(_PULL, after, limit, to_datetime(at_us))]


async def newest_number(connection: Connection, organisation_id: UUID) -> int:
    """The number of the last message to an organisation; 0: there was none yet."""
    number: int = await connection.fetchval(_NEWEST, organisation_id)
    return number


async def alerts_told(connection: Connection, messages: Collection[Message]) -> list[Alert]:
    """The alerts that messages to the declared user's organisation speak of, for who pulls them."""
    rows = await connection.fetch("SELECT * FROM alerts_told($1)", [m.message_id for m in messages])
    return [alert_of(row) for row in rows]


async def escalations_told(connection: Connection, messages: Collection[Message]) -> list[Escalation]:
    """By which escalations messages to the declared user's organisation came about, for who pulls them."""
    rows = await connection.fetch("SELECT * FROM escalations_told($1)", [m.message_id for m in messages])
    return [escalation_of(row) for row in rows]


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
        attempted_at_us=to_us_or_none(row["attempted_at"]),
        delivered_at_us=to_us_or_none(row["delivered_at"]),
        seen_at_us=to_us_or_none(row["seen_at"]),
        accepted_at_us=to_us_or_none(row["accepted_at"]),
        over_at_us=to_us_or_none(row["over_at"]),
        deliver_by_us=to_us_or_none(row["deliver_by"]),
        why=row["why"],
        joined=tuple(row["joined"]),
        give_up_at_us=to_us_or_none(row["give_up_at"]),
    )


def _row(m: Message) -> tuple[object, ...]:
    return (
        m.patient_id, m.message_id, m.organisation_id, m.origin, m.kind, m.channel, m.severity,
        list(m.alerts), m.to_id, m.person_id, m.escalation_id, m.corrects, m.body, m.number,
        to_datetime(m.due_at_us), to_datetime_or_none(m.deliver_by_us), list(m.joined),
        to_datetime_or_none(m.give_up_at_us), m.state, to_datetime_or_none(m.delivered_at_us),
    )  # fmt: skip
