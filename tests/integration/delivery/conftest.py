"""A front gate over the test's own database."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pydantic import SecretStr

from models.db.pool import Connection
from models.settings import Settings
from simulators.stack import Stack
from tests.integration.delivery.fhir_gate import Hub, hub
from tests.integration.delivery.gates import Gate, gate
from tests.integration.delivery.homes import make_organisations


@pytest.fixture
async def organisations(admin: Connection) -> None:
    """Ours and theirs."""
    await make_organisations(admin)


@pytest.fixture
async def made(database: str, organisations: None) -> AsyncIterator[Gate]:
    """A gate without proxies' certificates."""
    async with gate(database) as it:
        yield it


@pytest.fixture
def settings(stack: Stack, database: str, topic: str) -> Settings:
    """Settings of a gate and of a worker behind it."""
    group = f"test.{uuid4().hex}"
    return Settings(
        kafka=stack.kafka,
        postgres=SecretStr(database),
        topic=topic,
        consumer_group=group,
        storing_group=group,
        session_timeout_ms=6_000,
    )


@pytest.fixture
async def fhir(settings: Settings, organisations: None, admin: Connection) -> AsyncIterator[Hub]:
    """A hub that speaks FHIR to a gate, and a worker that stores what it delivers."""
    async with hub(settings, admin) as it:
        yield it
