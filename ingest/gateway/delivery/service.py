"""The front gate as a service: checked before it listens, with probes, ended without losing anything."""

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import uvicorn
from fastapi import APIRouter, FastAPI

from ingest.acting import Decide
from ingest.delivery.clients.sealing import Sealing
from ingest.delivery.desk import DEADLINE_S, Desk
from ingest.delivery.following import Following
from ingest.delivery.hospital.acts import HospitalDesk
from ingest.delivery.interactions import Interactions
from ingest.delivery.preview import warm_up
from ingest.delivery.speakers import Speakers
from ingest.delivery.status import Marks
from ingest.gateway.configuration import require_proxy
from ingest.gateway.delivery import described, described_fhir, fhir, uploads, webhooks
from ingest.gateway.delivery.app import make_gate
from ingest.gateway.delivery.bodies import read_body
from ingest.gateway.delivery.connections import BoundedConnection
from ingest.gateway.delivery.entrance import CertificateHeader, Entrance
from ingest.gateway.delivery.fhir import FhirService
from ingest.gateway.delivery.routes import DeliveryRoutes, Gate
from ingest.gateway.delivery.tokens import NO_TOKENS, giving_tokens
from ingest.gateway.delivery.told import ToldTime, require_gateway_time, told_now_us
from ingest.gateway.server import Server, pause
from ingest.log import Ends, Writer, cluster_of
from models import logs
from models.access import decide
from models.clock import wall_now_us
from models.db import gate as stored
from models.db.gate import Identity, Stored
from models.db.installation import Purpose, require_migrated
from models.db.pool import Pool, connected
from models.db.readiness import require_fenced, require_same_policy
from models.errors import RefuseToStart, TryAgain
from models.identity import Keys
from models.probes import Health, serving
from models.settings import Settings, gateway_key, identity_key
from models.watchdog import watched

log = logs.get(__name__)

ROUTES: Sequence[DeliveryRoutes] = (uploads.routes, fhir.routes, webhooks.routes)
"""What the gate is for."""

GRACE_S = 10
"""So long requests in flight have to finish; the desk itself needs half of it at most."""

_BATCH_BYTES = 1024 * 1024
_LOOK_EVERY_S = 2.0
_ALLOCATED_BETWEEN = 20_000
"""So many more objects made than gone before young ones are looked through."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What the gate starts with, checked."""

    settings: Settings
    secret: bytes
    certificates: CertificateHeader | None


def read_configuration(settings: Settings) -> GatewaySettings:
    """The settings of the gate, as far as the database is not needed. **Raises**: RefuseToStart."""
    require_proxy(
        settings.gateway_host,
        settings.gateway_trusted_proxies,
        "The front gate",
        "THUISWACHT_GATEWAY_TRUSTED_PROXIES",
    )
    secret = gateway_key(settings)
    _ = settings.postgres_dsn
    name, form = settings.gateway_certificate_header, settings.gateway_certificate_form
    header = None if name is None or form is None else CertificateHeader(name, form)
    return GatewaySettings(settings, secret, header)


@dataclass(frozen=True, slots=True)
class OpenLog:
    """The log, for writing into it and for asking where it ends."""

    writer: Writer
    ends: Ends
    cluster_id: str


async def serve(configuration: GatewaySettings, stop: asyncio.Event) -> None:
    """Takes in what is delivered until `stop`; then what is in flight is finished.

    **Raises**: RefuseToStart for a database that is insecure, half done, or not ours.
    """
    settings = configuration.settings
    warm_up()
    # While a thread reads a large body, the loop gets its turn after a millisecond, not after five.
    sys.setswitchinterval(0.001)
    # Its lines are about what strangers send: they are counted, see `connections`.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    health = Health(needs=("database", "broker", "gateway"), stall_after_s=settings.stall_timeout_s)
    probes = serving(health, settings.probes_host, settings.probes_port)
    with watched(health, settings.stall_exit_s), probes:
        async with connected(
            settings.postgres_dsn,
            role="thuiswacht_gateway",
            application="thuiswacht-gateway",
            max_size=settings.postgres_connections,
            leaves_nothing=True,
        ) as pool:
            purpose = await _checked(pool, settings, health, stop)
            if purpose is None:
                return
            async with _opened(settings, health, stop) as log_is:
                if log_is is None:
                    return
                async with _telling(settings) as hospital, giving_tokens(settings) as tokens:
                    app = make_app(configuration, pool, log_is, hospital, tokens, is_trial=purpose == "trial")
                    _spare_the_collector()
                    await _listen(app, settings, pool, log_is.writer, health, stop)


