"""Readings that are corrected, on their way into the log: written with the decision, told afterwards."""

from dataclasses import dataclass
from uuid import UUID

from models.clock import to_datetime
from models.db.pool import Connection

_STORED = """
SELECT revision, void FROM reading
WHERE patient_id = $1 AND kind = $2 AND taken_at = $3 AND device_id = $4
"""
_WRITE = """
INSERT INTO correction (correction_id, patient_id, organisation_id, message, by)
SELECT $1, patient_id, organisation_id, $3, $4 FROM registration WHERE patient_id = $2
RETURNING organisation_id
"""
_TO_TELL = """
SELECT correction_id, patient_id, message FROM correction
WHERE told_at IS NULL ORDER BY asked_at, correction_id LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class ToTell:
    """A message that the log has not got yet, as far as we know."""

    correction_id: UUID
    patient_id: UUID
    message: bytes


async def stored_revisions(
    connection: Connection, patient_id: UUID, kind: int, taken_at_us: int, device_id: str
) -> list[tuple[int, bool]]:
    """Revision and void of all that is stored of one identity, as far as the declared user sees it."""
    rows = await connection.fetch(_STORED, patient_id, kind, to_datetime(taken_at_us), device_id)
    return [(row["revision"], row["void"]) for row in rows]


async def write(
    connection: Connection, correction_id: UUID, patient_id: UUID, message: bytes, by: UUID
) -> None:
    """Leaves a message to be told to the log."""
    await connection.execute(_WRITE, correction_id, patient_id, message.decode(), by)


async def to_tell(connection: Connection, at_most: int) -> list[ToTell]:
    """What is still to be told, in the order in which it was asked for."""
    rows = await connection.fetch(_TO_TELL, at_most)
    return [ToTell(row["correction_id"], row["patient_id"], row["message"].encode()) for row in rows]


async def told(connection: Connection, corrections: list[ToTell]) -> None:
    """Marks what the broker has confirmed."""
    await connection.execute(
        "UPDATE correction SET told_at = clock_timestamp() "
        "WHERE correction_id = ANY ($1::uuid[]) AND told_at IS NULL",
        [one.correction_id for one in corrections],
    )
