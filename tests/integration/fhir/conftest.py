"""The world of FHIR and of patients' apps, and what the dispatcher may do in it."""

from collections.abc import AsyncIterator

import pytest

from models.db.pool import Connection, Pool, connect
from tests.integration.escalation.region import Region
from tests.integration.fhir.world import World, build


@pytest.fixture
async def dispatch(database: str) -> AsyncIterator[Pool]:
    """What the dispatcher may do."""
    pool = await connect(database, role="thuiswacht_dispatch", application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def world(admin: Connection, people: Pool) -> AsyncIterator[World]:
    """A patient, an alert, an escalation to a hospital."""
    region = Region(admin)
    await region.begin()
    built = await build(admin, region, people)
    yield built
    await built.api.aclose()
