"""`thuiswacht clients`, as somebody types it."""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.delivery.clients.sealing import Sealing, secret_of
from models.db.pool import Connection
from models.errors import BadInput, RefuseToStart
from tests.integration.delivery.homes import OURS
from tests.unit.delivery.clients.test_certificates import HASH, PEM
from tests.unit.login.signing import ec
from thuiswacht import thuiswacht

Run = Callable[..., Result]
KEY = b"g" * 32
OF_OURS = ("--organisation", str(OURS))


@pytest.fixture
def run(database: str, organisations: None, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("THUISWACHT_POSTGRES", database)
    monkeypatch.setenv("THUISWACHT_GATEWAY_KEY", base64.b64encode(KEY).decode())

    def invoke(*arguments: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(thuiswacht, ["clients", *arguments], input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def pem(tmp_path: Path) -> str:
    file = tmp_path / "key.pem"
    file.write_bytes(ec().as_pem(private=False))
    return str(file)


async def say(run: Run, *arguments: str, typed: str | None = None) -> str:
    result = await asyncio.to_thread(run, *arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.output


async def test_added_listed_rotated_and_revoked(run: Run, pem: str, admin: Connection) -> None:
    await say(run, "add", "vendor-a", *OF_OURS, "--key", pem, "--rate", "200")
    listed = await say(run, "list")
    assert listed == (
        f"vendor-a  {OURS}  active  200/s\n    key 1: public key, 0 days old, never used, active\n"
    )
    assert "end in 24 hours" in await say(run, "rotate", "vendor-a", "--key", pem)
    (told,) = json.loads(await say(run, "list", "--json"))
    assert [one["state"] for one in told["keys"]] == ["ending", "active"]
    assert (told["per_second"], told["burst"], told["names_patients"]) == (200, 800, False)
    await say(run, "revoke", "vendor-a", "--key", "1")
    assert "key 1: public key, 0 days old, never used, ended\n" in await say(run, "list")
    await say(run, "revoke", "vendor-a")
    assert f"vendor-a  {OURS}  revoked" in await say(run, "list")
    with pytest.raises(BadInput, match="never given"):
        await say(run, "add", "vendor-a", *OF_OURS, "--key", pem)
    recorded = await admin.fetch("SELECT event_code, authorisation_protocol FROM audit ORDER BY happened_us")
    assert [row["event_code"] for row in recorded] == [
        "client.added", "client.rotated", "client.key_revoked", "client.revoked",
    ]  # fmt: skip
    assert {row["authorisation_protocol"].rpartition("/")[2] for row in recorded} == {"command"}


async def test_a_secret_is_made_sealed_and_shown_once(run: Run, admin: Connection) -> None:
    shown = await say(run, "add", "hub-17", *OF_OURS, "--hmac")
    told = re.search(r"shown once\), to sign each request with: (whsec_\S+)", shown)
    assert told
    sealed = await admin.fetchval("SELECT sealed_secret FROM client_key")
    assert Sealing(KEY).open("hub-17", 1, sealed) == secret_of(told[1])
    assert told[1] not in await say(run, "list", "--json")


@pytest.mark.parametrize("by", ["file", "standard input"])
async def test_a_secret_that_a_vendor_chose(run: Run, admin: Connection, tmp_path: Path, by: str) -> None:
    chosen = "a secret of the vendor's own"
    file = tmp_path / "secret"
    file.write_text(f"{chosen}\n")
    where = str(file) if by == "file" else "-"
    shown = await say(
        run,
        "add",
        "cloud",
        *OF_OURS,
        "--hmac",
        "--secret-file",
        where,
        "--adapter",
        "cellular_hub",
        typed=chosen,
    )  # fmt: skip
    assert chosen not in shown
    sealed = await admin.fetchval("SELECT sealed_secret FROM client_key")
    assert Sealing(KEY).open("cloud", 1, sealed) == chosen.encode()
    assert "adapter cellular_hub" in await say(run, "list")


async def test_a_certificate_by_its_file_or_by_its_name(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "hub.pem"
    file.write_bytes(PEM)
    await say(run, "add", "hub", *OF_OURS, "--certificate", str(file))
    await say(run, "add", "hospital", *OF_OURS, "--certificate", "CN=epd.example, O=Zorg", "--names-patients")
    listed = await say(run, "list")
    assert f"key 1: certificate SHA-256 {HASH}" in listed
    assert "key 1: certificate CN=epd.example,O=Zorg" in listed
    assert "50/s names patients" in listed


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--hmac", "--certificate", "CN=x"),
        ("--certificate", "CN=x", "--secret-file", "-"),
        ("--hmac", "--rate", "0"),
    ],
)
async def test_one_way_of_being_known_and_not_two(run: Run, options: tuple[str, ...]) -> None:
    result = await asyncio.to_thread(run, "add", "hub", *OF_OURS, *options)
    assert result.exit_code == 2, result.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "Hub 17", *OF_OURS, "--hmac"), "2 to 63"),
        (("add", "hub", "--organisation", "00000000-0000-4000-8000-000000000099", "--hmac"), "registered"),
        (("add", "hub", *OF_OURS, "--hmac", "--adapter", "../x"), "adapter: expected"),
        (("add", "hub", *OF_OURS, "--certificate", "no-such-file.pem"), "a file with a certificate"),
        (("rotate", "nobody", "--hmac"), "not revoked"),
        (("revoke", "nobody"), "not revoked"),
    ],
)
async def test_what_is_refused_says_why(run: Run, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        await say(run, *arguments)


async def test_a_client_has_few_keys_at_a_time(run: Run) -> None:
    await say(run, "add", "hub", *OF_OURS, "--hmac")
    for _ in range(4):
        await say(run, "rotate", "hub", "--hmac")
    with pytest.raises(BadInput, match="fewer than 5"):
        await say(run, "rotate", "hub", "--hmac")
    await say(run, "rotate", "hub", "--hmac", "--keep", "0")
    assert (await say(run, "list")).count(", active") == 1


async def test_without_the_key_nothing_is_sealed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THUISWACHT_GATEWAY_KEY")
    with pytest.raises(RefuseToStart, match="THUISWACHT_GATEWAY_KEY"):
        await say(run, "add", "hub", *OF_OURS, "--hmac")
