"""Whether every open alert is looked at again in time: what the auditor asks the database."""

from dataclasses import dataclass
from uuid import UUID

from models.alerts import Alert
from models.clock import to_datetime
from models.db.alerts import alert_of
from models.db.pool import Connection

# Any number: a lock of this database, for as long as a transaction.
_AUDITING = 7_548_473_204

# Not those that are being written at this moment: they will have a step.
_WITHOUT_STEP = """
SELECT a.* FROM alert AS a
WHERE (a.patient_id, a.alert_id) IN (
    SELECT patient_id, alert_id FROM alert WHERE state <> 'resolved'
    UNION SELECT patient_id, alert_id FROM alert WHERE recheck_at IS NOT NULL
) AND a.origin <> 'canary' AND NOT EXISTS (
    SELECT FROM escalation_step AS s
    WHERE (s.patient_id, s.alert_id) = (a.patient_id, a.alert_id) AND s.state = 'due'
)
LIMIT $1
FOR UPDATE OF a SKIP LOCKED
"""

_DUE = """
SELECT count(*) AS number, count(*) FILTER (WHERE due_at <= $2) AS overdue,
    coalesce(extract(epoch FROM $1 - min(due_at)), 0)::float8 AS oldest_s
FROM escalation_step WHERE state = 'due' AND due_at <= $1
"""

_LATE_MESSAGES = """
SELECT m.patient_id, told.alert_id
FROM message AS m CROSS JOIN LATERAL unnest(m.alerts) AS told (alert_id)
WHERE m.state IN ('due', 'attempted') AND m.deliver_by <= $1
LIMIT $2
"""

_UNTOLD = """
SELECT e.patient_id, e.alert_id FROM escalation AS e
WHERE e.state IN ('asked', 'accepted') AND e.asked_by IS NULL AND e.delivered_at IS NULL AND e.asked_at <= $1
  AND NOT EXISTS (
    SELECT FROM message AS m WHERE m.patient_id = e.patient_id
      AND (m.escalation_id = e.escalation_id OR e.escalation_id = ANY (m.joined))
)
LIMIT $2
"""

# The alert first, as everybody who writes both; who holds it is looking at it.
_BRING_FORWARD = """
WITH held AS (
    SELECT a.patient_id, a.alert_id
    FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
    JOIN alert AS a USING (patient_id, alert_id)
    ORDER BY a.patient_id, a.created_at, a.alert_id
    FOR UPDATE OF a SKIP LOCKED
)
UPDATE escalation_step AS s SET due_at = $3, why = $4 FROM held
WHERE (s.patient_id, s.alert_id) = (held.patient_id, held.alert_id) AND s.state = 'due' AND s.due_at > $3
"""

Key = tuple[UUID, UUID]
"""An alert: its patient, itself."""


@dataclass(frozen=True, slots=True)
class Due:
    """Steps that are due: how many, how many of them for too long, and the oldest. **Units**: seconds."""

    steps: int
    overdue: int
    oldest_s: float


async def may_audit(connection: Connection) -> bool:
    """Whether nobody else audits at this moment; until the end of the transaction nobody else will."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _AUDITING))


async def without_step(connection: Connection, limit: int) -> list[Alert]:
    """Alerts that are open, or to be rechecked, and that nobody will look at again; locked."""
    return [alert_of(row) for row in await connection.fetch(_WITHOUT_STEP, limit)]


async def due_steps(connection: Connection, now_us: int, overdue_before_us: int) -> Due:
    """The steps that are due now, and those of them that were due at that moment already."""
    (row,) = await connection.fetch(_DUE, to_datetime(now_us), to_datetime(overdue_before_us))
    return Due(row["number"], row["overdue"], row["oldest_s"])


async def late_messages(connection: Connection, before_us: int, limit: int) -> list[Key]:
    """The alerts of messages that should have been there at that moment, and are not."""
    rows = await connection.fetch(_LATE_MESSAGES, to_datetime(before_us), limit)
    return [(row["patient_id"], row["alert_id"]) for row in rows]


async def untold_escalations(connection: Connection, before_us: int, limit: int) -> list[Key]:
    """The alerts that the ladder handed to somebody before that moment, whom no message tells of it."""
    rows = await connection.fetch(_UNTOLD, to_datetime(before_us), limit)
    return [(row["patient_id"], row["alert_id"]) for row in rows]


async def look_now(connection: Connection, keys: list[Key], now_us: int, why: str) -> None:
    """These alerts are looked at now, but for those that somebody holds at this moment."""
    if keys:
        await connection.execute(
            _BRING_FORWARD,
            [patient for patient, _ in keys],
            [key for _, key in keys],
            to_datetime(now_us),
            why,
        )
