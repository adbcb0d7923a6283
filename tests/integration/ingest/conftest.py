"""The log as its senders see it, the database as the ingest worker leaves it, and the worker between them."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from ingest.log import MAX_MESSAGE_BYTES_OF_TOPIC
from ingest.loop import run
from ingest.worker import IngestHandler, Prepared
from models.db.pool import Connection, Pool, connect
from models.probes import Health
from models.settings import Settings
from simulators.stack import Stack

Write = Callable[[int, Sequence[bytes | None]], Awaitable[None]]


@pytest.fixture
def settings(stack: Stack, database: str, topic: str) -> Settings:
    """Settings of a worker over the test's own topic and database, in a group of its own."""
    return Settings(
        kafka=stack.kafka,
        postgres=SecretStr(database),
        topic=topic,
        consumer_group=f"test.{uuid.uuid4().hex}",
        session_timeout_ms=6_000,
        batch_max_records=50,
    )


@pytest.fixture
async def write(stack: Stack, topic: str) -> AsyncIterator[Write]:
    """Puts messages into a partition of the log, and waits until they are there."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka, max_request_size=MAX_MESSAGE_BYTES_OF_TOPIC, linger_ms=2
    )
    await producer.start()

    async def write(partition: int, values: Sequence[bytes | None]) -> None:
        sent: list[Any] = [await producer.send(topic, value, b"key", partition) for value in values]
        await asyncio.gather(*sent)

    yield write
    await producer.stop()


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what another process brings about, which gives us no event to await."""
    while not await is_so():  # noqa: ASYNC110  (see above)
        await asyncio.sleep(0.02)


class Watched(IngestHandler):
    """The worker, telling when it has done something."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        super().__init__(pool, settings)
        self.held: set[int] = set()
        self.has_moved = asyncio.Event()

    async def assigned(
        self, cluster_id: str, partitions: Sequence[int], partition_count: int
    ) -> Mapping[int, int]:
        offsets = await super().assigned(cluster_id, partitions, partition_count)
        self.held |= set(partitions)
        self.has_moved.set()
        return offsets

    async def dropped(self, partitions: Sequence[int]) -> None:
        await super().dropped(partitions)
        self.held -= set(partitions)
        self.has_moved.set()

    async def commit(self, prepared: Prepared) -> None:
        await super().commit(prepared)
        self.has_moved.set()


@dataclass
class Running:
    """A worker that runs in this process."""

    handler: Watched
    task: asyncio.Task[None]
    stop: asyncio.Event
    health: Health

    async def until(self, is_enough: Callable[[], Awaitable[bool]]) -> None:
        """Waits for what the worker brings about; an error of the worker ends the wait."""
        while not await is_enough():
            moving = asyncio.create_task(self.handler.has_moved.wait())
            await asyncio.wait([moving, self.task], return_when=asyncio.FIRST_COMPLETED)
            self.handler.has_moved.clear()
            if self.task.done():
                moving.cancel()
                await self.task
                return

    async def until_ready(self) -> None:
        """Waits until the worker says that it has all it needs."""

        async def is_ready() -> bool:
            return self.health.is_ready()

        await until(is_ready)

    async def until_not_ready(self, need: str, why: str) -> None:
        """Waits until the worker says what it lacks."""

        async def is_not_ready() -> bool:
            return not self.health.is_ready() and why in self.health.described()[need]

        await until(is_not_ready)

    async def until_holding(self, count: int) -> None:
        """Waits until the worker holds so many partitions."""

        async def is_holding() -> bool:
            return len(self.handler.held) == count

        await self.until(is_holding)


@asynccontextmanager
async def working(settings: Settings) -> AsyncGenerator[Running]:
    """A worker in this process, ended like a service."""
    pool = await connect(settings.postgres_dsn, role="thuiswacht_ingest", application="test")
    handler = Watched(pool, settings)
    stop, health = asyncio.Event(), Health()
    task = asyncio.create_task(run(handler, settings, stop=stop, health=health))
    try:
        yield Running(handler, task, stop, health)
    finally:
        stop.set()
        # Its error, if it has one, is for who waited for it.
        await asyncio.wait([task])
        await pool.close()


@dataclass(frozen=True)
class Figures:
    """What the database says has happened."""

    received: int
    stored: int
    duplicate: int
    quarantined: int
    readings: int
    refused: int
    offsets: dict[int, int]


async def figures(admin: Connection) -> Figures:
    sums = await admin.fetchrow(
        """
        SELECT coalesce(sum(readings_received), 0)::bigint, coalesce(sum(readings_stored), 0)::bigint,
               coalesce(sum(readings_duplicate), 0)::bigint, coalesce(sum(readings_quarantined), 0)::bigint
        FROM log_position
        """
    )
    assert sums is not None
    return Figures(
        *sums,
        readings=await admin.fetchval("SELECT count(*) FROM reading"),
        refused=await admin.fetchval("SELECT coalesce(sum(readings), 0)::bigint FROM quarantine"),
        offsets={
            row["partition"]: row["next_offset"]
            for row in await admin.fetch("SELECT partition, next_offset FROM log_position")
        },
    )


async def everything(running: Running, admin: Connection, ends: dict[int, int]) -> Figures:
    """What has happened, once the worker has come to the ends of the log."""

    async def is_enough() -> bool:
        offsets = (await figures(admin)).offsets
        return all(offsets.get(partition) == end for partition, end in ends.items())

    await running.until(is_enough)
    return await figures(admin)
