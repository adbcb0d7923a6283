"""What is Kafka's own: the key, the two topics, a broker that is away."""

import json
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer

from alerting.notify.body import written
from alerting.notify.channels import Delivered, Later, Outgoing
from alerting.notify.channels.kafka import Kafka
from ingest.keys import key_of
from models.messages import Origin
from models.settings import Settings
from simulators.stack import Stack
from simulators.stack.ports import free_port
from tests.notes import PATIENT, note


async def test_real_patients_and_invented_ones_have_topics_of_their_own(
    stack: Stack, make_topic: Callable[..., str]
) -> None:
    sandbox = make_topic(partitions=2, suffix=".sandbox")
    topic = sandbox.removesuffix(".sandbox")
    channel = Kafka(Settings(kafka=stack.kafka, alerts_topic=topic))
    said = note(origin=Origin.CANARY)
    try:
        assert await channel.send(Outgoing(said, written(said, None), None)) == Delivered()
    finally:
        await channel.close()
    consumer: Any = AIOKafkaConsumer(sandbox, bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
    finally:
        await consumer.stop()
    assert record.key == key_of(PATIENT)
    assert next(iter(json.loads(record.value))) == "responsible"


async def test_a_broker_that_is_away_may_come_back() -> None:
    channel = Kafka(Settings(kafka=f"127.0.0.1:{free_port()}"))
    said = note()
    assert await channel.send(Outgoing(said, written(said, None), None)) == Later("kafka is away")
    await channel.close()
