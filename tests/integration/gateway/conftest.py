"""The front gate, the log, the ingest worker and the database, as they are."""

from collections.abc import AsyncIterator

import pytest

from models.db.pool import Connection
from models.settings import Settings
from tests.integration.gateway.house import House, make_house, open_gate
from tests.integration.ingest.conftest import settings, working

__all__ = ["settings"]


@pytest.fixture
async def house(settings: Settings, admin: Connection) -> House:
    """A patient with devices, before anything is started."""
    return await make_house(settings, admin)


@pytest.fixture
async def home(house: House, settings: Settings) -> AsyncIterator[House]:
    """The same with the gate open and a worker that stores."""
    async with working(settings) as worker:
        await worker.until_ready()
        while not await house.admin.fetchval("SELECT count(*) FROM patient"):
            await worker.until_holding(4)
        async with open_gate(house):
            yield house
