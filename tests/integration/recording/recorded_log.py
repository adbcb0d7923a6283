"""A simulated log in which everything goes wrong that can, and the command line beside it."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from click.testing import CliRunner

from alerting.engine.programme import Programme
from alerting.offline.history import Wishes
from alerting.offline.run import evaluate, read_programmes
from models.db.findings import load_findings
from models.errors import ThuiswachtError
from models.findings import Finding
from simulators.devices.trouble import Rates
from simulators.scenarios.scenario import Scenario
from simulators.simulate import newest_programmes
from simulators.stack import Stack
from simulators.wire import TICK, Encoder
from tests.exported_log import Told, as_told
from tests.integration.alerting.small_log import Message
from thuiswacht import exit_code, thuiswacht

START = date(2026, 3, 16)
"""The clocks go forward in its second week."""
TICK_US = 900_000_000


def simulated_log(
    patients: int, days: int, *, troubles: float = 5.0, tick_us: int = TICK_US
) -> list[Message]:
    """The messages in the order of the log, with a tick behind all of them."""
    scenario = Scenario(
        seed=5,
        patients=patients,
        days=days,
        start=START,
        programmes=newest_programmes(None),
        rates=Rates().times(troubles),
        deteriorations=4.0,
    )
    encoder = Encoder(scenario, tick_us)
    ids = [UUID(text) for text in scenario.patient_texts]
    log = [
        Message(one.at_us, 0, None if one.patient == TICK else ids[one.patient], one.value)
        for day in scenario
        for one in encoder.day(day)
    ]
    end = json.dumps({"schema": 1, "type": "clock", "now_us": scenario.end_us}, separators=(",", ":"))
    return [*log, Message(scenario.end_us, 0, None, end.encode())]


def evaluated(recording: Path, programmes: Sequence[Path] = ()) -> list[Told]:
    """What `evaluate` finds in a recording."""
    out, made = recording.with_suffix(".findings"), read_programmes(programmes)
    evaluate(Wishes(made, recording, out, threads=2, moves=bool(programmes)), print)
    by_version: Mapping[Any, Programme] = {(one.programme, one.version): one for one in made}
    lines = out.read_text(encoding="utf-8").splitlines()
    return sorted((as_told(json.loads(line), by_version) for line in lines), key=str)


def at(text: str) -> datetime:
    """A moment as a finding of a file has it."""
    return datetime.fromisoformat(text)


class Ran(NamedTuple):
    """What a command said."""

    stdout: str
    stderr: str


class Command:
    """The command line of one database and one log, within this process: starting another takes seconds."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    async def __call__(self, *words: str, code: int = 0) -> Ran:
        return await asyncio.to_thread(self._run, words, code)

    def _run(self, words: Sequence[str], code: int) -> Ran:
        others = {name: None for name in os.environ if name.startswith("THUISWACHT_")}
        result = CliRunner().invoke(thuiswacht, words, env={**others, **self.environment})
        error, said = result.exception, result.stderr
        if isinstance(error, ThuiswachtError):
            found, said = exit_code(error), f"{said}thuiswacht: {error}"
        else:
            found = result.exit_code
        assert found == code, f"{result.output}{said}{error!r}"
        return Ran(result.stdout, said)


def command(stack: Stack, database: str, topic: str, **more: str) -> Command:
    """Commands about a database, where one is named, and a log."""
    settings = {"KAFKA": stack.kafka, "TOPIC": topic, **({"POSTGRES": database} if database else {}), **more}
    return Command({f"THUISWACHT_{name}": value for name, value in settings.items()})


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


async def findings_in(database: str) -> list[Finding]:
    """The findings that stand."""
    reader = await asyncpg.connect(database)
    try:
        patients = await reader.fetch("SELECT DISTINCT patient_id FROM finding")
        found = await load_findings(reader, {row["patient_id"]: 0 for row in patients})
    finally:
        await reader.close()
    return [finding for finding in found if not finding.retracted]


def files_in(folder: Path) -> list[str]:
    """The names of what is there."""
    return sorted(file.name for file in folder.iterdir())
