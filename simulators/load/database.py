"""What a run asks the database: who is there, how far both groups are, what was stored and found."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from models.clock import to_datetime, to_us
from models.db.live import listening
from models.db.pool import Connection, Pool
from models.findings import Signal
from simulators.load.homes import SIGNALS, Homes
from simulators.load.schedule import Ints

GROUPS = ("thuiswacht.ingest", "thuiswacht.alerting")
_AT_ONCE = 2_000
"""Patients whose readings are fetched together."""
_READINGS = """
SELECT p.row, r.kind, (extract(epoch FROM r.taken_at) * 1000000)::bigint, r.value,
       r.log_partition, r.log_offset
FROM unnest($1::uuid[]) WITH ORDINALITY AS p (patient_id, row)
JOIN reading AS r USING (patient_id)
JOIN unnest($4::bigint[]) WITH ORDINALITY AS b (first, number) ON r.log_partition = b.number - 1
WHERE r.taken_at BETWEEN $2 AND $3 AND r.log_offset >= b.first
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """Readings in the table. **Shape**: each array is [n]; `patient` is a row of the homes."""

    patient: NDArray[np.int32]
    kind: NDArray[np.int16]
    taken_at_us: Ints
    value: NDArray[np.float64]
    partition: NDArray[np.int32]
    offset: Ints

    def __len__(self) -> int:
        return len(self.patient)


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of a patient, by their row. **Units**: microseconds since 1970 UTC."""

    finding_id: UUID
    patient: int
    signal: Signal
    rule: str
    opened_at_us: int


class Database:
    """Reads only, as the role that may, about the given homes alone."""

    def __init__(self, pool: Pool, cluster_id: str, topic: str, homes: Homes) -> None:
        self._pool = pool
        self._log = cluster_id, topic
        self._homes = homes
        self._row = {text: row for row, text in enumerate(homes.texts)}

    async def strangers(self) -> list[int]:
        """Rows of patients whom ingest does not know yet."""
        return await self._without("SELECT patient_id FROM patient WHERE patient_id = ANY ($1::uuid[])")

    async def unregistered(self) -> list[int]:
        """Rows of patients whom the register does not know yet."""
        return await self._without("SELECT patient_id FROM registration WHERE patient_id = ANY ($1::uuid[])")

    async def free(self) -> list[int]:
        """Rows of those kept for alarming uploads who have no open alert about that."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT DISTINCT patient_id FROM alert
                WHERE patient_id = ANY ($1::uuid[]) AND signal = ANY ($2::text[]) AND state <> 'resolved'
                """,
                self._homes.texts[self._homes.ordinary :],
                list(SIGNALS),
            )
        taken = {self._row[str(row["patient_id"])] for row in rows}
        return [row for row in range(self._homes.ordinary, len(self._homes)) if row not in taken]

    async def positions(self) -> list[tuple[str, int, int]]:
        """Group, partition and next offset, of each that has begun."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT consumer_group, partition, next_offset FROM log_position
                WHERE (cluster_id, topic) = ($1, $2) AND consumer_group = ANY ($3::text[])
                """,
                *self._log,
                GROUPS,
            )
        return [(row[0], row[1], row[2]) for row in rows]

    async def untold(self) -> int:
        """Decisions of the register that the log does not have yet."""
        return await self._count("SELECT count(*) FROM register_change WHERE told_at IS NULL")

    async def waiting(self) -> int:
        """Patients that alerting still has to evaluate again."""
        return await self._count("SELECT count(*) FROM reevaluation WHERE done_at IS NULL")

    async def stored(self, from_us: int, until_us: int, firsts: Sequence[int]) -> Stored:
        """Readings that were taken within the two; `firsts`: from these offsets of the partitions on."""
        parts = [_columns([], 0)]
        asked = to_datetime(from_us), to_datetime(until_us), list(firsts)
        async with self._pool.connection() as connection:
            for first in range(0, len(self._homes), _AT_ONCE):
                texts = self._homes.texts[first : first + _AT_ONCE]
                rows = await connection.fetch(_READINGS, texts, *asked, timeout=600)
                parts.append(_columns(rows, first - 1))
        joined = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Stored)}
        return Stored(**joined)

    async def refused(self, firsts: Sequence[int]) -> list[str]:
        """What of these patients lies in quarantine from these offsets on: why, by how many readings."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT q.reason, q.expected, sum(q.readings) AS readings
                FROM quarantine AS q
                JOIN unnest($2::bigint[]) WITH ORDINALITY AS b (first, number)
                    ON q.log_partition = b.number - 1
                WHERE q.patient_id = ANY ($1::uuid[]) AND q.log_offset >= b.first
                    AND (q.cluster_id, q.topic) = ($3, $4)
                GROUP BY 1, 2 ORDER BY 3 DESC
                """,
                self._homes.texts,
                list(firsts),
                *self._log,
            )
        return [
            f"{row['readings']:,} readings in quarantine as {row['reason']}: expected {row['expected']}"
            for row in rows
        ]

    async def findings(self, since_us: int) -> list[Found]:
        """What opened since, and was not retracted."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT finding_id, patient_id, signal, programme || '/' || rule AS rule, opened_at
                FROM finding
                WHERE patient_id = ANY ($1::uuid[]) AND opened_at >= $2 AND NOT retracted
                """,
                self._homes.texts,
                to_datetime(since_us),
                timeout=600,
            )
        return [
            Found(
                row["finding_id"],
                self._row[str(row["patient_id"])],
                Signal(row["signal"]),
                row["rule"],
                to_us(row["opened_at"]),
            )
            for row in rows
        ]

    async def alerts(self, alert_ids: Sequence[UUID]) -> dict[UUID, tuple[int, Signal]]:
        """Of these alerts, those of our patients: whose, and about what."""
        async with self._pool.connection() as connection:
            rows = await connection.fetch(
                "SELECT alert_id, patient_id, signal FROM alert WHERE alert_id = ANY ($1::uuid[])",
                list(alert_ids),
                timeout=600,
            )
        return {
            row["alert_id"]: (self._row[text], Signal(row["signal"]))
            for row in rows
            if (text := str(row["patient_id"])) in self._row
        }

    def listening(self, hear: Callable[[UUID], None]) -> AbstractAsyncContextManager[Connection]:
        """Within the block, `hear` is called for each alert that changes, as its commit is told."""
        return listening(self._pool, hear)

    async def version(self) -> str:
        """Of Postgres."""
        async with self._pool.connection() as connection:
            return str(await connection.fetchval("SELECT current_setting('server_version')"))

    async def _without(self, query: str) -> list[int]:
        async with self._pool.connection() as connection:
            rows = await connection.fetch(query, self._homes.texts)
        there = {str(row["patient_id"]) for row in rows}
        return [row for row, text in enumerate(self._homes.texts) if text not in there]

    async def _count(self, query: str) -> int:
        async with self._pool.connection() as connection:
            found: int = await connection.fetchval(query)
            return found


def _columns(rows: Sequence[Any], first: int) -> Stored:
    n = len(rows)
    return Stored(
        patient=np.fromiter((first + row[0] for row in rows), np.int32, n),
        kind=np.fromiter((row[1] for row in rows), np.int16, n),
        taken_at_us=np.fromiter((row[2] for row in rows), np.int64, n),
        value=np.fromiter((row[3] for row in rows), np.float64, n),
        partition=np.fromiter((row[4] for row in rows), np.int32, n),
        offset=np.fromiter((row[5] for row in rows), np.int64, n),
    )
