"""What a handler can rely on: order, one commit at a time, and what happens when one fails."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

import ingest.log
from ingest.decode import Record
from ingest.loop import run
from models.errors import Broken, NotMine, ThuiswachtError, TryAgain
from models.probes import Health
from models.settings import Settings
from tests.integration.ingest.conftest import Write
from tests.wire import clock

Batch = dict[int, list[int]]


class Recorder:
    """Keeps what it is given. `fails` are the errors of its next commits."""

    group = "recorder"

    def __init__(self, group: str, *fails: ThuiswachtError, wants: int) -> None:
        self.group = group
        self.fails = list(fails)
        self.wants = wants
        self.offsets: dict[int, int] = {}
        self.prepared: list[Batch] = []
        self.tried: list[Batch] = []
        self.committed: list[Batch] = []
        self.calls: list[str] = []
        self.held: tuple[int, ...] = ()
        self.committing = 0
        self.idled = 0
        self.has_all = asyncio.Event()

    async def assigned(
        self, cluster_id: str, partitions: Sequence[int], partition_count: int
    ) -> Mapping[int, int]:
        assert cluster_id
        assert partition_count == 4
        self.calls.append("assigned")
        assert self.held == ()
        self.held = tuple(partitions)
        return {partition: self.offsets.get(partition, 0) for partition in partitions}

    def prepare(self, records: Mapping[int, Sequence[Record]]) -> Batch:
        batch = {partition: [record.offset for record in given] for partition, given in records.items()}
        self.prepared.append(batch)
        return batch

    async def commit(self, prepared: Batch) -> None:
        self.committing += 1
        assert self.committing == 1
        self.tried.append(prepared)
        await asyncio.sleep(0)
        self.committing -= 1
        if self.fails:
            raise self.fails.pop(0)
        self.committed.append(prepared)
        for partition, offsets in prepared.items():
            assert offsets[0] == self.offsets.get(partition, 0)
            assert offsets == list(range(offsets[0], offsets[-1] + 1))
            self.offsets[partition] = offsets[-1] + 1
        if sum(self.offsets.values()) >= self.wants:
            self.has_all.set()

    async def dropped(self, partitions: Sequence[int]) -> None:
        self.calls.append("dropped")
        self.held = tuple(set(self.held) - set(partitions))

    async def idle(self) -> None:
        assert self.committing == 0
        self.idled += 1


@asynccontextmanager
async def reading(recorder: Recorder, settings: Settings) -> AsyncGenerator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(run(recorder, settings, stop=stop, health=Health()))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait([task])


async def test_records_come_in_order_once_and_are_committed_one_batch_at_a_time(
    settings: Settings, write: Write
) -> None:
    recorder = Recorder(str(settings.consumer_group), wants=400)
    for partition in range(4):
        await write(partition, [clock(number) for number in range(100)])
    async with reading(recorder, settings):
        await recorder.has_all.wait()
    assert recorder.offsets == dict.fromkeys(range(4), 100)
    assert recorder.prepared == recorder.committed
    assert len(recorder.committed) >= 400 / settings.batch_max_records
    assert recorder.calls[-1] == "dropped"


async def test_it_reads_from_where_the_handler_says(settings: Settings, write: Write) -> None:
    recorder = Recorder(str(settings.consumer_group), wants=40)
    recorder.offsets = {1: 30}
    await write(1, [clock(number) for number in range(40)])
    async with reading(recorder, settings):
        await recorder.has_all.wait()
    assert recorder.committed == [{1: list(range(30, 40))}]


async def test_the_same_batch_comes_again_while_the_database_is_away(
    settings: Settings, write: Write
) -> None:
    away = [TryAgain("Postgres is away.", after_s=0.7) for _ in range(3)]
    recorder = Recorder(str(settings.consumer_group), *away, wants=200)
    await write(0, [clock(number) for number in range(200)])
    async with reading(recorder, settings):
        await recorder.has_all.wait()
    assert recorder.tried[:4] == [recorder.tried[0]] * 4
    assert recorder.committed == recorder.tried[3:]
    assert recorder.offsets == {0: 200}
    assert recorder.calls.count("assigned") == 1


async def test_after_a_lost_partition_everything_is_taken_over_anew(settings: Settings, write: Write) -> None:
    lost = NotMine("Another worker has it.", partitions=(0,))
    recorder = Recorder(str(settings.consumer_group), lost, wants=200)
    await write(0, [clock(number) for number in range(200)])
    async with reading(recorder, settings):
        await recorder.has_all.wait()
    assert recorder.tried[0] == recorder.committed[0]
    assert recorder.offsets == {0: 200}
    assert recorder.calls.count("assigned") == 2


async def test_what_waiting_does_not_mend_ends_the_service(settings: Settings, write: Write) -> None:
    recorder = Recorder(str(settings.consumer_group), Broken("The sum is wrong."), wants=1)
    await write(0, [clock(1)])
    async with reading(recorder, settings) as task:
        with pytest.raises(Broken, match="The sum is wrong"):
            await task
    assert recorder.committed == []


async def test_idle_comes_also_when_nothing_is_written(settings: Settings) -> None:
    recorder = Recorder(str(settings.consumer_group), wants=1)

    class Idle(Recorder):
        async def idle(self) -> None:
            await super().idle()
            if self.idled == 3:
                self.has_all.set()

    recorder = Idle(str(settings.consumer_group), wants=1)
    async with reading(recorder, settings):
        await recorder.has_all.wait()
    assert recorder.prepared == []


async def test_building_up_may_take_longer_than_a_member_may_be_silent(
    settings: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.log, "MAX_POLL_INTERVAL_MS", 2_000)

    class Slow(Recorder):
        async def assigned(
            self, cluster_id: str, partitions: Sequence[int], partition_count: int
        ) -> Mapping[int, int]:
            offsets = await super().assigned(cluster_id, partitions, partition_count)
            # Nothing to await: that time passes is what is tested.
            await asyncio.sleep(6)
            return offsets

    recorder = Slow(str(settings.consumer_group), wants=1)
    await write(0, [clock(1)])
    async with reading(recorder, settings):
        await asyncio.wait_for(recorder.has_all.wait(), 30)
    assert recorder.calls == ["dropped", "assigned", "dropped"]


async def test_a_service_that_is_building_up_can_be_ended(settings: Settings) -> None:
    class Endless(Recorder):
        async def assigned(
            self, cluster_id: str, partitions: Sequence[int], partition_count: int
        ) -> Mapping[int, int]:
            offsets = await super().assigned(cluster_id, partitions, partition_count)
            self.has_all.set()
            await asyncio.Event().wait()
            return offsets

    recorder = Endless(str(settings.consumer_group), wants=1)
    async with reading(recorder, settings):
        await recorder.has_all.wait()
    assert recorder.held == ()


async def test_batches_are_bounded_by_bytes(settings: Settings, write: Write) -> None:
    small = settings.model_copy(update={"batch_max_bytes": 4_000})
    recorder = Recorder(str(settings.consumer_group), wants=20)
    await write(0, [clock(number).ljust(1_500) for number in range(19)])
    await write(0, [clock(99).ljust(9_000_000)])
    async with reading(recorder, small):
        await recorder.has_all.wait()
    assert max(len(batch[0]) for batch in recorder.prepared) == 2
