"""A log that goes the whole way: real Kafka, both services as a user starts them, real Postgres."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from ingest.keys import key_of, partition_of
from models.db.findings import load_findings
from models.db.pool import Connection
from models.findings import Finding
from models.settings import Settings
from simulators.demo.services import Services
from simulators.stack import Stack
from tests.integration.alerting.small_log import Message

GROUPS = ("thuiswacht.ingest", "thuiswacht.alerting")
PARTITIONS = 4
REACHED = """
SELECT coalesce(sum(next_offset), 0)::bigint FROM log_position WHERE consumer_group = $1
"""
WAITING = "SELECT count(*) FROM reevaluation WHERE done_at IS NULL"


async def findings_of(
    stack: Stack, database: str, topic: str, log: Sequence[Message], folder: Path
) -> list[Finding]:
    """Writes a log, lets both services follow it to its end; the findings that stand then."""
    settings = Settings(kafka=stack.kafka, postgres=SecretStr(database), topic=topic)
    written = await write(settings, log)
    return await followed(stack, database, topic, written, folder)


async def followed(stack: Stack, database: str, topic: str, written: int, folder: Path) -> list[Finding]:
    """Lets both services follow a log of so many messages; the findings that stand then."""
    environment = {
        "THUISWACHT_KAFKA": stack.kafka,
        "THUISWACHT_POSTGRES": database,
        "THUISWACHT_TOPIC": topic,
    }
    services = Services(environment, folder)
    reader = await asyncpg.connect(database)
    try:
        for name in ("ingest", "alerting"):
            services.start(name)
        await until_followed(reader, written, services)
        patients = await reader.fetch("SELECT DISTINCT patient_id FROM finding")
        found = await load_findings(reader, {row["patient_id"]: 0 for row in patients})
    finally:
        await reader.close()
        services.stop()
    return [finding for finding in found if not finding.retracted]


async def write(settings: Settings, log: Sequence[Message]) -> int:
    """Every message to its patient's partition, clocks to all of them; how many there are then."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, enable_idempotence=True)
    await producer.start()
    written = 0
    try:
        for message in log:
            patient = message.patient_id
            key = None if patient is None else key_of(patient)
            places = range(PARTITIONS) if patient is None else [partition_of(patient, PARTITIONS)]
            for place in places:
                await producer.send(settings.topic, message.value, key=key, partition=place)
                written += 1
    finally:
        await producer.stop()
    return written


async def until_followed(reader: Connection, written: int, services: Services) -> None:
    """Waits until both groups are at the end of the log and nobody waits for being evaluated again."""
    while True:
        services.require_running()
        reached = [await reader.fetchval(REACHED, group) for group in GROUPS]
        if min(reached) >= written and not await reader.fetchval(WAITING):
            return
        # Nobody tells when another connection has committed.
        await asyncio.sleep(0.05)
