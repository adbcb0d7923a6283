"""A ward, with the API on top."""

from collections.abc import AsyncIterator

import httpx
import pytest

from models.db.pool import Connection, Pool, connect
from tests.integration.alerting.ward import Ward, app_of


@pytest.fixture
async def ward(admin: Connection, people: Pool) -> AsyncIterator[Ward]:
    ward = Ward(admin, httpx.AsyncClient())
    app = app_of(people, ward.people)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ward") as client:
        ward.client = client
        await ward.begin()
        yield ward


@pytest.fixture
async def dispatch(database: str) -> AsyncIterator[Pool]:
    """What the dispatcher may do."""
    pool = await connect(database, role="thuiswacht_dispatch", application="test")
    yield pool
    await pool.close()
