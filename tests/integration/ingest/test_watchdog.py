"""A service that has work and gets nowhere ends itself; one that waits for who is away does not."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingest.loop import run
from models.db.pool import Connection
from models.errors import TryAgain
from models.probes import Health
from models.settings import Settings
from models.watchdog import EXIT_STUCK, watch
from simulators.stack import Stack
from tests.integration.ingest.conftest import Write, everything, figures, until, working
from tests.integration.ingest.test_loop import Recorder
from tests.wire import PATIENT, TAKEN_AT_US, clock, reading, registration, upload

ROOT = Path(__file__).parents[3]
HAS_A_BACKEND = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'thuiswacht-ingest'"


@asynccontextmanager
async def worker_of(settings: Settings, folder: Path, stall_exit_s: float) -> AsyncGenerator[Process]:
    """An ingest worker as a process of its own; what it says goes into `said` in the folder."""
    environment = {
        "THUISWACHT_POSTGRES": settings.postgres_dsn,
        "THUISWACHT_KAFKA": settings.kafka,
        "THUISWACHT_TOPIC": settings.topic,
        "THUISWACHT_CONSUMER_GROUP": str(settings.consumer_group),
        "THUISWACHT_SESSION_TIMEOUT_MS": "3000",
        "THUISWACHT_STALL_EXIT_S": str(stall_exit_s),
    }
    with (folder / "said").open("wb") as said:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "thuiswacht", "ingest",
            env={**os.environ, **environment}, cwd=ROOT, stdout=said, stderr=said,
        )  # fmt: skip
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


def uploads(first: int, number: int) -> list[bytes]:
    return [
        upload(reading(taken_at_us=TAKEN_AT_US + at), name=str(at)) for at in range(first, first + number)
    ]


async def received(admin: Connection, number: int) -> None:
    async def is_received() -> bool:
        return (await figures(admin)).received >= number

    await asyncio.wait_for(until(is_received), 40)


async def test_a_batch_that_never_gets_through_ends_the_process_and_nothing_is_lost(
    settings: Settings, write: Write, admin: Connection, tmp_path: Path
) -> None:
    """The lock outlasts what Postgres lets a statement wait: each attempt fails, and is no progress."""
    await write(2, [registration(PATIENT), *uploads(0, 10), clock(TAKEN_AT_US)])
    async with worker_of(settings, tmp_path, 13.0) as worker:
        await received(admin, 10)
        async with admin.transaction():
            await admin.execute("LOCK TABLE log_position IN ACCESS EXCLUSIVE MODE")
            await write(2, uploads(10, 10))
            assert await asyncio.wait_for(worker.wait(), 40) == EXIT_STUCK
    said = (tmp_path / "said").read_text()
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert any("LockNotAvailable" in line.get("why", "") for line in lines)
    assert "a batch" in lines[-1]["why"]
    assert "in run_forever" in said, "where each thread was"
    async with working(settings) as running:
        found = await everything(running, admin, {2: 22})
    assert (found.readings, found.duplicate) == (20, 0)


async def test_a_database_that_is_away_for_longer_than_that_ends_nothing(
    settings: Settings, write: Write, admin: Connection, stack: Stack, tmp_path: Path
) -> None:
    await write(2, [registration(PATIENT), *uploads(0, 10), clock(TAKEN_AT_US)])
    async with worker_of(settings, tmp_path, 4.0) as worker:
        await received(admin, 10)
        await asyncio.to_thread(stack.stop_server, "postgres")
        try:
            await write(2, uploads(10, 10))
            # Nothing to await: that time passes without an end is what is tested.
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(worker.wait(), 12)
        finally:
            await asyncio.to_thread(stack.start_server, "postgres")
        again = await anew(settings)
        try:
            await received(again, 20)
        finally:
            await again.close()
        assert worker.returncode is None


async def anew(settings: Settings) -> Connection:
    """A connection to a server that was away."""
    import asyncpg

    return await asyncpg.connect(settings.postgres_dsn)


def test_a_blocked_main_loop_is_noticed_from_outside_it() -> None:
    program = """
import asyncio, time
from models import logs
from models.probes import Health
from models.watchdog import watched

async def main() -> None:
    time.sleep(60)

logs.configure()
with watched(Health(()), 1.0):
    asyncio.run(main())
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=30, check=False
    )
    assert ended.returncode == EXIT_STUCK
    assert b"the main loop" in ended.stderr
    assert b"in main" in ended.stderr


class Building(Recorder):
    """Takes long to take its partitions over, and says that it gets on, or does not."""

    def __init__(self, group: str, seconds: float, moved: Callable[[], None]) -> None:
        super().__init__(group, wants=1)
        self.seconds = seconds
        self.moved = moved

    async def assigned(
        self, cluster_id: str, partitions: Sequence[int], partition_count: int
    ) -> Mapping[int, int]:
        offsets = await super().assigned(cluster_id, partitions, partition_count)
        for _ in range(round(self.seconds / 0.25)):
            # Nothing to await: the work itself is what takes its time.
            await asyncio.sleep(0.25)
            self.moved()
        return offsets


async def said_of(settings: Settings, make: Callable[[Health], Recorder], until_s: float) -> list[str]:
    """What a watchdog with a limit of 2 s says of a worker, until that has all or the time is over."""
    health, stop, unwatch, said = Health(), asyncio.Event(), threading.Event(), list[str]()
    worker = make(health)
    watching = asyncio.create_task(asyncio.to_thread(watch, health, 2.0, unwatch, said.append))
    task = asyncio.create_task(run(worker, settings, stop=stop, health=health))
    has_all = asyncio.create_task(worker.has_all.wait())
    try:
        await asyncio.wait([watching, has_all], timeout=until_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        unwatch.set()
        has_all.cancel()
        await asyncio.wait([task, watching])
    return said


async def test_building_up_may_take_long_as_long_as_it_gets_on(settings: Settings, write: Write) -> None:
    await write(1, [clock(1)])
    group = str(settings.consumer_group)
    assert await said_of(settings, lambda health: Building(group, 5.0, health.moved), 30) == []


async def test_building_up_that_stands_still_is_noticed(settings: Settings, write: Write) -> None:
    await write(1, [clock(1)])
    group = str(settings.consumer_group)
    said = await said_of(settings, lambda _: Building(group, 20.0, lambda: None), 18)
    assert ["taking partitions over" in why for why in said] == [True]


@pytest.mark.parametrize("is_away", [True, False])
async def test_only_who_is_there_and_does_not_let_us_through_counts(
    settings: Settings, write: Write, is_away: bool
) -> None:
    await write(1, [clock(1)])
    fails = [TryAgain("Postgres.", after_s=0.3, is_away=is_away) for _ in range(14)]
    group = str(settings.consumer_group)
    said = await said_of(settings, lambda _: Recorder(group, *fails, wants=1), 30)
    assert ["a batch" in why for why in said] == ([] if is_away else [True])
