"""A stretch of the log, read by nobody's group: from one offset of a partition to another."""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# aiokafka says its types by halves.

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ingest.log import MAX_MESSAGE_BYTES_OF_TOPIC, connection_options
from models.errors import TryAgain
from models.settings import Settings

AT_ONCE = 2_000
POLL_MS = 1_000
PATIENCE_S = 60.0
FETCH_BYTES = 4 * 1024 * 1024

Bounds: TypeAlias = Mapping[int, tuple[int, int]]
"""Of each partition the first offset that it holds, and the one after the last."""


class Read(NamedTuple):
    """One message as it stands in the log."""

    offset: int
    key: bytes | None
    value: bytes | None


class StretchReader:
    """Reads single partitions of the log side by side; keeps no place and commits nothing."""

    def __init__(self, settings: Settings, consumer: Any, partitions: tuple[int, ...]) -> None:
        self._settings = settings
        self._consumer = consumer
        self.partitions = partitions

    async def bounds(self) -> Bounds:
        """What the log holds now. **Raises**: TryAgain."""
        places = [self._place(number) for number in self.partitions]
        try:
            first = await self._consumer.beginning_offsets(places)
            end = await self._consumer.end_offsets(places)
        except (KafkaError, OSError) as error:
            raise self._away(error) from error
        return {place.partition: (first[place], end[place]) for place in places}

    async def read(self, partition: int, first: int, end: int) -> AsyncGenerator[Read]:
        """The messages of a partition from an offset up to another; within `bounds`.

        **Raises**: TryAgain when the broker is away, or sends nothing for long.
        """
        place = self._place(partition)
        self._consumer.seek(place, first)
        at, silent_s = first, 0.0
        while at < end:
            try:
                batches = await self._consumer.getmany(place, timeout_ms=POLL_MS, max_records=AT_ONCE)
                # Beyond marks of transactions and what was compacted away there may be no message.
                at = max(at, await self._consumer.position(place))
            except (KafkaError, OSError) as error:
                raise self._away(error) from error
            records = batches.get(place, [])
            silent_s = 0.0 if records else silent_s + POLL_MS / 1_000
            if silent_s > PATIENCE_S and at < end:
                raise TryAgain(f"Kafka at {self._settings.kafka} has sent nothing for {PATIENCE_S:.0f} s.")
            for record in records:
                if record.offset < end:
                    yield Read(record.offset, record.key, record.value)

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._settings.topic, partition)

    def _away(self, error: Exception) -> TryAgain:
        return TryAgain(f"Kafka at {self._settings.kafka} is away ({type(error).__name__}).")


@asynccontextmanager
async def stretch_reader(settings: Settings, partition_count: int) -> AsyncGenerator[StretchReader]:
    """A reader of the log of these settings, which has so many partitions. **Raises**: TryAgain."""
    consumer: Any = AIOKafkaConsumer(
        **connection_options(settings),
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_bytes=MAX_MESSAGE_BYTES_OF_TOPIC,
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    reader = StretchReader(settings, consumer, tuple(range(partition_count)))
    try:
        try:
            await asyncio.wait_for(consumer.start(), PATIENCE_S)
        except (KafkaError, OSError) as error:
            raise TryAgain(f"Kafka at {settings.kafka} is away ({type(error).__name__}).") from error
        consumer.assign([TopicPartition(settings.topic, number) for number in reader.partitions])
        yield reader
    finally:
        await consumer.stop()
