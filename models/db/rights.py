"""Objections, destruction and retention: what the functions of migration 0016 do, called from here alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.clock import to_datetime, to_us
from models.db.pool import Connection
from models.errors import BadInput
from models.retention import Ground, Obstacle

_OLD = """
SELECT patient_id, last_change_of(patient_id, $1) AS changed_at FROM registration
WHERE entered_at <= $1 - interval '20 years' ORDER BY entered_at, patient_id
"""
_OBJECT = """
INSERT INTO objection (patient_id, organisation_id, by, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (patient_id, organisation_id) WHERE until_at IS NULL DO NOTHING
"""
_TAKE_BACK = """
UPDATE objection SET until_at = clock_timestamp()
WHERE (patient_id, organisation_id) = ($1, $2) AND until_at IS NULL
"""
_NAMES = """
SELECT person_id::text AS id, name FROM person WHERE person_id::text = ANY ($1::text[])
UNION ALL
SELECT organisation_id::text, coalesce(name, '') FROM organisation
WHERE organisation_id::text = ANY ($1::text[])
"""


@dataclass(frozen=True, slots=True)
class Warrant:
    """On what a destruction stands, for the row on record that Postgres writes with it.

    **Units**: `at_us` is the moment that is decided for, in microseconds since 1970 UTC.
    """

    ground: Ground
    at_us: int
    happened_us: int
    protocol: str
    held_ground: str | None
    reason: str


async def record_of(connection: Connection, patient_id: UUID) -> dict[str, int]:
    """How many rows each table holds of a patient, tables without any left out."""
    rows = await connection.fetch("SELECT held, rows FROM record_of($1) WHERE rows > 0", patient_id)
    return {row["held"]: row["rows"] for row in rows}


async def doubles_of(connection: Connection, patient_id: UUID) -> list[UUID]:
    """The registrations that were merged into this one."""
    rows = await connection.fetch("SELECT doubles_of($1) AS patient_id", patient_id)
    return [row["patient_id"] for row in rows]


async def obstacle_of(
    connection: Connection, patient_id: UUID, ground: Ground, at_us: int
) -> Obstacle | None:
    """Why the record of a patient may not be destroyed at a moment; None where it may."""
    found: str | None = await connection.fetchval(
        "SELECT what_forbids_destruction($1, $2, $3)", patient_id, ground.value, to_datetime(at_us)
    )
    return None if found is None else Obstacle(found)


async def destroy(connection: Connection, patient_id: UUID, warrant: Warrant) -> Obstacle | None:
    """Destroys the record of one registration, and writes that down; why not, or None when it is done."""
    found: str | None = await connection.fetchval(
        "SELECT destroy_record($1, $2, $3, $4, $5, $6, $7)",
        patient_id,
        warrant.ground.value,
        to_datetime(warrant.at_us),
        warrant.happened_us,
        warrant.protocol,
        warrant.held_ground,
        warrant.reason,
    )
    return None if found is None else Obstacle(found)


async def old_records(connection: Connection, at_us: int) -> dict[UUID, int]:
    """Registrations that the declared user sees and that are 20 years old, with their latest change.

    **Units**: microseconds since 1970 UTC.
    """
    rows = await connection.fetch(_OLD, to_datetime(at_us))
    return {row["patient_id"]: to_us(row["changed_at"]) for row in rows if row["changed_at"] is not None}


async def object_to(
    connection: Connection, patient_id: UUID, organisation_id: UUID, by: UUID, reason: str
) -> None:
    """Writes down that an organisation may not look any more; said twice is said once.

    **Raises**: BadInput when there is no such organisation.
    """
    try:
        await connection.execute(_OBJECT, patient_id, organisation_id, by, reason)
    except asyncpg.ForeignKeyViolationError:
        raise BadInput(
            where="organisation_id", expected="an organisation of the register", found="another id"
        ) from None


async def take_objection_back(connection: Connection, patient_id: UUID, organisation_id: UUID) -> None:
    """Ends an objection. **Raises**: BadInput when there is none."""
    if await connection.execute(_TAKE_BACK, patient_id, organisation_id) == "UPDATE 0":
        raise BadInput(where="organisation_id", expected="one that was objected to", found="no objection")


async def names_of(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The names of people and organisations by their ids, those without one left out."""
    rows = await connection.fetch(_NAMES, sorted(set(ids)))
    return {row["id"]: row["name"] for row in rows if row["name"]}
