"""Telephone calls with patients: what came of each, and whom to ring again."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import asyncpg

from models.clock import to_datetime, to_datetime_or_none, to_us, to_us_or_none
from models.db.pool import Connection

_WRITE = """
INSERT INTO call (
    patient_id, call_id, organisation_id, alert_id, by, happened_at, outcome, call_back_at, note
)
SELECT patient_id, $2, organisation_id, $3, $4, $5, $6, $7, $8 FROM registration WHERE patient_id = $1
"""

# Whoever rang later, rang back.
_DUE = """
SELECT c.* FROM call AS c
WHERE c.call_back_at IS NOT NULL AND c.call_back_at <= $1 AND NOT EXISTS (
    SELECT FROM call AS later WHERE later.patient_id = c.patient_id
    AND (later.happened_at, later.written_at) > (c.happened_at, c.written_at)
)
ORDER BY c.call_back_at, c.call_id LIMIT $2
"""


class CallOutcome(StrEnum):
    """What came of a call."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    CALL_BACK = "call_back"
    """Somebody answered, and it was agreed to ring again."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call with a patient. **Units**: times in microseconds since 1970 UTC."""

    call_id: UUID
    patient_id: UUID
    by: UUID
    happened_at_us: int
    outcome: CallOutcome
    call_back_at_us: int | None = None
    note: str | None = None
    alert_id: UUID | None = None


async def write_call(connection: Connection, call: Call) -> None:
    """Keeps a call with a patient whom the declared user sees."""
    await connection.execute(
        _WRITE,
        call.patient_id,
        call.call_id,
        call.alert_id,
        call.by,
        to_datetime(call.happened_at_us),
        call.outcome,
        to_datetime_or_none(call.call_back_at_us),
        call.note,
    )


async def calls_of(connection: Connection, patient_id: UUID, most: int = 50) -> list[Call]:
    """The newest calls with a patient, the newest first."""
    rows = await connection.fetch(
        "SELECT * FROM call WHERE patient_id = $1 ORDER BY happened_at DESC, written_at DESC LIMIT $2",
        patient_id,
        most,
    )
    return [_call(row) for row in rows]


def to_call_back(calls: Sequence[Call]) -> Call | None:
    """The newest call, where it asks for another; None when nobody has to ring again.

    **Shape**: `calls` of one patient, the newest first.
    """
    return calls[0] if calls and calls[0].call_back_at_us is not None else None


async def callbacks_due(connection: Connection, until_us: int, most: int = 500) -> list[Call]:
    """Whom to ring again up to a moment, of the patients that the declared user sees; the longest due first.

    **Units**: `until_us` in microseconds since 1970 UTC.
    """
    rows = await connection.fetch(_DUE, to_datetime(until_us), most)
    return [_call(row) for row in rows]


def _call(row: asyncpg.Record) -> Call:
    return Call(
        call_id=row["call_id"],
        patient_id=row["patient_id"],
        by=row["by"],
        happened_at_us=to_us(row["happened_at"]),
        outcome=CallOutcome(row["outcome"]),
        call_back_at_us=to_us_or_none(row["call_back_at"]),
        note=row["note"],
        alert_id=row["alert_id"],
    )
