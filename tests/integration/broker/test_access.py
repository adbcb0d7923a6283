"""The shipped rules at a real broker: who may write into the log and read it, and that nobody may more."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    for_code,
)

from ingest.broker.applying import Broker
from ingest.broker.rules import Entry, Operation, Resource
from ingest.log import Writer, connection_options, log_of
from models.errors import TryAgain
from models.settings import Settings
from tests.integration.broker.conftest import TOPICS, USERS, Known, settings_of

LOG, REQUESTS, ALERTS, SANDBOX = TOPICS
WRITERS = {
    LOG: {"clock", "dispatch", "gateway", "register"},
    REQUESTS: {"alerting"},
    ALERTS: {"dispatch"},
    SANDBOX: {"dispatch"},
}
READERS = {"ingest": "thuiswacht.ingest", "alerting": "thuiswacht.alerting"}
LEAST_WORD = b"{}"
TOPIC_DELETION_DISABLED = 73
"""An error of Kafka's protocol that its Python client has no name for."""


async def may_write(settings: Settings, topic: str) -> bool:
    producer = AIOKafkaProducer(**connection_options(settings), acks="all", request_timeout_ms=5_000)
    await producer.start()
    try:
        await producer.send_and_wait(topic, LEAST_WORD, partition=0)
    except TopicAuthorizationFailedError:
        return False
    else:
        return True
    finally:
        await producer.stop()


@asynccontextmanager
async def admin_of(settings: Settings) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection_options(settings))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("topic", TOPICS)
async def test_each_writes_what_the_rules_say_and_nothing_else(ruled: Known, topic: str, tls: bool) -> None:
    found = {user for user in USERS if await may_write(settings_of(ruled, user, tls=tls), topic)}
    assert found == WRITERS[topic]


@pytest.mark.parametrize("user", USERS)
async def test_each_reads_what_the_rules_say_in_its_own_group(ruled: Known, user: str) -> None:
    assert await may_write(settings_of(ruled, "clock"), LOG)
    for group in READERS.values():
        consumer = AIOKafkaConsumer(
            LOG,
            **connection_options(settings_of(ruled, user, tls=True)),
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        may_read, is_own = user in READERS, READERS.get(user) == group
        try:
            await consumer.start()
            read = cast("Any", await consumer.getone())
            assert (may_read, is_own) == (True, True)
            assert read.value == LEAST_WORD
        except TopicAuthorizationFailedError:
            assert not may_read
        except GroupAuthorizationFailedError:
            assert not is_own
        finally:
            await consumer.stop()


@pytest.mark.parametrize("user", USERS)
async def test_nobody_makes_changes_or_deletes_topics_or_rules(ruled: Known, user: str) -> None:
    async with admin_of(settings_of(ruled, user)) as admin:
        seen = set(await admin.list_topics())
        assert seen == {
            topic for topic in TOPICS if user in WRITERS[topic] or (topic == LOG and user in READERS)
        }
        assert await error_of_deleting(admin, LOG) == TOPIC_DELETION_DISABLED
        made: Any = await admin.create_topics([NewTopic("mine", 1, 1)])
        assert for_code(made.topic_errors[0][1]) is TopicAuthorizationFailedError
        # Who may not see it is not even told where it is.
        refused = TopicAuthorizationFailedError if LOG in seen else NotLeaderForPartitionError
        with pytest.raises(refused):
            await admin.delete_records({TopicPartition(LOG, 0): RecordsToDelete(0)})
    for command in ("apply", "check"):
        tried = ruled.thuiswacht("broker", command, **ruled.settings(user))
        assert tried.returncode == 1
        assert "ClusterAuthorizationFailed" in tried.stderr


async def test_not_even_the_operator_deletes_the_log(ruled: Known) -> None:
    async with admin_of(settings_of(ruled, "admin")) as admin:
        assert await error_of_deleting(admin, LOG) == TOPIC_DELETION_DISABLED
        assert LOG in await admin.list_topics()


async def error_of_deleting(admin: AIOKafkaAdminClient, topic: str) -> int:
    answer: Any = await admin.delete_topics([topic])
    code: int = answer.topic_error_codes[0][1]
    return code


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_who_is_nobody_or_has_another_password_is_not_let_in(ruled: Known, tls: bool) -> None:
    with pytest.raises(TryAgain):
        async with Writer(settings_of(ruled, "clock", tls=tls, password="another password")):
            raise AssertionError("let in")
    unknown = AIOKafkaProducer(bootstrap_servers=ruled.tls if tls else ruled.plain, request_timeout_ms=2_000)
    with pytest.raises(KafkaConnectionError):
        await unknown.start()
    await unknown.stop()


async def test_the_services_own_ways_work_under_the_rules(ruled: Known) -> None:
    for user in ("ingest", "alerting", "gateway", "clock"):
        where = await log_of(settings_of(ruled, user, tls=True))
        assert where.partition_count == 2
    for user, topic in (("alerting", REQUESTS), ("dispatch", ALERTS)):
        async with Writer(settings_of(ruled, user), topic, idempotent=True) as writer:
            await writer.write_to_all(LEAST_WORD)


async def test_applying_removes_what_a_user_has_too_much_and_tells_of_others(ruled: Known) -> None:
    too_much = Entry("User:ingest", Resource.TOPIC, LOG, Operation.WRITE)
    of_others = Entry("User:stranger", Resource.TOPIC, "thuiswacht.", Operation.ALL, pattern=4)
    async with Broker(settings_of(ruled, "admin")) as broker:
        await broker.add([too_much, of_others])
        assert await may_write(settings_of(ruled, "ingest"), LOG)
        checked = ruled.thuiswacht("broker", "check")
        assert checked.returncode == 1
        assert f"too much: {too_much}" in checked.stdout
        applied = ruled.thuiswacht("broker", "apply")
        assert "0 rules added, 1 removed, passwords of nobody set" in applied.stdout
        assert applied.returncode == 1
        assert str(of_others) in applied.stderr
        assert not await may_write(settings_of(ruled, "ingest"), LOG)
        await broker.remove([of_others])
    assert ruled.thuiswacht("broker", "check").returncode == 0
