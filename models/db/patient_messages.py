"""Messages to patients: what is queued for them, what is not needed any more, through which app they go."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.clock import MINUTE_US, to_datetime, to_us
from models.db.pool import Connection
from models.errors import BadInput, NotThere
from models.escalations import Message
from models.kinds import KINDS
from models.messages import Origin

LOOKS_BACK_DAYS = 100
"""A patient who measured longer ago than this with whatever device is reached through no app."""

# One look into the index for each kind, from the newest partition back.
_NEWEST_SOURCES = """
SELECT wanted.patient_id, app.address_id, app.address, app.source, app.origin
FROM (
    SELECT DISTINCT ON (p.patient_id) p.patient_id, p.origin, newest.source
    FROM registration AS p
    CROSS JOIN unnest($2::smallint[]) AS k (kind)
    CROSS JOIN LATERAL (
        SELECT r.source, r.taken_at FROM reading AS r
        WHERE r.patient_id = p.patient_id AND r.kind = k.kind
          AND r.taken_at > $3::timestamptz - make_interval(days => $4::integer)
        ORDER BY r.taken_at DESC LIMIT 1
    ) AS newest
    WHERE p.patient_id = ANY($1::uuid[])
      AND EXISTS (
        SELECT FROM patient_app AS a
        WHERE (a.source, a.origin) = (newest.source, p.origin) AND a.until_at IS NULL
      )
    ORDER BY p.patient_id, newest.taken_at DESC, newest.source
) AS wanted
JOIN patient_app AS app
    ON (app.source, app.origin) = (wanted.source, wanted.origin) AND app.until_at IS NULL
"""
# Told through the app of whose device the reading came from: it is known by the request's own key.
_PENDING = """
SELECT r.patient_id, r.request_id, r.kind, r.due_at, r.organisation_id, r.origin
FROM measurement_request AS r JOIN unnest($3::text[], $4::smallint[]) AS k (name, number) ON k.name = r.kind
WHERE r.status = 'pending' AND r.due_at > $1 AND r.origin <> 'canary'
  AND EXISTS (
    SELECT FROM reading AS d JOIN patient_app AS a ON a.source = d.source
    WHERE (d.patient_id, d.kind, d.taken_at) = (r.patient_id, k.number, r.taken_at)
      AND a.origin = r.origin AND a.until_at IS NULL
  )
  AND NOT EXISTS (
    SELECT FROM message AS m WHERE m.patient_id = r.patient_id AND m.kind = 'to_patient'
      AND m.body->>'request_id' = r.request_id::text
  )
ORDER BY r.due_at LIMIT $2
"""
# From the few messages that wait to the request of each. Those to patients are to no organisation.
_OVER = """
UPDATE message AS m SET state = 'withdrawn', over_at = $1, why = 'answered or withdrawn'
WHERE m.to_id IS NULL AND m.state IN ('due', 'attempted') AND m.body ? 'request_id'
  AND (
    SELECT r.status <> 'pending' OR r.due_at <= $1 FROM measurement_request AS r
    WHERE r.patient_id = m.patient_id AND r.request_id::text = m.body->>'request_id'
  )
RETURNING m.message_id
"""
# Several alerts of one evening are one look of the nurse.
_ACKNOWLEDGED = """
SELECT DISTINCT ON (a.patient_id) a.patient_id, a.alert_id, a.organisation_id, a.origin, a.acknowledged_at
FROM alert AS a
WHERE a.state = 'acknowledged' AND a.acknowledged_at > $1::timestamptz - make_interval(mins => $2::integer)
  AND a.acknowledged_at <= $1 AND a.origin <> 'canary' AND a.signal <> ALL($3::text[])
  AND EXISTS (SELECT FROM patient_app)
  AND NOT EXISTS (
    SELECT FROM message AS m WHERE m.patient_id = a.patient_id AND m.kind = 'to_patient'
      AND m.body->>'text' = 'seen_by_nurse'
      AND m.due_at > a.acknowledged_at - make_interval(mins => $2::integer)
  )
ORDER BY a.patient_id, a.acknowledged_at
"""
_QUEUE = """
INSERT INTO message (
    patient_id, message_id, organisation_id, origin, kind, channel, severity, alerts, body, due_at, deliver_by
)
SELECT patient_id, message_id, organisation_id, origin, 'to_patient', 'patient', severity, '{}'::uuid[], body,
    due_at, deliver_by
FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[],
    $8::timestamptz[]
) AS q (patient_id, message_id, organisation_id, origin, severity, body, due_at, deliver_by)
ON CONFLICT ON CONSTRAINT message_pkey DO NOTHING
RETURNING message_id
"""
_CARE = """
SELECT r.organisation_id, r.origin, c.language, c.huisarts_id, c.copy_to_mantelzorger, c.ended_at
FROM registration AS r
LEFT JOIN LATERAL (
    SELECT * FROM patient_care AS c WHERE c.patient_id = r.patient_id ORDER BY c.version DESC LIMIT 1
) AS c ON true
WHERE r.patient_id = $1
"""
_PHONES = """
SELECT DISTINCT ON (o.organisation_id) o.organisation_id, o.name, o.kind, a.address
FROM organisation AS o JOIN message_address AS a USING (organisation_id)
WHERE a.channel = 'phone' AND a.until_at IS NULL
  AND (o.organisation_id = ANY($1::uuid[]) OR (o.kind = 'out_of_hours_post' AND o.origin = $2))