def _spare_the_collector() -> None:
    """What is there for good is not looked through again; requests leave few cycles, looked for seldom.

    Otherwise each full collection holds everybody up for as long as all that was imported takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATED_BETWEEN, 10, 10)


@asynccontextmanager
async def _telling(settings: Settings) -> AsyncGenerator[HospitalDesk | None]:
    """What hospitals tell is acted on as people do; only where identities can be opened."""
    if settings.identity_key is None:
        yield None
        return
    keys = Keys(identity_key(settings))
    async with connected(
        settings.postgres_dsn, role="thuiswacht_people", application="thuiswacht-gateway-hospital", max_size=2
    ) as people:
        yield HospitalDesk(people, keys)


def make_app(
    configuration: GatewaySettings,
    pool: Pool,
    log_is: OpenLog,
    hospital: HospitalDesk | None = None,
    tokens: Mapping[str, APIRouter] = NO_TOKENS,
    *,
    is_trial: bool = False,
    decide: Decide = decide,
) -> FastAPI:
    """The application over these connections; without `hospital` it takes readings alone.

    `tokens`: where they are given, and what answers there. `is_trial`: nobody in this database exists.
    `decide`: the policy; another one in tests of what the database refuses by itself.
    """
    settings = configuration.settings
    marks = Marks(configuration.secret, log_is.cluster_id, settings.topic)
    entrance = Entrance(
        pool,
        Sealing(configuration.secret),
        at_work=settings.gateway_at_work,
        read_body=read_body,
        certificates=configuration.certificates,
        decide=decide,
    )
    digest = None if settings.identity_key is None else Keys(identity_key(settings)).bsn_digest
    speakers = Speakers(pool, digest, decide=decide)
    following = Following(pool, log_is.ends, settings.storing_group, log_is.cluster_id, settings.topic)
    desk = Desk(pool, speakers, log_is.writer, following, marks)

    async def stored_of(identities: Sequence[Identity]) -> list[list[Stored]]:
        patients = {one.patient_id for one in identities}
        await following.until_stored({log_is.writer.partition_of(who) for who in patients})
        async with pool.connection() as connection:
            found, _ = await stored.stored_of(connection, identities, ())
            return found

    is_told = settings.gateway_time == "told"
    app = make_gate(
        Gate(entrance, desk, marks, following.became, now_us=told_now_us if is_told else wall_now_us),
        [one.router for one in ROUTES],
        public={**tokens, **fhir.PUBLIC},
        trusted_proxies=settings.gateway_trusted_proxies,
        schemas=(described.SCHEMAS, described_fhir.SCHEMAS),
    )
    if is_told:
        app.add_middleware(ToldTime)
    tell = None if hospital is None else hospital.tell
    app.state.fhir = FhirService(
        Interactions(desk.deliver, speakers, stored_of, tell),
        url_of(settings),
        version("thuiswacht"),
        is_trial,
    )
    return app


def url_of(settings: Settings) -> str:
    """The address of FHIR, as others see it."""
    own = f"http://{settings.gateway_host}:{settings.gateway_port}"
    return f"{settings.gateway_public_url or own}{fhir.PREFIX}"


async def check(pool: Pool, settings: Settings) -> Purpose:
    """What a database is for that is migrated, fenced, and of our policy. **Raises**: RefuseToStart."""
    async with pool.connection() as connection:
        purpose = await require_migrated(connection)
        await require_fenced(connection, purpose, "the front gate", "thuiswacht_gateway")
        await require_same_policy(connection)
        require_gateway_time(settings, purpose)
    return purpose


async def _checked(pool: Pool, settings: Settings, health: Health, stop: asyncio.Event) -> Purpose | None:
    """Checks the database as soon as it is there: what it is for, None when we are told to end before."""
    while not stop.is_set():
        health.moved()
        try:
            purpose = await check(pool, settings)
        except TryAgain as error:
            health.set("database", False, str(error))
            log.warning("away", what="database", why=str(error))
            await pause(stop, error.after_s)
        else:
            health.set("database", True)
            return purpose
    return None


@asynccontextmanager
async def _opened(settings: Settings, health: Health, stop: asyncio.Event) -> AsyncGenerator[OpenLog | None]:
    """The log as soon as it is there; None when we are told to end before."""
    while not stop.is_set():
        health.moved()
        async with AsyncExitStack() as opened:
            try:
                log_is = await _open(settings, opened)
            except TryAgain as error:
                health.set("broker", False, str(error))
                log.warning("away", what="broker", why=str(error))
                await pause(stop, error.after_s)
                continue
            health.set("broker", True)
            yield log_is
            return
    yield None


async def _open(settings: Settings, opened: AsyncExitStack) -> OpenLog:
    # Not idempotent: that kind never gives up, and what was given up is told so and comes again. Whoever
    # reads the log knows a reading by its identity, so twice there is once in the database.
    writer = Writer(settings, timeout_s=DEADLINE_S, batch_bytes=_BATCH_BYTES)
    cluster_id = await cluster_of(settings)
    return OpenLog(
        await opened.enter_async_context(writer), await opened.enter_async_context(Ends(settings)), cluster_id
    )


async def _listen(
    app: FastAPI, settings: Settings, pool: Pool, writer: Writer, health: Health, stop: asyncio.Event
) -> None:
    server = Server(
        uvicorn.Config(
            app,
            http=BoundedConnection,
            # `proxies.BehindProxies` sees who the peer was, and then does the same.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            lifespan="off",
            ws="none",
            timeout_keep_alive=65,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    with _bound(settings.gateway_host, settings.gateway_port) as listener:
        listening = asyncio.create_task(server.serve([listener]))
        looking = asyncio.create_task(_look_after(pool, writer, server, health, stop))
        stopping = asyncio.create_task(stop.wait())
        log.info("started", host=settings.gateway_host, port=listener.getsockname()[1])
        try:
            await asyncio.wait({listening, looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.should_exit = True
            stop.set()
            await listening
            await looking
            stopping.cancel()
    log.info("stopped")


@contextmanager
def _bound(host: str, port: int) -> Generator[socket.socket]:
    """A socket of ours at this address. **Raises**: RefuseToStart when somebody else has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise RefuseToStart(
                f"The front gate cannot listen on {host}:{port} ({error.strerror})."
            ) from error
        yield listener
    finally:
        listener.close()


async def _look_after(
    pool: Pool, writer: Writer, server: uvicorn.Server, health: Health, stop: asyncio.Event
) -> None:
    """Whether what we need is there, every few seconds."""
    while not stop.is_set():
        health.moved()
        health.set("gateway", server.started, "does not listen yet")
        await _look(health, "database", _ask(pool))
        await _look(health, "broker", writer.reach(_LOOK_EVERY_S))
        await pause(stop, _LOOK_EVERY_S if server.started else 0.1)


async def _look(health: Health, what: str, asked: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(_LOOK_EVERY_S):
            await asked
    except TryAgain as error:
        health.set(what, False, str(error))
    except TimeoutError:
        health.set(what, False, "does not answer in time")
    else:
        health.set(what, True)


async def _ask(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")
