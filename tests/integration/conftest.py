"""Connections to the test's own database: as the superuser, as people, and as the services have them."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from models.db.pool import Connection, Pool, connect


@pytest.fixture
async def admin(database: str) -> AsyncIterator[Connection]:
    """The superuser, who sees everything."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def people(database: str) -> AsyncIterator[Pool]:
    """What people may do, by commands or by the API."""
    pool = await connect(database, role="thuiswacht_people", application="test", max_size=4)
    yield pool
    await pool.close()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """What the alerting worker may do."""
    pool = await connect(database, role="thuiswacht_alerting", application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def storing_pool(database: str) -> AsyncIterator[Pool]:
    """What the ingest worker may do."""
    pool = await connect(database, role="thuiswacht_ingest", application="test")
    yield pool
    await pool.close()
