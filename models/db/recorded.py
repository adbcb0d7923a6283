"""What a recording is made of, from the tables: whose it may be, what held for them, what was measured."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

from models.db.pool import Connection
from models.messages import Origin

AT_ONCE = 5_000

_RECORDABLE = """
SELECT p.patient_id, p.origin FROM patient AS p
WHERE NOT EXISTS (
    SELECT FROM objection AS o
    WHERE o.patient_id = p.patient_id AND o.organisation_id = $1 AND o.from_at <= statement_timestamp()
      AND (o.until_at IS NULL OR o.until_at > statement_timestamp())
)
"""

# Uploads as they were received, in the order of the log; what was said of readings that had to be refused stands
# among them, as the rules heard it.
_UPLOADS = """
SELECT * FROM (
    SELECT log_offset, log_position, upload_id, patient_id, device_id, source, kind, taken_at, received_at,
        coalesce(sent_at, received_at) AS sent_at, value_received, unit_received, code, code_received, absent,
        text, void, revision, group_label, utc_offset_min
    FROM reading
    WHERE log_partition = $1 AND ($4::uuid[] IS NULL OR patient_id = ANY ($4))
      AND received_at >= $2 AND received_at < $3
    UNION ALL
    SELECT q.log_offset, q.log_position, NULL, q.patient_id, q.device_id, coalesce(q.source, ''), $5::smallint,
        q.notice_at, coalesce(m.received_at, q.notice_at), coalesce(m.received_at, q.notice_at), NULL, NULL,
        q.notice_code, NULL, NULL, NULL, false, 0, NULL, NULL
    FROM quarantine AS q LEFT JOIN quarantine_message AS m USING (cluster_id, topic, log_partition, log_offset)
    WHERE q.log_partition = $1 AND ($4::uuid[] IS NULL OR q.patient_id = ANY ($4)) AND q.notice_code IS NOT NULL
      AND coalesce(m.received_at, q.notice_at) >= $2 AND coalesce(m.received_at, q.notice_at) < $3
) AS told
ORDER BY log_offset, log_position
"""

_PARTITIONS = """
SELECT DISTINCT cluster_id, topic, log_partition FROM patient ORDER BY cluster_id, topic, log_partition
"""


async def recordable(connection: Connection, organisation_id: UUID | None) -> dict[UUID, Origin]:
    """The patients whom the declared user may record: without those who objected to that organisation."""
    rows = await connection.fetch(_RECORDABLE, organisation_id)
    return {row["patient_id"]: Origin(row["origin"]) for row in rows}


async def partitions_of_patients(connection: Connection) -> list[tuple[str, str, int]]:
    """Where patients are: cluster, topic, partition."""
    return [tuple(row) for row in await connection.fetch(_PARTITIONS)]


async def uploads(
    connection: Connection,
    partition: int,
    between: tuple[Any, Any],
    patient_ids: Sequence[UUID] | None,
    notices: int,
) -> AsyncGenerator[dict[str, Any]]:
    """Readings with their uploads in the order of a partition, through a cursor; within a transaction.

    `between`: received from the first moment on, before the second. `notices`: the kind that notices are of.
    """
    await connection.execute("SET LOCAL statement_timeout = 0")
    chosen = None if patient_ids is None else list(patient_ids)
    async for row in connection.cursor(_UPLOADS, partition, *between, chosen, notices, prefetch=AT_ONCE):
        yield dict(row)
