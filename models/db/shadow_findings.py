"""What shadows found: kept as findings are, in a table of their own."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from models.clock import to_datetime, to_us, to_us_or_none
from models.db.findings import finding_of, row_of
from models.db.pool import Connection
from models.findings import Finding, Severity, Signal

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


_SEEN_COLUMNS = """
    patient_id, programme, version, rule, signal, severity, opened_at, cleared_at, quiet
"""
# What was in doubt and not severe was shown to nobody (alerting.lifecycle).
_SEEN_WHERE = """
    NOT retracted AND (severity = 'high' OR NOT unconfirmed)
    AND opened_at < $2 AND (cleared_at IS NULL OR cleared_at >= $1)
"""
_REAL = f"SELECT {_SEEN_COLUMNS} FROM finding WHERE {_SEEN_WHERE} AND log_partition = ANY ($3::integer[])"
_TRIED = f"SELECT {_SEEN_COLUMNS} FROM shadow_finding WHERE {_SEEN_WHERE} AND consumer_group = $3"


class Seen(NamedTuple):
    """A finding as far as alerts are made of it. **Units**: microseconds since 1970 UTC."""

    patient_id: UUID
    programme: str
    version: int
    rule: str
    signal: Signal
    severity: Severity
    opened_at_us: int
    cleared_at_us: int | None
    quiet: bool


async def real(connection: Connection, from_us: int, until_us: int, partitions: Sequence[int]) -> list[Seen]:
    """The findings of what is in use that held at some time in [from, until)."""
    stretch = to_datetime(from_us), to_datetime(until_us)
    return [_seen(row) for row in await connection.fetch(_REAL, *stretch, list(partitions))]


async def tried(connection: Connection, from_us: int, until_us: int, group: str) -> list[Seen]:
    """The same of a shadow."""
    stretch = to_datetime(from_us), to_datetime(until_us)
    return [_seen(row) for row in await connection.fetch(_TRIED, *stretch, group)]


async def unfit(connection: Connection, group: str) -> list[tuple[str, str, int]]:
    """What was agreed with patients and the candidates do not have: what, what they have, of how many."""
    rows = await connection.fetch(
        """
        SELECT field, min(expected), count(*) FROM shadow_unfit WHERE consumer_group = $1
        GROUP BY field ORDER BY field
        """,
        group,
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _seen(row: asyncpg.Record) -> Seen:
    return Seen(
        patient_id=row["patient_id"],
        programme=row["programme"],
        version=row["version"],
        rule=row["rule"],
        signal=Signal(row["signal"]),
        severity=Severity(row["severity"]),
        opened_at_us=to_us(row["opened_at"]),
        cleared_at_us=to_us_or_none(row["cleared_at"]),
        quiet=row["quiet"],
    )
