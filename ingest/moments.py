"""Where in the log a moment is, by the log's own clock: Kafka's times are those of the wall.

Found by bisection over the clock messages: a few dozen short reads, however long the log is.
"""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# aiokafka says its types by halves.

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ingest.log import connection_options
from models.errors import TryAgain
from models.settings import Settings

READ_TIMEOUT_MS = 5_000


class Tick(NamedTuple):
    """A clock message and where it stands. **Units**: `now_us` in microseconds since 1970 UTC."""

    offset: int
    now_us: int


class Moment(NamedTuple):
    """Where to read on from, and the clock just before it; None before the first clock message.

    **Units**: `clock_us` in microseconds since 1970 UTC.
    """

    offset: int
    clock_us: int | None


class Places:
    """Looks for moments in the partitions of the log. Belongs to no group."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer) -> None:
        self._topic = settings.topic
        # Its types are said by halves.
        self._consumer: Any = consumer

    async def beginning(self, partition: int) -> int:
        """The first offset that the log still holds of a partition."""
        place = TopicPartition(self._topic, partition)
        found: dict[TopicPartition, int] = await self._consumer.beginning_offsets([place])
        return found[place]

    async def moment(self, partition: int, at_us: int, end: int) -> Moment | None:
        """Where the clock of a partition first says a moment or later; None where not before `end`.

        **Units**: `at_us` in microseconds since 1970 UTC. **Raises**: TryAgain.
        """
        place = TopicPartition(self._topic, partition)
        found: dict[TopicPartition, int] = await self._consumer.beginning_offsets([place])

        async def tick(offset: int) -> Tick | None:
            return await self._first_tick(place, offset, end)

        return await first_at(found[place], end, at_us, tick)

    async def _first_tick(self, place: TopicPartition, offset: int, end: int) -> Tick | None:
        self._consumer.assign([place])
        self._consumer.seek(place, offset)
        while offset < end:
            found = await self._consumer.getmany(place, timeout_ms=READ_TIMEOUT_MS)
            records = found.get(place, [])
            if not records:
                where = f"offset {offset} of partition {place.partition}"
                raise TryAgain(f"Kafka does not give what is at {where}.")
            for record in records:
                if record.offset >= end:
                    return None
                now_us = clock_of(record.value)
                if now_us is not None:
                    return Tick(record.offset, now_us)
            offset = records[-1].offset + 1
        return None


async def first_at(
    beginning: int, end: int, at_us: int, tick: Callable[[int], Awaitable[Tick | None]]
) -> Moment | None:
    """The first clock message in [beginning, end) that says a moment or later; None where none does.

    Where the log begins later than that, it is its beginning. `tick` gives the first clock message from an
    offset on, None where there is none before the end.
    """
    low, high = beginning, end
    while low < high:
        middle = (low + high) // 2
        found = await tick(middle)
        if found is None or found.now_us >= at_us:
            high = middle
        else:
            low = found.offset + 1
    first = await tick(low)
    if first is None:
        return None
    if low == beginning:
        # Of a log that was cut off, the clock before its first message is not known: nearly the next.
        return Moment(beginning, None if beginning == 0 else first.now_us - 1)
    return Moment(first.offset, at_us - 1)


def clock_of(value: bytes | None) -> int | None:
    """The time that a clock message says; None for any other message.

    >>> clock_of(b'{"schema": 1, "type": "clock", "now_us": 7}')
    7
    """
    if value is None or b'"clock"' not in value[:200]:
        return None
    try:
        message = json.loads(value)
    except ValueError:
        return None
    now_us = message.get("now_us") if isinstance(message, dict) and message.get("type") == "clock" else None
    return now_us if isinstance(now_us, int) else None


@asynccontextmanager
async def places(settings: Settings) -> AsyncGenerator[Places]:
    """A reader of the log for as long as the block lasts. **Raises**: TryAgain when the broker is away."""
    consumer = AIOKafkaConsumer(**connection_options(settings), enable_auto_commit=False)
    try:
        try:
            await consumer.start()
            yield Places(settings, consumer)
        finally:
            await consumer.stop()
    except (KafkaError, OSError) as error:
        raise TryAgain(f"Kafka at {settings.kafka} is away ({type(error).__name__}).") from error
