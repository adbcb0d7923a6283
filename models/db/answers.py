"""What comes back from who was asked: that somebody has seen it, and who there may take it over."""

from collections.abc import Collection
from uuid import UUID

from models.access import Role
from models.clock import to_datetime
from models.db.escalations import escalation_of
from models.db.pool import Connection
from models.escalations import Escalation

# A copy whose answer was lost on the way may have arrived as well: who has seen it proves that.
_SEEN = """
UPDATE message SET state = 'seen', seen_at = $3, delivered_at = coalesce(delivered_at, $3)
WHERE patient_id = $1 AND (escalation_id = $2 OR $2 = ANY(joined)) AND state IN ('attempted', 'delivered')
"""
_ARRIVED = """
UPDATE escalation SET delivered_at = $3, version = version + 1
WHERE (patient_id, escalation_id) = ($1, $2) AND delivered_at IS NULL
"""
_ROLES = """
SELECT p.person_id, r.role FROM person AS p JOIN person_role AS r USING (person_id)
WHERE p.person_id = ANY($1::uuid[]) AND r.organisation_id = $2 AND NOT p.is_system
  AND r.from_at <= statement_timestamp() AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
  AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
ORDER BY p.person_id, r.role
"""


async def find_escalation(connection: Connection, escalation_id: UUID) -> Escalation | None:
    """An escalation by its id alone; None where there is none that the declared user may see."""
    row = await connection.fetchrow("SELECT * FROM escalation WHERE escalation_id = $1", escalation_id)
    return None if row is None else escalation_of(row)


async def seen_by_recipient(connection: Connection, escalation: Escalation, at_us: int) -> None:
    """Whatever carried this escalation was seen, and so has arrived; told again, it changes nothing.

    **Units**: `at_us` in microseconds since 1970 UTC.
    """
    key = escalation.patient_id, escalation.escalation_id, to_datetime(at_us)
    await connection.execute(_SEEN, *key)
    await connection.execute(_ARRIVED, *key)


async def roles_at(
    connection: Connection, people: Collection[UUID], organisation_id: UUID
) -> dict[UUID, list[Role]]:
    """As what these people, none of them a system, may act at an organisation today."""
    held: dict[UUID, list[Role]] = {}
    for row in await connection.fetch(_ROLES, list(people), organisation_id):
        held.setdefault(row["person_id"], []).append(Role(row["role"]))
    return held
