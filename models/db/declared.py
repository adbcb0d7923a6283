"""Who acts in a transaction: without a declared user, no row about a patient is there."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import asyncpg

from models.access import Action, Relation, User
from models.db.pool import Connection, Pool
from models.errors import NotAllowed

REFUSED = "You may not do this with this patient, or there is no such patient."

_DECLARE = """
    SELECT set_config('thuiswacht.person', $1, true), set_config('thuiswacht.organisation', $2, true),
        set_config('thuiswacht.role', $3, true), set_config('thuiswacht.action', $4, true)
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


@contextmanager
def fenced() -> Generator[None]:
    """Turns what the fences stop into NotAllowed: who gets that far was let through by a mistake of ours."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotAllowed(REFUSED) from error


async def may_act(connection: Connection) -> bool:
    """Whether the declared user has that role at that organisation, today."""
    found: bool = await connection.fetchval("SELECT may_act()")
    return found
