"""The stored readings of some patients as columns, to build the state of the rule engine from."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from models.columns import NO_OFFSET_MIN, Readings
from models.db.pool import Connection
from models.errors import Broken, RefuseToStart
from models.kinds import KIND_BY_NAME
from models.units import UNIT_BY_SPELLING

_NOTICES = KIND_BY_NAME["device_state"].number

_WHERE = """
WHERE patient_id = ANY($1::uuid[]) AND log_partition = $2 AND log_offset < $3
"""

# Every column has a fixed width and is never null, so that the binary image is an array as it stands.
# Texts travel as 64-bit hashes; the few different ones are looked up beside.
_COPY = f"""
SELECT patient_id, log_offset, log_position, kind, taken_at, hashtextextended(device_id, 0), revision, void,
    coalesce(value, 'NaN'), coalesce(value_received, 'NaN'), coalesce(hashtextextended(unit_received, 0), 0),
    coalesce(code, -1::smallint), received_at, absent IS NOT NULL, text IS NOT NULL, too_late
FROM reading {_WHERE}
UNION ALL
SELECT patient_id, log_offset, log_position, {_NOTICES}::smallint, notice_at, hashtextextended(device_id, 0),
    0, false, 'NaN', 'NaN', 0, notice_code, notice_at, false, false, false
FROM quarantine {_WHERE} AND notice_code IS NOT NULL
"""

_TEXTS = f"""
SELECT DISTINCT hashtextextended(device_id, 0) AS hash, device_id AS text FROM reading {_WHERE}
UNION
SELECT DISTINCT hashtextextended(unit_received, 0), unit_received FROM reading {_WHERE}
    AND unit_received IS NOT NULL
UNION
SELECT DISTINCT hashtextextended(device_id, 0), device_id FROM quarantine {_WHERE} AND notice_code IS NOT NULL
"""

_FIELDS = (
    ("patient_id", "V16"),
    ("log_offset", ">i8"),
    ("log_position", ">i4"),
    ("kind", ">i2"),
    ("taken_at", ">i8"),
    ("device", ">i8"),
    ("revision", ">i4"),
    ("void", "?"),
    ("value", ">f8"),
    ("value_received", ">f8"),
    ("unit", ">i8"),
    ("code", ">i2"),
    ("received_at", ">i8"),
    ("absent", "?"),
    ("text", "?"),
    ("too_late", "?"),
)
# By the key alone: answered from the index, and a few rows too many do no harm.
_COUNT = """
SELECT patient_id, count(*) AS number FROM reading WHERE patient_id = ANY($1::uuid[]) GROUP BY patient_id
"""

_NOT_STORED_BY = """
SELECT partition FROM unnest($4::integer[]) AS asked (partition)
WHERE EXISTS (SELECT FROM patient WHERE (cluster_id, topic, log_partition) = ($2, $3, asked.partition))
  AND NOT EXISTS (
    SELECT FROM log_position AS p
    WHERE (p.consumer_group, p.cluster_id, p.topic, p.partition) = ($1, $2, $3, asked.partition)
  )
ORDER BY partition
"""

_GROUPS = """
SELECT DISTINCT consumer_group FROM log_position WHERE (cluster_id, topic) = ($1, $2) ORDER BY consumer_group
"""

_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *(part for name, kind in _FIELDS for part in ((f"{name}_length", ">i4"), (name, kind))),
    ]
)
_HEADER_BYTES = 19
_TRAILER_BYTES = 2
_POSTGRES_EPOCH_US = 946_684_800_000_000
_HOURS_S = 6 * 3600.0
"""Reading a whole partition back takes as long as it takes; only what hangs for ever is cut off."""


async def require_stored_by(
    connection: Connection, group: str, cluster_id: str, topic: str, partitions: Sequence[int]
) -> None:
    """Make sure that what is stored of partitions was stored by this consumer group.

    Its position says up to where the readings are complete. With that of another, a restart would read the
    whole log again, and patients who wait for being evaluated again would wait for ever.
    **Raises**: RefuseToStart when it never was in a partition that has patients.
    """
    rows = await connection.fetch(_NOT_STORED_BY, group, cluster_id, topic, list(partitions))
    if rows:
        numbers = ", ".join(str(row["partition"]) for row in rows)
        others = await connection.fetch(_GROUPS, cluster_id, topic)
        raise RefuseToStart(
            f"Patients of partitions {numbers} are stored, but not by the consumer group {group}: expected "
            "in THUISWACHT_STORING_GROUP the group that ingest runs as; in this log there are "
            f"{', '.join(row['consumer_group'] for row in others)}."
        )


async def count_readings(connection: Connection, patient_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many readings of each of these patients are stored, 0 for none; within a transaction."""
    async with _unhurried(connection):
        found = await connection.fetch(_COUNT, list(patient_ids), timeout=_HOURS_S)
    return dict.fromkeys(patient_ids, 0) | {row["patient_id"]: row["number"] for row in found}


