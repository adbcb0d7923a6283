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
WHERE q.patient_id IS NOT NULL AND {retried} AND ($1::text IS NULL OR q.reason = $1)
ORDER BY q.refused_us DESC, q.log_partition, q.log_offset, q.log_position
LIMIT $2
"""

_WAITING = """
SELECT reason, count(*)::integer AS number, count(DISTINCT patient_id)::integer AS patients FROM quarantine
WHERE patient_id IS NOT NULL AND retried_at IS NULL GROUP BY reason ORDER BY number DESC, reason
"""

_TRY_AGAIN = """
WITH due AS (
    SELECT DISTINCT q.cluster_id, q.topic, q.log_partition, q.log_offset, q.patient_id, p.organisation_id
    FROM {wanted} AS q JOIN registration AS p USING (patient_id)
    WHERE q.patient_id IS NOT NULL AND q.retried_at IS NULL AND q.reason <> 'destroyed_patient'
    ORDER BY q.cluster_id, q.topic, q.log_partition, q.log_offset
    LIMIT $2
), asked AS (
    INSERT INTO retry (patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, by)
    SELECT patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, $1 FROM due
    ON CONFLICT ON CONSTRAINT retry_once DO NOTHING
    RETURNING patient_id, cluster_id, topic, log_partition, log_offset
)
UPDATE quarantine AS q SET retried_at = clock_timestamp() FROM asked AS a
WHERE (q.cluster_id, q.topic, q.log_partition, q.log_offset)
    = (a.cluster_id, a.topic, a.log_partition, a.log_offset) AND q.patient_id = a.patient_id
RETURNING q.patient_id, q.log_partition, q.log_offset
"""

_FOR_REASON = _TRY_AGAIN.format(wanted="(SELECT * FROM quarantine WHERE reason = $3)")
# A database belongs to one log: where that is, the positions in it say.
_AT_PLACES = _TRY_AGAIN.format(
    wanted="""(
        SELECT z.* FROM (SELECT DISTINCT cluster_id, topic FROM log_position) AS l
        CROSS JOIN unnest($3::integer[], $4::bigint[]) AS w (log_partition, log_offset)
        JOIN quarantine AS z USING (cluster_id, topic, log_partition, log_offset)
    )"""
)

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
    query = _SHOWN.format(retried="true" if retried_too else "q.retried_at IS NULL")
    return [_shown(row) for row in await connection.fetch(query, reason, at_most)]


async def try_again_for(connection: Connection, reason: str, by: UUID) -> list[tuple[UUID, int, int]]:
    """Has all messages tried again of which something was refused for a reason; as `try_again`."""
    return _asked(await connection.fetch(_FOR_REASON, by, MOST_AT_ONCE, reason))


async def try_again(
    connection: Connection, places: Sequence[tuple[int, int]], by: UUID
) -> list[tuple[UUID, int, int]]:
    """Has messages tried again, by their places; each once, whoever asks for it at the same time.

    Of each the patient, partition and offset: those of patients whom one may see, not tried before.
    """
    partitions, offsets = [partition for partition, _ in places], [offset for _, offset in places]
    return _asked(await connection.fetch(_AT_PLACES, by, MOST_AT_ONCE, partitions, offsets))


async def to_try(connection: Connection, at_most: int) -> list[ToTry]:
    """What the log has not got yet, as far as we know, in the order in which it was asked for."""
    return [ToTry(*row) for row in await connection.fetch(_TO_TELL, at_most)]


async def tried(connection: Connection, told: Sequence[ToTry]) -> None:
    """Marks what the broker has confirmed."""
    await connection.execute(_TOLD, [one.retry_id for one in told])


def _asked(rows: Sequence[asyncpg.Record]) -> list[tuple[UUID, int, int]]:
    return sorted({(row["patient_id"], row["log_partition"], row["log_offset"]) for row in rows})


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
