"""`thuiswacht simulate --via http`: the same comes of it as of what goes into the log itself."""

import asyncio
import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from joserfc.jwk import ECKey

from models.db.migrate import migrate
from simulators.stack import Stack
from simulators.stack.ports import accepts_connections, free_port
from tests.acceptance.workers import Workers

PARTITIONS = 4
ARGUMENTS = (
    "--patients",
    "25",
    "--days",
    "5",
    "--seed",
    "3",
    "--tick",
    "3600",
    "--trouble",
    "late=0.1",
    "--json",
)
READINGS = """
SELECT r.patient_id, r.kind, r.taken_at, r.device_id, r.revision, r.void, r.value, r.code, r.absent, r.text
FROM reading AS r ORDER BY 1, 2, 3, 4, 5, 6
"""
REFUSED = """
SELECT patient_id, reason, sum(readings) FROM quarantine WHERE reason NOT IN ('unknown_patient', 'not_json')
GROUP BY 1, 2 ORDER BY 1, 2
"""
"""Strangers, and what is torn, do not come through the gate."""
FINDINGS = "SELECT finding_id, opened_at, cleared_at FROM finding WHERE NOT retracted ORDER BY 1"


Rows = list[tuple[Any, ...]]


class House:
    """A database and a log with all services, and a command line beside them."""

    def __init__(self, workers: Workers, environment: dict[str, str]) -> None:
        self.workers = workers
        self._environment = environment

    def start(self, *command: str) -> None:
        self.workers.start(*command, **self._environment)

    def run(self, *command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        settings = {
            "KAFKA": self.workers.kafka, "POSTGRES": self.workers.postgres, "TOPIC": self.workers.topic,
        } | {name.upper(): value for name, value in self._environment.items()}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "thuiswacht", *command],
            env=os.environ | {f"THUISWACHT_{name}": value for name, value in settings.items()},
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + self.workers.last_words()
        return done

    async def ask(self, query: str, *arguments: object) -> Rows:
        connection = await asyncpg.connect(self.workers.postgres)
        try:
            return [tuple(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    async def until_followed(self) -> None:
        """Until both groups have followed the whole log, and nothing waits to be evaluated again."""
        length = await self._length()
        query = "SELECT coalesce(sum(next_offset), 0)::int FROM log_position WHERE consumer_group = $1"
        for group in ("thuiswacht.ingest", "thuiswacht.alerting"):
            while await self.ask(query, group) != [(length,)]:
                self.workers.must_live()
                await asyncio.sleep(0.1)
        while await self.ask("SELECT count(*) FROM reevaluation WHERE done_at IS NULL") != [(0,)]:
            self.workers.must_live()
            await asyncio.sleep(0.1)

    async def _length(self) -> int:
        consumer: Any = AIOKafkaConsumer(bootstrap_servers=self.workers.kafka)
        await consumer.start()
        try:
            places = [TopicPartition(self.workers.topic, number) for number in range(PARTITIONS)]
            return sum((await consumer.end_offsets(places)).values())
        finally:
            await consumer.stop()


MakeHouse = Callable[..., House]


@pytest.fixture
def make_house(stack: Stack, make_topic: Callable[..., str], tmp_path: Path) -> Iterator[MakeHouse]:
    """Makes houses of their own, with storing and alerting at work."""
    made: list[House] = []

    def make(database: str, **environment: str) -> House:
        topic = make_topic(PARTITIONS)
        folder = tmp_path / str(len(made))
        folder.mkdir()
        house = House(Workers(stack.kafka, database, topic, folder), environment)
        made.append(house)
        house.start("ingest")
        house.start("alerting")
        return house

    yield make
    for house in made:
        house.workers.clean_up()


async def what_came_of(house: House) -> tuple[Rows, Rows, Rows]:
    await house.until_followed()
    return await house.ask(READINGS), await house.ask(FINDINGS), await house.ask(REFUSED)


async def with_gate(make_house: MakeHouse, database: str, folder: Path) -> tuple[House, dict[str, str], Path]:
    """A house with a gate and a client *cloud*; what the register began with, and the client's key."""
    port = free_port()
    house = make_house(
        database,
        identity_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        gateway_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        gateway_time="told",
        gateway_port=str(port),
        gateway_public_url=f"http://127.0.0.1:{port}",
    )
    house.start("register", "publish")
    house.start("gateway")
    names = ("--organisation-name", "Regio", "--name", "Beheer", "--also", "engineer")
    begun: dict[str, str] = json.loads(house.run("register", "begin", *names).stdout)
    key = ECKey.generate_key("P-256")
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(key.as_pem(private=False))
    private.write_bytes(key.as_pem(private=True))
    organisation = "--organisation", begun["organisation_id"]
    house.run("clients", "add", "cloud", *organisation, "--key", str(public), "--rate", "1000")
    # The register knows a programme once alerting has loaded it.
    while not accepts_connections(port) or not await house.ask("SELECT FROM programme_catalogue LIMIT 1"):
        house.workers.must_live()
        await asyncio.sleep(0.1)
    return house, begun, private


# Two houses, one after the other, each with its services.
@pytest.mark.timeout(300)
async def test_it_comes_to_the_same(
    make_house: MakeHouse, database: str, empty_database: str, tmp_path: Path
) -> None:
    direct = make_house(database)
    done = json.loads(direct.run("simulate", "--out", "kafka", *ARGUMENTS).stderr)
    wanted = await what_came_of(direct)
    # Both would read as the same groups.
    direct.workers.clean_up()

    await migrate(empty_database, purpose="trial")
    house, begun, private = await with_gate(make_house, empty_database, tmp_path)
    through = ("--via", "http", "--client", "cloud", "--key", str(private), "--format", "fhir")
    person = ("--as", begun["person_id"])
    sent = json.loads(house.run("simulate", "--out", "kafka", *through, *person, *ARGUMENTS).stderr)
    assert sent["uploads"] == done["uploads"] == sum(sent["answers"].values())
    assert sent["answers"]["accepted"] > 100
    readings, findings, refused = await what_came_of(house)
    assert readings == wanted[0]
    assert findings == wanted[1]
    assert findings
    assert refused == wanted[2]
    assert await house.ask("SELECT DISTINCT source FROM reading") == [("cloud",)]
