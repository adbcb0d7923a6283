"""`thuiswacht api` as a real process: insecure or half-finished, it refuses, and says what to do."""

import asyncio
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest

from models.db.migrate import migrate
from simulators.stack.ports import free_port
from tests.architecture.sources import ROOT

OIDC = {
    "OIDC_ISSUER": "https://login.example.org/realms/zorg",
    "OIDC_CLIENT_ID": "thuiswacht",
    "OIDC_CLIENT_SECRET": "s3cret-of-the-client",
    "OIDC_ACR_VALUES": "two-factor",
}
TRIAL = {"PUBLIC_URL": "https://thuiswacht.example.org", "LOCAL_ACCOUNTS": "true"}
Refusal = Callable[[Mapping[str, str | None]], str]
LIVE = {"PUBLIC_URL": "https://thuiswacht.example.org", **OIDC}
IDENTITY_KEY = b64encode(bytes(range(32))).decode()


def start(settings: Mapping[str, str | None], log: Path) -> subprocess.Popen[str]:
    """The service; what it says goes to a file, for nobody reads along."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("THUISWACHT_")}
    all_set = {"IDENTITY_KEY": IDENTITY_KEY, **settings}
    environment |= {f"THUISWACHT_{name}": value for name, value in all_set.items() if value is not None}
    with log.open("w", encoding="utf-8") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "thuiswacht", "api"],
            cwd=ROOT, env=environment, stdout=output, stderr=output, text=True,
        )  # fmt: skip


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    """What it says when it refuses; it must end by itself."""

    def refuse(settings: Mapping[str, str | None]) -> str:
        log = tmp_path / "said"
        with start(settings, log) as process:
            try:
                code = process.wait(timeout=60)
            finally:
                process.kill()
        said = log.read_text(encoding="utf-8")
        assert code == 78, said
        assert "s3cret" not in said
        assert "Traceback" not in said
        return said

    return refuse


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PUBLIC_URL": None}, "expected THUISWACHT_PUBLIC_URL=https://HOST"),
        ({"PUBLIC_URL": "http://thuiswacht.example.org"}, "THUISWACHT_PUBLIC_URL is http, off this machine"),
        ({"PUBLIC_URL": "https://example.org/thuiswacht"}, "must be an address without a path"),
        ({"LOCAL_ACCOUNTS": None}, "Nobody could log in: set THUISWACHT_OIDC_ISSUER"),
        ({"OIDC_CLIENT_ID": "x"}, "set up by half: set THUISWACHT_OIDC_ISSUER and"),
        ({**OIDC, "OIDC_CLIENT_SECRET": None}, "set THUISWACHT_OIDC_CLIENT_SECRET too.* anybody could be us"),
        ({**OIDC, "OIDC_ACR_VALUES": None}, "set THUISWACHT_OIDC_ACR_VALUES too.* a password is not enough"),
        ({**OIDC, "OIDC_ACR_VALUES": "0"}, "found 0, which stands for no login at all"),
        ({**OIDC, "OIDC_ISSUER": "http://login.example.org/x"}, "THUISWACHT_OIDC_ISSUER is http, off this"),
        ({**OIDC, "OIDC_ROLES": "Zuster=angel"}, "unknown role angel: use one of nurse"),
        ({**OIDC, "OIDC_ROLES": "Systeem=service"}, "unknown role service"),
        ({**OIDC, "OIDC_ORGANISATIONS": "Huis=12"}, "use the id of an organisation, a UUID"),
        ({**OIDC, "OIDC_CLIENT_KEY": "no key"}, "THUISWACHT_OIDC_CLIENT_KEY"),
        ({"API_HOST": "0.0.0.0"}, "off this machine, without TLS.* THUISWACHT_API_TRUSTED_PROXIES"),
        ({"API_HOST": "0.0.0.0", "API_TRUSTED_PROXIES": "0.0.0.0/0"}, "Trusting everybody"),
        ({"POSTGRES": "postgresql://u:s3cret@db.example.org/x"}, "must say sslmode=verify-full"),
        ({"POSTGRES": None}, "expected THUISWACHT_POSTGRES=postgresql://"),
        ({"IDENTITY_KEY": None}, "no key to seal names and national numbers with: make one with `openssl"),
        ({"IDENTITY_KEY": "czNjcmV0"}, "THUISWACHT_IDENTITY_KEY is not 32 bytes in base64: make one with"),
    ],
)
def test_settings_that_are_insecure_or_half_done(
    refusal: Refusal, changed: dict[str, str | None], said: str
) -> None:
    settings = {"POSTGRES": "postgresql://u:s3cret@127.0.0.1:1/x", **TRIAL, **changed}
    found = refusal(settings)
    assert re.search(said, found, flags=re.DOTALL), found


def test_a_database_that_was_never_migrated(empty_database: str, refusal: Refusal) -> None:
    assert "thuiswacht migrate" in refusal({"POSTGRES": empty_database, **TRIAL})


async def test_a_database_that_lacks_a_migration(database: str, refusal: Refusal) -> None:
    await execute(database, "DELETE FROM migration WHERE number >= 15")
    assert "run `thuiswacht migrate`" in await asyncio.to_thread(refusal, {"POSTGRES": database, **TRIAL})


async def test_a_policy_in_the_database_that_is_not_the_programs(database: str, refusal: Refusal) -> None:
    await execute(database, "INSERT INTO access_policy VALUES ('patient.read', 'administrator', 'office')")
    said = await asyncio.to_thread(refusal, {"POSTGRES": database, **TRIAL})
    assert "differs from this program's in 1 rules (patient.read/administrator/office" in said


async def test_a_live_database_with_what_is_for_trials(empty_database: str, refusal: Refusal) -> None:
    await asyncio.to_thread(lambda: asyncio.run(migrate(empty_database, purpose="live")))
    superuser = await asyncio.to_thread(refusal, {"POSTGRES": empty_database, **LIVE})
    assert "row-level security does not hold" in superuser
    assert "member of thuiswacht_people and thuiswacht_login" in superuser
    accounts = await asyncio.to_thread(refusal, {"POSTGRES": empty_database, **LIVE, **TRIAL})
    assert "Take THUISWACHT_LOCAL_ACCOUNTS away" in accounts
    user = await make_user(empty_database, "thuiswacht_people", "thuiswacht_login", "thuiswacht_ingest")
    around = await asyncio.to_thread(refusal, {"POSTGRES": user, **LIVE})
    assert "may act as thuiswacht_ingest" in around
    only_people = await make_user(empty_database, "thuiswacht_people")
    assert "member of thuiswacht_login" in await asyncio.to_thread(refusal, {"POSTGRES": only_people, **LIVE})


async def test_a_live_database_with_all_that_is_needed(empty_database: str, tmp_path: Path) -> None:
    await asyncio.to_thread(lambda: asyncio.run(migrate(empty_database, purpose="live")))
    user = await make_user(empty_database, "thuiswacht_people", "thuiswacht_login")
    ports = {"API_PORT": str(free_port()), "PROBES_PORT": str(free_port())}
    log = tmp_path / "said"
    with start({"POSTGRES": user, **LIVE, **ports}, log) as process:
        try:
            await until_ready(f"http://127.0.0.1:{ports['PROBES_PORT']}/readyz", process)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports['API_PORT']}") as http:
                page = await http.get("/login")
                assert page.status_code == 200
                assert "/login/start" in page.text
                assert (await http.get("/me")).status_code == 401
                assert (await http.post("/login/local")).status_code == 404
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, timeout=30) == 0, log.read_text("utf-8")
        finally:
            process.kill()


async def until_ready(address: str, process: subprocess.Popen[str]) -> None:
    async with httpx.AsyncClient() as http:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            assert process.poll() is None, "it has ended"
            try:
                if (await http.get(address)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError("it did not become ready")


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def make_user(dsn: str, *roles: str) -> str:
    """A user of the database who is a member of these roles; their DSN."""
    name, password = f"user_{secrets.token_hex(4)}", secrets.token_hex(8)
    granted = "".join(f"GRANT {role} TO {name}; " for role in roles)
    await execute(dsn, f"CREATE USER {name} PASSWORD '{password}'; {granted}")
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{place}"))
