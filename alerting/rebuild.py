"""The state of the rule engine from the database: after a start, and for single patients."""

import asyncio
from collections.abc import Iterator, Sequence
from uuid import UUID

from alerting.ledger import Stretch
from alerting.partition import Partition
from models.db.history import load_readings
from models.db.patients import load_changes
from models.db.pool import Connection, Pool

PATIENTS_AT_ONCE = 100
"""Bounds the memory: a patient with a continuous glucose monitor has 100,000 readings a year."""


async def restore(
    pool: Pool, partition: Partition, cluster_id: str, topic: str, below_offset: int, clock_us: int | None
) -> None:
    """Brings a new partition to where it was before the message at an offset.

    Everything of its patients from before that offset must be stored. **Units**: `clock_us`, the clock at
    that place, in microseconds since 1970 UTC.
    """
    async with pool.connection() as connection:
        changes = await load_changes(connection, cluster_id, topic, partition.number, below_offset)
        partition.know(changes, clock_us)
        for rows in _chunks(list(partition.rows().items())):
            readings = await load_readings(
                connection, dict(rows), partition=partition.number, below_offset=below_offset
            )
            await asyncio.to_thread(partition.build, [row for _, row in rows], readings)


async def evaluate_again(
    connection: Connection, partition: Partition, patient_id: UUID, below_offset: int
) -> Stretch | None:
    """A patient from scratch, from everything stored before an offset; None where they are not known."""
    row = partition.row(patient_id)
    if row is None:
        return None
    readings = await load_readings(
        connection, {patient_id: row}, partition=partition.number, below_offset=below_offset
    )
    return await asyncio.to_thread(partition.evaluate_again, patient_id, readings)


def _chunks(rows: Sequence[tuple[UUID, int]]) -> Iterator[Sequence[tuple[UUID, int]]]:
    for first in range(0, len(rows), PATIENTS_AT_ONCE):
        yield rows[first : first + PATIENTS_AT_ONCE]
