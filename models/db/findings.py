"""The findings: reading those that may change, writing what became of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import asyncpg

from models.clock import to_datetime, to_us, to_us_or_none
from models.db.pool import Connection
from models.findings import Evidence, EvidenceReading, Finding, Severity, Signal

# Postgres has no NaN in JSON: better to fail here, where it can be seen.
_JSON = json.JSONEncoder(allow_nan=False)

_LOAD = """
SELECT f.* FROM unnest($1::uuid[], $2::timestamptz[]) AS touched (patient_id, since)
JOIN finding AS f USING (patient_id)
WHERE f.cleared_at IS NULL OR f.cleared_at >= touched.since OR f.opened_at >= touched.since
UNION
SELECT f.* FROM unnest($3::uuid[], $4::uuid[]) AS reason (patient_id, finding_id)
JOIN finding AS f USING (patient_id, finding_id)
ORDER BY patient_id, opened_at, programme, rule
"""

_WRITE = """
INSERT INTO finding AS f (
    patient_id, finding_id, organisation_id, log_partition, programme, version, programme_hash, rule, signal,
    severity, opened_at, raised_at, cleared_at, retracted, quiet, opening, raised,
    unconfirmed
)
SELECT * FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::integer[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::boolean[],
    $15::boolean[], $16::jsonb[], $17::jsonb[], $18::boolean[]
)
ON CONFLICT (patient_id, finding_id) DO UPDATE SET
    version = excluded.version,
    programme_hash = excluded.programme_hash,
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


async def load_findings(
    connection: Connection, since_us: Mapping[UUID, int], reasons: Sequence[tuple[UUID, UUID]] = ()
) -> list[Finding]:
    """The findings of patients that are open or that opened or cleared from a moment on, and the named ones.

    `reasons` names findings by patient and finding, whatever their age. In the order of patient and time.
    """
    rows = await connection.fetch(
        _LOAD,
        list(since_us),
        [to_datetime(max(at_us, 0)) for at_us in since_us.values()],
        [patient_id for patient_id, _ in reasons],
        [finding_id for _, finding_id in reasons],
    )
    return [finding_of(row) for row in rows]


async def find_finding(connection: Connection, finding_id: UUID) -> Finding | None:
    """A finding by its id alone, None where there is none."""
    row = await connection.fetchrow("SELECT * FROM finding WHERE finding_id = $1", finding_id)
    return None if row is None else finding_of(row)


async def write_findings(connection: Connection, findings: Sequence[Finding]) -> None:
    """Stores the findings as they are now, new ones and changed ones."""
    if not findings:
        return
    columns = zip(*(row_of(finding) for finding in findings), strict=True)
    await connection.execute(_WRITE, *(list(column) for column in columns))


def row_of(finding: Finding) -> tuple[object, ...]:
    """A finding as the columns of its table, in the order in which they are written."""
    return (
        finding.patient_id,
        finding.finding_id,
        finding.organisation_id,
        finding.log_partition,
        finding.programme,
        finding.version,
        finding.programme_hash,
        finding.rule,
        finding.signal,
        finding.severity,
        to_datetime(finding.opened_at_us),
        None if finding.raised_at_us is None else to_datetime(finding.raised_at_us),
        None if finding.cleared_at_us is None else to_datetime(finding.cleared_at_us),
        finding.retracted,
        finding.quiet,
        _evidence_as_json(finding.opening),
        None if finding.raised_at_us is None else _evidence_as_json(finding.raised),
        finding.unconfirmed,
    )


def finding_of(row: asyncpg.Record) -> Finding:
    """A row of its table as a finding."""
    return Finding(
        finding_id=row["finding_id"],
        patient_id=row["patient_id"],
        organisation_id=row["organisation_id"],
        log_partition=row["log_partition"],
        programme=row["programme"],
        version=row["version"],
        programme_hash=row["programme_hash"],
        rule=row["rule"],
        signal=Signal(row["signal"]),
        severity=Severity(row["severity"]),
        opened_at_us=to_us(row["opened_at"]),
        raised_at_us=to_us_or_none(row["raised_at"]),
        cleared_at_us=to_us_or_none(row["cleared_at"]),
        retracted=row["retracted"],
        quiet=row["quiet"],
        opening=_evidence(row["opening"]),
        raised=_evidence(row["raised"]),
        unconfirmed=row["unconfirmed"],
    )


def _evidence_as_json(evidence: Sequence[Evidence]) -> str:
    return _JSON.encode([asdict(part) for part in evidence])


def _evidence(text: str | None) -> tuple[Evidence, ...]:
    return () if text is None else tuple(_part(part) for part in json.loads(text))


def _part(stored: dict[str, Any]) -> Evidence:
    """What was stored before a field existed lacks it, and gets the field's default."""
    readings = tuple(EvidenceReading(**reading) for reading in stored.pop("readings", ()))
    return Evidence(**stored, readings=readings)
