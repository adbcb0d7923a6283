"""Readings into Postgres: new ones by one binary COPY, the rest by way of a table that tells them apart."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray

from models.clock import to_datetime
from models.columns import Readings
from models.db.copy_image import COLUMNS, HEADER, NO_TIME_US, TRAILER, image, key_order
from models.db.pool import Connection
from models.errors import ThuiswachtError

_CHUNK_BYTES = 1 << 19

_LIST = ", ".join(COLUMNS)

_STAGING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS reading_staging (LIKE reading) ON COMMIT DELETE ROWS
"""

# In the order of the log for each identity, so that the first counts; a second one of the same batch meets
# the first as it would meet one of long ago. By key before that, because the index likes it.
_STORE = f"""
    INSERT INTO reading ({_LIST})
    SELECT {_LIST} FROM reading_staging
    ORDER BY patient_id, kind, taken_at, device_id, revision, void, log_offset, log_position
    ON CONFLICT (patient_id, kind, taken_at, device_id, revision, void) DO NOTHING
"""

# The LIMIT keeps the planner from joining whole tables: it knows nothing of the staging table's size.
TELL_APART = """
    SELECT staged.log_partition, staged.log_offset, staged.log_position, known.same
    FROM reading_staging AS staged
    CROSS JOIN LATERAL (
        SELECT
            reading.log_partition, reading.log_offset, reading.log_position,
            reading.value IS NOT DISTINCT FROM staged.value
            AND reading.code IS NOT DISTINCT FROM staged.code
            AND reading.absent IS NOT DISTINCT FROM staged.absent
            AND reading.text IS NOT DISTINCT FROM staged.text AS same
        FROM reading
        WHERE reading.patient_id = staged.patient_id AND reading.kind = staged.kind
          AND reading.taken_at = staged.taken_at AND reading.device_id = staged.device_id
          AND reading.revision = staged.revision AND reading.void = staged.void
        LIMIT 1
    ) AS known
    WHERE (known.log_partition, known.log_offset, known.log_position)
       <> (staged.log_partition, staged.log_offset, staged.log_position)
"""

NEWEST = """
    SELECT asked.place, newest.taken_at_us
    FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::timestamptz[])
        WITH ORDINALITY AS asked (patient_id, kind, device_id, since, place)
    CROSS JOIN LATERAL (
        SELECT (extract(epoch FROM reading.taken_at) * 1000000)::bigint AS taken_at_us
        FROM reading
        WHERE reading.patient_id = asked.patient_id AND reading.kind = asked.kind
          AND reading.device_id = asked.device_id AND reading.taken_at >= asked.since
        ORDER BY reading.taken_at DESC
        LIMIT 1
    ) AS newest
"""

NEVER_US = NO_TIME_US
"""Stands for "no reading known"; earlier than any time."""


class NotNew(ThuiswachtError):
    """A reading that was taken for new is known by its identity; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of staged readings: stored + duplicates + conflicts is their number.

    `conflicts` are (batch, row) pairs of readings whose identity is known with another value, in log order;
    `duplicates_in` tells the duplicates by partition.
    """

    stored: int
    duplicates: int
    conflicts: list[tuple[int, int]]
    duplicates_in: Mapping[int, int] = field(default_factory=dict[int, int], compare=False)


async def copy_readings(connection: Connection, batches: Sequence[Readings]) -> int:
    """Store readings that are known to be new; returns how many.

    **Raises**: NotNew when one of them is not; asyncpg.CheckViolationError when the month of one has no
    partition. Either way the transaction is lost.
    """
    try:
        return await _copy(connection, "reading", batches, by_key=True)
    except asyncpg.UniqueViolationError:
        # Without its text, which holds the patient and the time.
        raise NotNew("A reading is known that was taken for new.") from None


async def stage_readings(connection: Connection, batches: Sequence[Readings]) -> Staged:
    """Store those readings that are new, and tell the rest apart; within a transaction.

    A duplicate has the same value, code, reason of absence and remark as the one known by its identity: the
    first of the log, be it of long ago or of these batches. The value is compared in the canonical unit.
    """
    await connection.execute(_STAGING)
    staged = await _copy(connection, "reading_staging", batches, by_key=False)
    stored = _count(await connection.execute(_STORE))
    # Nobody asks for the rest when all is new.
    others = [] if stored == staged else await connection.fetch(TELL_APART)
    conflicts = {(row[0], row[1], row[2]) for row in others if not row["same"]}
    # So that a second call in this transaction starts from nothing.
    await connection.execute("TRUNCATE reading_staging")
    duplicates_in = Counter(row["log_partition"] for row in others if row["same"])
    return Staged(stored, staged - stored - len(conflicts), _places(batches, conflicts), duplicates_in)


async def newest_known(
    connection: Connection,
    patient_id: NDArray[np.uint8],
    kind: NDArray[np.int16],
    devices: Sequence[str],
    since_us: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """When the newest known reading of each patient, kind and device was taken; NEVER_US where there is none.

    With `since_us`, only readings from then on are looked at: cheaper, and enough for who asks whether
    readings that begin there are new.

    **Shape**: `patient_id` uint8[n, 16], the others [n]. **Units**: microseconds since 1970.
    """
    if since_us is None:
        since_us = np.zeros(len(kind), np.int64)
    rows = await connection.fetch(
        NEWEST,
        [UUID(bytes=one.tobytes()) for one in patient_id],
        kind.tolist(),
        list(devices),
        [to_datetime(at_us) for at_us in since_us.tolist()],
    )
    newest = np.full(len(kind), NEVER_US, np.int64)
    for place, taken_at_us in rows:
        newest[place - 1] = taken_at_us
    return newest


async def _copy(connection: Connection, table: str, batches: Sequence[Readings], *, by_key: bool) -> int:
    batches = [batch for batch in batches if len(batch)]
    if not batches:
        return 0
    status = await connection.copy_to_table(
        table, source=_chunks(batches, by_key=by_key), columns=COLUMNS, format="binary"
    )
    return _count(status)


async def _chunks(batches: Sequence[Readings], *, by_key: bool) -> AsyncIterator[bytes]:
    yield HEADER
    for batch in batches:
        rows = np.arange(len(batch), dtype=np.int64)
        whole = image(batch, key_order(batch, rows) if by_key else rows)
        for start in range(0, len(whole), _CHUNK_BYTES):
            yield whole[start : start + _CHUNK_BYTES].tobytes()
    yield TRAILER


def _count(status: str) -> int:
    # "COPY 17", "INSERT 0 17"
    return int(status.rpartition(" ")[2])


def _places(batches: Sequence[Readings], wanted: set[tuple[int, int, int]]) -> list[tuple[int, int]]:
    if not wanted:
        return []
    return [
        (number, row)
        for number, batch in enumerate(batches)
        for row, place in enumerate(zip(batch.offset.tolist(), batch.position.tolist(), strict=True))
        if (batch.partition, *place) in wanted
    ]
