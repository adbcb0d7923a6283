"""Patients who are to be evaluated again from the stored readings: asked for, due, done."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.clock import to_datetime
from models.db.pool import Connection

FROM_THE_BEGINNING_US = 0


@dataclass(frozen=True, slots=True)
class Reevaluation:
    """A patient to be evaluated again, once everything before `log_offset` of the partition is stored."""

    patient_id: UUID
    organisation_id: UUID
    partition: int
    log_offset: int


async def ask(
    connection: Connection, cluster_id: str, topic: str, reevaluations: Sequence[Reevaluation]
) -> None:
    """Asks for it; asking twice is asking once."""
    await connection.executemany(
        """
        INSERT INTO reevaluation (
            patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, from_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT ON CONSTRAINT reevaluation_pkey DO NOTHING
        """,
        [
            (
                asked.patient_id, asked.organisation_id, cluster_id, topic, asked.partition, asked.log_offset,
                to_datetime(FROM_THE_BEGINNING_US),
            )
            for asked in reevaluations
        ],
    )  # fmt: skip


async def due(
    connection: Connection, cluster_id: str, topic: str, partitions: Sequence[int]
) -> list[Reevaluation]:
    """What was asked for and not done, each patient once, those who wait longest first."""
    rows = await connection.fetch(
        """
        SELECT patient_id, organisation_id, log_partition, max(log_offset) AS log_offset
        FROM reevaluation
        WHERE (cluster_id, topic) = ($1, $2) AND log_partition = ANY ($3::integer[]) AND done_at IS NULL
        GROUP BY patient_id, organisation_id, log_partition
        ORDER BY min(asked_at), patient_id
        """,
        cluster_id, topic, list(partitions),
    )  # fmt: skip
    return [Reevaluation(*row) for row in rows]


async def longest_wait_s(
    connection: Connection, cluster_id: str, topic: str, partitions: Sequence[int]
) -> float:
    """How long the oldest of what was asked for and not done has waited; 0 where nothing is due."""
    waited: float = await connection.fetchval(
        """
        SELECT coalesce(extract(epoch FROM clock_timestamp() - min(asked_at)), 0)::float8
        FROM reevaluation
        WHERE (cluster_id, topic) = ($1, $2) AND log_partition = ANY ($3::integer[]) AND done_at IS NULL
        """,
        cluster_id, topic, list(partitions),
    )  # fmt: skip
    return waited


async def done(connection: Connection, cluster_id: str, topic: str, reevaluation: Reevaluation) -> None:
    """Marks all that was asked for a patient up to that place in the log as done."""
    await connection.execute(
        """
        UPDATE reevaluation SET done_at = clock_timestamp()
        WHERE patient_id = $1 AND (cluster_id, topic, log_partition) = ($2, $3, $4) AND log_offset <= $5
          AND done_at IS NULL
        """,
        reevaluation.patient_id, cluster_id, topic, reevaluation.partition, reevaluation.log_offset,
    )  # fmt: skip
