"""Messages on their way: who sends which, and what came of it. Sending itself is outside any transaction.

Whoever claims a message holds it for a while by the wall's clock. When they die with it in their hands, it is
claimed again after that and sent once more, under the same id.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models.clock import to_datetime, to_datetime_or_none
from models.db.outbox import message_of
from models.db.pool import Connection
from models.escalations import Channel, Message, MessageState

# A later message to a recipient waits for an earlier one of the same patient: on the same channel until that
# is delivered or given up; on another until that channel was tried once, for a dead one does not hold up the
# others; what corrects a message waits for that one. Pulled messages wait for their recipient, and hold up
# nobody.
_DUE = """
SELECT m.* FROM message AS m
WHERE m.state IN ('due', 'attempted') AND coalesce(m.next_attempt_at, m.due_at) <= $1
  AND (m.claimed_until IS NULL OR m.claimed_until < clock_timestamp())
  AND m.channel NOT IN ('worklist', 'pull')
  AND m.channel || ' ' || coalesce(m.to_id::text, '') <> ALL ($2::text[])
  AND NOT EXISTS (
    SELECT FROM message AS e
    WHERE e.patient_id = m.patient_id AND e.state IN ('due', 'attempted')
      AND e.channel NOT IN ('worklist', 'pull')
      AND e.to_id IS NOT DISTINCT FROM m.to_id AND e.person_id IS NOT DISTINCT FROM m.person_id
      AND coalesce(e.number < m.number, (e.written_at, e.message_id) < (m.written_at, m.message_id))
      AND (
        e.channel = m.channel OR e.message_id = m.corrects
        OR (
          e.attempts = 0 AND e.channel || ' ' || coalesce(e.to_id::text, '') <> ALL ($2::text[])
          AND NOT EXISTS (
            SELECT FROM message AS f
            WHERE f.patient_id = e.patient_id AND f.state = 'attempted' AND f.channel = e.channel
              AND f.to_id IS NOT DISTINCT FROM e.to_id AND f.person_id IS NOT DISTINCT FROM e.person_id
          )
        )
      )
  )
ORDER BY
  (CASE m.severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END), coalesce(m.next_attempt_at, m.due_at)
LIMIT $3
FOR UPDATE OF m SKIP LOCKED
"""

_TOO_LATE = """
SELECT m.* FROM message AS m
WHERE m.state IN ('due', 'attempted') AND m.give_up_at < $1
  AND (m.claimed_until IS NULL OR m.claimed_until < clock_timestamp()) AND m.channel <> 'worklist'
ORDER BY m.give_up_at
LIMIT $2
"""

_TAKE = """
UPDATE message AS m SET
    state = 'attempted', attempts = m.attempts + 1, attempted_at = $2,
    claimed_until = clock_timestamp() + t.lease, give_up_at = coalesce(m.give_up_at, t.give_up_at)
FROM unnest($1::uuid[], $3::uuid[], $4::interval[], $5::timestamptz[])
    AS t (patient_id, message_id, lease, give_up_at)
WHERE (m.patient_id, m.message_id) = (t.patient_id, t.message_id)
"""

# Who held it too long may find that somebody else has it now; who answers faster than we write has seen it.
_DELIVERED = """
UPDATE message SET
    state = CASE WHEN state IN ('seen', 'accepted') THEN state ELSE 'delivered' END,
    delivered_at = coalesce(delivered_at, $3), over_at = coalesce(over_at, $4), why = NULL,
    next_attempt_at = NULL, claimed_until = NULL
WHERE (patient_id, message_id) = ($1, $2)
RETURNING true
"""

_RECORD = """
UPDATE message SET state = $4, next_attempt_at = $5, over_at = $6, why = $7, claimed_until = NULL,
    attempts = $8, attempted_at = CASE WHEN $8 = 0 THEN NULL ELSE attempted_at END
