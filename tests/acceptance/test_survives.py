"""Workers killed, joined, dismissed, the database restarted under them: as if nothing had happened."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from alerting.escalation.policy_files import load_policies
from alerting.worker import AlertingHandler
from ingest.keys import key_of, partition_of
from ingest.worker import IngestHandler
from models.db.migrate import migrate
from models.db.pool import connect
from models.settings import load_settings
from simulators.stack import Stack
from tests import shipped
from tests.acceptance.workers import Workers
from tests.integration.alerting.small_log import Message, SmallLog

PARTITIONS = 4
SLICES = 8
GROUPS = ("thuiswacht.ingest", "thuiswacht.alerting")

READINGS = """
SELECT patient_id, kind, taken_at, device_id, revision, void, value, value_received, unit_received, code,
    received_at, upload_id, log_partition, log_offset, log_position, too_late
FROM reading ORDER BY patient_id, kind, taken_at, device_id, revision, void
"""
QUARANTINE = """
SELECT log_partition, log_offset, log_position, reason, readings FROM quarantine
ORDER BY log_partition, log_offset, log_position
"""
# Without how many readings were there, and which: a late one may lie in a window and change nothing.
FINDINGS = """
SELECT patient_id, finding_id, programme, version, rule, signal, severity, opened_at, raised_at, cleared_at,
    (SELECT jsonb_agg(e - 'readings' - 'count') FROM jsonb_array_elements(opening) AS e) AS opening,
    (SELECT jsonb_agg(e - 'readings' - 'count') FROM jsonb_array_elements(raised) AS e) AS raised
FROM finding WHERE NOT retracted ORDER BY patient_id, finding_id
"""
OPENED_TWICE = """
SELECT count(*) FROM alert WHERE 1 <> (
    SELECT count(*) FROM alert_event AS e
    WHERE (e.patient_id, e.alert_id) = (alert.patient_id, alert.alert_id) AND e.event = 'opened'
)
"""
ALERTS = """
SELECT patient_id, signal, severity, state, opened_at, cleared_at, retracted, held_back, outcome
FROM alert ORDER BY patient_id, signal, opened_at, state
"""


@dataclass(frozen=True, slots=True)
class Record:
    offset: int
    value: bytes


@dataclass(slots=True)
class Log:
    """A log as it is written, and what was written to each partition so far."""

    producer: AIOKafkaProducer
    topic: str
    written: dict[int, list[Record]] = field(default_factory=dict[int, list[Record]])

    async def write(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.patient_id is None:
                for partition in range(PARTITIONS):
                    await self._write(partition, None, message.value)
            else:
                partition = partition_of(message.patient_id, PARTITIONS)
                await self._write(partition, key_of(message.patient_id), message.value)
        await self.producer.flush()

    async def _write(self, partition: int, key: bytes | None, value: bytes) -> None:
        written = self.written.setdefault(partition, [])
        written.append(Record(len(written), value))
        await self.producer.send(self.topic, value, key=key, partition=partition)

    @property
    def length(self) -> int:
        return sum(map(len, self.written.values()))


@pytest.fixture
async def log(stack: Stack, make_topic: Callable[..., str]) -> AsyncIterator[Log]:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka, enable_idempotence=True)
    await producer.start()
    yield Log(producer, make_topic(partitions=PARTITIONS))
    await producer.stop()


@pytest.fixture
def workers(stack: Stack, database: str, log: Log, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(stack.kafka, database, log.topic, tmp_path)
    yield workers
    workers.clean_up()


async def fetch(dsn: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close()


async def reached(dsn: str, group: str) -> int:
    """How many messages a group has dealt with."""
    query = "SELECT coalesce(sum(next_offset), 0)::bigint AS n FROM log_position WHERE consumer_group = $1"
    (row,) = await fetch(dsn, query, group)
    found: int = row["n"]
    return found


async def until(workers: Workers, dsn: str, group: str, messages: int, within_s: float = 45.0) -> None:
    """Waits for a group; there is no other sign of its progress than its offsets."""
    give_up_s = time.monotonic() + within_s
    while (found := await reached(dsn, group)) < messages:
        workers.must_live()
        assert time.monotonic() < give_up_s, f"{group}: {found} of {messages}\n{workers.last_words()}"
        await asyncio.sleep(0.02)


async def undisturbed(dsn: str, log: Log) -> None:
    """The same log through both groups, without Kafka, processes, or anything going wrong."""
    await migrate(dsn, purpose="trial")
    programmes = shipped.compiled()
    settings = load_settings(topic=log.topic)
    storing = await connect(dsn, role="thuiswacht_ingest", application="undisturbed")
    evaluating = await connect(dsn, role="thuiswacht_alerting", application="undisturbed")
    try:
        ingest = IngestHandler(storing, settings)
        alerting = AlertingHandler(evaluating, programmes, load_policies(), settings)
        for handler in (ingest, alerting):
            await handler.assigned("undisturbed", sorted(log.written), PARTITIONS)
        await ingest.commit(ingest.prepare(log.written))
        await alerting.commit(alerting.prepare(log.written))
    finally:
        await storing.close()
        await evaluating.close()


@pytest.mark.acceptance
@pytest.mark.timeout(400)
async def test_as_if_nothing_had_happened(
    stack: Stack, database: str, empty_database: str, log: Log, workers: Workers
) -> None:
    messages = SmallLog(seed=11, patients=40, days=24).messages()
    size = -(-len(messages) // SLICES)
    slices = [messages[first : first + size] for first in range(0, len(messages), size)]
    ingest, alerting = workers.start("ingest"), workers.start("alerting")

    async def in_the_middle(group: str, messages: Sequence[Message]) -> None:
        """Returns when a group has done a part of these."""
        before = log.length
        await log.write(messages)
        await until(workers, database, group, before + (log.length - before) // 4)

    await in_the_middle(GROUPS[0], slices[0])
    workers.kill(ingest)
    ingest = workers.start("ingest")
    await in_the_middle(GROUPS[1], slices[1])
    workers.kill(alerting)
    alerting = workers.start("alerting")
    await in_the_middle(GROUPS[1], slices[2])
    second_ingest, second_alerting = workers.start("ingest"), workers.start("alerting")
    await in_the_middle(GROUPS[0], slices[3])
    await asyncio.to_thread(stack.restart_server, "postgres")
    await in_the_middle(GROUPS[1], slices[4])
    workers.kill(second_ingest)
    workers.kill(alerting)
    alerting = workers.start("alerting")
    await in_the_middle(GROUPS[1], slices[5])
    assert workers.end(second_alerting) == 0, workers.last_words()
    await in_the_middle(GROUPS[0], slices[6])
    workers.kill(ingest)
    workers.kill(alerting)
    ingest, alerting = workers.start("ingest"), workers.start("alerting")
    await log.write(slices[7])
    for group in GROUPS:
        await until(workers, database, group, log.length)
    assert [workers.end(ingest), workers.end(alerting)] == [0, 0], workers.last_words()

    await undisturbed(empty_database, log)
    for query in (READINGS, QUARANTINE, FINDINGS, ALERTS):
        expected = await fetch(empty_database, query)
        assert len(expected) > 10
        assert await fetch(database, query) == expected
    assert (await fetch(database, OPENED_TWICE))[0]["count"] == 0
