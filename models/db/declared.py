"""Who acts in a transaction: without a declared user, no row about a patient is there."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from models.access import Action, Relation, Role, User
from models.db.pool import Connection, Pool

_DECLARE = """
    SELECT set_config('thuiswacht.person', $1, true), set_config('thuiswacht.organisation', $2, true),
        set_config('thuiswacht.role', $3, true), set_config('thuiswacht.action', $4, true)
"""
_ROLES = """
    SELECT r.organisation_id, r.role FROM person_role AS r JOIN person AS p USING (person_id)
    WHERE r.person_id = $1 AND r.from_at <= statement_timestamp()
      AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
      AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
    ORDER BY r.organisation_id, r.role
"""


@asynccontextmanager
async def acting(pool: Pool, user: User, action: Action) -> AsyncGenerator[Connection]:
    """A transaction in which `user` does `action`: row-level security shows what they may see for it.

    The declaration ends with the transaction, so that a pooled connection never carries it to somebody else.

    **Raises**: as `Pool.transaction`.
    """
    async with pool.transaction() as connection:
        await declare(connection, user, action)
        yield connection


async def declare(connection: Connection, user: User, action: Action) -> None:
    """Says who acts from here on in this transaction."""
    await connection.execute(
        _DECLARE, str(user.person_id), str(user.organisation_id), user.role.value, action.value
    )


async def relation_to(connection: Connection, patient_id: UUID) -> Relation:
    """How the declared user stands to a patient; all false when there is no such patient."""
    rows = await connection.fetch("SELECT ground FROM grounds_for($1)", patient_id)
    return Relation(**{row["ground"]: True for row in rows})


async def may_act(connection: Connection) -> bool:
    """Whether the declared user has that role at that organisation, today."""
    found: bool = await connection.fetchval("SELECT may_act()")
    return found


async def roles_of(connection: Connection, person_id: UUID) -> list[tuple[UUID, Role]]:
    """As what a person may act today, with the organisation of each; none for who has left."""
    rows = await connection.fetch(_ROLES, person_id)
    return [(row["organisation_id"], Role(row["role"])) for row in rows]
