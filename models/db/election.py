"""Who does what must be done once for all services: the one whose connection holds a lock of Postgres."""

from enum import IntEnum

from models.db.pool import Connection


class Duty(IntEnum):
    """What one service does for all. Any numbers, known to nobody else; the locks are of one database."""

    ALERTING = 7_548_473_202
    REGISTER = 7_548_473_203
    WATCH = 7_548_473_223


async def stand(connection: Connection, duty: Duty = Duty.ALERTING) -> bool:
    """Stands for election; whether this connection is the elected one from now on.

    It is until it closes, goes back to its pool, or breaks: whatever is then still said on it fails, and
    another can be elected. So what the elected one does, it does on this connection. To be asked once only.
    """
    elected: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", duty)
    return elected