ORDER BY o.organisation_id, a.from_at
"""


@dataclass(frozen=True, slots=True)
class App:
    """The app of a vendor: its webhook, and whose patients it gets messages for."""

    address_id: UUID
    source: str
    address: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Pending:
    """A measurement request that waits for a repeat and was not told to the patient yet.

    **Units**: `due_us` in microseconds since 1970 UTC.
    """

    patient_id: UUID
    request_id: UUID
    kind: str
    due_us: int
    organisation_id: UUID
    origin: Origin


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert that somebody acknowledged. **Units**: microseconds since 1970 UTC."""

    patient_id: UUID
    alert_id: UUID
    organisation_id: UUID
    origin: Origin
    acknowledged_us: int


@dataclass(frozen=True, slots=True)
class Telephone:
    """An organisation that can be rung."""

    organisation_id: UUID
    name: str
    kind: str | None
    phone: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How a patient is spoken to: in which language, whether a *mantelzorger* gets a copy, whom to ring."""

    organisation_id: UUID
    origin: Origin
    language: str
    copy: bool
    huisarts_id: UUID | None
    has_ended: bool
    telephones: tuple[Telephone, ...]


async def apps_of(connection: Connection, patients: Sequence[UUID], now_us: int) -> dict[UUID, App]:
    """The app of each of these patients who has one: of the newest reading whose vendor takes messages."""
    rows = await connection.fetch(
        _NEWEST_SOURCES, list(patients), [kind.number for kind in KINDS], to_datetime(now_us), LOOKS_BACK_DAYS
    )
    return {row["patient_id"]: _app(row) for row in rows}


async def pending_requests(connection: Connection, now_us: int, at_most: int) -> list[Pending]:
    """What the quality gate asks and nobody was told of yet, the most urgent first; no canaries."""
    rows = await connection.fetch(
        _PENDING, to_datetime(now_us), at_most, [kind.name for kind in KINDS], [kind.number for kind in KINDS]
    )
    return [
        Pending(
            patient_id=row["patient_id"],
            request_id=row["request_id"],
            kind=row["kind"],
            due_us=to_us(row["due_at"]),
            organisation_id=row["organisation_id"],
            origin=Origin(row["origin"]),
        )
        for row in rows
    ]


async def withdraw_answered(connection: Connection, now_us: int) -> int:
    """What was asked and is answered, withdrawn or too late by now, and was not sent yet, is not sent."""
    return len(await connection.fetch(_OVER, to_datetime(now_us)))


async def newly_seen(connection: Connection, now_us: int, within_us: int, but: Sequence[str]) -> list[Seen]:
    """For each patient the first alert acknowledged within that time, where they were not told of one in it.

    `but` are signals that say nothing to a patient.
    """
    rows = await connection.fetch(_ACKNOWLEDGED, to_datetime(now_us), within_us // MINUTE_US, list(but))
    return [
        Seen(
            patient_id=row["patient_id"],
            alert_id=row["alert_id"],
            organisation_id=row["organisation_id"],
            origin=Origin(row["origin"]),
            acknowledged_us=to_us(row["acknowledged_at"]),
        )
        for row in rows
    ]


async def queue(connection: Connection, messages: Sequence[Message]) -> int:
    """Puts messages to patients into the outbox, each once, whoever else does the same; how many were new."""
    if not messages:
        return 0
    rows = [
        (
            m.patient_id, m.message_id, m.organisation_id, m.origin, m.severity, m.body,
            to_datetime(m.due_at_us), None if m.deliver_by_us is None else to_datetime(m.deliver_by_us),
        )
        for m in messages
    ]  # fmt: skip
    return len(await connection.fetch(_QUEUE, *(list(column) for column in zip(*rows, strict=True))))


async def reached(connection: Connection, patient_id: UUID) -> Reached | None:
    """How a patient is spoken to; None: there is no such patient, or they may not be seen."""
    row = await connection.fetchrow(_CARE, patient_id)
    if row is None:
        return None
    wanted = [one for one in (row["organisation_id"], row["huisarts_id"]) if one is not None]
    phones = await connection.fetch(_PHONES, wanted, row["origin"])
    return Reached(
        organisation_id=row["organisation_id"],
        origin=Origin(row["origin"]),
        language=row["language"] or "nl",
        copy=bool(row["copy_to_mantelzorger"]),
        huisarts_id=row["huisarts_id"],
        has_ended=row["ended_at"] is not None,
        telephones=tuple(Telephone(p["organisation_id"], p["name"], p["kind"], p["address"]) for p in phones),
    )


async def apps(connection: Connection) -> list[App]:
    """All apps that take messages now."""
    rows = await connection.fetch("SELECT * FROM patient_app WHERE until_at IS NULL ORDER BY source, origin")
    return [_app(row) for row in rows]


async def add_app(connection: Connection, new: App) -> None:
    """From now on patients of this source are told through it. **Raises**: BadInput when there is one."""
    try:
        await connection.execute(
            "INSERT INTO patient_app (address_id, source, address, origin) VALUES ($1, $2, $3, $4)",
            new.address_id, new.source, new.address, new.origin,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise BadInput(where="source", expected="a source without an app", found="one that has one") from None


async def end_app(connection: Connection, address_id: UUID) -> None:
    """From now on nobody is told through it. **Raises**: NotThere."""
    if not await connection.fetchval(
        """
        UPDATE patient_app SET until_at = clock_timestamp()
        WHERE address_id = $1 AND until_at IS NULL RETURNING true
        """,
        address_id,
    ):
        raise NotThere("There is no such app.")


def _app(row: asyncpg.Record) -> App:
    return App(row["address_id"], row["source"], row["address"], Origin(row["origin"]))