WHERE (patient_id, message_id) = ($1, $2) AND attempts = $3 AND state IN ('due', 'attempted')
RETURNING true
"""

_ARRIVED = """
UPDATE escalation SET delivered_at = $3
WHERE patient_id = $1 AND escalation_id = ANY($2::uuid[]) AND delivered_at IS NULL
"""

_CLOSE_UNANSWERED = """
UPDATE message SET over_at = $1, why = 'never answered'
WHERE (patient_id, message_id) IN (
    SELECT patient_id, message_id FROM message
    WHERE state IN ('delivered', 'seen') AND over_at IS NULL AND delivered_at < $2
    ORDER BY delivered_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
"""

_WAITING = """
SELECT channel, count(*) AS number, extract(epoch FROM $1 - min(due_at))::float8 AS oldest_s
FROM message WHERE state IN ('due', 'attempted') AND due_at <= $1 GROUP BY channel
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is ours to send. **Units**: `lease_s` in seconds of the wall, from now on."""

    message: Message
    lease_s: float
    give_up_at_us: int


def endpoint_of(message: Message) -> str:
    """What takes a message: all of a channel's messages to one organisation end in one place.

    That of patients is their vendors', whom the channel knows.
    """
    return f"{message.channel} {message.to_id or ''}"


async def due(connection: Connection, now_us: int, limit: int, busy: Collection[str]) -> list[Message]:
    """Messages that may be sent now, the worst first, not to endpoints that are busy; locked."""
    rows = await connection.fetch(_DUE, to_datetime(now_us), list(busy), limit)
    return [message_of(row) for row in rows]


async def too_late(connection: Connection, now_us: int, limit: int) -> list[Message]:
    """Messages that were tried for long enough, and that nobody is trying at this moment; not locked."""
    rows = await connection.fetch(_TOO_LATE, to_datetime(now_us), limit)
    return [message_of(row) for row in rows]


async def take(connection: Connection, taken: Sequence[Taken], now_us: int) -> None:
    """These (locked by the caller) are being sent: each counts as attempted from now on, whatever happens."""
    if taken:
        await connection.execute(
            _TAKE,
            [t.message.patient_id for t in taken],
            to_datetime(now_us),
            [t.message.message_id for t in taken],
            [timedelta(seconds=t.lease_s) for t in taken],
            [to_datetime(t.give_up_at_us) for t in taken],
        )


async def record(
    connection: Connection, message: Message, next_attempt_us: int | None, *, held_attempts: int
) -> bool:
    """Stores what came of an attempt; False when it is not ours any more, and nothing was stored.

    `held_attempts`: how many it had when we claimed it, or looked at it; fewer in the message: it was not
    sent after all. What was delivered is delivered, whoever holds it now.
    """
    key = message.patient_id, message.message_id
    if message.state is MessageState.DELIVERED:
        stored = await connection.fetchval(
            _DELIVERED,
            *key,
            to_datetime_or_none(message.delivered_at_us),
            to_datetime_or_none(message.over_at_us),
        )
    else:
        stored = await connection.fetchval(
            _RECORD,
            *key,
            held_attempts,
            message.state,
            to_datetime_or_none(next_attempt_us),
            to_datetime_or_none(message.over_at_us),
            message.why,
            message.attempts,
        )
    return stored is not None


async def arrived(
    connection: Connection, patient_id: UUID, escalations: Collection[UUID], at_us: int
) -> None:
    """A message that carries these escalations was delivered. The caller has locked their alerts."""
    await connection.execute(_ARRIVED, patient_id, list(escalations), to_datetime(at_us))


async def close_unanswered(connection: Connection, now_us: int, delivered_before_us: int, limit: int) -> None:
    """Of messages that were delivered so long ago nobody expects an answer any more: the ladder went on."""
    await connection.execute(_CLOSE_UNANSWERED, to_datetime(now_us), to_datetime(delivered_before_us), limit)


async def waiting(connection: Connection, now_us: int) -> dict[Channel, tuple[int, float]]:
    """How many messages of each channel are due and not delivered, and how long the oldest has been.

    **Units**: seconds.
    """
    rows = await connection.fetch(_WAITING, to_datetime(now_us))
    return {Channel(row["channel"]): (row["number"], row["oldest_s"]) for row in rows}
