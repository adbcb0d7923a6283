"""`thuiswacht api` as it runs: a login over its port, the provider's logout, nothing secret in its logs."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ingest.gateway.login.administration import AddedAccount
from models.clock import SECOND_US, wall_now_us
from models.db.pool import Connection
from simulators.identity.realm import TWO_FACTORS
from simulators.stack.ports import free_port
from tests.integration.login.conftest import PASSWORD, Browser
from tests.integration.login.provider import AtProvider, LikeBrowsers, as_administrator
from tests.integration.login.realm import CLIENT_ID, CLIENT_SECRET, NURSE
from tests.integration.login.test_refuses_to_start import start, until_ready

pytestmark = pytest.mark.timeout(300)


@dataclass
class Running:
    """A process of `thuiswacht api`, with a provider and local accounts, as in a trial."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    async def stop(self) -> str:
        """Ends it; what it logged."""
        self.process.terminate()
        code = await asyncio.to_thread(self.process.wait, timeout=30)
        said = self.log.read_text(encoding="utf-8")
        assert code == 0, said
        return said


@pytest.fixture
async def running(database: str, admin: Connection, keycloak: str, tmp_path: Path) -> AsyncIterator[Running]:
    port, probes, log = free_port(), free_port(), tmp_path / "log"
    process = start(
        {
            "POSTGRES": database,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "LOCAL_ACCOUNTS": "true",
            "OIDC_ISSUER": keycloak,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_ACR_VALUES": TWO_FACTORS,
            "API_PORT": str(port),
            "PROBES_PORT": str(probes),
            "LOG_LEVEL": "DEBUG",
        },
        log,
    )
    with process:
        try:
            await until_ready(f"http://127.0.0.1:{probes}/readyz", process)
            yield Running(f"http://127.0.0.1:{port}", process, log)
        finally:
            process.kill()


@pytest.fixture
async def there(running: Running) -> AsyncIterator[AtProvider]:
    async with (
        httpx.AsyncClient(base_url=running.url, transport=LikeBrowsers()) as ours,
        httpx.AsyncClient(timeout=60, transport=LikeBrowsers()) as theirs,
    ):
        yield AtProvider(Browser(ours, running.url), theirs)


async def tell_where_to_say_that_one_left(api: str, http: httpx.AsyncClient, url: str) -> None:
    """Sets our address for logout at the provider."""
    (client,) = (await http.get(f"{api}/clients", params={"clientId": CLIENT_ID})).json()
    client["attributes"]["backchannel.logout.url"] = f"{url}/logout/provider"
    changed = await http.put(f"{api}/clients/{client['id']}", json=client)
    assert changed.status_code == 204, changed.text


async def test_the_provider_ends_our_session(
    running: Running, there: AtProvider, keycloak: str, admin: Connection
) -> None:
    async with httpx.AsyncClient(timeout=60) as http:
        api = await as_administrator(keycloak, http)
        await tell_where_to_say_that_one_left(api, http, running.url)
        answer = await there.log_in(NURSE, wall_now_us() // SECOND_US)
        assert answer.status_code == 303, answer.text
        assert (await there.ours.http.get("/me")).json()["role"] == "nurse"
        theirs = await admin.fetchval("SELECT provider_session FROM session")
        assert (await http.delete(f"{api}/sessions/{theirs}")).status_code == 204
    assert (await there.ours.http.get("/me")).status_code == 401
    assert await admin.fetchval("SELECT ended_why FROM session") == "provider"
    ended = await admin.fetchval("SELECT details FROM audit WHERE event_code = 'logout'")
    assert ended == "provider"


async def test_nothing_secret_and_nobody_in_its_logs(
    running: Running, there: AtProvider, nurse: AddedAccount
) -> None:
    now_us = wall_now_us()
    secrets = [CLIENT_SECRET, NURSE.password, PASSWORD, nurse.totp_secret, "Test Nurse"]
    location = await there.back(await there.authorize(), NURSE, now_us // SECOND_US)
    await there.ours.http.get(location)
    secrets += [there.ours.token, *location.partition("?")[2].replace("&", "=").split("=")[1::2]]
    await there.ours.http.post("/logout", headers=await there.ours.csrf())
    await there.ours.try_in(nurse.name, "another secret")
    await there.ours.log_in(nurse, now_us)
    secrets += ["another secret", there.ours.token]
    forged = {"Authorization": "Bearer " + "s" * 43}
    assert (await there.ours.http.get("/me", headers=forged)).status_code == 401
    said = await running.stop()
    assert '"event": "started"' in said
    assert [secret for secret in secrets if len(secret) > 8 and secret in said] == []
