"""Readings of one patient as they were received, for people to look at."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from models.clock import to_datetime, to_us
from models.db.pool import Connection
from models.findings import CODE_UNIT, EvidenceReading
from models.kinds import KIND_BY_NAME, KINDS

# As the engine counts them: of each identity the highest revision, taken back or not; nothing that came too
# late, and nothing that a repeat made suspect. Notices of refused readings are heard as states of the device.
_VALUES = """
WITH newest AS (
    SELECT DISTINCT ON (kind, taken_at, device_id)
        kind, taken_at, void, value_received, unit_received, code
    FROM reading
    WHERE patient_id = $1 AND kind = ANY ($2::smallint[]) AND taken_at > $3 AND taken_at <= $4
        AND NOT too_late
    ORDER BY kind, taken_at, device_id, revision DESC, void DESC
), heard AS (
    SELECT kind, taken_at, value_received, unit_received, code FROM newest
    WHERE NOT void AND (value_received IS NOT NULL OR code IS NOT NULL) AND NOT EXISTS (
        SELECT FROM measurement_request AS r JOIN kind AS k ON k.name = r.kind
        WHERE r.patient_id = $1 AND r.taken_at = newest.taken_at AND r.status = 'suspect'
            AND k.number = newest.kind
    )
    UNION ALL
    SELECT $6::smallint, notice_at, NULL, NULL, notice_code FROM quarantine
    WHERE patient_id = $1 AND notice_code IS NOT NULL AND $6::smallint = ANY ($2::smallint[])
        AND notice_at > $3 AND notice_at <= $4
)
SELECT *, count(*) OVER () AS number FROM heard ORDER BY taken_at DESC, kind DESC LIMIT $5
"""
_DEVICE_STATE = KIND_BY_NAME["device_state"].number


async def load_values(
    connection: Connection, patient_id: UUID, kinds: Sequence[str], after_us: int, until_us: int, most: int
) -> tuple[int, list[EvidenceReading]]:
    """How many counting readings of some kinds there are in a stretch of time, and the newest of them.

    In order of time; those of a kind that does not exist are none. **Units**: microseconds since 1970 UTC.
    """
    rows = await connection.fetch(
        _VALUES,
        patient_id,
        [KIND_BY_NAME[kind].number for kind in kinds if kind in KIND_BY_NAME],
        to_datetime(max(after_us, 0)),
        to_datetime(max(until_us, 0)),
        most,
        _DEVICE_STATE,
    )
    return (rows[0]["number"] if rows else 0), [_reading(row) for row in reversed(rows)]


def _reading(row: asyncpg.Record) -> EvidenceReading:
    is_code = row["code"] is not None
    return EvidenceReading(
        kind=KINDS[int(row["kind"])].name,
        taken_at_us=to_us(row["taken_at"]),
        value=float(row["code"] if is_code else row["value_received"]),
        unit=CODE_UNIT if is_code else row["unit_received"],
    )
