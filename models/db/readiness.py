"""Whether a database may serve people: its user has no way around the fences, its policy is ours."""

from models.access import POLICY
from models.db.installation import Purpose
from models.db.pool import Connection
from models.errors import RefuseToStart

_WAYS_AROUND = """
    SELECT rolname FROM pg_roles
    WHERE (rolsuper OR rolbypassrls OR rolname = 'thuiswacht_owner')
      AND pg_has_role(session_user, oid, 'MEMBER')
    ORDER BY rolsuper DESC, rolname
"""


async def require_fenced(
    connection: Connection,
    purpose: Purpose,
    service: str = "the API",
    roles: str = "thuiswacht_people and thuiswacht_login",
) -> None:
    """Lets a user of a live database through who cannot get around row-level security, in no role.

    `service` and `roles` say whose user it is, and what that should be a member of.
    **Raises**: RefuseToStart.
    """
    if purpose == "trial":
        return
    rows = await connection.fetch(_WAYS_AROUND)
    if rows:
        names = ", ".join(row["rolname"] for row in rows[:3])
        raise RefuseToStart(
            f"The user of this live database may act as {names}, for whom row-level security does not hold "
            f"(superuser, BYPASSRLS, or the owner). Give {service} a user of its own that is a member of "
            f"{roles} and of nothing else, and put it into THUISWACHT_POSTGRES."
        )


async def require_same_policy(connection: Connection) -> None:
    """Lets a database through whose policy is that of models/access.py. **Raises**: RefuseToStart."""
    rows = await connection.fetch("SELECT action, role, ground FROM access_policy")
    found = {(row["action"], row["role"], row["ground"]) for row in rows}
    ours = {
        (action.value, role.value, ground.value)
        for action, roles in POLICY.items()
        for role, grounds in roles.items()
        for ground in grounds
    }
    if found != ours:
        example = "/".join(min(found ^ ours))
        raise RefuseToStart(
            f"The access policy in the database differs from this program's in {len(found ^ ours)} rules "
            f"({example}, for one): run `thuiswacht migrate` of this version, and look who changed it."
        )
