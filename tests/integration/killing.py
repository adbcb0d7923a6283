"""Waiting for what services do that are about to be killed, and holding them up on the way."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

from models.db.pool import Connection
from tests.acceptance.workers import Workers


async def until(admin: Connection, query: str, wanted: int, workers: Workers | None = None) -> None:
    """Waits for what another process does in the database; nobody tells when it has."""
    give_up_s = time.monotonic() + 120
    while await admin.fetchval(query) < wanted:
        if workers is not None:
            workers.must_live()
        assert time.monotonic() < give_up_s, workers and workers.last_words()
        await asyncio.sleep(0.02)


@asynccontextmanager
async def another_connection(database: str) -> AsyncGenerator[Connection]:
    connection = await asyncpg.connect(database)
    try:
        yield connection
    finally:
        await connection.close()
