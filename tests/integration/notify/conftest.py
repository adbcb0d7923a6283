"""A post office, an authority, and endpoints that it vouches for."""

import ssl
from collections.abc import AsyncIterator

import pytest

from alerting.notify.channels.webhook import Webhook
from alerting.notify.https import Https, tls_of
from models.db.pool import Connection, Pool, connect
from tests.integration.notify.post import Post
from tests.receivers.authority import Authority, make_authority
from tests.receivers.https import Endpoint, endpoint

KEY = bytes(range(32))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def server_tls(authority: Authority) -> ssl.SSLContext:
    return authority.server("localhost", "127.0.0.1")


@pytest.fixture
async def dispatch(database: str) -> AsyncIterator[Pool]:
    """What the dispatcher may do."""
    pool = await connect(database, role="thuiswacht_dispatch", application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def post(admin: Connection, dispatch: Pool) -> Post:
    made = Post(admin, dispatch)
    await made.begin()
    return made


@pytest.fixture
async def receiver(server_tls: ssl.SSLContext) -> AsyncIterator[Endpoint]:
    async with endpoint(server_tls) as made:
        yield made


@pytest.fixture
def webhook(authority: Authority) -> Webhook:
    return Webhook(Https(tls_of(authority.file), own_machine=True), [KEY])
