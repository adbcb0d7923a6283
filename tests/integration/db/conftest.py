"""Connections to the test's own database, as the services have them."""

from collections.abc import AsyncIterator

import pytest

from models.db.pool import Pool, connect


@pytest.fixture
async def ingest(database: str) -> AsyncIterator[Pool]:
    """What the ingest worker may do."""
    pool = await connect(database, role="thuiswacht_ingest", application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def alerting(database: str) -> AsyncIterator[Pool]:
    """What the alerting worker may do."""
    pool = await connect(database, role="thuiswacht_alerting", application="test")
    yield pool
    await pool.close()
