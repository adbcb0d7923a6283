"""Connections as the services have them."""

from collections.abc import AsyncIterator

import pytest

from models.db.pool import Pool, connect


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await connect(database, role="thuiswacht_alerting", application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def storing_pool(database: str) -> AsyncIterator[Pool]:
    pool = await connect(database, role="thuiswacht_ingest", application="test")
    yield pool
    await pool.close()
