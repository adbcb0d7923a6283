"""What cannot be beaten here: COPY of ready images into the table of readings, and fetching raw bytes.

`python -m benchmarks.ceilings` prints both; `throughput` measures them again in its own run.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.ground import PARTITIONS, fresh_ground
from benchmarks.load import Load, Shape, one_each, sixty_each, without_duplicates
from benchmarks.machine import describe
from ingest.decode import decode
from ingest.log import connection_options
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from models.columns import Readings
from models.db.copy_image import COLUMNS, HEADER, TRAILER, image, key_order
from models.db.partitions import ensure_partitions
from models.db.pool import connect
from models.settings import Settings
from simulators.send import open_sender
from simulators.stack import Stack
from simulators.wire import TICK

CHUNK_BYTES = 1 << 19
ROWS_PER_COPY = 10_000
COPIED_AT_MOST = 400_000
"""Enough for a rate that stays; more would only take longer."""
ORGANISATION = UUID(int=1)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """**Units**: readings per second."""

    copy: float
    fetch: float


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    value: bytes | None


def readings_of(load: Load, at_most: int) -> list[Readings]:
    """The readings of a load's first rounds as a worker would have them, in batches of ROWS_PER_COPY."""
    patients = PatientIndex()
    for text in load.scenario.population.patient_text:
        patients.add(UUID(text), ORGANISATION, -1)
    batches: list[Readings] = []
    per_batch = max(1, ROWS_PER_COPY // load.shape.per_upload)
    offset, total = 0, 0
    for number in range(load.shape.rounds):
        messages = [message for message in load.round(number) if message.patient != TICK]
        for first in range(0, len(messages), per_batch):
            records = [
                _Record(offset + place, message.value)
                for place, message in enumerate(messages[first : first + per_batch])
            ]
            offset += len(records)
            readings, refusals, _ = normalise(decode(records, partition=0, nonce="benchmark"), patients)
            if refusals:
                raise AssertionError(refusals[0])
            batches.append(readings)
            total += len(readings)
            if total >= at_most:
                return batches
    return batches


async def copy_ceiling(stack: Stack, shape: Shape) -> float:
    """Rows per second of binary COPY into the real table with its key, one transaction for each image."""
    batches = readings_of(Load(without_duplicates(shape)), COPIED_AT_MOST)
    images = [
        HEADER + image(batch, key_order(batch, np.arange(len(batch)))).tobytes() + TRAILER
        for batch in batches
    ]
    settings = await fresh_ground(stack)
    pool = await connect(settings.postgres_dsn, role="thuiswacht_ingest", application="ceiling", max_size=2)
    try:
        async with pool.connection() as connection:
            times = [
                int(at) for batch in batches for at in (batch.taken_at_us.min(), batch.taken_at_us.max())
            ]
            await ensure_partitions(connection, min(times), max(times))
            begun_s = time.perf_counter()
            for one in images:
                async with connection.transaction():
                    await connection.copy_to_table(
                        "reading", source=_chunks(one), columns=COLUMNS, format="binary"
                    )
            elapsed_s = time.perf_counter() - begun_s
    finally:
        await pool.close()
    return sum(map(len, batches)) / elapsed_s


async def fetch_ceiling(settings: Settings, records: int, readings: int) -> float:
    """Readings per second of fetching a topic's messages as raw bytes, nothing looked at."""
    consumer: Any = AIOKafkaConsumer(
        **connection_options(settings), auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(settings.topic, number) for number in range(PARTITIONS)])
        begun_s, fetched = time.perf_counter(), 0
        while fetched < records:
            batch: dict[Any, Sequence[Any]] = await consumer.getmany(timeout_ms=1_000, max_records=2_000)
            fetched += sum(map(len, batch.values()))
        return readings / (time.perf_counter() - begun_s)
    finally:
        await consumer.stop()


async def preload(settings: Settings, load: Load, rounds: range) -> tuple[int, int]:
    """Put rounds of a load into the topic; messages (clock ticks in each partition) and readings sent."""
    messages = 0
    async with open_sender(settings, load.scenario.patient_texts) as sender:
        for number in rounds:
            part = load.round(number)
            await sender.put(part)
            messages += len(part) - 1 + PARTITIONS
        await sender.flush()
        return messages, sender.readings


async def measure(stack: Stack, shape: Shape) -> Ceilings:
    """Both ceilings for readings of a shape."""
    copy = await copy_ceiling(stack, shape)
    settings = await fresh_ground(stack)
    load = Load(without_duplicates(shape))
    messages, readings = await preload(settings, load, range(load.shape.rounds))
    return Ceilings(copy, await fetch_ceiling(settings, messages, readings))


async def _chunks(whole: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(whole), CHUNK_BYTES):
        yield whole[start : start + CHUNK_BYTES]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=300_000)
    parser.add_argument("--patients", type=int, default=5_000)
    parser.add_argument("--json", metavar="FILE")
    wishes = parser.parse_args()
    shapes = [one_each(wishes.readings, wishes.patients), sixty_each(wishes.readings, wishes.patients)]
    with Stack(allow_in_memory=False) as stack:
        found = {shape.name: asyncio.run(measure(stack, shape)) for shape in shapes}
        kafka = stack.kafka_kind
    print(f"{describe()}, {kafka}")
    for name, ceilings in found.items():
        print(f"{name:32} COPY {ceilings.copy:>12,.0f}/s   fetch {ceilings.fetch:>12,.0f}/s")
    if wishes.json:
        text = json.dumps({name: asdict(ceilings) for name, ceilings in found.items()}, indent=2)
        Path(wishes.json).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
