"""Systems that log in by themselves, each with its public key."""

from dataclasses import dataclass

import asyncpg

from models.access import Role, User
from models.clock import to_datetime
from models.db.pool import Connection

_CLIENT = "SELECT client_id, person_id, organisation_id, public_key FROM client WHERE removed_at IS NULL"


@dataclass(frozen=True, slots=True)
class Client:
    """A system: whom it acts as, and the key by which it signs (PEM)."""

    client_id: str
    user: User
    public_key: str


async def find_client(connection: Connection, client_id: str) -> Client | None:
    """The client of that id, unless it was removed."""
    row = await connection.fetchrow(f"{_CLIENT} AND client_id = $1", client_id)
    return None if row is None else _client(row)


async def list_clients(connection: Connection) -> list[Client]:
    """All clients that were not removed, by id."""
    return [_client(row) for row in await connection.fetch(f"{_CLIENT} ORDER BY client_id")]


async def is_taken(connection: Connection, client_id: str) -> bool:
    """Whether there is, or ever was, a client of that id: ids are not given twice."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM client WHERE client_id = $1)", client_id
    )
    return found


async def add_client(connection: Connection, client: Client, now_us: int) -> None:
    """A new client; its person and role are there already."""
    await connection.execute(
        "INSERT INTO client (client_id, person_id, organisation_id, public_key, added_at) "
        "VALUES ($1, $2, $3, $4, $5)",
        client.client_id, client.user.person_id, client.user.organisation_id, client.public_key,
        to_datetime(now_us),
    )  # fmt: skip


async def remove_client(connection: Connection, client_id: str, now_us: int) -> None:
    """From now on it gets no token."""
    await connection.execute(
        "UPDATE client SET removed_at = $2 WHERE client_id = $1", client_id, to_datetime(now_us)
    )


def _client(row: asyncpg.Record) -> Client:
    user = User(row["person_id"], row["organisation_id"], Role.SERVICE)
    return Client(row["client_id"], user, row["public_key"])
