"""Logging in with an account of our own: name, password and a code; in trial databases only."""

import asyncio
from dataclasses import dataclass
from math import ceil

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ingest.gateway.login import attempts, record
from ingest.gateway.login.attempts import Attempt
from ingest.gateway.login.door import (
    Door,
    address_of,
    browser_of,
    digest,
    new_token,
    set_browser_cookie,
    set_session_cookie,
)
from ingest.gateway.login.forgery import comes_from_elsewhere
from ingest.gateway.login.forms import read_form
from ingest.gateway.login.page import Language, language_of, login_page
from ingest.gateway.login.passwords import NOBODY, is_password, step_of
from ingest.gateway.problems import NotAllowed
from models.clock import SECOND_US
from models.db import accounts, audit
from models.db.accounts import Account
from models.sessions import SessionKind
from models.throttle import Counted, counted_for

_LONGEST_NAME = 100
_AT_ONCE = 2
"""So many passwords are checked at a time: each takes 19 MiB and some 20 ms of a core."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What somebody typed, where."""

    name: str
    password: str
    code: str
    address: str
    browser: str | None


def make_local(door: Door) -> APIRouter:
    """The routes of this module; none where there are no local accounts."""
    router = APIRouter(tags=["login"])
    if not door.configuration.local_accounts:
        return router
    checking = asyncio.Semaphore(_AT_ONCE)

    @router.post("/login/local")
    async def local(request: Request, lang: str | None = None) -> Response:
        """Name, password and code, as a form; answers with a session or the page again."""
        language = language_of(lang, request.headers.get("accept-language", ""))
        if comes_from_elsewhere(request.method, request.headers, door.configuration.origin):
            raise NotAllowed("Log in on our own page.")
        tried = await _read(request)
        now_us = door.now_us()
        account, attempt = await _count(door, tried, now_us)
        if attempt.wait_us:
            return _page(language, "wait", 429, attempt.wait_us)
        async with checking:
            hashed = NOBODY if account is None else account.password_argon2
            right = await asyncio.to_thread(is_password, hashed, tried.password)
        why = "password"
        if account is not None and right:
            step = step_of(account.totp_secret, tried.code, now_us)
            if step is not None:
                response = await _let_in(door, request, account, step, attempt, now_us)
                if response is not None:
                    return response
            why = "code"
        user = None if account is None else account.user
        async with door.pool.transaction() as connection:
            await attempts.record_failure(connection, attempt, record.Door.LOCAL, user, why, now_us)
        return _page(language, "wrong", 401)

    return router


async def _read(request: Request) -> Tried:
    form = await read_form(request)
    return Tried(
        name=form.get("name", "").strip().lower()[:_LONGEST_NAME],
        password=form.get("password", ""),
        code=form.get("code", "").replace(" ", ""),
        address=address_of(request),
        browser=browser_of(request),
    )


async def _count(door: Door, tried: Tried, now_us: int) -> tuple[Account | None, Attempt]:
    async with door.pool.transaction() as connection:
        account = await accounts.find_account(connection, tried.name)
        known = (
            account is not None
            and tried.browser is not None
            and await accounts.is_known_browser(connection, account.account_id, digest(tried.browser))
        )
        # By the name as typed, so that names that do not exist are told from others by nothing.
        texts = {
            Counted.ADDRESS: tried.address,
            Counted.PAIR: f"{tried.name} {tried.address}",
            Counted.ACCOUNT: tried.name,
            Counted.BROWSER: f"{tried.name} {tried.browser}",
        }
        counts = {counted: texts[counted] for counted in counted_for(known_browser=known)}
        return account, await attempts.count(connection, counts, now_us)


async def _let_in(
    door: Door, request: Request, account: Account, step: int, attempt: Attempt, now_us: int
) -> Response | None:
    """A session for who showed all that is asked for; None when the code was used before."""
    browser = browser_of(request) or new_token()
    async with door.pool.transaction() as connection:
        if not await accounts.use_step(connection, account.account_id, step):
            return None
        await attempts.take_back(connection, attempt)
        await accounts.know_browser(connection, account.account_id, digest(browser), now_us)
        await door.replace(connection, request, now_us)
        token, session = await door.begin(connection, account.user, SessionKind.BROWSER, now_us)
        mark = str(session.session_id)
        event = record.logged_in(record.Door.LOCAL, account.user, mark, "password+totp", now_us)
        await audit.write(connection, event)
    response = RedirectResponse(door.home, status_code=303)
    set_session_cookie(response, token, session, now_us)
    set_browser_cookie(response, browser)
    return response


def _page(language: Language, said: str, status: int, wait_us: int = 0) -> Response:
    headers = {"Retry-After": str(ceil(wait_us / SECOND_US))} if wait_us else None
    return login_page(language, provider=False, accounts=True, said=said, status=status, headers=headers)
