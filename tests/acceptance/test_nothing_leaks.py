"""Names, national numbers, passwords, tokens: after a day's work they stand nowhere but where they must.

Every service runs as a process of its own with the most talkative log level. People log in, include patients,
make mistakes, are refused; a server is killed under them. Then everything that came out of it is searched:
what the services said, their metrics, every topic, every error, and every table but the sealed one.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pyotp.totp import TOTP

from ingest.keys import key_of
from models.clock import wall_now_us
from simulators.stack import Stack
from simulators.stack.ports import free_port
from tests.acceptance.workers import ROOT, Workers

IDENTITY_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
FAMILY, GIVEN, CONTACT = "Quispelwater", "Zwaantje-Philomena", "Knijpstra-Oomkens"
BSN, OTHER_BSN, WRONG_BSN = "111222333", "123456782", "987654329"
PHONE = "0655501234"
PASSWORD = "een zin die lang genoeg is"
SECRETS = [FAMILY, GIVEN, CONTACT, BSN, OTHER_BSN, WRONG_BSN, PHONE, PASSWORD, IDENTITY_KEY]
HALF_S = 0.5


@dataclass(slots=True)
class Day:
    """The services, a browser, and everything that was said."""

    workers: Workers
    postgres: str
    address: str
    topics: tuple[str, str]
    """The only ones that the services know; other tests' topics are on the same broker."""
    probes: dict[str, int]
    http: httpx.AsyncClient
    secrets: list[str] = field(default_factory=lambda: list(SECRETS))
    errors: list[str] = field(default_factory=list[str])
    second_factor: str = ""

    def command(self, *arguments: str, typed: str = "") -> str:
        """Runs `thuiswacht …` and gives what it said; its errors are searched like the rest."""
        done = subprocess.run(
            [sys.executable, "-m", "thuiswacht", *arguments],
            cwd=ROOT, input=typed, capture_output=True, text=True, check=False, timeout=60,
            env={k: v for k, v in os.environ.items() if not k.startswith("THUISWACHT_")}
            | {"THUISWACHT_POSTGRES": self.postgres, "THUISWACHT_IDENTITY_KEY": IDENTITY_KEY},
        )  # fmt: skip
        self.errors.append(done.stderr)
        return done.stdout

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A request; what is answered to a bad one is kept."""
        response = await self.http.request(method, self.address + path, json=body, headers=headers)
        if response.status_code >= 400:
            self.errors.append(response.text)
            self.errors.append(str(response.headers))
        return response

    async def log_in(self, name: str, secret: str) -> dict[str, str]:
        """The headers of somebody who is logged in, as their browser would send them."""
        form = {"name": name, "password": PASSWORD, "code": TOTP(secret).now()}
        response = await self.http.post(
            f"{self.address}/login/local", data=form, headers={"origin": self.address}
        )
        assert response.status_code == 303, response.text
        (cookie,) = [c for c in response.headers.get_list("set-cookie") if c.startswith("__Host-thuiswacht=")]
        cookie = cookie.partition(";")[0]
        me = (await self.ask("GET", "/me", cookie=cookie)).json()
        self.secrets += [cookie.partition("=")[2], me["csrf_token"], secret]
        self.second_factor = secret
        return {"cookie": cookie, "x-csrf-token": me["csrf_token"], "origin": self.address}


@pytest.fixture
def workers(stack: Stack, database: str, make_topic: Callable[..., str], tmp_path: Path) -> Iterator[Workers]:
    started = Workers(stack.kafka, database, make_topic(), tmp_path)
    yield started
    started.clean_up()


@pytest.fixture
async def day(workers: Workers, database: str, make_topic: Callable[..., str]) -> AsyncIterator[Day]:
    port = free_port()
    probes: dict[str, int] = {}
    address = f"http://127.0.0.1:{port}"
    topics = workers.topic, make_topic(partitions=1)
    talkative = {
        "log_level": "DEBUG",
        "identity_key": IDENTITY_KEY,
        "requests_topic": topics[1],
    }
    for command in (("ingest",), ("alerting",), ("register", "publish")):
        probes[command[0]] = free_port()
        workers.start(*command, probes_port=str(probes[command[0]]), **talkative)
    probes["api"] = free_port()
    workers.start(
        "api", probes_port=str(probes["api"]), api_port=str(port), public_url=address, local_accounts="true",
        **talkative,
    )  # fmt: skip
    async with httpx.AsyncClient(timeout=30) as http:
        yield Day(workers, database, address, topics, probes, http)


async def until(what: Callable[[], Any], workers: Workers, within_s: float = 60.0) -> Any:
    """What becomes true, soon."""
    give_up_s = time.monotonic() + within_s
    while True:
        try:
            found = await what()
        except (httpx.TransportError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            found = None
        if found:
            return found
        workers.must_live()
        assert time.monotonic() < give_up_s, workers.last_words()
        await asyncio.sleep(HALF_S)


def inclusion(family: str, bsn: str, **more: Any) -> dict[str, Any]:
    contact = {"name": CONTACT, "relation": "mantelzorger", "phone": PHONE, "may_be_told": True}
    identity = {
        "family_name": family, "given_names": GIVEN, "birth_date": "1941-02-03", "bsn": bsn,
        "contacts": [contact],
    }  # fmt: skip
    return {"identity": identity, "programmes": [{"programme": "heart_failure"}]} | more


async def the_day(day: Day, stack: Stack) -> None:
    """What people do, well and badly."""
    begun = json.loads(
        day.command(
            "register", "begin", "--organisation-name", "Ziekenhuis", "--kind", "hospital",
            "--name", "Eerste", "--also", "coordinator",
        )
    )  # fmt: skip
    account = day.command(
        "account", "add", "coordinator", "--organisation", begun["organisation_id"], "--role", "coordinator",
        typed=f"{PASSWORD}\n{PASSWORD}\n",
    )  # fmt: skip
    secret = next(line.rsplit(" ", 1)[1] for line in account.splitlines() if "Second factor" in line)
    await until(lambda: day.http.get(day.address + "/login"), day.workers)
    await until(lambda: offered(day.postgres), day.workers)
    await day.ask("POST", "/login/local")
    me = await day.log_in("coordinator", secret)
    included = await day.ask("POST", "/patients", inclusion(FAMILY, BSN), **me)
    assert included.status_code == 201, included.text
    patient = included.json()["patient_id"]
    identity = await day.ask("GET", f"/patients/{patient}/identity", **me)
    assert identity.json()["family_name"] == FAMILY
    found = await day.ask("POST", "/patients/search", {"bsn": BSN}, **me)
    assert found.status_code == 200
    assert patient in found.text
    for body in (
        inclusion(FAMILY, BSN), inclusion(FAMILY, WRONG_BSN[:-1] + "1"),
        inclusion(FAMILY, WRONG_BSN, huisarts=FAMILY),
        inclusion(FAMILY, OTHER_BSN, programmes=[{"programme": "nothing_of_the_kind"}]),
        {"identity": FAMILY}, [BSN], BSN,
        inclusion(FAMILY + "\u0000", OTHER_BSN), inclusion(FAMILY * 40, OTHER_BSN),
    ):  # fmt: skip
        refused = await day.ask("POST", "/patients", body, **me)
        assert 400 <= refused.status_code < 500, refused.text
    await day.ask("POST", "/patients/search", {"bsn": WRONG_BSN[:-1] + "1"}, **me)
    await day.ask("POST", "/patients/search", {"family_name": FAMILY}, **me)
    await day.ask("GET", f"/patients/{uuid4()}/identity", **me)
    await day.ask("GET", f"/patients/{FAMILY}/identity", **me)
    await day.ask("GET", f"/{BSN}", **me)
    await day.ask("POST", "/patients", inclusion(FAMILY, OTHER_BSN), cookie=me["cookie"])
    await day.ask("GET", f"/patients/{patient}/identity", authorization=f"Bearer {me['x-csrf-token']}")
    day.command(
        "register", "--as", begun["person_id"], "--role", "coordinator", "include", "--form", "-",
        typed=json.dumps(inclusion(FAMILY, BSN)),
    )  # fmt: skip
    await asyncio.to_thread(stack.kill_server, "postgres")
    away = await day.ask("POST", "/patients", inclusion(FAMILY, OTHER_BSN), **me)
    assert away.status_code == 503, away.text
    await asyncio.to_thread(stack.start_server, "postgres")
    await until(lambda: stored(day, patient), day.workers)
    await day.ask("POST", "/logout", **me)
    assert (await day.ask("GET", f"/patients/{patient}", **me)).status_code == 401


async def offered(dsn: str) -> bool:
    """Whether alerting has said which programmes there are."""
    return bool(await fetch(dsn, "SELECT 1 FROM programme_catalogue"))


async def stored(day: Day, patient: str) -> bool:
    """Whether a reading of the patient came through, with their registration before it."""
    if not await fetch(day.postgres, "SELECT 1 FROM patient"):
        return False
    now_us = wall_now_us()
    weight = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at_us": now_us - 60_000_000}
    upload = {
        "schema": 1, "type": "upload", "upload_id": str(uuid4()), "patient_id": patient, "device_id": "scale",
        "source": "vendor", "sent_at_us": now_us, "received_at_us": now_us, "readings": [weight],
    }  # fmt: skip
    async with AIOKafkaProducer(bootstrap_servers=day.workers.kafka) as producer:
        for value in (json.dumps(upload).encode(), b'{"schema": 1, "type": "upload"'):
            await producer.send_and_wait(day.workers.topic, value, key=key_of(UUID(patient)))
    return bool(await fetch(day.postgres, "SELECT 1 FROM reading"))


async def fetch(dsn: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def everything_on(kafka: str, *topics: str) -> bytes:
    """All keys and values of these topics."""
    parts: list[bytes] = []
    consumer: Any = AIOKafkaConsumer(*topics, bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                parts += [(record.key or b"") + b"\n" + (record.value or b"") for record in records]
    return b"\n".join(parts)


async def every_table(dsn: str) -> str:
    """All rows of all tables but the sealed identities."""
    tables = await fetch(
        dsn,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "AND NOT relispartition AND relname <> 'patient_identity'",
    )
    parts: list[str] = []
    for table in tables:
        parts += [row[0] for row in await fetch(dsn, f"SELECT r::text FROM {table[0]} AS r")]
    return "\n".join(parts)


@pytest.mark.acceptance
@pytest.mark.timeout(300)
async def test_nothing_leaks(day: Day, stack: Stack) -> None:
    await the_day(day, stack)
    places = {path.name: path.read_text("utf-8", "replace") for path in day.workers.said}
    for name, port in day.probes.items():
        places[f"metrics of {name}"] = (await day.http.get(f"http://127.0.0.1:{port}/metrics")).text
    places["topics"] = (await everything_on(day.workers.kafka, *day.topics)).decode("utf-8", "replace")
    places["errors"] = "\n".join(day.errors)
    places["tables"] = await every_table(day.postgres)
    assert all(len(said) > 100 for said in places.values()), {k: len(v) for k, v in places.items()}
    # The second factor of a trial's account is kept where codes are checked against it.
    places["tables"] = places["tables"].replace(day.second_factor, "")
    found = [(word, place) for place, said in places.items() for word in day.secrets if word in said]
    assert found == []
