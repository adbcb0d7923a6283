"""*Connect a device* in the README, as somebody copies it: into a shell, against a gate that runs."""

import asyncio
import base64
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from simulators.stack import Stack
from simulators.stack.ports import accepts_connections, free_port
from tests.acceptance.workers import ROOT, Workers
from tests.shell import Shell, blocks_of

SECTION = re.compile(r"^## Connect a device\n(.*?)^## ", re.DOTALL | re.MULTILINE)
PORT = "8070"
"""The gate's own, as the README has it; here another, for several tests may run at a time."""


@pytest.fixture
def workers(stack: Stack, database: str, topic: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(stack.kafka, database, topic, tmp_path)
    yield made
    made.clean_up()


async def until_so(workers: Workers, query: str) -> None:
    """Until the database says that it is so."""
    connection = await asyncpg.connect(workers.postgres)
    try:
        while not await connection.fetchval(query):
            workers.must_live()
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


@pytest.mark.timeout(180)
async def test_what_the_readme_says_can_be_copied(workers: Workers, tmp_path: Path) -> None:
    (text,) = SECTION.findall((ROOT / "README.md").read_text("utf-8"))
    port = str(free_port())
    blocks = [(kind, block.replace(PORT, port)) for kind, block in blocks_of(text)]
    assert [kind for kind, _ in blocks] == ["bash", "bash", "bash", "python"]
    prepare, curl, keys, python = (block for _, block in blocks)
    settings = {
        name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("identity_key", "gateway_key")
    } | {"gateway_port": port, "gateway_public_url": f"http://127.0.0.1:{port}"}
    for service in ("ingest", "alerting", "register publish", "gateway"):
        workers.start(*service.split(), **settings)
    shell = Shell(
        tmp_path,
        {f"THUISWACHT_{name.upper()}": value for name, value in settings.items()}
        | {
            "THUISWACHT_KAFKA": workers.kafka,
            "THUISWACHT_POSTGRES": workers.postgres,
            "THUISWACHT_TOPIC": workers.topic,
        },
    )
    begin = "thuiswacht register begin --also coordinator --organisation-name Regio --name Beheer"
    begun = json.loads(shell.paste(begin))
    shell.paste(f"export ME={begun['person_id']} ORGANISATION={begun['organisation_id']}")
    await until_so(workers, "SELECT EXISTS (SELECT FROM programme_catalogue)")
    shell.paste(prepare)
    await until_so(workers, "SELECT count(*) = 1 FROM patient")
    while not accepts_connections(int(port)):
        workers.must_live()
        await asyncio.sleep(0.1)

    taken = json.loads(shell.paste(curl))
    assert taken["result"] == "accepted", taken
    assert taken["status"].startswith("/v1/uploads/")

    shell.paste(keys)
    created, status = shell.python(python).splitlines()
    assert re.fullmatch(rf"201 http://127.0.0.1:{port}/fhir/Observation/\S+ /v1/uploads/\S+", created), (
        created
    )
    assert "pending" in status or "'stored': 2" in status, status
    await until_so(workers, "SELECT count(*) = 3 FROM reading WHERE device_id = 'scale-4711'")
