"""As what people may act, and where."""

from uuid import UUID

from models.access import Role, User
from models.clock import to_datetime
from models.db.pool import Connection

_ROLES = """
SELECT r.organisation_id, r.role FROM person_role AS r JOIN person AS p USING (person_id)
WHERE r.person_id = $1 AND r.from_at <= $2 AND (r.until_at IS NULL OR r.until_at > $2)
  AND (p.left_at IS NULL OR p.left_at > $2)
ORDER BY r.organisation_id, r.role
"""


async def roles_of(connection: Connection, person_id: UUID, now_us: int) -> list[User]:
    """As what somebody may act at this moment; nothing for who left."""
    rows = await connection.fetch(_ROLES, person_id, to_datetime(now_us))
    return [User(person_id, row["organisation_id"], Role(row["role"])) for row in rows]
