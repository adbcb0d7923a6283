"""Who a request comes from: the session behind its cookie or token, begun and ended here."""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from fastapi import Request, Response

from ingest.gateway.configuration import ApiSettings
from ingest.gateway.login import record
from ingest.gateway.login.forgery import CSRF_HEADER, is_forged
from ingest.gateway.problems import NotAllowed, NotLoggedIn
from ingest.gateway.routes import Known
from models import sessions
from models.access import User
from models.clock import SECOND_US, wall_now_us
from models.db import audit
from models.db import sessions as stored
from models.db.pool import Connection, Pool
from models.sessions import Ended, Session, SessionKind

COOKIE = "__Host-thuiswacht"
BROWSER_COOKIE = "__Host-thuiswacht-browser"
"""Tells browsers apart before and after a session: at the provider, and against guessing. Opens nothing."""
BROWSER_COOKIE_S = 180 * 86_400
AFTER_LOGIN = "/me"
"""Where a browser goes on after it logged in, where there are no screens."""
BY_ITSELF_HEADER = "X-By-Itself"
"""Sent by pages that look again without anybody touching them: that keeps no session alive."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""How a token looks."""
_UNKNOWN = "Log in: there is no session, or it has ended."


def new_token() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class Door:
    """Lets people and systems in and out; as `identify`, says who a request comes from."""

    pool: Pool
    """As thuiswacht_login."""
    configuration: ApiSettings
    now_us: Callable[[], int] = wall_now_us
    """The clock; that of the wall, but in tests."""
    home: str = AFTER_LOGIN
    """Where a browser goes on after it logged in."""

    async def __call__(self, request: Request) -> Known:
        """Who a request comes from.

        **Raises**: NotLoggedIn without a session that holds; NotAllowed for a request that another site sent.
        """
        token, kind = shown(request)
        if kind is SessionKind.BROWSER:
            self.require_own_page(request, token, request.headers.get(CSRF_HEADER))
        session = await self.session_of(token, kind, by_itself=is_by_itself(request))
        return Known(session.user, str(session.session_id))

    def require_own_page(self, request: Request, token: str, csrf: str | None) -> None:
        """Lets a request with a cookie through that our own page sent. **Raises**: NotAllowed."""
        if is_forged(request.method, request.headers, token, self.configuration.origin, csrf):
            raise NotAllowed(
                f"This request does not come from our own page: it needs {CSRF_HEADER} and Origin."
            )

    async def session_of(self, token: str, kind: SessionKind, *, by_itself: bool = False) -> Session:
        """The session of a token, which is seen now, unless the page asks by itself, without anybody there.

        **Raises**: NotLoggedIn where none holds.
        """
        now_us = self.now_us()
        async with self.pool.connection() as connection:
            session = await stored.find(connection, digest(token))
            if session is None or session.kind is not kind:
                raise NotLoggedIn(_UNKNOWN, headers=_ask(kind))
            fault = sessions.fault_of(session, now_us)
            if fault is not None:
                await self._note_use_after_end(connection, session, fault, now_us)
                raise NotLoggedIn(_UNKNOWN, headers=_ask(kind))
            if not by_itself and sessions.is_worth_noting(session, now_us):
                await stored.note_seen(connection, session.session_id, now_us)
        return session

    async def begin(
        self,
        connection: Connection,
        user: User,
        kind: SessionKind,
        now_us: int,
        *,
        provider_session: str | None = None,
        until_us: int | None = None,
        client_key: tuple[str, int] | None = None,
    ) -> tuple[str, Session]:
        """A new session and its token, which is known from here on to who gets it alone."""
        token = new_token()
        session = await stored.begin(
            connection, uuid4(), kind, digest(token), user, now_us,
            provider_session=provider_session, until_us=until_us, client_key=client_key,
        )  # fmt: skip
        return token, session

    async def replace(self, connection: Connection, request: Request, now_us: int) -> None:
        """Ends the session that a browser brings to its login: nothing of before goes on after it."""
        token = request.cookies.get(COOKIE)
        if token is None or not TOKEN.fullmatch(token):
            return
        session = await stored.find(connection, digest(token))
        if session is not None and sessions.fault_of(session, now_us) is None:
            await self.end(connection, session, Ended.REPLACED, now_us)

    async def end(self, connection: Connection, session: Session, why: Ended, now_us: int) -> None:
        """Ends a session, on record, within the transaction of `connection`."""
        if await stored.end(connection, session.session_id, why, now_us):
            event = record.logged_out(session.user, str(session.session_id), why.value, now_us)
            await audit.write(connection, event)

    async def _note_use_after_end(
        self, connection: Connection, session: Session, fault: sessions.Fault, now_us: int
    ) -> None:
        """On record, once: somebody has a token that should be gone."""
        if fault is not sessions.Fault.ENDED or session.tried_again:
            return
        async with connection.transaction():
            if await stored.note_tried_again(connection, session.session_id, now_us):
                mark = str(session.session_id)
                event = record.refused(record.Door.SESSION, session.user, "used_after_end", now_us, mark)
                await audit.write(connection, event)


def shown(request: Request) -> tuple[str, SessionKind]:
    """The token that a request shows, and as what. **Raises**: NotLoggedIn without one."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    kind = SessionKind.SYSTEM if scheme else SessionKind.BROWSER
    token = bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
    if scheme and scheme.lower() != "bearer":
        token = ""
    if not TOKEN.fullmatch(token):
        raise NotLoggedIn(_UNKNOWN, headers=_ask(kind))
    return token, kind


def is_by_itself(request: Request) -> bool:
    """Whether a page asks on its own: it looks again, or listens."""
    return BY_ITSELF_HEADER in request.headers or "text/event-stream" in request.headers.get("accept", "")


def set_session_cookie(response: Response, token: str, session: Session, now_us: int) -> None:
    """Gives the browser its session: for this host alone, over TLS alone, out of reach of scripts."""
    _set_cookie(response, COOKIE, token, (session.until_us - now_us) // SECOND_US)


def set_browser_cookie(response: Response, token: str) -> None:
    """Marks a browser, so that it is recognised when it comes back."""
    _set_cookie(response, BROWSER_COOKIE, token, BROWSER_COOKIE_S)


def drop_session_cookie(response: Response) -> None:
    """Takes the session away from the browser."""
    _set_cookie(response, COOKIE, "", 0)


def address_of(request: Request) -> str:
    """From where a request comes, by the word of our own proxy at most."""
    return "-" if request.client is None else request.client.host


def browser_of(request: Request) -> str | None:
    """The mark that a browser brings."""
    token = request.cookies.get(BROWSER_COOKIE)
    return token if token is not None and TOKEN.fullmatch(token) else None


def _set_cookie(response: Response, name: str, value: str, age_s: int) -> None:
    response.set_cookie(name, value, max_age=age_s, path="/", secure=True, httponly=True, samesite="lax")


def _ask(kind: SessionKind) -> dict[str, str]:
    return {"WWW-Authenticate": "Bearer"} if kind is SessionKind.SYSTEM else {}
