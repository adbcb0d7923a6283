"""What load is sent to: servers that run already with their services, or services of its own."""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from joserfc.jwk import ECKey

from ingest.delivery.clients.registry import WantedClient, WantedKey, add_client
from ingest.gateway.login.keys import public_pem
from ingest.log import Ends, connection_options, create_topic, log_of
from ingest.on_command import Who
from models.access import Role
from models.clock import HOUR_US, wall_now_us
from models.db.migrate import migrate
from models.db.pool import connected
from models.errors import Broken
from models.gateway_settings import KEY_BYTES
from models.settings import Settings, gateway_key, load_settings
from simulators.demo.services import Services
from simulators.gate.credentials import Tokens
from simulators.gate.simulating import Given, wanted
from simulators.load.database import Database
from simulators.load.entering import ORGANISATION, enter_by_log, enter_by_register, enter_engineer
from simulators.load.following import Following
from simulators.load.gate import Entrance
from simulators.load.homes import Homes
from simulators.load.pacing import OwnWatch
from simulators.load.schedule import KEPT_US
from simulators.simulate import newest_programmes, require_trial_database
from simulators.stack import Stack
from simulators.stack.ports import accepts_connections, free_port
from simulators.stack.supervisor import EXTERNAL

if TYPE_CHECKING:
    from simulators.load.meter import Meter

TOPIC = "thuiswacht.log"
PARTITIONS = 4
WORKERS = ("ingest", "alerting")
CLIENT = "load"
PER_SECOND = 100_000.0
"""The client's limit, which is no limit: what is measured is what the gate can do."""
SETTLED_S = 5.0
"""What was measured before a patient was enrolled judges nobody: alarming values are from seconds before."""
BEGAN_US = KEPT_US + HOUR_US
"""So long ago patients of a stack of its own were enrolled: before all that their devices kept."""
TOLD_WITHIN_S = 300.0
UP_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Ground:
    """What is measured. `entrance`: the gate, where uploads go through it; `meter`: of our own services."""

    settings: Settings
    homes: Homes
    database: Database
    partitions: int
    kafka: str
    entrance: Entrance | None = None
    services: Services | None = None
    meter: "Meter | None" = None

    def require_running(self) -> None:
        """**Raises**: Broken when a service of ours has ended."""
        if self.services is not None:
            self.services.require_running()


@asynccontextmanager
async def on_servers(settings: Settings, homes: Homes, through: Given | None) -> AsyncGenerator[Ground]:
    """The servers of the settings, with their services; `through`: the gate, and who we are there.

    **Raises**: RefuseToStart on a live database, BadInput, TryAgain.
    """
    await require_trial_database(settings)
    async with _opened(settings, homes, EXTERNAL) as ground:
        programmes, now_us = newest_programmes(settings.programmes), wall_now_us()
        if through is None:
            entrance, rows = None, await ground.database.strangers()
            await enter_by_log(settings, homes, rows, programmes, now_us)
        else:
            asked = await wanted(settings, through)
            entrance, rows = Entrance(asked.url, asked.credentials), await ground.database.unregistered()
            who = Who(asked.person_id, asked.organisation_id, Role.ENGINEER)
            await enter_by_register(settings, homes, rows, programmes, who, now_us)
        await _until_entered(ground)
        if rows:
            await asyncio.sleep(SETTLED_S)
        yield replace(ground, entrance=entrance)


@asynccontextmanager
async def with_services(
    settings: Settings, homes: Homes, folder: Path, *, kafka: str, by_http: bool
) -> AsyncGenerator[Ground]:
    """Servers without services: all that is needed is started, for as long as the block lasts.

    To be called in the main thread. `kafka`: what the broker is, for reports.
    """
    # It comes with the stack, and is needed with one alone.
    from simulators.load.meter import Meter  # noqa: PLC0415

    await migrate(settings.postgres_dsn, purpose="trial")
    await create_topic(settings.kafka, settings.topic, PARTITIONS, options=connection_options(settings))
    services = Services(_environment(settings), folder)
    try:
        for name in WORKERS:
            services.start(name)
        async with _opened(settings, homes, kafka, services) as ground:
            since_us = wall_now_us() - BEGAN_US
            entrance = await _entered(ground, since_us, by_http=by_http)
            # From now on time passes; before, nothing was late.
            services.start("clock")
            await _until_entered(ground)
            pids = {name: process.pid for name, process in services.processes.items()}
            yield replace(ground, entrance=entrance, meter=Meter(pids))
    finally:
        services.stop()


