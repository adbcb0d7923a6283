"""What the watch looks at: whether the canaries came through, whether steps are worked off, who is alive."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from models.clock import to_datetime
from models.db.pool import Connection

AUDITOR = "auditor"
"""The name under which the auditor of the dispatchers gives its sign of life."""

_STORED = """
SELECT w.place FROM unnest($1::uuid[], $2::smallint[], $3::timestamptz[])
    WITH ORDINALITY AS w (patient_id, kind, taken_at, place)
WHERE EXISTS (
    SELECT FROM reading AS r WHERE (r.patient_id, r.kind, r.taken_at) = (w.patient_id, w.kind, w.taken_at)
)
"""

_ALERTED = """
SELECT w.place FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS w (patient_id, finding_id, place)
WHERE EXISTS (
    SELECT FROM alert_finding AS l WHERE (l.patient_id, l.finding_id) = (w.patient_id, w.finding_id)
)
"""

_SIGN = """
INSERT INTO sign_of_life AS s (name, at) VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT sign_of_life_pkey DO UPDATE SET at = greatest(s.at, excluded.at)
"""


async def stored(
    connection: Connection, kind: int, readings: Sequence[tuple[UUID, int]]
) -> list[tuple[UUID, int]]:
    """Those readings of a kind, by patient and time in microseconds, that are stored."""
    rows = await connection.fetch(
        _STORED,
        [patient_id for patient_id, _ in readings],
        [kind] * len(readings),
        [to_datetime(taken_at_us) for _, taken_at_us in readings],
    )
    return [readings[row["place"] - 1] for row in rows]


async def alerted(connection: Connection, findings: Sequence[tuple[UUID, UUID]]) -> list[tuple[UUID, UUID]]:
    """Those findings, by patient and id, that came out as an alert."""
    rows = await connection.fetch(_ALERTED, [who for who, _ in findings], [key for _, key in findings])
    return [findings[row["place"] - 1] for row in rows]


async def overdue_s(connection: Connection, now_us: int) -> float:
    """For how long the step that is due longest has been due, in seconds; 0 when none is."""
    due_at: datetime | None = await connection.fetchval(
        "SELECT min(due_at) FROM escalation_step WHERE state = 'due' AND due_at < $1", to_datetime(now_us)
    )
    return 0.0 if due_at is None else (to_datetime(now_us) - due_at).total_seconds()


async def open_troubles(connection: Connection) -> dict[str, int]:
    """How many technical alerts are open, by what the trouble is."""
    rows = await connection.fetch(
        "SELECT trouble, count(*) AS number FROM technical_alert WHERE resolved_at IS NULL GROUP BY trouble"
    )
    return {row["trouble"]: row["number"] for row in rows}


async def give_sign(connection: Connection, name: str, now_us: int) -> None:
    """Says that something is alive. **Units**: `now_us` by the wall clock, microseconds since 1970 UTC."""
    await connection.execute(_SIGN, name, to_datetime(now_us))


async def silent_s(connection: Connection, name: str, now_us: int) -> float | None:
    """For how many seconds something has given no sign of life; None where it never gave one."""
    at: datetime | None = await connection.fetchval("SELECT at FROM sign_of_life WHERE name = $1", name)
    return None if at is None else max(0.0, (to_datetime(now_us) - at).total_seconds())


async def prune(connection: Connection, canaries: Sequence[UUID], before_us: int) -> int:
    """Lets go of what came of canaries before a moment; how many readings went."""
    gone = 0
    for canary in canaries:
        gone += await connection.fetchval("SELECT prune_canary($1, $2)", canary, to_datetime(before_us))
    return gone