async def load_readings(
    connection: Connection, rows: Mapping[UUID, int], *, partition: int, below_offset: int
) -> Readings:
    """What was stored of these patients from messages before an offset; within a transaction.

    Among them what we said of readings that were refused, as the engine heard it then. In order of time, at
    the same time in that of the log. What the engine does not look at (upload, source, group, remarks) is
    left empty. `rows` gives each patient's row.
    """
    arguments = (list(rows), partition, below_offset)
    image = bytearray()

    async def keep(chunk: bytes) -> None:
        image.extend(chunk)

    async with _unhurried(connection):
        texts = await _distinct(connection, arguments)
        await connection.copy_from_query(_COPY, *arguments, output=keep, format="binary", timeout=_HOURS_S)
    return await asyncio.to_thread(_readings, image, rows, texts, partition)


@asynccontextmanager
async def _unhurried(connection: Connection) -> AsyncGenerator[None]:
    """Lifts the time limit of statements within a transaction: it is meant for batches."""
    await connection.execute("SET LOCAL statement_timeout = 0")
    yield
    await connection.execute("SET LOCAL statement_timeout TO DEFAULT")


async def _distinct(connection: Connection, arguments: tuple[list[UUID], int, int]) -> dict[int, str]:
    """The texts by their hashes."""
    found: dict[int, str] = {}
    for record in await connection.fetch(_TEXTS, *arguments, timeout=_HOURS_S):
        if found.setdefault(record["hash"], record["text"]) != record["text"]:
            raise Broken(f"Two texts of readings share the hash {record['hash']}; choose another hash.")
    return found


def _readings(
    image: bytearray, rows: Mapping[UUID, int], texts: Mapping[int, str], partition: int
) -> Readings:
    n = (len(image) - _HEADER_BYTES - _TRAILER_BYTES) // _ROW.itemsize
    table = np.frombuffer(image, _ROW, n, _HEADER_BYTES)
    # The engine puts what comes in order of time into place without moving anything.
    table = table[np.lexsort((table["log_position"], table["log_offset"], table["taken_at"]))]
    known = list(texts.values())
    index = {digest: place for place, digest in enumerate(texts)}
    units = {digest: UNIT_BY_SPELLING.get(text, -1) for digest, text in texts.items()}
    nothing = np.full(n, -1, np.int32)
    no_ids = np.zeros((n, 16), np.uint8)
    # A mark where the reading has the text: its words are not needed.
    remark = np.int32(len(known))
    return Readings(
        partition=partition,
        texts=(*known, ""),
        offset=table["log_offset"].astype(np.int64),
        position=table["log_position"].astype(np.int32),
        patient=_mapped(table["patient_id"], {key.bytes: row for key, row in rows.items()}, np.int32),
        patient_id=np.frombuffer(table["patient_id"].tobytes(), np.uint8).reshape(n, 16),
        organisation_id=no_ids,
        upload_id=no_ids,
        kind=table["kind"].astype(np.int16),
        taken_at_us=table["taken_at"].astype(np.int64) + _POSTGRES_EPOCH_US,
        device=_mapped(table["device"], index, np.int32),
        revision=table["revision"].astype(np.int32),
        void=table["void"].astype(np.bool_),
        value=table["value"].astype(np.float64),
        value_received=table["value_received"].astype(np.float64),
        unit=_mapped(table["unit"], {0: -1} | units, np.int16),
        unit_received=nothing,
        code=table["code"].astype(np.int16),
        code_received=nothing,
        absent=np.where(table["absent"], remark, nothing),
        text=np.where(table["text"], remark, nothing),
        group=nothing,
        source=nothing,
        received_at_us=table["received_at"].astype(np.int64) + _POSTGRES_EPOCH_US,
        sent_at_us=np.zeros(n, np.int64),
        utc_offset_min=np.full(n, NO_OFFSET_MIN, np.int16),
        too_late=table["too_late"].astype(np.bool_),
    )


def _mapped(
    column: NDArray[np.generic], numbers: Mapping[Any, int], dtype: type[np.signedinteger[Any]]
) -> NDArray[Any]:
    """Each entry's number, looked up once for each different entry."""
    different, place = np.unique(column, return_inverse=True)
    return np.array([numbers[key] for key in different.tolist()], dtype)[place]
