"""What the dispatcher has to know of the alerts that it looks at: a few queries, however many alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.alerts import Alert, AlertHappening
from models.clock import to_datetime
from models.db.alerts import happening_of
from models.db.outbox import message_of
from models.db.pool import Connection
from models.escalations import Message
from models.findings import Severity

_NEWS = """
SELECT e.* FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
JOIN alert AS a USING (patient_id, alert_id)
JOIN alert_event AS e ON (e.patient_id, e.alert_id) = (a.patient_id, a.alert_id)
    AND e.event_no > a.heard_event_no
ORDER BY e.event_no
"""

_REASONS = """
SELECT l.patient_id, l.alert_id, f.finding_id, f.programme, f.severity, f.retracted,
    f.cleared_at IS NULL AND NOT f.retracted AS holds,
    EXISTS (
        SELECT FROM alert_finding AS later JOIN alert AS n USING (patient_id, alert_id)
        WHERE (later.patient_id, later.finding_id) = (l.patient_id, l.finding_id)
          AND later.alert_id <> l.alert_id
          AND (later.joined_at, n.created_at) > (l.joined_at, a.created_at)
    ) AS moved
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
JOIN alert AS a USING (patient_id, alert_id)
JOIN alert_finding AS l USING (patient_id, alert_id)
JOIN finding AS f USING (patient_id, finding_id)
ORDER BY l.patient_id, l.alert_id, f.finding_id
"""

_MESSAGES = """
SELECT * FROM message
WHERE patient_id = ANY($1::uuid[]) AND alerts && $2::uuid[] AND kind IN ('escalation', 'question')
"""

# Who is in hospital, whose follow-up has ended, and for which signals an alert is open. Values, not
# EXISTS: for that the planner would read the changes of everybody once.
_RECHECKS = """
SELECT wanted.alert_id,
    (
        SELECT o.alert_id FROM alert AS a JOIN alert AS o USING (patient_id, signal)
        WHERE (a.patient_id, a.alert_id) = (wanted.patient_id, wanted.alert_id) AND o.state <> 'resolved'
        LIMIT 1
    ) AS another,
    coalesce((
        SELECT true FROM patient_change AS c
        WHERE c.patient_id = wanted.patient_id AND c.change ? 'end' AND c.effective_from <= $3 LIMIT 1
    ), false) AS ended,
    coalesce((
        SELECT c.change ? 'admit' FROM patient_change AS c
        WHERE c.patient_id = wanted.patient_id AND c.change ?| ARRAY['admit', 'discharge']
          AND c.effective_from <= $3
        ORDER BY c.effective_from DESC, c.log_offset DESC LIMIT 1
    ), false) AS admitted
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
"""

_HEARD = """
UPDATE alert AS a SET heard_event_no = (
    SELECT max(e.event_no) FROM alert_event AS e WHERE (e.patient_id, e.alert_id) = (a.patient_id, a.alert_id)
)
FROM unnest($1::uuid[], $2::uuid[]) AS heard (patient_id, alert_id)
WHERE (a.patient_id, a.alert_id) = (heard.patient_id, heard.alert_id)
"""


@dataclass(frozen=True, slots=True)
class StoredReason:
    """A finding of an alert. `moved`: it has become a reason of a later alert."""

    alert_id: UUID
    finding_id: UUID
    programme: str
    severity: Severity
    holds: bool
    retracted: bool
    moved: bool


@dataclass(frozen=True, slots=True)
class Around:
    """What matters when an alert is rechecked."""

    another: UUID | None
    ended: bool
    admitted: bool


async def load_news(connection: Connection, alerts: Sequence[Alert]) -> list[tuple[int, AlertHappening]]:
    """What happened to these alerts since the dispatcher looked last, in order."""
    rows = await connection.fetch(_NEWS, *_keys(alerts))
    return [(row["event_no"], happening_of(row)) for row in rows]


async def load_standing(connection: Connection, alerts: Sequence[Alert]) -> list[StoredReason]:
    """The findings of these alerts, and how they stand."""
    return [
        StoredReason(
            alert_id=row["alert_id"],
            finding_id=row["finding_id"],
            programme=row["programme"],
            severity=Severity(row["severity"]),
            holds=row["holds"],
            retracted=row["retracted"],
            moved=row["moved"],
        )
        for row in await connection.fetch(_REASONS, *_keys(alerts))
    ]


async def load_carrying(connection: Connection, alerts: Sequence[Alert]) -> list[Message]:
    """The messages by which these alerts were handed to somebody, or asked about."""
    if not alerts:
        return []
    return [message_of(row) for row in await connection.fetch(_MESSAGES, *_keys(alerts))]


async def load_around(connection: Connection, alerts: Sequence[Alert], now_us: int) -> dict[UUID, Around]:
    """For alerts to be rechecked: what else is open, and what holds for the patient."""
    if not alerts:
        return {}
    rows = await connection.fetch(_RECHECKS, *_keys(alerts), to_datetime(now_us))
    return {row["alert_id"]: Around(row["another"], row["ended"], row["admitted"]) for row in rows}


async def write_heard(connection: Connection, alerts: Sequence[Alert]) -> None:
    """All that has happened to these alerts (locked by the caller) was heard."""
    if alerts:
        await connection.execute(_HEARD, *_keys(alerts))


def _keys(alerts: Sequence[Alert]) -> tuple[list[UUID], list[UUID]]:
    return [alert.patient_id for alert in alerts], [alert.alert_id for alert in alerts]
