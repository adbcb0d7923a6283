"""An API in this process over the test's own database, a browser, and a clock that tests move."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
from pyotp.totp import TOTP

from ingest.gateway.app import Pools, make_app
from ingest.gateway.configuration import ApiSettings
from ingest.gateway.login.administration import AddedAccount, WantedAccount, add_account
from ingest.gateway.login.door import COOKIE, Door
from ingest.gateway.service import login_routers
from models.clock import SECOND_US, wall_now_us
from models.db.pool import Connection, connect
from models.identity import Keys
from simulators.identity import Keycloak, prepare_keycloak
from simulators.stack.cache import cache_folder
from simulators.stack.jars import JarsOutOfReach
from simulators.stack.ports import free_port
from simulators.stack.stack import say_to_stderr
from tests.integration.login.realm import ADMIN_PASSWORD, OURS, REALM, THEIRS

URL = "https://thuiswacht.test"
PASSWORD = "a very long password"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Keycloak and make its realm before the first test, whose time limit is not meant for that."""
    wanted = any("keycloak" in one.fixturenames for one in session.items if isinstance(one, pytest.Function))
    if wanted and not session.config.option.collectonly:
        # Out of reach: the tests that need it will fail, and say so; the others need not wait.
        with suppress(JarsOutOfReach):
            prepare_keycloak(cache_folder(), REALM, ADMIN_PASSWORD, say_to_stderr)


@dataclass
class Clock:
    """The time as the API sees it; the wall's, moved by so much."""

    moved_us: int = 0

    def now_us(self) -> int:
        return wall_now_us() + self.moved_us

    def move(self, us: int) -> None:
        self.moved_us += us


@dataclass
class Browser:
    """Keeps cookies, and says where its requests come from."""

    http: httpx.AsyncClient
    url: str = URL

    async def log_in(self, account: AddedAccount, now_us: int, password: str = PASSWORD) -> httpx.Response:
        code = TOTP(account.totp_secret).at(now_us // SECOND_US)
        return await self.try_in(account.name, password, code)

    async def try_in(self, name: str, password: str, code: str = "000000") -> httpx.Response:
        form = {"name": name, "password": password, "code": code}
        return await self.http.post("/login/local", data=form, headers={"Origin": self.url})

    async def csrf(self) -> dict[str, str]:
        me = await self.http.get("/me")
        assert me.status_code == 200, me.text
        return {"X-CSRF-Token": me.json()["csrf_token"], "Origin": self.url}

    @property
    def token(self) -> str:
        return self.http.cookies[COOKIE]


@pytest.fixture(scope="session")
def keycloak() -> Iterator[str]:
    """The issuer: a Keycloak that all tests of a run share."""
    prepared = prepare_keycloak(cache_folder(), REALM, ADMIN_PASSWORD, say_to_stderr)
    with (
        tempfile.TemporaryDirectory() as folder,
        Keycloak(prepared, Path(folder) / "keycloak", free_port()) as server,
    ):
        yield f"{server.address}/realms/{REALM.name}"


@pytest.fixture
async def admin(database: str) -> AsyncIterator[Connection]:
    """The superuser, who sees everything; with two organisations."""
    connection = await asyncpg.connect(database)
    await connection.execute("INSERT INTO organisation (organisation_id) VALUES ($1), ($2)", OURS, THEIRS)
    yield connection
    await connection.close()


@pytest.fixture
async def pools(database: str, admin: Connection) -> AsyncIterator[Pools]:
    people = await connect(database, role="thuiswacht_people", application="test", max_size=3)
    login = await connect(database, role="thuiswacht_login", application="test", max_size=3)
    yield Pools(people, login)
    await people.close()
    await login.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(pools: Pools, clock: Clock) -> Door:
    configuration = ApiSettings(public_url=URL, oidc=None, local_accounts=True)
    return Door(pools.login, configuration, clock.now_us)


@pytest.fixture
async def make_browser(pools: Pools, door: Door) -> AsyncIterator[Callable[..., Browser]]:
    """Makes browsers, each at an address of its own."""
    app = make_app(pools, door, Keys(bytes(32)), login_routers(door, None))
    opened: list[httpx.AsyncClient] = []

    def make(address: str = "192.0.2.1") -> Browser:
        transport = httpx.ASGITransport(app, client=(address, 1))
        opened.append(httpx.AsyncClient(transport=transport, base_url=URL))
        return Browser(opened[-1])

    yield make
    for one in opened:
        await one.aclose()


@pytest.fixture
def browser(make_browser: Callable[..., Browser]) -> Browser:
    return make_browser()


@pytest.fixture
async def nurse(pools: Pools) -> AddedAccount:
    """An account of a nurse."""
    return await add_account(pools.login, WantedAccount("nurse", "Test Nurse", OURS, "nurse", PASSWORD))


Rows = list[asyncpg.Record]


@pytest.fixture
def audited(admin: Connection) -> Callable[..., object]:
    """The audit rows of these events, oldest first."""

    async def rows(*codes: str) -> Rows:
        return await admin.fetch(
            "SELECT * FROM audit WHERE event_code = ANY($1) ORDER BY happened_us, shard, number", list(codes)
        )

    return rows
