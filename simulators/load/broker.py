"""Into Kafka without waiting: what is due lies ready by partition, and goes as the broker takes it."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ingest.log import connection_options
from models.errors import TryAgain
from models.settings import Settings
from simulators.load.homes import Homes
from simulators.load.pacing import SLICE, Watch
from simulators.load.readings import Writing
from simulators.load.schedule import Planned

Producer: TypeAlias = AIOKafkaProducer
"""What several plans send through."""
BATCH_BYTES = 256 * 1024
ACKNOWLEDGED_WITHIN_S = 60.0
ROOM = 20_000
"""So many messages may wait for the broker while a backlog is put into the log."""


@asynccontextmanager
async def producing(settings: Settings) -> AsyncGenerator[Producer]:
    """A producer that several plans use. **Raises**: TryAgain when the broker is away."""
    producer = AIOKafkaProducer(
        **connection_options(settings), max_batch_size=BATCH_BYTES, enable_idempotence=True, acks="all"
    )
    try:
        await producer.start()
        yield producer
    except KafkaError as error:
        raise TryAgain(f"Kafka at {settings.kafka} is away ({type(error).__name__}).") from error
    finally:
        await producer.stop()


class IntoLog:
    """Puts the uploads of one plan into the log; knows when each was acknowledged.

    `acknowledged_us`: by the watch, −1 where it was not. **Shape**: [n], as what is planned.
    """

    def __init__(
        self,
        producer: Producer,
        topic: str,
        partitions: int,
        homes: Homes,
        planned: Planned,
        writing: Writing,
        watch: Watch,
    ) -> None:
        # Its futures are untyped; what they give is said where they are made.
        self._producer: Any = producer
        self._topic = topic
        self._planned, self._writing, self._watch = planned, writing, watch
        self._keys = homes.keys()
        self._partition: list[int] = homes.partitions(partitions).tolist()
        self._waiting: list[deque[tuple[int, bytes, bytes]]] = [deque() for _ in range(partitions)]
        self._ready = [asyncio.Event() for _ in range(partitions)]
        self._open = 0
        self._moved = asyncio.Event()
        self._failed: BaseException | None = None
        self.acknowledged_us = np.full(len(planned), -1, np.int64)

    def put(self, begin: int, end: int) -> None:
        """Takes rows of the plan over, at once."""
        values = self._writing.for_the_log(begin, end)
        patients: list[int] = self._planned.patient[begin:end].tolist()
        for row, patient, value in zip(range(begin, end), patients, values, strict=True):
            partition = self._partition[patient]
            self._waiting[partition].append((row, self._keys[patient], value))
            self._ready[partition].set()
        self._open += end - begin

    async def put_all(self) -> None:
        """All of the plan as fast as the broker takes it; returns when it has. **Raises**: TryAgain."""
        for begin in range(0, len(self._planned), SLICE):
            self.put(begin, min(begin + SLICE, len(self._planned)))
            await self._until_open(ROOM)
        await self.drain()

    async def drain(self) -> None:
        """Return when the broker has acknowledged all taken over. **Raises**: TryAgain when it does not."""
        await self._until_open(0)

    async def _until_open(self, at_most: int) -> None:
        while self._open > at_most and self._failed is None:
            self._moved.clear()
            try:
                async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                    await self._moved.wait()
            except TimeoutError:
                raise TryAgain(
                    f"Kafka has acknowledged nothing for {ACKNOWLEDGED_WITHIN_S:.0f} s, "
                    f"{self._open:,} messages wait."
                ) from None
        if self._failed is not None:
            raise TryAgain(f"Kafka did not take a batch ({type(self._failed).__name__}).") from self._failed
        # A moment for others, also where nothing was to be waited for.
        await asyncio.sleep(0)

    async def pump(self, partition: int) -> None:
        """Hands what waits for a partition to the broker, until it is cancelled."""
        waiting, ready = self._waiting[partition], self._ready[partition]
        while True:
            await ready.wait()
            ready.clear()
            while waiting:
                batch = self._producer.create_batch()
                rows = _filled(batch, waiting)
                try:
                    sent: asyncio.Future[Any] = await self._producer.send_batch(
                        batch, self._topic, partition=partition
                    )
                except KafkaError as error:
                    self._fail(error)
                    return
                sent.add_done_callback(partial(self._acknowledge, rows))

    def _acknowledge(self, rows: list[int], sent: asyncio.Future[Any]) -> None:
        if sent.cancelled():
            self._fail(asyncio.CancelledError())
        elif (error := sent.exception()) is not None:
            self._fail(error)
        else:
            self.acknowledged_us[rows] = self._watch.now_us()
            self._open -= len(rows)
            self._moved.set()

    def _fail(self, error: BaseException) -> None:
        self._failed = error
        self._moved.set()


def _filled(batch: Any, waiting: deque[tuple[int, bytes, bytes]]) -> list[int]:
    """The rows of what now is in the batch, and waits no more."""
    rows: list[int] = []
    while waiting:
        row, key, value = waiting[0]
        if batch.append(timestamp=None, key=key, value=value) is None:
            break
        waiting.popleft()
        rows.append(row)
    return rows


@asynccontextmanager
async def into_log(
    producer: Producer,
    settings: Settings,
    homes: Homes,
    planned: Planned,
    writing: Writing,
    watch: Watch,
) -> AsyncGenerator[IntoLog]:
    """The way of one plan into the topic of the settings."""
    partitions = len(await producer.partitions_for(settings.topic))
    way = IntoLog(producer, settings.topic, partitions, homes, planned, writing, watch)
    pumps = [asyncio.create_task(way.pump(partition)) for partition in range(partitions)]
    try:
        yield way
    finally:
        for pump in pumps:
            pump.cancel()
        for pump in pumps:
            with suppress(asyncio.CancelledError):
                await pump
