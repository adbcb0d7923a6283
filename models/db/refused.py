"""Refused readings as people see them, and having their messages tried again; nobody reads the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from models.clock import to_us_or_none
from models.db.pool import Connection

MOST_AT_ONCE = 5_000
"""So many messages one decision has tried again: more than anybody looks at, far less than upsets a log."""

_COUNTED = "SELECT * FROM refusals_counted($1) ORDER BY day DESC, refused DESC, reason, source"

# Of what was refused again, only the newest waits: the ones before it have been tried.
_SHOWN = """
SELECT q.*, r.told_at FROM quarantine AS q
LEFT JOIN retry AS r ON (r.patient_id, r.cluster_id, r.topic, r.log_partition, r.log_offset)
    = (q.patient_id, q.cluster_id, q.topic, q.log_partition, q.log_offset)
WHERE q.patient_id IS NOT NULL AND (q.retried_at IS NULL OR $1) AND ($2::text IS NULL OR q.reason = $2)
ORDER BY q.refused_us DESC, q.log_partition, q.log_offset, q.log_position
LIMIT $3
"""

_WAITING = """
SELECT reason, count(*)::integer AS number, count(DISTINCT patient_id)::integer AS patients FROM quarantine
WHERE patient_id IS NOT NULL AND retried_at IS NULL GROUP BY reason ORDER BY number DESC, reason
"""

_TRY_AGAIN = """
WITH due AS (
    SELECT DISTINCT q.cluster_id, q.topic, q.log_partition, q.log_offset, q.patient_id, p.organisation_id
    FROM quarantine AS q JOIN registration AS p USING (patient_id)
    WHERE q.retried_at IS NULL AND q.reason <> 'destroyed_patient' AND (q.reason = $1 OR EXISTS (
        SELECT FROM unnest($2::integer[], $3::bigint[]) AS w (log_partition, log_offset)
        WHERE (w.log_partition, w.log_offset) = (q.log_partition, q.log_offset)
    ))
    ORDER BY q.cluster_id, q.topic, q.log_partition, q.log_offset
    LIMIT $4
), asked AS (
    INSERT INTO retry (patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, by)
    SELECT patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, $5 FROM due
    ON CONFLICT ON CONSTRAINT retry_once DO NOTHING
    RETURNING patient_id, cluster_id, topic, log_partition, log_offset
)
UPDATE quarantine AS q SET retried_at = clock_timestamp() FROM asked AS a
WHERE (q.cluster_id, q.topic, q.log_partition, q.log_offset)
    = (a.cluster_id, a.topic, a.log_partition, a.log_offset) AND q.patient_id = a.patient_id
RETURNING q.patient_id, q.log_partition, q.log_offset
"""

_TO_TELL = """
SELECT r.retry_id, r.patient_id, r.log_partition, r.log_offset, m.raw
FROM retry AS r JOIN quarantine_message AS m USING (cluster_id, topic, log_partition, log_offset)
WHERE r.told_at IS NULL ORDER BY r.asked_at, r.log_partition, r.log_offset LIMIT $1
"""

_TOLD = """
UPDATE retry SET told_at = clock_timestamp() WHERE retry_id = ANY ($1::uuid[]) AND told_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many readings of a source were refused on a day for a reason, and how many wait still."""

    day: date
    reason: str
    source: str | None
    refused: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many refusals for a reason wait, of how many patients, among those whom one may see."""

    reason: str
    number: int
    patients: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A refused reading, or a whole message (`position` −1), of a patient whom one may see.

    `is_repeated`: it was refused again after somebody had it tried. **Units**: microseconds since 1970 UTC.
    """

    patient_id: UUID
    partition: int
    offset: int
    position: int
    reason: str
    field: str
    expected: str
    found: str
    readings: int
    device_id: str | None
    source: str | None
    kind: str | None
    refused_us: int
    retried_us: int | None
    told_us: int | None
    is_repeated: bool


@dataclass(frozen=True, slots=True)
class ToTry:
    """A message that the log is to get once more, with the place where it stood."""

    retry_id: UUID
    patient_id: UUID
    partition: int
    offset: int
    raw: bytes


async def refusals_counted(connection: Connection, since_us: int) -> list[Counted]:
    """By day, reason and source, of everybody and nobody in particular; the newest days first."""
    return [Counted(*row) for row in await connection.fetch(_COUNTED, since_us)]


async def refusals_waiting(connection: Connection) -> list[Waiting]:
    """What nobody has tried again, by reason, the most frequent first."""
    return [Waiting(*row) for row in await connection.fetch(_WAITING)]


async def load_refused(
    connection: Connection, *, reason: str | None, retried_too: bool, at_most: int
) -> list[Shown]:
    """Refused readings, the newest first; those that were tried again only if that is asked for."""
    return [_shown(row) for row in await connection.fetch(_SHOWN, retried_too, reason, at_most)]


async def try_again(
    connection: Connection, places: Sequence[tuple[int, int]], reason: str | None, by: UUID
) -> list[tuple[UUID, int, int]]:
    """Has messages tried again, by their places, or all that hold something refused for a reason.

    Of each the patient, partition and offset; each message once, whatever asks for it at the same time.
    """
    rows = await connection.fetch(
        _TRY_AGAIN,
        reason,
        [partition for partition, _ in places],
        [offset for _, offset in places],
        MOST_AT_ONCE,
        by,
    )
    return sorted({(row["patient_id"], row["log_partition"], row["log_offset"]) for row in rows})


async def to_try(connection: Connection, at_most: int) -> list[ToTry]:
    """What the log has not got yet, as far as we know, in the order in which it was asked for."""
    return [ToTry(*row) for row in await connection.fetch(_TO_TELL, at_most)]


async def tried(connection: Connection, told: Sequence[ToTry]) -> None:
    """Marks what the broker has confirmed."""
    await connection.execute(_TOLD, [one.retry_id for one in told])


def _shown(row: asyncpg.Record) -> Shown:
    return Shown(
        patient_id=row["patient_id"],
        partition=row["log_partition"],
        offset=row["log_offset"],
        position=row["log_position"],
        reason=row["reason"],
        field=row["field"],
        expected=row["expected"],
        found=row["found"],
        readings=row["readings"],
        device_id=row["device_id"],
        source=row["source"],
        kind=row["kind"],
        refused_us=row["refused_us"],
        retried_us=to_us_or_none(row["retried_at"]),
        told_us=to_us_or_none(row["told_at"]),
        is_repeated=row["retry_of_offset"] is not None,
    )
