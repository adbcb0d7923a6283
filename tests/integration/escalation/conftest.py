"""What the dispatcher may do, and a region with somebody of every kind."""

from collections.abc import AsyncIterator

import pytest

from models.db.pool import Connection, Pool, connect
from tests.integration.escalation.region import Region


@pytest.fixture
async def dispatch(database: str) -> AsyncIterator[Pool]:
    """What the dispatcher may do."""
    pool = await connect(database, role="thuiswacht_dispatch", application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def region(admin: Connection) -> Region:
    """A centre, a practice, a post, and whoever else may be asked: all invented."""
    region = Region(admin)
    await region.begin()
    return region
