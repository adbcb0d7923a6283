"""Hearing of changes as they are committed, and how far each stage of the flow has come."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from models.clock import to_us, to_us_or_none
from models.db.alerts import CHANNEL
from models.db.pool import Connection, Pool
from models.escalations import Trouble

_STAGES = """
SELECT consumer_group, min(updated_at) AS moved_at, min(clock_us) AS clock_us FROM log_position
WHERE consumer_group = ANY($1::text[]) GROUP BY consumer_group
"""


@asynccontextmanager
async def listening(pool: Pool, heard: Callable[[UUID], None]) -> AsyncGenerator[Connection]:
    """Calls `heard` for each alert that changes, as its commit is told, until the end of the block.

    The connection is in use, and may be used in the block.

    **Raises**: as `Pool.connection`.
    """

    def hear(*told: object) -> None:
        heard(UUID(str(told[-1])))

    async with pool.connection() as connection:
        await connection.add_listener(CHANNEL, hear)
        try:
            yield connection
        finally:
            if not connection.is_closed():
                await asyncio.shield(connection.remove_listener(CHANNEL, hear))


async def newest_event(connection: Connection) -> int:
    """The number of the newest thing that happened to any alert, committed or not; 0 before the first."""
    number: int = await connection.fetchval("SELECT newest_alert_event()")
    return number


async def positions_of(connection: Connection, groups: list[str]) -> dict[str, tuple[int, int | None]]:
    """When each group last moved, by the wall clock, and how far its slowest partition is in the log's time.

    **Units**: microseconds since 1970 UTC.
    """
    rows = await connection.fetch(_STAGES, groups)
    return {row["consumer_group"]: (to_us(row["moved_at"]), row["clock_us"]) for row in rows}


async def sign_of(connection: Connection, name: str) -> int | None:
    """When something last gave a sign of life, by the wall clock in microseconds; None where it never did."""
    return to_us_or_none(await connection.fetchval("SELECT at FROM sign_of_life WHERE name = $1", name))


async def open_since(connection: Connection, trouble: Trouble) -> int | None:
    """Since when a technical alert about a trouble is open; None where none is.

    **Units**: microseconds since 1970 UTC, in the time of the dispatcher.
    """
    at = await connection.fetchval(
        "SELECT min(opened_at) FROM technical_alert WHERE trouble = $1 AND resolved_at IS NULL", trouble
    )
    return to_us_or_none(at)
