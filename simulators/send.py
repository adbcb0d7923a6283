"""Writing a scenario to the log: in batches built here, each message where its patient belongs."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from ingest.keys import key_of, partition_of
from ingest.log import connection_options
from models.clock import wall_now_us
from models.errors import TryAgain
from models.settings import Settings
from simulators.wire import TICK, Message

BATCH_BYTES = 256 * 1024
IN_FLIGHT = 16
"""Batches that may wait for their acknowledgement: enough to keep the broker busy, few enough to hold."""


@asynccontextmanager
async def open_sender(
    settings: Settings, patient_texts: Sequence[str], *, idempotent: bool = True
) -> AsyncGenerator["Sender"]:
    """A sender to the topic of the settings, which must exist; flushed at the end of the block.

    `idempotent` is off only for brokers that cannot do it: a retry may then write a batch twice.
    **Raises**: TryAgain when the broker is away.
    """
    producer = AIOKafkaProducer(
        **connection_options(settings),
        max_batch_size=BATCH_BYTES,
        enable_idempotence=idempotent,
        acks="all",
    )
    try:
        await producer.start()
        partitions = len(await producer.partitions_for(settings.topic))
        sender = Sender(producer, settings.topic, partitions, patient_texts)
        yield sender
        await sender.flush()
    except KafkaError as error:
        raise TryAgain(
            f"Kafka at {settings.kafka} does not take messages ({type(error).__name__})."
        ) from error
    finally:
        await producer.stop()


class Sender:
    """Puts messages into the log; a patient's messages stay in order, a clock tick goes everywhere."""

    def __init__(
        self, producer: AIOKafkaProducer, topic: str, partitions: int, patient_texts: Sequence[str]
    ) -> None:
        # Its futures are untyped; what they give is said where they are made.
        self._producer: Any = producer
        self._topic = topic
        self._keys = [key_of(text) for text in patient_texts]
        self._partition = [partition_of(text, partitions) for text in patient_texts]
        self._builders: list[BatchBuilder] = [producer.create_batch() for _ in range(partitions)]
        self._sent: list[tuple[int, int, asyncio.Future[RecordMetadata]]] = []
        self.end_offsets = dict.fromkeys(range(partitions), 0)
        self.partitions = partitions
        self.readings_by_partition = dict.fromkeys(range(partitions), 0)
        self.uploads = 0
        self.readings = 0

    async def put(self, messages: Iterable[Message]) -> None:
        """Take messages over; they are sent as batches fill, and surely at the next flush."""
        now_ms = wall_now_us() // 1000
        for message in messages:
            if message.patient == TICK:
                for partition in range(len(self._builders)):
                    await self._append(partition, None, message.value, now_ms)
                continue
            partition = self._partition[message.patient]
            await self._append(partition, self._keys[message.patient], message.value, now_ms)
            self.uploads += message.readings > 0
            self.readings += message.readings
            self.readings_by_partition[partition] += message.readings

    async def flush(self) -> None:
        """Return when everything taken over is in the log; `end_offsets` are then right."""
        for partition, builder in enumerate(self._builders):
            if builder.record_count():
                await self._dispatch(partition)
        await self._settle(0)

    async def _append(self, partition: int, key: bytes | None, value: bytes, now_ms: int) -> None:
        builder = self._builders[partition]
        if builder.append(timestamp=now_ms, key=key, value=value) is None:
            await self._dispatch(partition)
            self._builders[partition].append(timestamp=now_ms, key=key, value=value)

    async def _dispatch(self, partition: int) -> None:
        builder = self._builders[partition]
        count = builder.record_count()
        future: asyncio.Future[RecordMetadata] = await self._producer.send_batch(
            builder, self._topic, partition=partition
        )
        self._sent.append((partition, count, future))
        self._builders[partition] = self._producer.create_batch()
        await self._settle(IN_FLIGHT)

    async def _settle(self, leave: int) -> None:
        while len(self._sent) > leave:
            partition, count, future = self._sent.pop(0)
            metadata = await future
            self.end_offsets[partition] = max(self.end_offsets[partition], metadata.offset + count)
