"""As what people may act, and where."""

from uuid import UUID

from models.access import Role
from models.db.pool import Connection

_ROLES = """
SELECT r.organisation_id, r.role FROM person_role AS r JOIN person AS p USING (person_id)
WHERE r.person_id = $1 AND r.from_at <= statement_timestamp()
  AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
  AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
ORDER BY r.organisation_id, r.role
"""


async def roles_of(connection: Connection, person_id: UUID) -> list[tuple[UUID, Role]]:
    """As what a person may act today, with the organisation of each; none for who has left."""
    rows = await connection.fetch(_ROLES, person_id)
    return [(row["organisation_id"], Role(row["role"])) for row in rows]
