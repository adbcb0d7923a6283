"""Workers are killed, dealt anew, cut off from the database and the broker; each reading is stored once."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from ingest.clock import run_clock
from ingest.keys import partition_of
from ingest.log import Writer, create_topic
from ingest.worker import IngestHandler
from models.clock import wall_now_us
from models.db.pool import Connection, connect
from models.errors import Broken, NotMine
from models.probes import Health
from models.settings import Settings
from simulators.stack import Stack
from tests.integration.ingest.conftest import Figures, Write, everything, figures, until, working
from tests.wire import PATIENT, TAKEN_AT_US, clock, log, reading, registration, upload

PARTITIONS = 4
PATIENTS = [UUID(int=number) for number in range(1, 13)]


def log_of(patients: Sequence[UUID], uploads: int) -> dict[int, list[bytes]]:
    """For each partition: its patients registered, their uploads, a few of them twice, and clocks."""
    messages: dict[int, list[bytes]] = {partition: [] for partition in range(PARTITIONS)}
    for patient in patients:
        messages[partition_of(patient, PARTITIONS)].append(registration(patient))
    for number in range(uploads):
        for patient in patients:
            sent = upload(
                reading(taken_at_us=TAKEN_AT_US + number), patient=patient, name=f"{patient} {number}"
            )
            messages[partition_of(patient, PARTITIONS)] += [sent, sent] if number % 10 == 0 else [sent]
        for values in messages.values():
            values.append(clock(TAKEN_AT_US + number))
    return messages


def require_once(found: Figures, uploads: int) -> None:
    again = len(range(0, uploads, 10)) * len(PATIENTS)
    assert found.readings == found.stored == uploads * len(PATIENTS)
    assert (found.duplicate, found.quarantined) == (again, 0)
    assert found.received == found.stored + found.duplicate


@asynccontextmanager
async def process(settings: Settings) -> AsyncGenerator[Process]:
    """A worker as a process of its own, killed at the end if it still runs."""
    environment = {
        "THUISWACHT_POSTGRES": settings.postgres_dsn,
        "THUISWACHT_KAFKA": settings.kafka,
        "THUISWACHT_TOPIC": settings.topic,
        "THUISWACHT_CONSUMER_GROUP": str(settings.consumer_group),
        "THUISWACHT_SESSION_TIMEOUT_MS": "3000",
        "THUISWACHT_BATCH_MAX_RECORDS": "20",
    }
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "thuiswacht", "ingest", env={**os.environ, **environment},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


async def until_received(admin: Connection, received: int) -> None:
    """Returns once so many readings are dealt with."""

    async def is_received() -> bool:
        return (await figures(admin)).received >= received

    await until(is_received)


async def test_killed_workers_and_their_successors_store_each_reading_once(
    settings: Settings, write: Write, admin: Connection
) -> None:
    uploads = 150
    messages = log_of(PATIENTS, uploads)
    for partition, values in messages.items():
        await write(partition, values)
    total = sum(value.count(b"taken_at_us") for values in messages.values() for value in values)
    for share in (0.1, 0.35, 0.6):
        async with process(settings) as first, process(settings) as second:
            await until_received(admin, int(total * share))
            first.kill()
            second.kill()
    async with working(settings) as running:
        found = await everything(running, admin, ends_of(messages))
    require_once(found, uploads)


async def test_workers_come_and_go_in_the_middle(settings: Settings, write: Write, admin: Connection) -> None:
    uploads = 200
    messages = log_of(PATIENTS, uploads)
    half = {partition: len(values) // 2 for partition, values in messages.items()}
    async with working(settings) as first:
        await first.until_holding(PARTITIONS)
        for partition, values in messages.items():
            await write(partition, values[: half[partition]])
        async with working(settings) as second:
            await second.until_holding(PARTITIONS // 2)
            await first.until_holding(PARTITIONS // 2)
            for partition, values in messages.items():
                await write(partition, values[half[partition] :])
            await until_received(admin, 1_300)
        found = await everything(first, admin, ends_of(messages))
        assert len(first.handler.held) == PARTITIONS
    require_once(found, uploads)


async def test_the_database_goes_away_and_comes_back(
    settings: Settings, write: Write, admin: Connection, stack: Stack
) -> None:
    uploads = 100
    messages = log_of(PATIENTS, uploads)
    async with working(settings) as running:
        await running.until_holding(PARTITIONS)
        await write(0, messages[0])
        await everything(running, admin, {0: len(messages[0])})
        assert running.health.is_ready()
        await asyncio.to_thread(stack.kill_server, "postgres")
        for partition in (1, 2, 3):
            await write(partition, messages[partition])
        await running.until_not_ready("database", "Postgres is away")
        await asyncio.to_thread(stack.start_server, "postgres")
        again = await asyncpg.connect(settings.postgres_dsn)
        try:
            found = await everything(running, again, ends_of(messages))
        finally:
            await again.close()
        await running.until_ready()
        assert running.health.is_alive()
    require_once(found, uploads)


async def test_the_broker_goes_away_and_comes_back(
    settings: Settings, write: Write, admin: Connection, stack: Stack
) -> None:
    uploads = 50
    messages = log_of(PATIENTS, uploads)
    async with working(settings) as running:
        await write(0, messages[0])
        await everything(running, admin, {0: len(messages[0])})
        await asyncio.to_thread(stack.kill_server, "kafka")
        await running.until_not_ready("broker", "Kafka is away")
        await asyncio.to_thread(stack.start_server, "kafka")
        for partition in (1, 2, 3):
            await write(partition, messages[partition])
        found = await everything(running, admin, ends_of(messages))
        await running.until_ready()
    require_once(found, uploads)


async def test_a_worker_that_starts_before_its_topic_waits_for_it(
    settings: Settings, write: Write, admin: Connection, stack: Stack
) -> None:
    early = settings.model_copy(update={"topic": f"{settings.topic}.later"})
    async with working(early) as running:
        await running.until_not_ready("broker", "no topic")
        await create_topic(stack.kafka, early.topic, 2)
        async with Writer(early) as writer:
            await writer.write(PATIENTS[0], registration(PATIENTS[0]), upload(patient=PATIENTS[0]))
            await writer.write_to_all(clock(TAKEN_AT_US))
        found = await everything(running, admin, {partition_of(PATIENTS[0], 2): 3})
    assert (found.stored, found.received) == (1, 1)


async def test_who_lost_the_race_for_an_offset_goes_on_from_where_the_winner_is(
    settings: Settings, write: Write, admin: Connection
) -> None:
    partition = partition_of(PATIENTS[0], PARTITIONS)
    async with working(settings) as running:
        await write(partition, [registration(PATIENTS[0]), upload(patient=PATIENTS[0])])
        await everything(running, admin, {partition: 2})
        # As if another worker had dealt with the next message, of which this one has not heard.
        await admin.execute("UPDATE log_position SET next_offset = 3 WHERE partition = $1", partition)
        later = reading(taken_at_us=TAKEN_AT_US + 1)
        await write(partition, [clock(1), upload(later, patient=PATIENTS[0], name="x")])
        found = await everything(running, admin, {partition: 4})
    assert (found.stored, found.received, found.readings) == (2, 2, 2)


async def test_a_commit_of_unknown_outcome_is_not_done_twice(settings: Settings, admin: Connection) -> None:
    pool = await connect(settings.postgres_dsn, role="thuiswacht_ingest", application="test")
    handler = IngestHandler(pool, settings)
    assert await handler.assigned("cluster", [0], 1) == {0: 0}
    prepared = handler.prepare({0: log(registration(), upload(), b"{}", clock(5))})
    await handler.commit(prepared)
    await handler.commit(prepared)
    more = handler.prepare({0: log(upload(), upload(name="other", device_id="other"), first=4)})
    await handler.commit(more)
    found = await figures(admin)
    assert (found.received, found.stored, found.duplicate, found.refused) == (3, 2, 1, 0)
    assert found.offsets == {0: 6}
    assert await admin.fetchval("SELECT clock_us FROM log_position") == 5
    # A successor knows what was stored, and does not mistake it for new.
    successor = IngestHandler(pool, settings)
    assert await successor.assigned("cluster", [0], 1) == {0: 6}
    await successor.commit(successor.prepare({0: log(upload(), first=6)}))
    assert (await figures(admin)).duplicate == 2
    await pool.close()


async def test_the_late_owner_of_a_partition_writes_nothing(settings: Settings, admin: Connection) -> None:
    pool = await connect(settings.postgres_dsn, role="thuiswacht_ingest", application="test")
    late, quick = IngestHandler(pool, settings), IngestHandler(pool, settings)
    await late.assigned("cluster", [0, 1], 1)
    prepared = late.prepare({0: log(registration(), upload()), 1: log(b"{}")})
    await quick.assigned("cluster", [0], 1)
    await quick.commit(quick.prepare({0: log(registration())}))
    with pytest.raises(NotMine) as lost:
        await late.commit(prepared)
    assert lost.value.partitions == (0,)
    found = await figures(admin)
    assert (found.received, found.offsets, found.refused) == (0, {0: 1, 1: 0}, 0)
    assert await admin.fetchval("SELECT count(*) FROM quarantine_message") == 0
    await pool.close()


async def test_a_patient_known_in_two_partitions_is_stored_once(
    settings: Settings, admin: Connection
) -> None:
    pool = await connect(settings.postgres_dsn, role="thuiswacht_ingest", application="test")
    handler = IngestHandler(pool, settings)
    # As a log that grew from one partition to four would have it.
    for partition, partition_count in ((0, 1), (2, 4)):
        await handler.assigned("cluster", [partition], partition_count)
        await handler.commit(handler.prepare({partition: log(registration(PATIENT))}))
    for number in range(2):
        sent = log(upload(reading(taken_at_us=TAKEN_AT_US + number)), first=1 + number)
        await handler.commit(handler.prepare({0: sent, 2: sent}))
    found = await figures(admin)
    assert (found.received, found.stored, found.duplicate, found.readings) == (4, 2, 2, 2)
    await pool.close()


async def test_a_partition_that_refuses_nearly_everything_stops_the_service(
    settings: Settings, write: Write, admin: Connection
) -> None:
    strict = settings.model_copy(update={"refusal_window_readings": 40, "batch_max_records": 30})
    await write(2, [upload(name=str(number)) for number in range(100)])
    async with working(strict) as running:
        with pytest.raises(Broken, match="Partition 2 refuses 100%"):
            await running.task
    assert (await figures(admin)).quarantined < 40


async def test_a_log_that_does_not_reach_the_offset_is_not_read(
    settings: Settings, write: Write, admin: Connection
) -> None:
    await write(0, [clock(1)])
    async with working(settings) as running:
        await everything(running, admin, {0: 1})
    await admin.execute("UPDATE log_position SET next_offset = 1000 WHERE partition = 0")
    async with working(settings) as running:
        with pytest.raises(Broken, match="partition 0: next is 1000, the log holds 0 up to 1"):
            await running.task


async def test_sigterm_commits_the_batch_in_flight_and_ends_well(
    settings: Settings, write: Write, admin: Connection
) -> None:
    messages = log_of(PATIENTS, 100)
    for partition, values in messages.items():
        await write(partition, values)
    async with process(settings) as worker:
        await until_received(admin, 50)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(worker.wait(), 20) == 0
    async with working(settings) as running:
        found = await everything(running, admin, ends_of(messages))
    require_once(found, 100)


async def test_a_broken_log_ends_the_process_with_an_error(
    settings: Settings, write: Write, admin: Connection
) -> None:
    await admin.execute(
        """
        INSERT INTO log_position (consumer_group, cluster_id, topic, partition) VALUES ($1, 'other', 'log', 0)
        """,
        settings.consumer_group,
    )
    async with process(settings) as worker:
        assert await asyncio.wait_for(worker.wait(), 30) == 78


async def test_the_clock_ticks_in_every_partition(settings: Settings, admin: Connection) -> None:
    stop, health = asyncio.Event(), Health(needs=("broker",))
    before_us = wall_now_us()
    ticking = asyncio.create_task(run_clock(settings, stop=stop, health=health))
    async with working(settings) as running:
        await everything(running, admin, dict.fromkeys(range(PARTITIONS), 2))
    assert health.is_ready()
    stop.set()
    await ticking
    clocks = [row[0] for row in await admin.fetch("SELECT clock_us FROM log_position")]
    assert len(clocks) == PARTITIONS
    assert all(before_us + 900_000 < clock_us < wall_now_us() for clock_us in clocks)


def ends_of(messages: Mapping[int, Sequence[bytes]]) -> dict[int, int]:
    return {partition: len(values) for partition, values in messages.items()}
