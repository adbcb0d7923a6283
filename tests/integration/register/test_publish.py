"""What was decided reaches a real Kafka and the services behind it: all of it, in order, taken once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import REGISTRY
from pydantic import SecretStr

from ingest.acting import Deed, Known, doing
from ingest.log import Writer
from ingest.register import acts
from ingest.register.forms import ChangeForm, InclusionForm, filled_in
from ingest.register.publish import Publisher, run_publisher, waves
from models.access import Action, User
from models.audit import Kind
from models.clock import wall_now_us
from models.db import corrections
from models.db.pool import Connection, Pool, connect
from models.probes import Health
from models.register import Untold
from models.settings import Settings
from simulators.demo.services import Services
from simulators.stack import Stack
from tests.integration.register.conftest import KEYS, PRACTICE

SOURCE = "test"


@pytest.fixture
def settings(stack: Stack, database: str, topic: str) -> Settings:
    return Settings(kafka=stack.kafka, postgres=SecretStr(database), topic=topic)


@pytest.fixture
async def telling(database: str) -> AsyncIterator[Connection]:
    """A connection as the publisher's."""
    pool = await connect(database, role="thuiswacht_register", application="test", max_size=1)
    async with pool.connection() as connection:
        yield connection
    await pool.close()


def somebody_new(number: int) -> tuple[UUID, InclusionForm]:
    fields = {
        "identity": {"family_name": f"Test {number}", "birth_date": "1950-01-01"},
        "programmes": [{"programme": "heart_failure"}],
        "huisarts": PRACTICE,
    }
    return uuid4(), filled_in(InclusionForm, fields)


async def include(people: Pool, nurse: User, count: int) -> list[UUID]:
    async with doing(people, Known(nurse, "test"), Deed(Action.PATIENT_INCLUDE, Kind.CREATE, SOURCE)) as act:
        included = await acts.include_patients(
            act, KEYS, [somebody_new(number) for number in range(count)], wall_now_us()
        )
    return [one.patient_id for one in included]


async def change(people: Pool, nurse: User, patient_id: UUID, version: int, what: dict[str, Any]) -> None:
    deed = Deed(Action.PATIENT_CHANGE, Kind.UPDATE, SOURCE, patient_id)
    form = filled_in(ChangeForm, {"version": version, "change": what})
    async with doing(people, Known(nurse, "test"), deed) as act:
        await acts.change_patient(act, KEYS, patient_id, form, wall_now_us())


