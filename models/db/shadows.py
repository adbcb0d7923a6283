"""Shadows: which candidates run as which consumer group, where they began, and how they are forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.db.pool import Connection
from models.db.reevaluations import Reevaluation
from models.errors import RefuseToStart

_ASK = """
INSERT INTO shadow_reevaluation (
    patient_id, consumer_group, organisation_id, cluster_id, topic, log_partition, log_offset
)
SELECT patient_id, $1, organisation_id, $2, $3, log_partition, log_offset
FROM unnest($4::uuid[], $5::uuid[], $6::integer[], $7::bigint[])
    AS asked (patient_id, organisation_id, log_partition, log_offset)
ON CONFLICT ON CONSTRAINT shadow_reevaluation_pkey DO NOTHING
"""
_DUE = """
SELECT patient_id, organisation_id, log_partition, max(log_offset) AS log_offset
FROM shadow_reevaluation
WHERE (consumer_group, cluster_id, topic) = ($1, $2, $3) AND log_partition = ANY ($4::integer[])
  AND done_at IS NULL
GROUP BY patient_id, organisation_id, log_partition
ORDER BY min(asked_at), patient_id
"""
_DONE = """
UPDATE shadow_reevaluation SET done_at = clock_timestamp()
WHERE patient_id = $1 AND (consumer_group, cluster_id, topic, log_partition) = ($2, $3, $4, $5)
  AND log_offset <= $6 AND done_at IS NULL
"""
_UNFIT = """
INSERT INTO shadow_unfit (patient_id, consumer_group, organisation_id, field, expected)
SELECT patient_id, $1, organisation_id, field, expected
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[])
    AS unfit (patient_id, organisation_id, field, expected)
ON CONFLICT ON CONSTRAINT shadow_unfit_pkey DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Shadow:
    """Candidates as a consumer group. `candidates`: the whole versions, as JSON."""

    group: str
    candidates: str
    digest: str
    asked_from: str


@dataclass(frozen=True, slots=True)
class Start:
    """Where a shadow began in a partition; `is_built` once what is before is evaluated.

    **Units**: `valid_from_us` in microseconds since 1970, None for the log's beginning.
    """

    partition: int
    from_offset: int
    valid_from_us: int | None
    is_built: bool


@dataclass(frozen=True, slots=True)
class Unfit:
    """Something agreed with a patient that a candidate does not have."""

    patient_id: UUID
    organisation_id: UUID
    field: str
    expected: str


async def record(connection: Connection, shadow: Shadow) -> Shadow:
    """Records a shadow where nobody did before; gives it as it was recorded first.

    **Raises**: RefuseToStart for a group that reads the log for something else.
    """
    try:
        await connection.execute(
            """
            INSERT INTO shadow (consumer_group, candidates, digest, asked_from) VALUES ($1, $2, $3, $4)
            ON CONFLICT ON CONSTRAINT shadow_pkey DO NOTHING
            """,
            shadow.group, shadow.candidates, shadow.digest, shadow.asked_from,
        )  # fmt: skip
    except asyncpg.RestrictViolationError as error:
        raise RefuseToStart(
            f"The consumer group {shadow.group} reads the log for something else than a shadow: give the "
            "shadow another name (--group)."
        ) from error
    found = await find(connection, shadow.group)
    return shadow if found is None else found


async def find(connection: Connection, group: str) -> Shadow | None:
    """A shadow by its group; None where there is none."""
    row = await connection.fetchrow(
        "SELECT consumer_group, candidates::text, digest, asked_from FROM shadow WHERE consumer_group = $1",
        group,
    )
    return None if row is None else Shadow(*row)


async def names(connection: Connection) -> list[str]:
    """The groups of all shadows."""
    rows = await connection.fetch("SELECT consumer_group FROM shadow ORDER BY 1")
    return [row["consumer_group"] for row in rows]


async def starts(connection: Connection, group: str) -> dict[int, Start]:
    """Where a shadow began, by partition; those it never had are left out."""
    rows = await connection.fetch(
        """
        SELECT partition, from_offset, valid_from_us, built_at IS NOT NULL FROM shadow_start
        WHERE consumer_group = $1 ORDER BY partition
        """,
        group,
    )
    return {row["partition"]: Start(*row) for row in rows}


async def log_of(connection: Connection, group: str) -> tuple[str, str]:
    """The cluster and the topic that a shadow reads: one, or it would have refused to start."""
    row = await connection.fetchrow(
        "SELECT cluster_id, topic FROM shadow_start WHERE consumer_group = $1 LIMIT 1", group
    )
    return ("", "") if row is None else (row["cluster_id"], row["topic"])


async def begin(connection: Connection, group: str, cluster_id: str, topic: str, start: Start) -> None:
    """Begins in a partition, unless it began there before: then it stays where it began."""
    await connection.execute(
        """
        WITH began AS (
            INSERT INTO shadow_start (
                consumer_group, cluster_id, topic, partition, from_offset, valid_from_us
            )
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT ON CONSTRAINT shadow_start_pkey DO NOTHING
            RETURNING consumer_group, cluster_id, topic, partition, from_offset, valid_from_us
        )
        INSERT INTO log_position (consumer_group, cluster_id, topic, partition, next_offset, clock_us)
        SELECT * FROM began
        """,
        group, cluster_id, topic, start.partition, start.from_offset, start.valid_from_us,
    )  # fmt: skip


async def is_built(connection: Connection, group: str, partition: int) -> None:
    """Says that what is before its start in a partition is evaluated."""
    await connection.execute(
        """
        UPDATE shadow_start SET built_at = clock_timestamp()
        WHERE (consumer_group, partition) = ($1, $2) AND built_at IS NULL
        """,
        group, partition,
    )  # fmt: skip


async def note_unfit(connection: Connection, group: str, unfit: Sequence[Unfit]) -> None:
    """Keeps what does not fit; saying it twice is saying it once."""
    if unfit:
        patients, organisations = [u.patient_id for u in unfit], [u.organisation_id for u in unfit]
        texts = [u.field for u in unfit], [u.expected for u in unfit]
        await connection.execute(_UNFIT, group, patients, organisations, *texts)


async def ask(
    connection: Connection, group: str, cluster_id: str, topic: str, asked: Sequence[Reevaluation]
) -> None:
    """Asks for patients to be evaluated again; asking twice is asking once."""
    if asked:
        await connection.execute(
            _ASK, group, cluster_id, topic,
            [a.patient_id for a in asked], [a.organisation_id for a in asked],
            [a.partition for a in asked], [a.log_offset for a in asked],
        )  # fmt: skip


async def due(
    connection: Connection, group: str, cluster_id: str, topic: str, partitions: Sequence[int]
) -> list[Reevaluation]:
    """What was asked for and not done, each patient once, those who wait longest first."""
    rows = await connection.fetch(_DUE, group, cluster_id, topic, list(partitions))
    return [Reevaluation(*row) for row in rows]


async def done(
    connection: Connection, group: str, cluster_id: str, topic: str, reevaluation: Reevaluation
) -> None:
    """Marks all that was asked for a patient up to that place in the log as done."""
    asked = reevaluation
    await connection.execute(
        _DONE, asked.patient_id, group, cluster_id, topic, asked.partition, asked.log_offset
    )


async def forget(connection: Connection, group: str) -> int | None:
    """Deletes a shadow and all that it found; how many findings that were, None where there is none."""
    gone: int | None = await connection.fetchval("SELECT forget_shadow($1)", group)
    return gone
