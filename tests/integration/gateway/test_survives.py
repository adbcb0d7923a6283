"""The gate while what it needs is away, while it is told to end, and beside another one of its kind."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from ingest.gateway.delivery.service import read_configuration, serve
from ingest.log import Writer
from models.db.pool import Connection
from models.errors import RefuseToStart
from models.settings import Settings
from simulators.stack import Stack
from simulators.stack.ports import free_port
from simulators.stack.supervisor import ServerName
from tests.acceptance.workers import Workers
from tests.integration.gateway.house import (
    KEY,
    House,
    minutes_ago,
    open_gate,
    upload,
    weight,
)
from tests.integration.ingest.conftest import working
from tests.wire import PATIENT, clock


async def until_taken(house: House, content: object) -> httpx.Response:
    """Sends it as a device would: again, until it is taken."""
    while True:
        answer = await house.post(content)
        if answer.status_code != 503:
            return answer
        assert answer.headers["retry-after"]
        await asyncio.sleep(0.1)


@pytest.mark.timeout(300)
async def test_without_broker_or_database_nothing_is_taken_and_nothing_that_was_is_lost(
    stack: Stack, home: House
) -> None:
    at_us = minutes_ago(60)
    sent = [upload(weight(at_us=at_us + number * 1_000_000)) for number in range(4)]
    assert (await home.post(sent[0])).status_code == 202
    servers: tuple[ServerName, ...] = ("kafka", "postgres")
    for number, server in enumerate(servers, 1):
        await asyncio.to_thread(stack.kill_server, server)
        refused = await home.post(sent[number])
        assert refused.status_code == 503, refused.text
        assert refused.headers["retry-after"]
        assert refused.headers["content-type"] == "application/problem+json"
        await asyncio.to_thread(stack.start_server, server)
        answer = await until_taken(home, sent[number])
        assert answer.json()["result"] in ("accepted", "duplicate")
    home.admin = await again(home)
    last = await until_taken(home, sent[3])
    assert last.headers["location"] == last.json()["status"]
    await home.became(last.json()["status"])
    # A correction asks the broker where the log ends, and the database how far storing has come.
    corrected = await until_taken(home, upload(weight(82, at_us=at_us), correction="corrected"))
    await home.became(corrected.json()["status"])
    assert [row[1] for row in await home.rows()] == [81.4, 82, 81.4, 81.4, 81.4]
    await home.admin.close()


async def again(house: House) -> Connection:
    import asyncpg

    return await asyncpg.connect(house.settings.postgres_dsn)


@pytest.fixture
def workers(stack: Stack, database: str, topic: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(stack.kafka, database, topic, tmp_path)
    yield made
    made.clean_up()


async def test_told_to_end_it_finishes_what_it_has_begun(house: House, workers: Workers) -> None:
    await known_to_the_log(house)
    house.port, probes = free_port(), free_port()
    gate = workers.start("gateway", "--port", str(house.port), "--probes-port", str(probes), gateway_key=KEY)
    await until_ready(probes, workers)
    body = json.dumps(upload(weight(at_us=minutes_ago(5)))).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    head = f"POST /v1/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[:20])
    # Once another one that came later is answered, it has this one too.
    assert (await house.post(upload(weight(at_us=minutes_ago(6))))).status_code == 202
    gate.terminate()
    while await is_open(house.port):  # noqa: ASYNC110  (another process tells nobody)
        await asyncio.sleep(0.02)
    writer.write(body[20:])
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 202"), answer
    assert b'"accepted"' in answer
    assert await asyncio.to_thread(gate.wait, 30) == 0
    workers.running.remove(gate)
    writer.close()


async def is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def until_ready(probes: int, workers: Workers) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            workers.must_live()
            try:
                if (await http.get(f"http://127.0.0.1:{probes}/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            # Nobody tells when another process listens.
            await asyncio.sleep(0.05)


async def known_to_the_log(house: House) -> None:
    """As the ingest worker leaves it, without one."""
    await house.admin.execute(
        "INSERT INTO patient "
        "SELECT patient_id, organisation_id, 'simulated', NULL, NULL, 'nl', 'c', 't', 0, 0, now() "
        "FROM registration"
    )


async def test_two_gates_side_by_side_say_the_same(house: House, settings: Settings) -> None:
    async with working(settings) as worker:
        await worker.until_ready()
        while not await house.admin.fetchval("SELECT count(*) FROM patient"):
            await worker.until_holding(4)
        other = House(house.settings, house.admin, house.patient_id, house.token)
        async with open_gate(house), open_gate(other):
            sent = upload(weight(at_us=minutes_ago(5)))
            answers = await asyncio.gather(*(one.post(sent) for one in (house, other) for _ in range(5)))
            assert {answer.status_code for answer in answers} <= {200, 202}
            for answer in answers:
                if answer.status_code == 202:
                    # Given by one, opened by the other; sent by all, stored once.
                    for one in (house, other):
                        became = await one.became(answer.json()["status"])
                        assert became == {"state": "done", "stored": 1, "refused": []}
        assert len(await house.rows()) == 1


async def test_a_flood_of_nonsense_stops_nobodys_partition(house: House, settings: Settings) -> None:
    careful = settings.model_copy(update={"refusal_window_readings": 10})
    async with working(careful) as worker:
        await worker.until_ready()
        while not await house.admin.fetchval("SELECT count(*) FROM patient"):
            await worker.until_holding(4)
        async with open_gate(house):
            nonsense = [upload(weight(9_999, at_us=minutes_ago(60) + n)) for n in range(100)]
            answer = await house.post([{**one, "sent_at_us": n} for n, one in enumerate(nonsense)])
            assert {one["result"] for one in answer.json()["uploads"]} == {"refused"}
            good = await house.post(upload(weight(at_us=minutes_ago(5))))
            assert (await house.became(good.json()["status"]))["stored"] == 1
        assert await house.admin.fetchval("SELECT count(*) FROM quarantine") == 100


async def test_what_is_written_together_stands_together_also_among_others(settings: Settings) -> None:
    async with Writer(settings, batch_bytes=1_000_000) as writer:
        others = UUID(int=1), UUID(int=2), PATIENT

        async def keep_writing(who: UUID) -> None:
            while True:
                await writer.place([(who, clock(1), ())])

        busy = [asyncio.create_task(keep_writing(who)) for who in others * 5]
        try:
            for _ in range(20):
                placed = await writer.place(
                    [(PATIENT, clock(n), [("mark", b"1")]) for n in range(3)], together=True
                )
                assert [one.offset - placed[0].offset for one in placed] == [0, 1, 2]
                assert {one.partition for one in placed} == {writer.partition_of(PATIENT)}
        finally:
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gateway_key": None}, "THUISWACHT_GATEWAY_KEY"),
        ({"gateway_host": "0.0.0.0"}, "THUISWACHT_GATEWAY_TRUSTED_PROXIES"),
        ({"gateway_trusted_proxies": "0.0.0.0/0"}, "must be addresses or networks of your proxies"),
        ({"postgres": None}, "THUISWACHT_POSTGRES"),
    ],
)
def test_half_configured_it_does_not_start(changed: dict[str, object], said: str) -> None:
    whole = Settings(gateway_key=SecretStr(KEY), postgres=SecretStr("postgresql://u@127.0.0.1/d"))
    read_configuration(whole)
    with pytest.raises(RefuseToStart, match=said):
        read_configuration(whole.model_copy(update=changed))


@pytest.mark.parametrize("table", ["client", "reading"])
async def test_a_database_that_does_not_answer_is_not_waited_for(home: House, table: str) -> None:
    sent = upload(weight(at_us=minutes_ago(5)))
    async with home.admin.transaction():
        await home.admin.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        answer = await home.post(sent)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    assert (await until_taken(home, sent)).status_code == 202


async def test_a_port_that_somebody_has_is_named(house: House) -> None:
    async with open_gate(house):
        taken = house.settings.model_copy(update={"gateway_key": SecretStr(KEY), "gateway_port": house.port})
        with pytest.raises(RefuseToStart, match=str(house.port)):
            await serve(read_configuration(taken), asyncio.Event())


async def test_a_database_that_is_not_ready_is_refused(settings: Settings, empty_database: str) -> None:
    changed = {"gateway_key": SecretStr(KEY), "postgres": SecretStr(empty_database)}
    with pytest.raises(RefuseToStart, match="migrate"):
        await serve(read_configuration(settings.model_copy(update=changed)), asyncio.Event())