def settings_of(stack: Stack) -> Settings:
    """A stack of its own, with secrets of its own."""
    return load_settings(
        kafka=stack.kafka,
        postgres=stack.postgres_dsn,
        topic=TOPIC,
        identity_key=_new_key(),
        gateway_key=_new_key(),
    )


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


async def _entered(ground: Ground, since_us: int, *, by_http: bool) -> Entrance | None:
    settings, homes, services = ground.settings, ground.homes, ground.services
    programmes, everybody = newest_programmes(settings.programmes), range(len(homes))
    if not by_http or services is None:
        await enter_by_log(settings, homes, everybody, programmes, since_us)
        return None
    # The register knows the programmes once alerting has taken its partitions.
    async with _following(ground) as following:
        await following.until_ready(ground.require_running)
    who = await enter_engineer(settings)
    entrance = await _started_gate(settings, services)
    services.start("register publish")
    await enter_by_register(settings, homes, everybody, programmes, who, since_us)
    return entrance


async def _started_gate(settings: Settings, services: Services) -> Entrance:
    """A gate, and a client of it with a key."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    services.start(
        "gateway",
        {
            "THUISWACHT_GATEWAY_KEY": base64.b64encode(gateway_key(settings)).decode(),
            "THUISWACHT_GATEWAY_PORT": str(port),
            "THUISWACHT_GATEWAY_PUBLIC_URL": url,
        },
    )
    signing = ECKey.generate_key("P-256")
    wanted_key = WantedKey(public_key=public_pem(signing))
    asked = WantedClient(CLIENT, "Load", ORGANISATION, wanted_key, per_second=PER_SECOND)
    async with connected(
        settings.postgres_dsn, role="thuiswacht_login", application="load", max_size=1
    ) as pool:
        await add_client(pool, asked, None, wall_now_us())
    begun_s = time.monotonic()
    while not accepts_connections(port):
        services.require_running()
        if time.monotonic() - begun_s > UP_WITHIN_S:
            raise Broken(f"The gate does not listen after {UP_WITHIN_S:.0f} s.")
        await asyncio.sleep(_LOOK_EVERY_S)
    return Entrance(url, Tokens(CLIENT, signing, url))


@asynccontextmanager
async def _opened(
    settings: Settings, homes: Homes, kafka: str, services: Services | None = None
) -> AsyncGenerator[Ground]:
    log = await log_of(settings)
    async with connected(settings.postgres_dsn, role="thuiswacht_read", application="load") as pool:
        database = Database(pool, log.cluster_id, settings.topic, homes)
        yield Ground(settings, homes, database, log.partition_count, kafka, services=services)


@asynccontextmanager
async def _following(ground: Ground) -> AsyncGenerator[Following]:
    async with Ends(ground.settings) as ends:
        yield Following(ground.database, ends, ground.partitions, OwnWatch())


async def _until_entered(ground: Ground) -> None:
    """Return when the log has all that the register decided, and both groups have read it."""
    begun_s = time.monotonic()
    while await ground.database.untold():
        ground.require_running()
        if time.monotonic() - begun_s > TOLD_WITHIN_S:
            raise Broken("The register does not tell the log: does `thuiswacht register publish` run?")
        await asyncio.sleep(_LOOK_EVERY_S)
    async with _following(ground) as following:
        await following.until_ready(ground.require_running)
        await following.until_through(ground.require_running)


def _environment(settings: Settings) -> Mapping[str, str]:
    found = {
        "THUISWACHT_KAFKA": settings.kafka,
        "THUISWACHT_POSTGRES": settings.postgres_dsn,
        "THUISWACHT_TOPIC": settings.topic,
        "THUISWACHT_LOG_LEVEL": "WARNING",
        "THUISWACHT_PROBES_PORT": "0",
    }
    if settings.identity_key is not None:
        found["THUISWACHT_IDENTITY_KEY"] = settings.identity_key.get_secret_value()
    return found
