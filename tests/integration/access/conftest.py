"""Connections to the test's own database, as people and as the superuser."""

from collections.abc import AsyncIterator

import pytest

from models.db.pool import Pool, connect


@pytest.fixture
async def people(database: str) -> AsyncIterator[Pool]:
    """What the API may do; one connection, so that every transaction finds what the one before it left."""
    pool = await connect(database, role="thuiswacht_people", application="test", max_size=1)
    yield pool
    await pool.close()
