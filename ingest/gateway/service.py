"""The API as a service: checked against its database before it listens, with probes like the others."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import APIRouter, FastAPI

from ingest.gateway import directory, register, rights
from ingest.gateway.app import Answer, Around, Pools, make_app
from ingest.gateway.configuration import ApiSettings, require_fitting
from ingest.gateway.login.door import AFTER_LOGIN, Door
from ingest.gateway.login.local import make_local
from ingest.gateway.login.me import make_me
from ingest.gateway.login.oidc import make_oidc
from ingest.gateway.login.pages import make_pages
from ingest.gateway.login.provider import Provider
from ingest.gateway.login.token import make_token
from ingest.gateway.problems import answer
from ingest.gateway.routes import Routes
from ingest.gateway.server import Server, pause
from ingest.service import together
from models import logs
from models.clock import wall_now_us
from models.db import sessions as stored
from models.db.installation import require_migrated
from models.db.pool import Pool, connected
from models.db.positions import require_dispatch_time
from models.db.readiness import require_fenced, require_same_policy
from models.errors import TryAgain
from models.identity import Keys
from models.probes import Health, serving
from models.settings import Settings, identity_key

log = logs.get(__name__)

ROUTES: Sequence[Routes] = (register.routes, rights.patients, rights.auditing, directory.routes)
"""What the API is for below alerts; the login's routes come beside them, and those of whoever serves it."""
_LOOK_EVERY_S = 2.0
_TIDY_EVERY_S = 600.0


async def _no_state(_: Pools) -> Mapping[str, object]:
    return {}


async def _nothing_beside(_: Pools, stop: asyncio.Event) -> None:
    await stop.wait()


@dataclass(frozen=True, slots=True)
class Application:
    """What is served beside the login, which all that people use has in common."""

    routes: Sequence[Routes]
    state: Callable[[Pools], Awaitable[Mapping[str, object]]] = _no_state
    """What its handlers find in `app.state`, made once the database is known to be ready."""
    answer: Answer = answer
    home: str = AFTER_LOGIN
    """Where a browser goes on after it logged in."""
    port: int | None = None
    """Where it listens; None: where the API does."""
    public: Mapping[str, APIRouter] = field(default_factory=dict[str, APIRouter])
    """Addresses that anybody may reach, with what answers there."""
    around: Sequence[Around] = ()
    """What each request goes through first."""
    beside: Callable[[Pools, asyncio.Event], Coroutine[None, None, None]] = _nothing_beside
    """What the service does meanwhile; it ends when its event is set."""


async def serve(
    settings: Settings, configuration: ApiSettings, stop: asyncio.Event, application: Application
) -> None:
    """Answers until `stop`.

    **Raises**: RefuseToStart for a database that is insecure, half done, or not ours.
    """
    health = Health(needs=("database", "api"), stall_after_s=settings.stall_timeout_s)
    with serving(health, settings.probes_host, settings.probes_port):
        async with _pools(settings) as pools:
            await _wait_until_ready(pools, settings, configuration, health, stop)
            if stop.is_set():
                return
            async with _made(settings, configuration, pools, application) as app:
                for name, value in (await application.state(pools)).items():
                    setattr(app.state, name, value)
                port = settings.api_port if application.port is None else application.port
                await together(
                    stop,
                    _listen(app, settings, port, pools, health, stop),
                    application.beside(pools, stop),
                )


async def check(pools: Pools, settings: Settings, configuration: ApiSettings) -> None:
    """Lets a database through that is migrated, fenced, and of our policy. **Raises**: RefuseToStart."""
    async with pools.people.connection() as connection:
        purpose = await require_migrated(connection)
        require_fitting(configuration, purpose)
        require_dispatch_time(settings, purpose)
        await require_fenced(connection, purpose)
        await require_same_policy(connection)
    async with pools.login.connection() as connection:
        await require_migrated(connection)


@asynccontextmanager
async def _pools(settings: Settings) -> AsyncGenerator[Pools]:
    dsn, size = settings.postgres_dsn, settings.postgres_connections
    async with (
        connected(dsn, role="thuiswacht_people", application="thuiswacht-api", max_size=size) as people,
        connected(dsn, role="thuiswacht_login", application="thuiswacht-api-login", max_size=size) as login,
    ):
        yield Pools(people, login)


@asynccontextmanager
async def _made(
    settings: Settings, configuration: ApiSettings, pools: Pools, application: Application
) -> AsyncGenerator[FastAPI]:
    keys = Keys(identity_key(settings))
    door = Door(pools.login, configuration, home=application.home)
    provider = None
    if configuration.oidc is not None:
        provider = Provider(configuration.oidc, configuration.public_url + "/login/callback")
    try:
        routers = [
            *login_routers(door, provider),
            *application.public.values(),
            *(one.router for one in application.routes),
        ]
        yield make_app(
            pools, door, keys, routers,
            answer=application.answer, public=tuple(application.public), around=application.around,
        )  # fmt: skip
    finally:
        if provider is not None:
            await provider.close()


def login_routers(door: Door, provider: Provider | None) -> list[APIRouter]:
    """All routes of the login."""
    return [
        make_pages(door, provider),
        make_oidc(door, provider),
        make_local(door),
        make_token(door),
        make_me(door),
    ]


async def _wait_until_ready(
    pools: Pools, settings: Settings, configuration: ApiSettings, health: Health, stop: asyncio.Event
) -> None:
    """Checks the database as soon as it is there."""
    while not stop.is_set():
        health.progress()
        try:
            await check(pools, settings, configuration)
        except TryAgain as error:
            health.set("database", False, str(error))
            log.warning("away", what="database", why=str(error))
            await pause(stop, error.after_s)
        else:
            health.set("database", True)
            return


async def _listen(
    app: FastAPI, settings: Settings, port: int, pools: Pools, health: Health, stop: asyncio.Event
) -> None:
    proxies = settings.api_trusted_proxies
    server = Server(
        uvicorn.Config(
            app,
            host=settings.api_host,
            port=port,
            proxy_headers=proxies is not None,
            forwarded_allow_ips=proxies,
            server_header=False,
            # Ours alone: its lines would hold addresses and queries, and queries hold codes.
            access_log=False,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=10,
        )
    )
    listening = asyncio.create_task(server.serve())
    looking = asyncio.create_task(_look_after(pools.login, server, health, stop))
    stopping = asyncio.create_task(stop.wait())
    log.info("started", host=settings.api_host, port=port)
    try:
        await asyncio.wait({listening, looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stop.set()
        await listening
        await looking
        stopping.cancel()
    log.info("stopped")


async def _look_after(login: Pool, server: uvicorn.Server, health: Health, stop: asyncio.Event) -> None:
    """Whether the database is there, every few seconds; and forgets what is of no use any more."""
    tidied_s = 0.0
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        health.progress()
        health.set("api", server.started, "does not listen yet")
        try:
            async with login.transaction() as connection:
                if loop.time() - tidied_s >= _TIDY_EVERY_S:
                    await stored.tidy(connection, wall_now_us())
                    tidied_s = loop.time()
                else:
                    await connection.execute("SELECT 1")
        except TryAgain as error:
            health.set("database", False, str(error))
        else:
            health.set("database", True)
        await pause(stop, _LOOK_EVERY_S if server.started else 0.1)
