"""What shadows found: kept as findings are, in a table of their own."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from models.clock import to_datetime
from models.db.findings import finding_of, row_of
from models.db.pool import Connection
from models.findings import Finding

_LOAD = """
SELECT f.* FROM unnest($1::uuid[], $2::timestamptz[]) AS touched (patient_id, since)
JOIN shadow_finding AS f USING (patient_id)
WHERE f.consumer_group = $3
  AND (f.cleared_at IS NULL OR f.cleared_at >= touched.since OR f.opened_at >= touched.since)
ORDER BY f.patient_id, f.opened_at, f.programme, f.rule
"""

_WRITE = """
INSERT INTO shadow_finding AS f (
    consumer_group, patient_id, finding_id, organisation_id, log_partition, programme, version,
    programme_hash, rule, signal, severity, opened_at, raised_at, cleared_at, retracted, quiet, opening,
    raised, unconfirmed
)
SELECT $19, * FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::integer[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::boolean[],
    $15::boolean[], $16::jsonb[], $17::jsonb[], $18::boolean[]
)
ON CONFLICT ON CONSTRAINT shadow_finding_pkey DO UPDATE SET
    severity = excluded.severity,
    raised_at = excluded.raised_at,
    cleared_at = excluded.cleared_at,
    retracted = excluded.retracted,
    quiet = excluded.quiet,
    opening = excluded.opening,
    raised = excluded.raised,
    unconfirmed = excluded.unconfirmed,
    written_at = clock_timestamp()
"""


async def load(connection: Connection, group: str, since_us: Mapping[UUID, int]) -> list[Finding]:
    """A shadow's findings of patients that are open, or that opened or cleared from a moment on.

    **Units**: microseconds since 1970 UTC.
    """
    moments = [to_datetime(max(at_us, 0)) for at_us in since_us.values()]
    rows = await connection.fetch(_LOAD, list(since_us), moments, group)
    return [finding_of(row) for row in rows]


async def write(connection: Connection, group: str, findings: Sequence[Finding]) -> None:
    """Stores a shadow's findings as they are now, new ones and changed ones."""
    if findings:
        columns = zip(*(row_of(finding) for finding in findings), strict=True)
        await connection.execute(_WRITE, *(list(column) for column in columns), group)
