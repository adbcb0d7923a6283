"""Offsets move by compare-and-set: one worker at a time, and no step twice."""

import asyncio

import asyncpg
import pytest

from models.db.pool import Connection, Pool
from models.db.positions import (
    Advance,
    AlreadyAdvanced,
    Position,
    advance,
    claim,
    dispatch_now_us,
    log_clock_us,
    read,
    require_dispatch_time,
    take,
)
from models.errors import Broken, NotMine, RefuseToStart, TryAgain
from models.settings import Settings

LOG = ("thuiswacht.ingest", "cluster", "topic")


async def test_partitions_never_seen_begin_at_zero(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        assert await read(connection, *LOG, [0, 3]) == {}
        nothing = Position(0, None, 0, 0, 0, 0)
        assert await take(connection, *LOG, [0, 3]) == {0: nothing, 3: nothing}
        assert await take(connection, *LOG, [3]) == {3: nothing}


async def test_a_step_with_its_counts_and_clock(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        await take(connection, *LOG, [0, 1])
        await advance(connection, *LOG, [Advance(0, 0, 10, 5_000, 9, 5, 3, 1), Advance(1, 0, 2)])
        await advance(connection, *LOG, [Advance(0, 10, 12, None, 2, 2)])
        assert await read(connection, *LOG, [0, 1]) == {
            0: Position(12, 5_000, 11, 7, 3, 1),
            1: Position(2, None, 0, 0, 0, 0),
        }


async def test_groups_do_not_meet(ingest: Pool) -> None:
    other = ("thuiswacht.alerting", *LOG[1:])
    async with ingest.transaction() as connection:
        await take(connection, *LOG, [0])
        await take(connection, *other, [0])
        await advance(connection, *LOG, [Advance(0, 0, 10)])
        assert (await read(connection, *other, [0]))[0].next_offset == 0


async def test_what_moved_meanwhile_is_not_mine(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        await take(connection, *LOG, [0, 1, 2])
        await advance(connection, *LOG, [Advance(1, 0, 7)])
    with pytest.raises(NotMine) as lost:
        async with ingest.transaction() as connection:
            await advance(connection, *LOG, [Advance(0, 0, 4), Advance(1, 0, 4), Advance(2, 0, 4)])
    assert lost.value.partitions == (1,)
    async with ingest.transaction() as connection:
        found = await read(connection, *LOG, [0, 1, 2])
        assert [found[partition].next_offset for partition in range(3)] == [0, 7, 0]
        with pytest.raises(NotMine):
            await claim(connection, *LOG, [Advance(5, 0, 1)])


async def test_a_batch_that_is_there_already(ingest: Pool) -> None:
    steps = [Advance(0, 0, 4, received=4, stored=4), Advance(1, 0, 9)]
    async with ingest.transaction() as connection:
        await take(connection, *LOG, [0, 1])
        await advance(connection, *LOG, steps)
        with pytest.raises(AlreadyAdvanced):
            await advance(connection, *LOG, steps)
        assert (await read(connection, *LOG, [0]))[0].stored == 4
        with pytest.raises(NotMine):
            await advance(connection, *LOG, [Advance(0, 0, 4), Advance(1, 5, 8)])


async def test_two_workers_at_once(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        await take(connection, *LOG, [0, 1])

    async def work(steps: list[Advance]) -> str:
        try:
            async with ingest.transaction() as connection:
                await claim(connection, *LOG, steps)
                await advance(connection, *LOG, steps)
        except NotMine:
            return "lost"
        return "won"

    one = [Advance(0, 0, 5), Advance(1, 0, 5)]
    other = [Advance(1, 0, 6), Advance(0, 0, 6)]
    for _ in range(10):
        assert sorted(await asyncio.gather(work(one), work(other))) == ["lost", "won"]
        async with ingest.transaction() as connection:
            at = (await read(connection, *LOG, [0]))[0].next_offset
        one = [Advance(partition, at, at + 5) for partition in (0, 1)]
        other = [Advance(partition, at, at + 6) for partition in (1, 0)]


async def test_counts_must_add_up(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        await take(connection, *LOG, [0])
    async with ingest.transaction() as connection:
        with pytest.raises(asyncpg.CheckViolationError, match="log_position_adds_up"):
            await advance(connection, *LOG, [Advance(0, 0, 4, received=4, stored=3)])


async def test_never_backwards(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        await take(connection, *LOG, [0])
        with pytest.raises(Broken):
            await advance(connection, *LOG, [Advance(0, 0, -1)])


@pytest.mark.parametrize("log", [("other", "topic"), ("cluster", "other")])
async def test_one_log_for_a_database(ingest: Pool, admin: Connection, log: tuple[str, str]) -> None:
    async with ingest.transaction() as connection:
        await take(connection, *LOG, [0])
    with pytest.raises(RefuseToStart, match="the log that belongs to this database"):
        async with ingest.transaction() as connection:
            await take(connection, LOG[0], *log, [0])
    assert await admin.fetchval("SELECT count(*) FROM log_position") == 1


async def test_the_log_s_time_is_that_of_the_slowest_partition(alerting: Pool) -> None:
    _, cluster_id, topic = LOG
    ours, other = ("thuiswacht.alerting", cluster_id, topic), ("thuiswacht.ingest", cluster_id, topic)
    async with alerting.transaction() as connection:
        assert await log_clock_us(connection) is None
        await take(connection, *ours, [0, 1, 2])
        await take(connection, *other, [0])
        await advance(connection, *ours, [Advance(0, 0, 9, 9_000), Advance(1, 0, 7, 7_000)])
        await advance(connection, *other, [Advance(0, 0, 1, 1_000)])
        assert await log_clock_us(connection) == 7_000
        by_log = Settings(dispatch_time="log")
        assert await dispatch_now_us(connection, by_log) == 7_000
        assert await dispatch_now_us(connection, Settings()) > 1_700_000_000_000_000


async def test_without_a_clock_nobody_knows_the_log_s_time(alerting: Pool) -> None:
    async with alerting.transaction() as connection:
        with pytest.raises(TryAgain, match="clock message"):
            await dispatch_now_us(connection, Settings(dispatch_time="log"))


def test_a_live_database_goes_by_the_wall() -> None:
    require_dispatch_time(Settings(dispatch_time="log"), "trial")
    require_dispatch_time(Settings(), "live")
    with pytest.raises(RefuseToStart, match="DISPATCH_TIME"):
        require_dispatch_time(Settings(dispatch_time="log"), "live")
