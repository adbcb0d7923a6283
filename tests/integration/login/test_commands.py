"""`thuiswacht account`, as somebody types it."""

import asyncio
import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from models.db.migrate import migrate
from models.db.pool import Connection
from models.errors import BadInput, RefuseToStart
from tests.integration.login.realm import OURS
from thuiswacht import thuiswacht

Run = Callable[..., Result]
NURSE = ("nurse.a", "--organisation", str(OURS), "--role", "nurse")


@pytest.fixture
def run(database: str, admin: Connection, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("THUISWACHT_POSTGRES", database)

    def invoke(*arguments: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(thuiswacht, arguments, input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


async def test_an_account_is_added_shown_once_listed_and_removed(run: Run, admin: Connection) -> None:
    typed = "a very long password\n" * 2
    added = await asyncio.to_thread(run, "account", "add", *NURSE, typed=typed)
    assert added.exit_code == 0, added.output
    secret = await admin.fetchval("SELECT totp_secret FROM account")
    assert f"secret={secret}" in added.output
    assert "a very long password" not in added.output
    assert f"nurse.a  nurse  {OURS}" in (await asyncio.to_thread(run, "account", "list")).output
    assert (await asyncio.to_thread(run, "account", "remove", "nurse.a")).exit_code == 0
    assert (await asyncio.to_thread(run, "account", "list")).output == ""
    with pytest.raises(BadInput, match="the name of an account"):
        await asyncio.to_thread(run, "account", "remove", "nurse.a")


async def test_a_password_is_made_on_request(run: Run, admin: Connection) -> None:
    added = await asyncio.to_thread(run, "account", "add", *NURSE, "--generate")
    made = re.search(r"Password \(shown once\): (\S{20})", added.output)
    assert made
    assert made[1] not in str(await admin.fetch("SELECT * FROM account"))
    with pytest.raises(BadInput, match="a name that nobody has"):
        await asyncio.to_thread(run, "account", "add", *NURSE, "--generate")


async def test_a_live_database_takes_no_account(
    run: Run, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(lambda: asyncio.run(migrate(empty_database, purpose="live")))
    monkeypatch.setenv("THUISWACHT_POSTGRES", empty_database)
    with pytest.raises(RefuseToStart, match="trial databases only"):
        await asyncio.to_thread(run, "account", "add", *NURSE, "--generate")
