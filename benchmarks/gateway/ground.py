"""A broker, a database, an ingest worker and one or two gates on it, and patients whose devices deliver."""

import asyncio
import base64
import os
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from joserfc.jwk import ECKey

from benchmarks.gateway.homes import HOSPITAL, homes_of, new_key, settle, token_of
from benchmarks.gateway.requests import Requests
from benchmarks.ground import PARTITIONS, fresh_ground
from ingest.log import connection_options, create_topic
from models.db.pool import Connection
from models.errors import Broken
from models.settings import Settings
from simulators.demo.services import Services
from simulators.stack import Stack
from simulators.stack.ports import free_port

GROUP = "thuiswacht.ingest"
CLIENT = "benchmark"
_UP_WITHIN_S = 60.0
_FOLLOWED_WITHIN_S = 300.0
_REACHED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM log_position WHERE consumer_group = $1"
PER_SECOND = 100_000
"""The client's limit, which is no limit: what is measured is what the gate can do."""


@dataclass(slots=True)
class Ground:
    """What is measured, and what is known of it. `also_accepted`: beside what the measurement counts."""

    settings: Settings
    admin: Connection
    services: Services
    ports: Sequence[int]
    requests: Requests
    key: ECKey
    spare_topic: str
    partitions: int = PARTITIONS
    also_accepted: int = 0

    @property
    def url(self) -> str:
        """Where the first gate is, as systems know it."""
        return f"http://127.0.0.1:{self.ports[0]}"

    def workers(self) -> dict[str, int]:
        """Our processes by name."""
        return {
            name.partition(" ")[0] + (f" {place}" if place else ""): process.pid
            for place, (name, process) in enumerate(self.services.processes.items())
        }

    async def stored(self) -> int:
        """How many readings there are, without what was accepted beside."""
        found: int = await self.admin.fetchval("SELECT count(*) FROM reading")
        return found - self.also_accepted

    async def until_followed(self) -> None:
        """Until ingest is at the end of the log: what was sent takes no part in what is measured next."""
        end, begun_s = await self._end_of_log(), time.perf_counter()
        while await self.admin.fetchval(_REACHED, GROUP) < end:
            self.services.require_running()
            if time.perf_counter() - begun_s > _FOLLOWED_WITHIN_S:
                raise Broken("Ingest does not get to the end of the log.")
            await asyncio.sleep(0.05)

    async def _end_of_log(self) -> int:
        consumer: Any = AIOKafkaConsumer(**connection_options(self.settings))
        await consumer.start()
        try:
            places = [TopicPartition(self.settings.topic, number) for number in range(self.partitions)]
            ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
            return sum(ends.values())
        finally:
            await consumer.stop()

    async def require_stored(self, readings: int) -> None:
        """**Raises**: Broken when not exactly so many are stored, or any are in quarantine."""
        await self.until_followed()
        found = await self.stored()
        refused = await self.admin.fetchval("SELECT count(*) FROM quarantine")
        if (found, refused) != (readings, 0):
            raise Broken(f"{readings} readings were accepted, {found} are stored, {refused} were refused.")


@asynccontextmanager
async def opened(stack: Stack, folder: Path, gates: int, homes: int) -> AsyncGenerator[Ground]:
    """All of it, until the end of the block."""
    settings = await fresh_ground(stack)
    admin = await asyncpg.connect(settings.postgres_dsn)
    ports = [free_port() for _ in range(gates)]
    url = f"http://127.0.0.1:{ports[0]}"
    environment = environment_of(settings, url)
    services = Services(environment, folder)
    try:
        people = homes_of(homes)
        await settle(admin, settings, people)
        services.start("ingest")
        for port in ports:
            services.start(f"gateway --port {port} --probes-port 0")
        key, file = new_key(folder)
        await register_client(environment, file)
        for port in ports:
            await until_up(f"http://127.0.0.1:{port}", services)
        requests = Requests(people, token_of(url, CLIENT, key), f"127.0.0.1:{ports[0]}")
        spare = f"{settings.topic}.spare"
        await create_topic(settings.kafka, spare, PARTITIONS)
        ground = Ground(settings, admin, services, ports, requests, key, spare)
        # The patients are known before anything of theirs is delivered.
        await ground.until_followed()
        yield ground
    finally:
        services.stop()
        await admin.close()


def environment_of(settings: Settings, url: str) -> dict[str, str]:
    """What the services of a gate are told; with secrets of their own."""
    return {
        "THUISWACHT_KAFKA": settings.kafka,
        "THUISWACHT_POSTGRES": settings.postgres_dsn,
        "THUISWACHT_TOPIC": settings.topic,
        "THUISWACHT_PROBES_PORT": "0",
        "THUISWACHT_LOG_LEVEL": "WARNING",
        "THUISWACHT_GATEWAY_PUBLIC_URL": url,
        "THUISWACHT_GATEWAY_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "THUISWACHT_IDENTITY_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }


async def register_client(environment: Mapping[str, str], key: Path) -> None:
    """By the command, as an operator would. **Raises**: Broken when that fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "thuiswacht", "clients", "add", CLIENT, "--key", str(key)),
        *("--organisation", str(HOSPITAL), "--rate", str(PER_SECOND)),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise Broken(f"The client could not be registered: {said.decode(errors='replace')}")


async def until_up(url: str, services: Services) -> None:
    """Until a gate answers. **Raises**: Broken when it does not."""
    begun_s = time.perf_counter()
    async with httpx.AsyncClient() as client:
        while time.perf_counter() - begun_s < _UP_WITHIN_S:
            services.require_running()
            try:
                await client.get(f"{url}/openapi.json", timeout=10.0)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise Broken("The gate does not answer.")
