"""Measurement requests in a real Postgres, and told on a real Kafka by the elected service."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import REGISTRY
from pydantic import SecretStr

from alerting.duties import on_duty
from alerting.publisher import Publisher
from ingest.keys import key_of
from ingest.log import Writer
from models.db.election import stand
from models.db.pool import Connection, Pool, connect
from models.db.requests import published, to_publish, waiting, withdraw_others, write_requests
from models.messages import Origin
from models.requests import MeasurementRequest, RequestStatus
from models.settings import Settings
from simulators.stack import Stack

NOON_US = 1_795_332_660_000_001


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.connection() as connection:
        yield connection


@pytest.fixture
def settings(stack: Stack, database: str, topic: str) -> Settings:
    return Settings(kafka=stack.kafka, postgres=SecretStr(database), topic="none", requests_topic=topic)


def request(number: int = 0, status: RequestStatus = RequestStatus.PENDING) -> MeasurementRequest:
    return MeasurementRequest(
        patient_id=uuid.UUID(int=100 + number % 7),
        organisation_id=uuid.UUID(int=2),
        origin=Origin.SIMULATED,
        log_partition=0,
        kind="body_weight",
        taken_at_us=NOON_US + number,
        due_us=NOON_US + number + 1,
        reason="jump",
        status=status,
        value=92.0,
        former=81.4,
        said_at_us=NOON_US + 5,
    )


async def statuses(connection: Connection) -> list[tuple[str, int, int]]:
    rows = await connection.fetch(
        "SELECT status, version, published_version FROM measurement_request ORDER BY taken_at"
    )
    return [tuple(row) for row in rows]


async def test_a_request_changes_with_its_status_and_what_is_said_again_changes_nothing(
    connection: Connection,
) -> None:
    await write_requests(connection, [request(0), request(1)])
    await write_requests(connection, [replace(request(0), said_at_us=NOON_US + 9), request(1)])
    assert await statuses(connection) == [("pending", 1, 0)] * 2
    await write_requests(connection, [request(1, RequestStatus.SUSPECT)])
    assert await statuses(connection) == [("pending", 1, 0), ("suspect", 2, 0)]
    row = await connection.fetchrow("SELECT request_id, asked_at <= changed_at FROM measurement_request")
    assert row is not None
    assert tuple(row) == (request(0).request_id, True)


async def test_who_was_evaluated_from_scratch_has_no_other_requests(connection: Connection) -> None:
    await write_requests(connection, [request(0), request(7), request(1)])
    await withdraw_others(connection, request(0).patient_id, NOON_US + 9, [request(7)])
    await withdraw_others(connection, request(0).patient_id, NOON_US + 10, [request(7)])
    assert await statuses(connection) == [("withdrawn", 2, 0), ("pending", 1, 0), ("pending", 1, 0)]


async def test_what_changed_while_it_was_told_is_still_to_be_told(connection: Connection) -> None:
    await write_requests(connection, [request(0)])
    first = await to_publish(connection, 10)
    await write_requests(connection, [request(0, RequestStatus.UNANSWERED)])
    await published(connection, first)
    (second,) = await to_publish(connection, 10)
    assert (second.version, second.status) == (2, RequestStatus.UNANSWERED)
    assert (await waiting(connection))[0] == 1
    await published(connection, [second])
    await published(connection, first)
    assert await statuses(connection) == [("unanswered", 2, 2)]
    assert await waiting(connection) == (0, 0.0)


@asynccontextmanager
async def listening(settings: Settings) -> AsyncGenerator[Callable[[int], Awaitable[list[Any]]]]:
    """Gives what stands on the topic, once there are so many messages."""
    consumer = AIOKafkaConsumer(
        settings.requests_topic, bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()

    async def heard(count: int) -> list[Any]:
        found: list[Any] = []
        while len(found) < count:
            found.append(await consumer.getone())
        return found

    yield heard
    await consumer.stop()


async def test_each_change_is_told_once_in_its_order_and_says_nothing_of_what_was_measured(
    connection: Connection, settings: Settings
) -> None:
    await write_requests(connection, [request(0), request(1)])
    publisher = Publisher(settings)
    await publisher.publish(connection)
    await write_requests(connection, [request(0, RequestStatus.CONFIRMED)])
    await publisher.publish(connection)
    await publisher.publish(connection)
    await publisher.close()
    assert await waiting(connection) == (0, 0.0)
    async with listening(settings) as heard:
        records = await heard(3)
    messages = [json.loads(record.value) for record in records]
    of_first = [m for m in messages if m["patient_id"] == str(request(0).patient_id)]
    assert [(m["version"], m["status"]) for m in of_first] == [(1, "pending"), (2, "confirmed")]
    assert of_first[0] == {
        "schema": 1,
        "type": "measurement_request",
        "request_id": str(request(0).request_id),
        "version": 1,
        "patient_id": str(request(0).patient_id),
        "origin": "simulated",
        "kind": "body_weight",
        "taken_at_us": NOON_US,
        "due_us": NOON_US + 1,
        "reason": "jump",
        "status": "pending",
    }
    assert {record.key for record in records} == {key_of(request(n).patient_id) for n in (0, 1)}


async def test_without_its_topic_nothing_is_lost(connection: Connection, settings: Settings) -> None:
    away = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    await write_requests(connection, [request(0)])
    publisher = Publisher(away)
    await publisher.publish(connection)
    await publisher.close()
    assert (await waiting(connection))[0] == 1
    assert REGISTRY.get_sample_value("thuiswacht_alerting_requests_untold") == 1


class Dying(Writer):
    """A writer whose process is gone the moment the broker has confirmed."""

    async def write_many(self, messages: Any) -> None:
        await super().write_many(messages)
        raise SystemExit


async def test_who_dies_between_telling_and_marking_has_it_told_again_under_the_same_id(
    pool: Pool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool.connection() as connection:
        await write_requests(connection, [request(0)])
        with monkeypatch.context() as patched:
            patched.setattr("alerting.publisher.Writer", Dying)
            dead = Publisher(settings)
            with pytest.raises(SystemExit):
                await dead.publish(connection)
        publisher = Publisher(settings)
        await publisher.publish(connection)
        await publisher.close()
        await dead.close()
    async with listening(settings) as heard:
        first, second = await heard(2)
    assert first.value == second.value


async def test_of_two_services_one_is_elected_and_the_other_when_that_one_is_gone(
    database: str, settings: Settings
) -> None:
    pools = [
        await connect(database, role="thuiswacht_alerting", application=f"elected-{n}", max_size=2)
        for n in range(2)
    ]
    watcher = await asyncpg.connect(database)
    stops = [asyncio.Event(), asyncio.Event()]
    tasks = [
        asyncio.create_task(on_duty(pool, settings, stop=stop))
        for pool, stop in zip(pools, stops, strict=True)
    ]
    try:
        first = await elected(watcher)
        async with listening(settings) as heard:
            await write_requests(watcher, [request(0)])
            await heard(1)
            await watcher.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", first
            )
            await write_requests(watcher, [request(1)])
            told: set[str] = set()
            while str(request(1).request_id) not in told:  # the first may be told twice: at least once
                told.update(json.loads(message.value)["request_id"] for message in await heard(1))
        assert told <= {str(request(number).request_id) for number in range(2)}
        async with pools[0].connection() as another:
            assert not await stand(another)
    finally:
        for stop in stops:
            stop.set()
        await asyncio.gather(*tasks)
        for pool in pools:
            await pool.close()
        await watcher.close()


async def elected(watcher: Connection) -> str:
    """The name of the only one that holds the lock, once there is one."""
    while not (
        names := await watcher.fetch(
            """
            SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'advisory' AND granted AND database = (
                SELECT oid FROM pg_database WHERE datname = current_database()
            )
            """
        )
    ):
        await watcher.execute("SELECT pg_sleep(0.05)")
    (name,) = names
    return name[0]