async def on_the_topic(settings: Settings) -> list[dict[str, Any]]:
    """All messages that stand there now."""
    consumer: Any = AIOKafkaConsumer(
        settings.topic, bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        found = [json.loads((await consumer.getone()).value) for _ in range(sum(ends.values()))]
    finally:
        await consumer.stop()
    return found


def each_once(messages: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """The change ids of each patient, in the order in which each first stands in the log."""
    order: dict[str, list[str]] = {}
    for message in messages:
        ids = order.setdefault(message["patient_id"], [])
        if message["change_id"] not in ids:
            ids.append(message["change_id"])
    return order


async def decided(admin: Connection) -> dict[str, list[str]]:
    rows = await admin.fetch("SELECT patient_id, change_id FROM register_change ORDER BY patient_id, number")
    order: dict[str, list[str]] = {}
    for row in rows:
        order.setdefault(str(row["patient_id"]), []).append(str(row["change_id"]))
    return order


def started(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A publisher as a user starts it."""
    command = [sys.executable, "-m", "thuiswacht", "register", "publish"]
    return subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL)


async def test_a_publisher_that_is_killed_loses_nothing_and_nothing_counts_twice(
    stack: Stack,
    database: str,
    admin: Connection,
    people: Pool,
    nurse: User,
    settings: Settings,
    tmp_path: Any,
) -> None:
    environment = {
        "THUISWACHT_KAFKA": stack.kafka,
        "THUISWACHT_POSTGRES": database,
        "THUISWACHT_TOPIC": settings.topic,
    }
    patients = await include(people, nurse, 400)
    for patient_id in patients[:20]:
        await change(people, nurse, patient_id, 1, {"pause": {"reason": "vakantie"}})
        await change(people, nurse, patient_id, 2, {"resume": {}})
    for _ in range(2):
        told = await admin.fetchval("SELECT count(*) FROM register_change WHERE told_at IS NOT NULL")
        with started(environment) as publisher:
            while (
                await admin.fetchval("SELECT count(*) FROM register_change WHERE told_at IS NOT NULL") == told
            ):
                assert publisher.poll() is None
            publisher.send_signal(signal.SIGKILL)
        await change(people, nurse, (await include(people, nurse, 1))[0], 1, {"admit": {}})
    services = Services(environment, tmp_path)
    try:
        for name in ("register publish", "ingest"):
            services.start(name)
        everything = await admin.fetchval("SELECT count(*) FROM register_change")
        while await admin.fetchval("SELECT count(*) FROM patient_change") < everything:
            services.require_running()
            await admin.execute("SELECT pg_sleep(0.1)")
    finally:
        services.stop()
    assert await admin.fetchval("SELECT count(*) FROM register_change WHERE told_at IS NULL") == 0
    expected = await decided(admin)
    assert each_once(await on_the_topic(settings)) == expected
    rows = await admin.fetch("SELECT patient_id, change_id FROM patient_change ORDER BY log_offset")
    taken: dict[str, list[str]] = {}
    for row in rows:
        taken.setdefault(str(row["patient_id"]), []).append(str(row["change_id"]))
    assert taken == expected
    assert await admin.fetchval("SELECT count(*) FROM quarantine") == 0
    for file in tmp_path.glob("*.log"):
        assert "Test " not in file.read_text(), "a patient's name is in a log"


class Dying(Writer):
    """A writer whose process is gone the moment the broker has confirmed."""

    async def write_many(self, messages: Any) -> None:
        await super().write_many(messages)
        raise SystemExit


async def test_who_dies_between_telling_and_marking_has_it_told_again_under_the_same_id(
    people: Pool, nurse: User, telling: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await include(people, nurse, 3)
    dead = Publisher(settings)
    with monkeypatch.context() as patched:
        patched.setattr("ingest.register.publish.Writer", Dying)
        with pytest.raises(SystemExit):
            await dead.publish(telling)
    publisher = Publisher(settings)
    assert await publisher.publish(telling) == 9
    await publisher.close()
    await dead.close()
    messages = await on_the_topic(settings)
    assert len(messages) == 12
    assert len({message["change_id"] for message in messages}) == 9
    assert {message["patient_id"]: message for message in messages if "register" in message["change"]}


async def test_while_kafka_is_away_it_waits_and_the_metrics_say_how_much(
    people: Pool, nurse: User, telling: Connection, settings: Settings
) -> None:
    await include(people, nurse, 2)
    away = Publisher(settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    assert await away.publish(telling) == 0
    await away.close()
    assert REGISTRY.get_sample_value("thuiswacht_register_changes_waiting") == 6
    assert (REGISTRY.get_sample_value("thuiswacht_register_changes_wait_seconds") or 0) > 0
    publisher = Publisher(settings)
    assert await publisher.publish(telling) == 6
    assert await publisher.publish(telling) == 0
    await publisher.close()
    assert REGISTRY.get_sample_value("thuiswacht_register_changes_waiting") == 0
    text = json.dumps(await on_the_topic(settings))
    assert "Test" not in text
    assert str(PRACTICE) in text


async def test_of_two_publishers_one_tells_and_the_other_when_that_one_is_gone(
    people: Pool, nurse: User, admin: Connection, settings: Settings
) -> None:
    stops = [asyncio.Event(), asyncio.Event()]
    healths = [Health(needs=("database", "broker")) for _ in stops]
    tasks = [
        asyncio.create_task(run_publisher(settings, stop=stop, health=health))
        for stop, health in zip(stops, healths, strict=True)
    ]
    try:
        await include(people, nurse, 2)
        await all_told(admin)
        assert [health.is_ready() for health in healths] == [True, True]
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND granted AND application_name = 'thuiswacht-register'"
        )
        await include(people, nurse, 2)
        await all_told(admin)
    finally:
        for stop in stops:
            stop.set()
        await asyncio.gather(*tasks)
    assert each_once(await on_the_topic(settings)) == await decided(admin)


async def all_told(admin: Connection) -> None:
    while await admin.fetchval("SELECT count(*) FROM register_change WHERE told_at IS NULL"):
        await admin.execute("SELECT pg_sleep(0.05)")


async def test_corrections_of_readings_are_told_too(
    people: Pool, nurse: User, admin: Connection, telling: Connection, settings: Settings
) -> None:
    (patient_id,) = await include(people, nurse, 1)
    message = b'{"patient_id": "x", "change_id": "c"}'
    await corrections.write(admin, uuid4(), patient_id, message, nurse.person_id)
    publisher = Publisher(settings)
    assert await publisher.publish(telling) == 3
    assert await publisher.publish(telling) == 0
    await publisher.close()
    assert [one["patient_id"] for one in await on_the_topic(settings)].count("x") == 1
    assert await admin.fetchval("SELECT count(*) FROM correction WHERE told_at IS NULL") == 0


async def test_the_publisher_sees_what_it_tells_and_nothing_else(telling: Connection) -> None:
    for table in ("patient_care", "patient_identity", "registration", "device_loan", "consent"):
        assert not await telling.fetchval("SELECT has_table_privilege($1, 'SELECT')", table)


def test_in_a_wave_there_is_one_change_of_a_patient() -> None:
    untold = [
        Untold(UUID(int=patient), number, uuid4(), 0, correction=False, content={})
        for patient in (1, 2)
        for number in range(patient)
    ]
    assert [[(one.patient_id.int, one.number) for one in wave] for wave in waves(untold)] == [
        [(1, 0), (2, 0)],
        [(2, 1)],
    ]
