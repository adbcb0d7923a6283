"""A month of a simulated log live, recorded, evaluated and replayed: the same findings."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from models.clock import to_us
from models.db.migrate import migrate
from models.findings import Finding, finding_id
from simulators.recording.pseudonyms import Pseudonyms, pseudonyms_of
from simulators.stack import Stack
from tests.exported_log import Told, of_finding
from tests.integration.alerting.small_log import Message
from tests.integration.live import PARTITIONS, findings_of, followed
from tests.integration.recording.recorded_log import at, evaluated, run, simulated_log


@pytest.mark.timeout(400)
async def test_live_evaluated_and_replayed_find_the_same(
    stack: Stack, database: str, empty_database: str, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    """Thirty days, in which each trouble is five times as frequent as usual."""
    log = simulated_log(patients=24, days=30)
    topic = make_topic(partitions=PARTITIONS)
    live = ordered(await findings_of(stack, database, topic, log, tmp_path))
    assert len(live) > 50

    def recorded_and_evaluated() -> tuple[list[list[Told]], Pseudonyms]:
        own, veiled, key = (tmp_path / name for name in ("own.parquet", "veiled.parquet", "key"))
        where: dict[str, Any] = {"stack": stack, "database": database, "topic": topic}
        run("record", str(own), "--identified", **where)
        run("record", "--out", str(veiled), "--key-file", str(key), **where)
        stored = tmp_path / "stored.parquet"
        run("record", str(stored), "--source", "history", "--identified", **where)
        found = [evaluated(file, **where) for file in (own, veiled, stored)]
        return found, pseudonyms_of(key)

    (own, veiled, stored), pseudonyms = await asyncio.to_thread(recorded_and_evaluated)
    assert own == live
    assert stored == live
    assert veiled == sorted((renamed(one, pseudonyms) for one in live), key=str)

    await migrate(empty_database, purpose="trial")
    again = make_topic(partitions=PARTITIONS + 1)
    replay = "replay", str(tmp_path / "own.parquet"), "--speed", "max"
    await asyncio.to_thread(run, *replay, stack=stack, database=empty_database, topic=again)
    written = await length(stack.kafka, again, PARTITIONS + 1)
    assert await sent(stack.kafka, again, PARTITIONS + 1) == messages(log)
    (tmp_path / "again").mkdir()
    assert ordered(await followed(stack, empty_database, again, written, tmp_path / "again")) == live


def ordered(findings: Sequence[Finding]) -> list[Told]:
    return sorted(map(of_finding, findings), key=str)


def renamed(told: Told, pseudonyms: Pseudonyms) -> Told:
    """A finding of the same patient under another name."""
    patient = pseudonyms.patient(told.patient_id)
    programme, _, rule = told.rule.partition("/")
    new_id = finding_id(UUID(patient), programme, rule, to_us(at(told.opened_at)))
    return told._replace(id=str(new_id), patient_id=patient)


def messages(log: Sequence[Message]) -> list[bytes]:
    """What a log says, ticks once."""
    return sorted(message.value for message in log)


async def length(bootstrap: str, topic: str, partitions: int) -> int:
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        return sum((await consumer.end_offsets(places)).values())
    finally:
        await consumer.stop()


async def sent(bootstrap: str, topic: str, partitions: int) -> list[bytes]:
    """All messages of a topic, those that are in every partition once."""
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found: list[bytes] = []
    try:
        for number in range(partitions):
            place = TopicPartition(topic, number)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            end, own = (await consumer.end_offsets([place]))[place], list[bytes]()
            while len(own) < end:
                for records in (await consumer.getmany(place, timeout_ms=1_000)).values():
                    own += [record.value for record in records]
            found += [value for value in own if number == 0 or b'"type":"clock"' not in value]
    finally:
        await consumer.stop()
    return sorted(found)
