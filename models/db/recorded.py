"""What a recording is made of, from the tables: whose it may be, what held for them, what was measured."""

from collections.abc import AsyncGenerator
from datetime import datetime
from uuid import UUID

import asyncpg

from models.clock import to_datetime
from models.db.pool import Connection
from models.kinds import KIND_BY_NAME
from models.messages import Origin

AT_ONCE = 5_000

_SIMULATED = "SELECT patient_id, origin FROM patient"

_WITHOUT_OBJECTION = """
SELECT p.patient_id, p.origin FROM patient AS p
WHERE NOT EXISTS (
    SELECT FROM objection AS o
    WHERE o.patient_id = p.patient_id AND o.organisation_id = $1 AND o.from_at <= statement_timestamp()
      AND (o.until_at IS NULL OR o.until_at > statement_timestamp())
)
"""

# What was said of readings that had to be refused stands among the others, as the rules heard it. The order
# of the log is nearly that of receipt, and no finding depends on the difference: an identity is stored once.
_READINGS = f"""
SELECT patient_id, log_partition, log_offset, upload_id, device_id, source, kind, taken_at, received_at,
    sent_at, value_received, unit_received, code, code_received, absent, text, void, revision, group_label,
    utc_offset_min, log_position
FROM reading WHERE received_at >= $1 AND received_at <= $2
UNION ALL
SELECT patient_id, log_partition, log_offset, NULL, device_id, source, {KIND_BY_NAME["device_state"].number},
    notice_at, notice_at, NULL, NULL, NULL, notice_code, NULL, NULL, NULL, false, 0, NULL, NULL, log_position
FROM quarantine WHERE notice_code IS NOT NULL AND notice_at >= $1 AND notice_at <= $2
ORDER BY received_at, log_partition, log_offset, log_position
"""

_PARTITIONS = """
SELECT DISTINCT cluster_id, topic, log_partition FROM patient ORDER BY cluster_id, topic, log_partition
"""


async def simulated(connection: Connection) -> dict[UUID, Origin]:
    """The patients of a trial database: none of them exists."""
    return {row["patient_id"]: Origin(row["origin"]) for row in await connection.fetch(_SIMULATED)}


async def recordable(connection: Connection, organisation_id: UUID) -> dict[UUID, Origin]:
    """The patients whom the declared user may record: without those who objected to that organisation."""
    rows = await connection.fetch(_WITHOUT_OBJECTION, organisation_id)
    return {row["patient_id"]: Origin(row["origin"]) for row in rows}


async def partitions_of_patients(connection: Connection) -> list[tuple[str, str, int]]:
    """Where patients are: cluster, topic, partition."""
    rows = await connection.fetch(_PARTITIONS)
    return [(row["cluster_id"], row["topic"], row["log_partition"]) for row in rows]


async def followed_until_us(connection: Connection) -> int | None:
    """Up to when all groups have followed the log, by its clock; None where none has seen it.

    **Units**: microseconds since 1970 UTC.
    """
    until_us: int | None = await connection.fetchval("SELECT min(clock_us) FROM log_position")
    return until_us


async def received_between(
    connection: Connection, begin_us: int, end_us: int
) -> AsyncGenerator[asyncpg.Record]:
    """The readings received from a moment to another, both included, in order; within a transaction.

    **Units**: microseconds since 1970 UTC.
    """
    await connection.execute("SET LOCAL statement_timeout = 0")
    between: tuple[datetime, datetime] = to_datetime(begin_us), to_datetime(end_us)
    async for row in connection.cursor(_READINGS, *between, prefetch=AT_ONCE):
        yield row


async def clock_of_database_us(connection: Connection) -> int | None:
    """The latest clock that any group has seen; None where none has. **Units**: microseconds since 1970."""
    clock_us: int | None = await connection.fetchval("SELECT max(clock_us) FROM log_position")
    return clock_us
