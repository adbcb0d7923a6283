"""What a poll brings is used only when nobody has said meanwhile from where else to read."""
# pyright: reportPrivateUsage=false
# Nobody outside sees when a poll begins and when it ends.

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from ingest import loop
from ingest.decode import Record
from ingest.log import Log
from models.probes import Health
from models.settings import Settings
from tests.wire import Message

SETTINGS = Settings()
PARTITION = TopicPartition(SETTINGS.topic, 0)
LENGTH, AT_ONCE = 1_000, 50


class Taken:
    """Notes which offsets it is given; its database says 150."""

    group = "test"

    def __init__(self) -> None:
        self.offsets: list[int] = []

    async def assigned(
        self, cluster_id: str, partitions: Sequence[int], partition_count: int
    ) -> Mapping[int, int]:
        assert (cluster_id, partition_count) == ("cluster", 1)
        return dict.fromkeys(partitions, 150)

    def prepare(self, records: Mapping[int, Sequence[Record]]) -> None:
        self.offsets += [record.offset for batch in records.values() for record in batch]

    async def commit(self, prepared: None) -> None:
        return prepared

    async def dropped(self, partitions: Sequence[int]) -> None:
        assert partitions is not None

    async def idle(self) -> None:
        return None


class HeldUp:
    """A consumer whose polls end when `gate` is open: what they take, they take then."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.positions: dict[TopicPartition, int] = {}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        assert set(partitions) <= self.positions.keys()

    resume = pause

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Message]]:
        assert timeout_ms > 0 < max_records
        await self.gate.wait()
        taken: dict[TopicPartition, list[Message]] = {}
        for partition, first in self.positions.items():
            end = self.positions[partition] = min(first + AT_ONCE, LENGTH)
            if first < end:
                taken[partition] = [Message(offset, b"x") for offset in range(first, end)]
        return taken


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
async def reader(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[loop._Reader]:
    """In the middle of reading, at offset 200, over a log that can be held up."""
    monkeypatch.setattr(loop, "POLL_S", 0.01)
    reader = loop._Reader(taken, SETTINGS, Log("cluster", 1), asyncio.Event(), Health())
    await reader.consumer.stop()
    consumer: Any = HeldUp()
    reader.consumer = consumer
    reader.dealt = reader.held = (0,)
    reader.next_offset = {0: 200}
    consumer.seek(PARTITION, 200)
    yield reader
    if reader.polling is not None:
        await reader.polling


async def test_a_poll_of_an_earlier_deal_leaves_no_gap(reader: loop._Reader, taken: Taken) -> None:
    consumer: Any = reader.consumer
    consumer.gate.clear()
    await reader._go_round()
    assert reader.polling is not None
    consumer.gate.set()
    await asyncio.wait([reader.polling])
    reader._deal_anew()
    while len(taken.offsets) < 2 * AT_ONCE:
        await reader._go_round()
    assert taken.offsets == list(range(150, 250))


async def test_a_poll_that_spans_a_seek_is_read_again(reader: loop._Reader) -> None:
    consumer: Any = reader.consumer
    consumer.gate.clear()
    assert await reader._poll() == {}
    reader._resume()
    consumer.gate.set()
    polled = [await reader._poll(), await reader._poll()]
    assert [[record.offset for record in batch.get(0, [])] for batch in polled] == [
        [],
        list(range(200, 250)),
    ]
