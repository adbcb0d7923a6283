"""A database in which patients are real."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from models.db.migrate import migrate
from models.db.pool import Connection


@pytest.fixture
async def live_database(empty_database: str) -> str:
    """Its DSN."""
    await migrate(empty_database, purpose="live")
    return empty_database


@pytest.fixture
async def live_admin(live_database: str) -> AsyncIterator[Connection]:
    """Its superuser, who sees everything."""
    connection = await asyncpg.connect(live_database)
    yield connection
    await connection.close()
