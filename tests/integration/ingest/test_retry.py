"""Refused, tried again, and then counted once: through Kafka, by the register's publisher and the worker."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from ingest.acting import Deed, Known, doing
from ingest.keys import partition_of
from ingest.quarantine import acts
from ingest.quarantine.forms import RetryForm
from ingest.register.publish import Publisher
from models.access import Action, Role, User
from models.audit import Kind
from models.columns import Reason
from models.db import refused
from models.db.pool import Connection, Pool, connect
from models.db.refused import Shown
from models.settings import Settings
from simulators.stack import Stack
from tests.integration.ingest.conftest import Running, Write, everything, figures, working
from tests.wire import HOSPITAL, PATIENT, RECEIVED_AT_US, TAKEN_AT_US, clock, reading, registration, upload

PARTITION = partition_of(PATIENT, 4)
ELSEWHERE = UUID(int=5, version=4)
ORGANISATIONS = """
INSERT INTO organisation VALUES ($1, 'Hier', 'hospital', 'simulated'), ($2, 'Elders', 'hospital', 'simulated')
"""
REGISTERED = """
WITH known AS (INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'simulated'))
INSERT INTO treatment_relation VALUES ($1, $2, now() - interval '1 day')
"""


@pytest.fixture
async def telling(database: str) -> AsyncIterator[Connection]:
    """A connection as the publisher's."""
    pool = await connect(database, role="thuiswacht_register", application="test", max_size=1)
    async with pool.connection() as connection:
        yield connection
    await pool.close()


async def somebody(admin: Connection, organisation: UUID) -> User:
    person_id = uuid4()
    await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Test')", person_id)
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, 'nurse')", person_id, organisation)
    return User(person_id, organisation, Role.NURSE)


@pytest.fixture
async def nurse(admin: Connection) -> User:
    """Of the hospital that treats the patient, once somebody has registered them."""
    await admin.execute(ORGANISATIONS, HOSPITAL, ELSEWHERE)
    return await somebody(admin, HOSPITAL)


async def try_again(people: Pool, user: User, **asked: object) -> int:
    deed = Deed(Action.QUARANTINE_RETRY, Kind.UPDATE, "test")
    async with doing(people, Known(user, "test"), deed) as act:
        return await acts.try_again(act, RetryForm.model_validate(asked))


async def looked(people: Pool, user: User, *, retried_too: bool = False) -> list[Shown]:
    deed = Deed(Action.QUARANTINE_READ, Kind.READ, "test")
    async with doing(people, Known(user, "test"), deed) as act:
        return await acts.look(act, None, retried_too=retried_too)


async def tell(telling: Connection, settings: Settings) -> None:
    publisher = Publisher(settings)
    await publisher.publish(telling)
    await publisher.close()


async def read_up_to(running: Running, admin: Connection, offset: int) -> None:
    await everything(running, admin, {PARTITION: offset})


async def test_of_somebody_registered_later_each_reading_is_stored_once(
    settings: Settings, write: Write, admin: Connection, people: Pool, nurse: User, telling: Connection
) -> None:
    early = upload(reading(), reading(taken_at_us=TAKEN_AT_US - 1_000_000))
    await write(PARTITION, [early, registration(), clock(RECEIVED_AT_US)])
    async with working(settings) as running:
        await read_up_to(running, admin, 3)
        assert (await figures(admin)).readings == 0
        assert await looked(people, nurse) == [], "nobody treats them yet"
        await admin.execute(REGISTERED, PATIENT, HOSPITAL)

        (found,) = await looked(people, nurse)
        assert (found.reason, found.readings, found.device_id) == ("unknown_patient", 2, "scale-4711")
        place = f"{found.partition}-{found.offset}"
        elsewhere = await somebody(admin, ELSEWHERE)
        assert await try_again(people, elsewhere, places=(place,)) == 0
        assert await try_again(people, nurse, places=(place, place)) == 1
        assert await try_again(people, nurse, reason=Reason.UNKNOWN_PATIENT) == 0, "it is on its way"
        await tell(telling, settings)
        await tell(telling, settings)
        await read_up_to(running, admin, 4)
        # Killed before it had written down that the broker confirmed: it tells once more.
        await admin.execute("UPDATE retry SET told_at = NULL")
        await tell(telling, settings)
        await read_up_to(running, admin, 5)

    sums = await figures(admin)
    assert (sums.received, sums.stored, sums.duplicate, sums.quarantined) == (6, 2, 2, 2)
    received = await admin.fetch("SELECT DISTINCT extract(epoch FROM received_at) * 1000000 FROM reading")
    assert [int(row[0]) for row in received] == [RECEIVED_AT_US], "when it was received is when it was"
    assert await looked(people, nurse) == []
    (tried,) = await looked(people, nurse, retried_too=True)
    assert None not in (tried.retried_us, tried.told_us)
    on_record = await admin.fetch(
        "SELECT patients, details FROM audit WHERE event_code = 'quarantine.retry' ORDER BY happened_us"
    )
    assert [tuple(row) for row in on_record] == [
        ([], "0 messages"), ([PATIENT], "1 messages"), ([], "0 messages: unknown_patient"),
    ]  # fmt: skip


