"""Local accounts of a trial: password and code, sessions, lock-out, and all of it on record."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pyotp.totp import TOTP

from ingest.gateway.app import Pools
from ingest.gateway.login import administration
from ingest.gateway.login.administration import AddedAccount
from ingest.gateway.login.door import COOKIE
from models.clock import MINUTE_US, SECOND_US
from models.db.pool import Connection
from models.errors import BadInput, RefuseToStart
from tests.integration.login.conftest import PASSWORD, URL, Browser, Clock, Rows
from tests.integration.login.realm import OURS

Audited = Callable[..., Awaitable[Rows]]
MakeBrowser = Callable[..., Browser]


async def test_name_password_and_code_give_a_session(
    browser: Browser, nurse: AddedAccount, clock: Clock, audited: Audited
) -> None:
    answer = await browser.log_in(nurse, clock.now_us())
    assert answer.status_code == 303
    me = await browser.http.get("/me")
    assert (me.json()["role"], me.json()["organisation_id"]) == ("nurse", str(OURS))
    (row,) = await audited("login")
    assert (row["action"], row["outcome"], row["user_role"]) == ("E", "allowed", "nurse")
    assert row["user_id"] == me.json()["person_id"]
    assert (row["identifier_type"], row["identifier"], row["source"]) == ("none", "-", "thuiswacht.api")
    assert row["authorisation_protocol"] == "login/local"


async def test_the_cookie_is_for_this_host_over_tls_and_not_for_scripts(
    browser: Browser, nurse: AddedAccount, clock: Clock, admin: Connection
) -> None:
    answer = await browser.log_in(nurse, clock.now_us())
    (cookie,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}=")]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"path=/", "secure", "httponly", "samesite=lax"} <= attributes
    assert not [one for one in attributes if one.startswith("domain")]
    assert len(browser.token) == 43
    stored = await admin.fetch("SELECT session::text FROM session")
    assert browser.token not in str(stored)


@pytest.mark.parametrize("wrong", ["name", "password", "code"])
async def test_what_is_wrong_is_not_said(
    browser: Browser, nurse: AddedAccount, clock: Clock, audited: Audited, wrong: str
) -> None:
    code = TOTP(nurse.totp_secret).at(clock.now_us() // SECOND_US)
    typed = {"name": nurse.name, "password": PASSWORD, "code": code} | {wrong: "secret-typo"}
    answer = await browser.try_in(**typed)
    assert answer.status_code == 401
    assert "Dit klopt niet" in answer.text
    assert COOKIE not in browser.http.cookies
    (row,) = await audited("login.refused")
    assert row["outcome"] == "refused"
    assert (row["user_id"] == "unknown") == (wrong == "name")
    assert "secret-typo" not in str(dict(row))


async def test_a_code_counts_once(
    make_browser: MakeBrowser, nurse: AddedAccount, clock: Clock, audited: Audited
) -> None:
    now_us = clock.now_us()
    assert (await make_browser().log_in(nurse, now_us)).status_code == 303
    assert (await make_browser().log_in(nurse, now_us)).status_code == 401
    assert (await make_browser().log_in(nurse, now_us - 30 * SECOND_US)).status_code == 401
    clock.move(30 * SECOND_US)
    assert (await make_browser().log_in(nurse, clock.now_us())).status_code == 303
    assert [row["details"] for row in await audited("login.refused")] == ["code", "code"]


async def test_guessing_is_slowed_down_and_on_record(
    browser: Browser, nurse: AddedAccount, clock: Clock, audited: Audited
) -> None:
    for _ in range(6):
        assert (await browser.try_in(nurse.name, "wrong password")).status_code == 401
    answer = await browser.log_in(nurse, clock.now_us())
    assert answer.status_code == 429
    assert 50 <= int(answer.headers["retry-after"]) <= 60
    assert [row["details"] for row in await audited("login.blocked")] == ["pair"]
    clock.move(MINUTE_US)
    assert (await browser.log_in(nurse, clock.now_us())).status_code == 303
    clock.move(MINUTE_US)
    assert (await browser.try_in(nurse.name, "wrong password")).status_code == 401, "counted anew"


async def test_who_guesses_from_elsewhere_locks_nobody_out_at_their_own_place(
    make_browser: MakeBrowser, nurse: AddedAccount, clock: Clock, admin: Connection
) -> None:
    at_work = make_browser("192.0.2.7")
    assert (await at_work.log_in(nurse, clock.now_us())).status_code == 303
    for guess in range(200):
        guesser = make_browser(f"198.51.100.{guess}")
        if (await guesser.try_in(nurse.name, "wrong password")).status_code == 429:
            clock.move(SECOND_US)
    newcomer = await make_browser("192.0.2.8").log_in(nurse, clock.now_us())
    assert newcomer.status_code == 429
    assert int(newcomer.headers["retry-after"]) <= 300, "and for minutes at most anywhere else"
    clock.move(30 * SECOND_US)
    assert (await at_work.log_in(nurse, clock.now_us())).status_code == 303
    stored = str(await admin.fetch("SELECT * FROM login_failure"))
    assert "198.51" not in stored


async def test_another_site_cannot_log_anybody_in(
    browser: Browser, nurse: AddedAccount, clock: Clock
) -> None:
    code = TOTP(nurse.totp_secret).at(clock.now_us() // SECOND_US)
    form = {"name": nurse.name, "password": PASSWORD, "code": code}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": URL, "Sec-Fetch-Site": "cross-site"}):
        answer = await browser.http.post("/login/local", data=form, headers=headers)
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_removed_account_is_out_at_once(
    browser: Browser, nurse: AddedAccount, clock: Clock, pools: Pools, audited: Audited
) -> None:
    await browser.log_in(nurse, clock.now_us())
    await administration.remove_account(pools.login, nurse.name)
    assert (await browser.http.get("/me")).status_code == 401
    clock.move(MINUTE_US)
    assert (await browser.log_in(nurse, clock.now_us())).status_code == 401
    assert len(await audited("account.added", "account.removed")) == 2


async def test_accounts_are_for_trials_only(pools: Pools, nurse: AddedAccount, admin: Connection) -> None:
    await admin.execute("ALTER TABLE installation DISABLE TRIGGER ALL")
    await admin.execute("UPDATE installation SET purpose = 'live'")
    wanted = administration.WantedAccount("other", "Other", OURS, "nurse", PASSWORD)
    with pytest.raises(RefuseToStart, match="trial databases only"):
        await administration.add_account(pools.login, wanted)
    with pytest.raises(asyncpg.RestrictViolationError):
        async with pools.login.connection() as connection:
            await connection.execute("UPDATE account SET totp_step = 1")


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"role": "service"}, "role"),
        ({"role": "boss"}, "role"),
        ({"password": "short"}, "password"),
        ({"name": "X Y"}, "name"),
        ({"organisation_id": UUID(int=99)}, "organisation"),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused(
    pools: Pools, changed: dict[str, Any], found: str
) -> None:
    fields: dict[str, Any] = {
        "name": "a.b", "person_name": "A", "organisation_id": OURS, "role": "nurse", "password": PASSWORD,
    } | changed  # fmt: skip
    with pytest.raises(BadInput) as refused:
        await administration.add_account(pools.login, administration.WantedAccount(**fields))
    assert refused.value.where == found
    assert "short" not in str(refused.value)
