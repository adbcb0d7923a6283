"""To look back at everybody: who there is, up to where they are stored, what people concluded of alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.alerts import Outcome
from models.clock import to_us
from models.db.pool import Connection
from models.findings import Signal

_STORED = """
SELECT cluster_id, topic, partition, next_offset, clock_us FROM log_position WHERE consumer_group = $1
ORDER BY cluster_id, topic, partition
"""
_PATIENTS = """
SELECT patient_id, cluster_id, topic, log_partition, origin FROM patient
WHERE origin <> 'canary' AND log_offset < $4 AND (cluster_id, topic, log_partition) = ($1, $2, $3)
ORDER BY patient_id
"""
_CONCLUDED = """
SELECT patient_id, signal, opened_at, resolved_at, outcome FROM alert
WHERE state = 'resolved' AND outcome = ANY ($1::text[])
ORDER BY patient_id, opened_at, signal
"""


@dataclass(frozen=True, slots=True)
class StoredPartition:
    """Up to where a partition of a log is stored: all before an offset, and the clock there.

    **Units**: `clock_us` in microseconds since 1970 UTC.
    """

    cluster_id: str
    topic: str
    partition: int
    below_offset: int
    clock_us: int | None


@dataclass(frozen=True, slots=True)
class Concluded:
    """An alert of which people said what it was. **Units**: microseconds since 1970 UTC, of the log."""

    patient_id: UUID
    signal: Signal
    opened_at_us: int
    resolved_at_us: int
    outcome: Outcome


async def installed_at(connection: Connection) -> datetime:
    """When the database was made: tells it from another one at the same address."""
    at: datetime = await connection.fetchval("SELECT installed_at FROM installation")
    return at


async def stored_partitions(connection: Connection, group: str) -> list[StoredPartition]:
    """Up to where a consumer group has stored its partitions."""
    return [StoredPartition(*row) for row in await connection.fetch(_STORED, group)]


async def stored_patients(connection: Connection, of: StoredPartition) -> dict[UUID, bool]:
    """The patients of a partition that may be seen, no canaries, by id; and whether each exists."""
    rows = await connection.fetch(_PATIENTS, of.cluster_id, of.topic, of.partition, of.below_offset)
    return {row["patient_id"]: row["origin"] == "real" for row in rows}


async def concluded(connection: Connection, outcomes: Sequence[Outcome]) -> list[Concluded]:
    """Alerts with one of these outcomes, of patients who may be seen."""
    rows = await connection.fetch(_CONCLUDED, [outcome.value for outcome in outcomes])
    return [
        Concluded(
            row["patient_id"],
            Signal(row["signal"]),
            to_us(row["opened_at"]),
            to_us(row["resolved_at"]),
            Outcome(row["outcome"]),
        )
        for row in rows
    ]
