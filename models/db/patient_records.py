"""Patients for people to look at: who there are, what was done about their alerts, what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.alerts import Alert, AlertHappening
from models.clock import to_datetime, to_us
from models.db.alerts import alert_of, happening_of
from models.db.pool import Connection
from models.db.worklist import keys_of
from models.messages import AnyChange
from models.register import change_of

# The page first, what stands beside each patient after: for as many rows as are shown.
_PATIENTS = """
WITH page AS (
    SELECT r.patient_id, r.entered_at FROM registration AS r
    WHERE $1::timestamptz IS NULL OR (r.entered_at, r.patient_id) < ($1, $2)
    ORDER BY r.entered_at DESC, r.patient_id DESC LIMIT $3
)
SELECT page.*, care.wijk, care.ended_at, (
    SELECT count(*) FROM alert AS a WHERE a.patient_id = page.patient_id AND a.state <> 'resolved'
) AS alerts
FROM page LEFT JOIN LATERAL (
    SELECT c.wijk, c.ended_at FROM patient_care AS c WHERE c.patient_id = page.patient_id
    ORDER BY c.version DESC LIMIT 1
) AS care ON true
ORDER BY page.entered_at DESC, page.patient_id DESC
"""

# As the register decided it; of who is known through the log alone, as the log has it.
_CHANGES = """
SELECT number, valid_from_us, change::text AS change, by, decided_at
FROM register_change WHERE patient_id = $1
UNION ALL
SELECT 0, (extract(epoch FROM p.valid_from) * 1000000)::bigint, p.change::text, NULL, p.valid_from
FROM patient_change AS p WHERE p.patient_id = $1 AND NOT EXISTS (
    SELECT FROM register_change AS c WHERE (c.patient_id, c.change_id) = ($1, p.change_id)
)
ORDER BY 1, 5
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A patient in the list: since when they are registered, how many alerts are open."""

    patient_id: UUID
    entered_at: datetime
    wijk: str | None
    has_ended: bool
    alerts: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One change of a patient: from when it holds, who decided it and when; of the log's own, nobody of ours.

    **Units**: microseconds since 1970 UTC.
    """

    valid_from_us: int
    change: AnyChange
    by: UUID | None
    decided_at_us: int


async def patients(
    connection: Connection, *, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[Row]:
    """Patients whom the declared user sees, the newest first, from a place in that order on."""
    at, patient_id = before or (None, None)
    rows = await connection.fetch(_PATIENTS, at, patient_id, limit)
    return [
        Row(row["patient_id"], row["entered_at"], row["wijk"], row["ended_at"] is not None, row["alerts"])
        for row in rows
    ]


async def alerts_of(connection: Connection, patient_id: UUID, most: int) -> list[Alert]:
    """The newest alerts of a patient that are for the declared user, the newest first."""
    rows = await connection.fetch(
        "SELECT * FROM alert WHERE patient_id = $1 ORDER BY opened_at DESC, alert_id LIMIT $2",
        patient_id,
        most,
    )
    shown = await keys_of(connection, [row["alert_id"] for row in rows])
    return [alert_of(row) for row in rows if row["alert_id"] in shown]


async def happened_to(
    connection: Connection, patient_id: UUID, alerts: Sequence[UUID]
) -> list[AlertHappening]:
    """What happened to these alerts of a patient, in order."""
    rows = await connection.fetch(
        "SELECT * FROM alert_event WHERE patient_id = $1 AND alert_id = ANY($2::uuid[]) ORDER BY event_no",
        patient_id,
        list(alerts),
    )
    return [happening_of(row) for row in rows]


async def decisions_of(connection: Connection, patient_id: UUID) -> list[Decision]:
    """What was decided about a patient, in order, by whom."""
    rows = await connection.fetch(_CHANGES, patient_id)
    return [
        Decision(row["valid_from_us"], change_of(row["change"]), row["by"], to_us(row["decided_at"]))
        for row in rows
    ]


def place_of(text: str) -> tuple[datetime, UUID]:
    """A place in the list as an address carries it. **Raises**: ValueError."""
    at_us, _, key = text.partition(".")
    return to_datetime(int(at_us)), UUID(hex=key)


def place_after(row: Row) -> str:
    """The place after a patient, as an address carries it."""
    return f"{to_us(row.entered_at)}.{row.patient_id.hex}"
