"""Every service of docker-compose.yml as its own user under the rules: ready, and a reading gets through."""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from benchmarks.gateway.ground import CLIENT, register_client
from benchmarks.gateway.homes import homes_of, new_key, settle, token_of
from benchmarks.gateway.requests import PLAIN, Home
from models.clock import to_datetime, wall_now_us
from models.db.pool import Connection
from simulators.demo.services import Services
from simulators.stack.ports import free_port
from tests.integration.broker.conftest import Known, settings_of

READY_WITHIN_S = 90.0
SERVICES = {
    "ingest": "ingest",
    "alerting": "alerting",
    "clock": "clock",
    "register publish": "register",
    "dispatch": "dispatch",
    "gateway": "gateway",
}
"""Each command with its user."""


@pytest.mark.timeout(300)
async def test_a_reading_gets_through(ruled: Known, database: str, tmp_path: Path) -> None:
    (home,) = homes_of(1)
    admin = await asyncpg.connect(database)
    try:
        async with running(ruled, database, tmp_path) as (services, port, environment):
            register = settings_of(ruled, "register")
            await settle(admin, register, [home])
            key, file = new_key(tmp_path)
            await register_client(environment, file)
            token = token_of(f"http://127.0.0.1:{port}", CLIENT, key)
            answer = await deliver(port, token, home)
            assert answer.status_code == 202, answer.text
            await until_stored(admin, services)
    finally:
        await admin.close()


@asynccontextmanager
async def running(
    known: Known, database: str, folder: Path
) -> AsyncGenerator[tuple[Services, int, Mapping[str, str]]]:
    """All of them, each as its own user, over TLS; ready."""
    port = free_port()
    environment = {
        "THUISWACHT_POSTGRES": database,
        "THUISWACHT_GATEWAY_PORT": str(port),
        "THUISWACHT_GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "THUISWACHT_GATEWAY_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "THUISWACHT_IDENTITY_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    services = Services(environment, folder)
    probes = {command: free_port() for command in SERVICES}
    try:
        for command, user in SERVICES.items():
            asked = {"THUISWACHT_PROBES_PORT": str(probes[command])}
            services.start(command, known.settings(user, tls=True) | asked)
        async with httpx.AsyncClient(timeout=10) as client:
            for command, probe in probes.items():
                await until_ready(client, command, probe, services)
        yield services, port, environment
    finally:
        services.stop()


async def until_ready(client: httpx.AsyncClient, command: str, probe: int, services: Services) -> None:
    """Until a service says that it has all it needs: there is no other sign."""
    give_up_s, said = time.monotonic() + READY_WITHIN_S, ""
    while time.monotonic() < give_up_s:
        services.require_running()
        try:
            answer = await client.get(f"http://127.0.0.1:{probe}/readyz")
        except httpx.TransportError as error:
            said = type(error).__name__
        else:
            said = answer.text
            if answer.is_success:
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{command} is not ready: {said}")


async def deliver(port: int, token: str, home: Home) -> httpx.Response:
    """One weight, as a hub sends it."""
    taken_at = to_datetime(wall_now_us()).isoformat()
    reading = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at": taken_at}
    async with httpx.AsyncClient(timeout=20) as client:
        return await client.post(
            f"http://127.0.0.1:{port}{PLAIN.path}",
            json={"device_id": home.device_id, "readings": [reading]},
            headers={"Authorization": f"Bearer {token}"},
        )


async def until_stored(admin: Connection, services: Services) -> None:
    """Until ingest has followed; nobody tells when another connection has committed."""
    async with asyncio.timeout(60):
        while await admin.fetchval("SELECT count(*) FROM reading WHERE value = 81.4") != 1:
            services.require_running()
            await asyncio.sleep(0.05)
