"""What was asked of the declared user's organisation: open, and over in the last day."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.db.escalations import escalation_of
from models.db.outbox import message_of
from models.db.pool import Connection
from models.escalations import Escalation, Message
from models.findings import Severity, Signal

# Each half by its own index. The fences show whole patients, of whom others were asked other things.
_ESCALATIONS = """
SELECT * FROM escalation WHERE to_organisation_id = (SELECT declared_organisation())
  AND state IN ('asked', 'accepted')
UNION ALL
SELECT * FROM escalation WHERE to_organisation_id = (SELECT declared_organisation())
  AND over_at > statement_timestamp() - interval '1 day'
"""
_ONE = """
SELECT * FROM escalation WHERE escalation_id = $1 AND to_organisation_id = (SELECT declared_organisation())
"""
# Until when somebody is to accept stands in the message that asked; of several that joined, the first.
_ASKED = """
SELECT e.*, a.severity, a.signal, a.version AS alert_version, p.wijk, (
    SELECT min((m.body->>'by_us')::bigint) FROM message AS m WHERE m.escalation_id = e.escalation_id
) AS by_us
FROM ({escalations}) AS e JOIN alert AS a USING (patient_id, alert_id)
LEFT JOIN patient AS p USING (patient_id)
WHERE a.origin <> 'canary'
ORDER BY (e.over_at IS NULL) DESC, e.request = 'acute' DESC, e.over_at DESC, e.asked_at, e.escalation_id
LIMIT {most}
"""
_SENT = """
SELECT * FROM message WHERE escalation_id = $1 AND kind IN ('escalation', 'question')
ORDER BY written_at, message_id LIMIT 1
"""
MOST = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """An escalation to one's own organisation, and how the alert stands that it is about.

    **Units**: microseconds since 1970 UTC. `by_us`: until when an answer, or that somebody takes over, is
    asked for. `alert_version` is what a decision is about.
    """

    escalation: Escalation
    severity: Severity
    signal: Signal
    alert_version: int
    wijk: str | None
    by_us: int | None


async def list_asked(connection: Connection) -> list[Asked]:
    """All of them that the declared user may see: open before over, what is acute first, then the oldest."""
    rows = await connection.fetch(_ASKED.format(escalations=_ESCALATIONS, most=MOST))
    return [_asked(row) for row in rows]


async def find_asked(connection: Connection, escalation_id: UUID) -> Asked | None:
    """One of them; None where there is none, or it was asked of others, or may not be seen."""
    row = await connection.fetchrow(_ASKED.format(escalations=_ONE, most=1), escalation_id)
    return None if row is None else _asked(row)


async def find_sent(connection: Connection, escalation: Escalation) -> Message | None:
    """The message that asked this alone or first; None where none was needed."""
    row = await connection.fetchrow(_SENT, escalation.escalation_id)
    return None if row is None else message_of(row)


def _asked(row: asyncpg.Record) -> Asked:
    escalation = escalation_of(row)
    return Asked(
        escalation=escalation,
        severity=Severity(row["severity"]),
        signal=Signal(row["signal"]),
        alert_version=row["alert_version"],
        wijk=row["wijk"],
        by_us=escalation.answer_by_us or row["by_us"],
    )
