"""Who does what must be done once for all services: the one whose connection holds a lock of Postgres."""

from models.db.pool import Connection

_LOCK = 7_548_473_202
"""Any number, known to nobody else. The lock is of this database alone."""


async def stand(connection: Connection) -> bool:
    """Stands for election; whether this connection is the elected one from now on.

    It is until it closes, goes back to its pool, or breaks: whatever is then still said on it fails, and
    another can be elected. So what the elected one does, it does on this connection. To be asked once only.
    """
    elected: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK)
    return elected