async def test_what_is_refused_again_waits_anew_and_is_counted_once(
    settings: Settings, write: Write, admin: Connection, people: Pool, nurse: User, telling: Connection
) -> None:
    await admin.execute(REGISTERED, PATIENT, HOSPITAL)
    mixed = upload(reading(), reading(taken_at_us=TAKEN_AT_US - 1, value=7_000.0))
    rounds = 12
    # So few that each time it is tried again would stop the partition, if that were held against its senders.
    strict = settings.model_copy(update={"refusal_window_readings": 10, "refusal_limit": 0.3})
    good = [upload(reading(taken_at_us=TAKEN_AT_US - n), name=str(n)) for n in range(2, 12)]
    await write(PARTITION, [registration(), *good, mixed])
    async with working(strict) as running:
        await read_up_to(running, admin, 12)
        for again in range(rounds):
            (found,) = await looked(people, nurse)
            assert (found.position, found.kind, found.is_repeated) == (1, "body_weight", again > 0)
            assert await try_again(people, nurse, reason=Reason.IMPLAUSIBLE) == 1
            await tell(telling, settings)
            await read_up_to(running, admin, 13 + again)

    sums = await figures(admin)
    assert (sums.readings, sums.stored, sums.duplicate) == (11, 11, rounds)
    async with doing(people, Known(nurse, "test"), Deed(Action.TECHNICAL_READ, Kind.READ, "test")) as act:
        counted = await refused.refusals_counted(act.connection, 0)
    assert [(one.reason, one.source, one.refused, one.waiting) for one in counted] == [
        ("implausible", "vendor-a", 1, 1)
    ]
    chain = await admin.fetch("SELECT log_offset, retry_of_offset FROM quarantine ORDER BY log_offset")
    assert [tuple(row) for row in chain] == [(11, None), *((12 + n, 11 + n) for n in range(rounds))]


async def test_nobody_reads_the_bytes_but_who_tells_and_only_those(
    settings: Settings, write: Write, admin: Connection, people: Pool, nurse: User, telling: Connection
) -> None:
    await admin.execute(REGISTERED, PATIENT, HOSPITAL)
    other = UUID(int=77, version=4)
    await write(
        PARTITION, [registration(), upload(reading(value=7_000.0)), upload(patient=other, name="other")]
    )
    async with working(settings) as running:
        await read_up_to(running, admin, 3)
    async with people.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT raw FROM quarantine_message")
    seen = "SELECT array_agg(log_offset ORDER BY log_offset) FROM quarantine_message"
    assert await telling.fetchval(seen) is None
    assert await try_again(people, nurse, places=(f"{PARTITION}-1", f"{PARTITION}-2")) == 1
    assert await telling.fetchval(seen) == [1]
    # By hand, past our own checks: neither the message of another, nor under another action.
    insert = (
        "INSERT INTO retry (patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, by) "
        "SELECT $1, $2, cluster_id, topic, log_partition, 2, $3 FROM quarantine LIMIT 1"
    )
    for action in (Action.QUARANTINE_RETRY, Action.QUARANTINE_READ):
        with pytest.raises(Exception, match=r"may not|row-level"):
            async with doing(people, Known(nurse, "test"), Deed(action, Kind.UPDATE, "test")) as act:
                await act.connection.execute(insert, PATIENT, HOSPITAL, nurse.person_id)
    await tell(telling, settings)
    assert await telling.fetchval(seen) is None


async def test_a_mark_that_is_none_of_ours_changes_nothing(
    settings: Settings, write: Write, admin: Connection, stack: Stack
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka)
    await producer.start()
    for value in (b"", b"x/y", b"99999999999/1", b"0/99999999999999999999", b"\xff"):
        header = [("thuiswacht-retry-of", value)]
        await producer.send_and_wait(settings.topic, upload(), b"key", PARTITION, headers=header)
    await producer.stop()
    async with working(settings) as running:
        await read_up_to(running, admin, 5)
    assert await admin.fetchval("SELECT count(*) FROM quarantine WHERE retry_of_offset IS NULL") == 5
