"""Sessions end when they should, stay ended, and are used by our own pages alone."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from ingest.gateway.app import Pools
from ingest.gateway.headers import SECURITY
from ingest.gateway.login.administration import AddedAccount
from ingest.gateway.login.door import COOKIE
from models.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from models.db import accounts
from models.db import sessions as stored
from models.db.pool import Connection
from models.throttle import Failures
from tests.integration.login.conftest import URL, Browser, Clock, Rows
from tests.integration.login.realm import OURS, THEIRS

Audited = Callable[..., Awaitable[Rows]]
MakeBrowser = Callable[..., Browser]


@pytest.fixture
async def inside(browser: Browser, nurse: AddedAccount, clock: Clock) -> Browser:
    """A browser in which the nurse is logged in."""
    assert (await browser.log_in(nurse, clock.now_us())).status_code == 303
    return browser


async def status(browser: Browser) -> int:
    return (await browser.http.get("/me")).status_code


async def test_after_a_quarter_of_an_hour_without_use_it_is_over(inside: Browser, clock: Clock) -> None:
    for _ in range(3):
        clock.move(14 * MINUTE_US)
        assert await status(inside) == 200
    clock.move(15 * MINUTE_US)
    assert await status(inside) == 401
    clock.move(-5 * MINUTE_US)
    assert await status(inside) == 200, "nothing was ended: the clock alone decides"


async def test_after_twelve_hours_it_is_over_however_much_it_is_used(inside: Browser, clock: Clock) -> None:
    began_us = clock.moved_us
    while clock.moved_us < began_us + 12 * HOUR_US - 10 * MINUTE_US:
        assert await status(inside) == 200
        clock.move(10 * MINUTE_US)
    clock.move(10 * MINUTE_US)
    assert await status(inside) == 401


async def test_use_is_not_written_down_at_every_request(
    inside: Browser, clock: Clock, admin: Connection
) -> None:
    before = await admin.fetchval("SELECT seen_at FROM session")
    await status(inside)
    assert await admin.fetchval("SELECT seen_at FROM session") == before
    clock.move(20 * SECOND_US)
    await status(inside)
    assert await admin.fetchval("SELECT seen_at FROM session") > before


async def test_a_session_used_after_logout_is_refused_and_on_record_once(
    inside: Browser, audited: Audited, admin: Connection
) -> None:
    token = inside.token
    answer = await inside.http.post("/logout", headers=await inside.csrf())
    assert answer.json() == {"continue_at": f"{URL}/login?out=true"}
    assert COOKIE not in inside.http.cookies
    for _ in range(3):
        answer = await inside.http.get("/me", headers={"Cookie": f"{COOKIE}={token}"})
        assert answer.status_code == 401
    (out,) = await audited("logout")
    (refused,) = await audited("login.refused")
    assert (refused["details"], refused["session"]) == ("used_after_end", out["session"])
    with pytest.raises(asyncpg.RestrictViolationError):
        await admin.execute("UPDATE session SET ended_at = NULL, ended_why = NULL")


async def test_logout_everywhere(
    inside: Browser, make_browser: MakeBrowser, nurse: AddedAccount, clock: Clock, audited: Audited
) -> None:
    other = make_browser("192.0.2.2")
    clock.move(30 * SECOND_US)
    assert (await other.log_in(nurse, clock.now_us())).status_code == 303
    assert (await inside.http.post("/logout/everywhere", headers=await inside.csrf())).status_code == 200
    assert [await status(inside), await status(other)] == [401, 401]
    assert [row["details"] for row in await audited("logout")] == ["everywhere", "everywhere"]


async def test_a_new_login_takes_the_place_of_the_session_before(
    inside: Browser, nurse: AddedAccount, clock: Clock, audited: Audited
) -> None:
    before = inside.token
    clock.move(30 * SECOND_US)
    assert (await inside.log_in(nurse, clock.now_us())).status_code == 303
    assert inside.token != before
    (ended,) = await audited("logout")
    assert ended["details"] == "replaced"
    inside.http.cookies.clear()
    assert (await inside.http.get("/me", headers={"Cookie": f"{COOKIE}={before}"})).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-CSRF-Token": None},
        {"X-CSRF-Token": "0" * 64},
        {"Origin": None},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_change_that_our_own_page_did_not_send(inside: Browser, wrong: dict[str, str | None]) -> None:
    given = {**(await inside.csrf()), **wrong}
    headers = {name: value for name, value in given.items() if value is not None}
    for path in ("/logout", "/logout/everywhere", "/login/role"):
        assert (await inside.http.post(path, headers=headers)).status_code in (400, 403)
    form = {"role": "nurse", "organisation": str(OURS)}
    assert (await inside.http.post("/login/role", data=form, headers=headers)).status_code == 403
    assert await status(inside) == 200


async def test_the_token_of_one_session_does_not_do_for_another(
    inside: Browser, make_browser: MakeBrowser, nurse: AddedAccount, clock: Clock
) -> None:
    other = make_browser("192.0.2.2")
    clock.move(30 * SECOND_US)
    await other.log_in(nurse, clock.now_us())
    assert (await inside.http.post("/logout", headers=await other.csrf())).status_code == 403


async def test_another_role_takes_another_session(
    inside: Browser, admin: Connection, clock: Clock, audited: Audited
) -> None:
    person_id = await admin.fetchval("SELECT person_id FROM account")
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, 'coordinator')", person_id, THEIRS)
    before, began = inside.token, await admin.fetchval("SELECT until_at FROM session")
    headers = await inside.csrf()
    refused = {"role": "privacy_officer", "organisation": str(OURS)}
    assert (await inside.http.post("/login/role", data=refused, headers=headers)).status_code == 403
    clock.move(HOUR_US // 6)
    wanted = {"role": "coordinator", "organisation": str(THEIRS)}
    assert (await inside.http.post("/login/role", data=wanted, headers=headers)).status_code == 200
    assert inside.token != before
    me = (await inside.http.get("/me")).json()
    assert (me["role"], UUID(me["organisation_id"])) == ("coordinator", THEIRS)
    assert {one["role"] for one in me["roles"]} == {"nurse", "coordinator"}
    last = await admin.fetchval("SELECT max(until_at) FROM session")
    assert last == began, "twelve hours in all, not twelve more"
    assert [row["user_role"] for row in await audited("login")] == ["nurse", "coordinator"]


async def test_a_role_that_ended_opens_nothing_more(inside: Browser, admin: Connection) -> None:
    await admin.execute("UPDATE person_role SET until_at = clock_timestamp()")
    assert await status(inside) == 403


@pytest.mark.parametrize("token", ["", "x", "é" * 43, "a" * 43, "' OR true --"])
async def test_what_is_no_session(browser: Browser, token: str) -> None:
    headers = {b"Cookie": f"{COOKIE}={token}".encode()}
    answer = await browser.http.get("/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/login", "/login?lang=en", "/login/login.css", "/me", "/nothing", "/token"]
)
async def test_every_answer_has_the_headers(browser: Browser, path: str) -> None:
    answer = await browser.http.get(path)
    for name, value in SECURITY.items():
        assert answer.headers[name] == value
    assert answer.headers["cache-control"] == ("public, max-age=3600" if "css" in path else "no-store")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert "style=" not in answer.text


async def test_the_page_speaks_dutch_and_english(browser: Browser) -> None:
    assert '<html lang="nl">' in (await browser.http.get("/login")).text
    english = (await browser.http.get("/login", headers={"Accept-Language": "en-GB"})).text
    assert "Log in" in english
    assert "ring 112" in english


async def test_each_role_of_the_database_keeps_to_its_tables(pools: Pools, nurse: AddedAccount) -> None:
    ours = ("session", "account", "client", "pending_login", "login_failure", "login_salt", "login_identity")
    async with pools.people.connection() as connection:
        for table in (*ours, "known_browser", "client_assertion"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SELECT FROM {table}")
    async with pools.login.connection() as connection:
        for table in ("registration", "patient", "reading", "alert", "finding", "consent", "audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SELECT FROM {table}")
        for statement in (
            "DELETE FROM session",
            "UPDATE session SET until_at = now()",
            "DELETE FROM account",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_what_is_of_no_use_any_more_is_forgotten(pools: Pools, clock: Clock, admin: Connection) -> None:
    now_us = clock.now_us()
    async with pools.login.transaction() as connection:
        pending = stored.Pending("n", "v")
        await stored.begin_pending(connection, b"s" * 32, b"b" * 32, pending, now_us)
        await stored.use_once(connection, "gateway", b"j" * 32, now_us + MINUTE_US)
        await accounts.store_failures(connection, {b"k" * 32: Failures(3, now_us)})
    steps = {0: (1, 1, 1), 2 * MINUTE_US: (1, 0, 1), HOUR_US: (0, 0, 1), DAY_US: (0, 0, 0)}
    for later_us, left in steps.items():
        async with pools.login.transaction() as connection:
            await stored.tidy(connection, now_us + later_us + 1)
        tables = ("pending_login", "client_assertion", "login_failure")
        found = [await admin.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
        assert tuple(found) == left, later_us
