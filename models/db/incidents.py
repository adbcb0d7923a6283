"""Incidents: silent sources, and the alerts that they hold back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.clock import to_datetime, to_us, to_us_or_none
from models.db.pool import Connection

_OPEN = """
INSERT INTO incident (incident_id, source, began_at, noticed_at, patients)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (source) WHERE ended_at IS NULL DO NOTHING
"""

# A patient's source is that of the newest reading: for each kind the newest by its key, of these the newest.
_TO_HOLD_BACK = """
SELECT a.patient_id, a.alert_id, i.incident_id
FROM alert AS a
CROSS JOIN LATERAL (
    SELECT of_kind.source
    FROM kind AS k
    CROSS JOIN LATERAL (
        SELECT reading.source, reading.taken_at FROM reading
        WHERE reading.patient_id = a.patient_id AND reading.kind = k.number AND reading.taken_at >= $1
        ORDER BY reading.taken_at DESC
        LIMIT 1
    ) AS of_kind
    ORDER BY of_kind.taken_at DESC
    LIMIT 1
) AS newest
JOIN incident AS i ON i.source = newest.source AND i.ended_at IS NULL AND i.let_through_at IS NULL
    AND a.opened_at >= i.began_at
WHERE a.signal = 'silence' AND a.state = 'open' AND a.owner IS NULL AND a.held_back IS NULL
  AND a.cleared_at IS NULL AND NOT a.retracted AND a.opened_at >= $2
  AND NOT EXISTS (
    SELECT FROM incident_alert AS h WHERE (h.patient_id, h.alert_id) = (a.patient_id, a.alert_id)
  )
ORDER BY a.patient_id, a.alert_id
LIMIT $3
"""

_KEEP_HELD = """
WITH held AS (
    INSERT INTO incident_alert (patient_id, alert_id, organisation_id, incident_id, held_at)
    SELECT a.patient_id, a.alert_id, a.organisation_id, h.incident_id, $4
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS h (patient_id, alert_id, incident_id)
    JOIN alert AS a USING (patient_id, alert_id)
    RETURNING incident_id
)
UPDATE incident AS i SET held_back = held_back + n.number
FROM (SELECT incident_id, count(*)::integer AS number FROM held GROUP BY incident_id) AS n
WHERE i.incident_id = n.incident_id
"""

_HELD = """
SELECT h.patient_id, h.alert_id, h.incident_id, h.held_at, i.ended_at,
    i.let_through_at IS NOT NULL AS let_through,
    (extract(epoch FROM clock_timestamp() - h.written_at) * 1000000)::bigint AS waited_us
FROM alert AS a
JOIN incident_alert AS h USING (patient_id, alert_id)
JOIN incident AS i USING (incident_id)
WHERE a.held_back = 'incident'
ORDER BY h.patient_id, h.alert_id
"""


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident that lasts. **Units**: `began_us` in microseconds since 1970 UTC, by the log."""

    incident_id: UUID
    source: str
    began_us: int


@dataclass(frozen=True, slots=True)
class ToHoldBack:
    """An alert about silence of a patient whose source is silent."""

    patient_id: UUID
    alert_id: UUID
    incident_id: UUID


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that an incident holds back.

    **Units**: microseconds since 1970 UTC, by the log; `waited_us` is how long it is held by the wall clock.
    """

    patient_id: UUID
    alert_id: UUID
    incident_id: UUID
    held_at_us: int
    ended_us: int | None
    waited_us: int
    let_through: bool = False
    """Somebody decided that it holds nothing back any more."""


@dataclass(frozen=True, slots=True)
class Counted:
    """An incident as it is shown: of no patient.

    `patients`: of how many readings were to be expected; `held_back`: how many alerts it ever held back,
    `holds`: how many now, the last of them since `held_since_us`.
    **Units**: microseconds since 1970 UTC, by the log.
    """

    incident_id: UUID
    source: str
    began_us: int
    ended_us: int | None
    patients: int
    held_back: int
    holds: int
    held_since_us: int | None
    let_through: bool


async def incidents_counted(connection: Connection, since_us: int) -> list[Counted]:
    """Incidents that last, and those that ended lately, for who sees to the flow."""
    rows = await connection.fetch("SELECT * FROM incidents_counted($1)", to_datetime(since_us))
    return [
        Counted(
            incident_id=row["incident_id"],
            source=row["source"],
            began_us=to_us(row["began_at"]),
            ended_us=to_us_or_none(row["ended_at"]),
            patients=row["patients"],
            held_back=row["held_back"],
            holds=row["holds"],
            held_since_us=to_us_or_none(row["held_since"]),
            let_through=row["let_through_at"] is not None,
        )
        for row in rows
    ]


async def let_through(connection: Connection, incident_id: UUID) -> bool:
    """From now on it holds nothing back; False where there is none, or that was decided before."""
    done: bool = await connection.fetchval("SELECT let_incident_through($1)", incident_id)
    return done


async def open_incident(
    connection: Connection, incident: Incident, *, noticed_us: int, patients: int
) -> bool:
    """Opens an incident; False where one of its source is open already."""
    status = await connection.execute(
        _OPEN,
        incident.incident_id,
        incident.source,
        to_datetime(incident.began_us),
        to_datetime(noticed_us),
        patients,
    )
    return status.endswith("1")


async def open_incidents(connection: Connection) -> list[Incident]:
    """Those that last."""
    rows = await connection.fetch(
        "SELECT incident_id, source, began_at FROM incident WHERE ended_at IS NULL ORDER BY began_at"
    )
    return [Incident(row["incident_id"], row["source"], to_us(row["began_at"])) for row in rows]


async def end_incident(connection: Connection, incident_id: UUID, at_us: int) -> None:
    """Ends an incident; what it holds back is released by and by."""
    await connection.execute(
        "UPDATE incident SET ended_at = $2 WHERE incident_id = $1 AND ended_at IS NULL",
        incident_id, to_datetime(at_us),
    )  # fmt: skip


async def to_hold_back(
    connection: Connection, *, readings_from_us: int, opened_from_us: int, at_most: int
) -> list[ToHoldBack]:
    """Alerts that open incidents explain, and that nothing holds back or ever did.

    Those that somebody has claimed stay with them. Looks at readings from `readings_from_us` on and at alerts
    that opened from `opened_from_us` on.
    """
    rows = await connection.fetch(
        _TO_HOLD_BACK, to_datetime(max(readings_from_us, 0)), to_datetime(opened_from_us), at_most
    )
    return [ToHoldBack(*row) for row in rows]


async def keep_held(connection: Connection, held: Sequence[ToHoldBack], at_us: int) -> None:
    """Notes which alerts are held back by which incident, and since when."""
    await connection.execute(
        _KEEP_HELD,
        [one.patient_id for one in held],
        [one.alert_id for one in held],
        [one.incident_id for one in held],
        to_datetime(at_us),
    )


async def held_back(connection: Connection) -> list[Held]:
    """Every alert that an incident holds back."""
    return [
        Held(
            patient_id=row["patient_id"],
            alert_id=row["alert_id"],
            incident_id=row["incident_id"],
            held_at_us=to_us(row["held_at"]),
            ended_us=None if row["ended_at"] is None else to_us(row["ended_at"]),
            waited_us=row["waited_us"],
            let_through=row["let_through"],
        )
        for row in await connection.fetch(_HELD)
    ]
