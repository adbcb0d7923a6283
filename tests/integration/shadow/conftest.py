"""What a shadow may do."""

from collections.abc import AsyncIterator

import pytest

from models.db.pool import Pool, connect


@pytest.fixture
async def shadow_pool(database: str) -> AsyncIterator[Pool]:
    pool = await connect(database, role="thuiswacht_shadow", application="test")
    yield pool
    await pool.close()
