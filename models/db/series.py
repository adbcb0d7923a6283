"""What was measured of one patient, for charts: the readings of a kind as columns, in one round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from models.clock import SECOND_US, to_datetime, to_us
from models.db.pool import Connection
from models.kinds import KIND_BY_NAME, KINDS

_MEASURED = """
SELECT k.number, newest.taken_at, newest.value
FROM kind AS k CROSS JOIN LATERAL (
    SELECT r.taken_at, r.value FROM reading AS r
    WHERE r.patient_id = $1 AND r.kind = k.number AND r.taken_at > $2 AND r.taken_at <= $3
      AND r.value IS NOT NULL
    ORDER BY r.taken_at DESC LIMIT 1
) AS newest
ORDER BY k.number
"""

_ANSWERS = """
WITH newest AS (
    SELECT DISTINCT ON (kind, taken_at, device_id) kind, taken_at, device_id, void, code, text, absent, source
    FROM reading
    WHERE patient_id = $1 AND kind = ANY ($2::smallint[]) AND taken_at > $3 AND taken_at <= $4
    ORDER BY kind, taken_at, device_id, revision DESC, void DESC
)
SELECT kind, taken_at, device_id, code, text, absent FROM newest
WHERE NOT void AND (code IS NOT NULL OR text IS NOT NULL OR absent IS NOT NULL)
ORDER BY taken_at DESC, kind LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Series:
    """The readings of one kind that count, in order of time. **Units**: canonical; microseconds since 1970.

    `entered`: the upload by which a person entered the reading at a place, telephone or correction.
    **Shape**: all columns [n].
    """

    kind: str
    taken_at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    device: Sequence[str]
    revision: NDArray[np.int32]
    too_late: NDArray[np.bool_]
    entered: Mapping[int, UUID] = field(default_factory=dict[int, UUID])


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest reading of a kind. **Units**: canonical; microseconds since 1970 UTC."""

    kind: str
    taken_at_us: int
    value: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a patient answered, wrote, or said instead of measuring. **Units**: microseconds since 1970."""

    kind: str
    taken_at_us: int
    device_id: str
    code: int | None
    text: str | None
    absent: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An upload of a person: `message` as it goes to the log; told there, read from there.

    **Units**: microseconds since 1970 UTC.
    """

    upload_id: UUID
    message: str
    by: UUID
    asked_at_us: int
    is_told: bool
    is_stored: bool


async def load_series(
    connection: Connection, patient_id: UUID, kind: str, after_us: int, until_us: int
) -> Series:
    """The readings of a kind with numbers in a stretch of time, as far as the declared user sees them."""
    row = await connection.fetchrow(
        "SELECT * FROM series_of($1, $2, $3, $4)",
        patient_id,
        KIND_BY_NAME[kind].number,
        to_datetime(max(after_us, 0)),
        to_datetime(max(until_us, 0)),
    )
    if row is None or row["taken_s"] is None:
        nothing = np.zeros(0)
        return Series(
            kind, nothing.astype(np.int64), nothing, (), nothing.astype(np.int32), nothing.astype(np.bool_)
        )
    return Series(
        kind=kind,
        taken_at_us=np.rint(np.array(row["taken_s"], np.float64) * SECOND_US).astype(np.int64),
        value=np.array(row["value"], np.float64),
        device=row["device"],
        revision=np.array(row["revision"], np.int32),
        too_late=np.array(row["too_late"], np.bool_),
        entered={place: upload for place, upload in enumerate(row["upload"]) if upload is not None},
    )


async def measured(connection: Connection, patient_id: UUID, after_us: int, until_us: int) -> list[Newest]:
    """Which kinds with numbers there are readings of in a stretch of time, with the newest of each."""
    rows = await connection.fetch(
        _MEASURED, patient_id, to_datetime(max(after_us, 0)), to_datetime(max(until_us, 0))
    )
    return [
        Newest(KINDS[int(row["number"])].name, to_us(row["taken_at"]), float(row["value"])) for row in rows
    ]


async def load_answers(
    connection: Connection, patient_id: UUID, kinds: Sequence[str], after_us: int, until_us: int, most: int
) -> list[Answer]:
    """Answers, remarks and reasons why nothing was measured, the newest first."""
    rows = await connection.fetch(
        _ANSWERS,
        patient_id,
        [KIND_BY_NAME[kind].number for kind in kinds],
        to_datetime(max(after_us, 0)),
        to_datetime(max(until_us, 0)),
        most,
    )
    return [
        Answer(
            kind=KINDS[int(row["kind"])].name,
            taken_at_us=to_us(row["taken_at"]),
            device_id=row["device_id"],
            code=row["code"],
            text=row["text"],
            absent=row["absent"],
        )
        for row in rows
    ]


async def entries_of(connection: Connection, patient_id: UUID, most: int = 200) -> list[Entry]:
    """What people entered or corrected of a patient's readings, the newest first."""
    rows = await connection.fetch("SELECT * FROM entries_of($1, $2)", patient_id, most)
    return [
        Entry(
            upload_id=row["upload"],
            message=row["message"],
            by=row["entered_by"],
            asked_at_us=to_us(row["asked_at"]),
            is_told=row["is_told"],
            is_stored=row["is_stored"],
        )
        for row in rows
    ]


async def mark_of(connection: Connection, patient_id: UUID, after_us: int) -> str:
    """A mark that changes with what a patient's page shows: events, readings from a moment on, register.

    **Units**: `after_us` in microseconds since 1970 UTC.
    """
    query = "SELECT coalesce(mark_of($1, $2), '')"
    mark: str = await connection.fetchval(query, patient_id, to_datetime(max(after_us, 0)))
    return mark
