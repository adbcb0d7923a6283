"""The state of the rule engine from the database: after a start, and for single patients."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from uuid import UUID

from alerting.ledger import Stretch
from alerting.partition import Found, Partition
from models.db.history import count_readings, load_readings
from models.db.patients import load_changes
from models.db.pool import Connection, Pool
from models.db.tombstones import destroyed_patients

PATIENTS_AT_ONCE = 2_000
READINGS_AT_ONCE = 200_000
"""Bounds the memory to some 100 MB; a patient with a glucose sensor alone has 100,000 readings a year."""


async def restore(
    pool: Pool,
    partition: Partition,
    cluster_id: str,
    topic: str,
    below_offset: int,
    clock_us: int | None,
    *,
    moved: Callable[[], None] = lambda: None,
    keep: Callable[[Found], Awaitable[None]] | None = None,
) -> None:
    """Brings a new partition to where it was before the message at an offset.

    Everything of its patients from before that offset must be stored. `moved` is called at each part of the
    work: the whole may take long. `keep` is given what each part found, by whoever has nothing stored of it.
    **Units**: `clock_us`, the clock at that place, in microseconds since 1970 UTC.
    """
    async with pool.transaction() as connection:
        partition.never_again(await destroyed_patients(connection))
        changes = await load_changes(connection, cluster_id, topic, partition.number, below_offset)
    await asyncio.to_thread(partition.know, changes, clock_us)
    moved()
    rows = partition.rows()
    patient_ids = list(rows)
    for first in range(0, len(patient_ids), PATIENTS_AT_ONCE):
        async with pool.transaction() as connection:
            numbers = await count_readings(connection, patient_ids[first : first + PATIENTS_AT_ONCE])
        for part in parts(numbers, READINGS_AT_ONCE):
            # A transaction each: one over hours would keep the database from cleaning up.
            async with pool.transaction() as connection:
                readings = await load_readings(
                    connection,
                    {patient_id: rows[patient_id] for patient_id in part},
                    partition=partition.number,
                    below_offset=below_offset,
                )
            built = [rows[patient_id] for patient_id in part]
            if keep is None:
                await asyncio.to_thread(partition.build, built, readings)
            else:
                await keep(await asyncio.to_thread(partition.find, built, readings))
            moved()


async def evaluate_again(
    connection: Connection, partition: Partition, patient_id: UUID, below_offset: int
) -> Stretch | None:
    """A patient from scratch, from everything stored before an offset; None where they are not known.

    Within a transaction.
    """
    row = partition.row(patient_id)
    if row is None:
        return None
    readings = await load_readings(
        connection, {patient_id: row}, partition=partition.number, below_offset=below_offset
    )
    return await asyncio.to_thread(partition.evaluate_again, patient_id, readings)


def parts(numbers: Mapping[UUID, int], most: int) -> Iterator[Sequence[UUID]]:
    """Patients in their order, in parts of at most so many readings together, or of one who has more.

    >>> [len(part) for part in parts({UUID(int=n): n for n in range(1, 7)}, 6)]
    [3, 1, 1, 1]
    """
    part: list[UUID] = []
    total = 0
    for patient_id, number in numbers.items():
        if part and total + number > most:
            yield part
            part, total = [], 0
        part.append(patient_id)
        total += number
    if part:
        yield part
