"""Who delivers: by a token, a signature, or a certificate that our proxy verified; then limits and turns.

Nothing of it is kept from one request to the next but how often each client came, and how many are at work:
what was revoked is nobody from the next request on, at each instance.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.acting import Decide
from ingest.delivery.clients.certificates import Certificate, CertificateForm, certificate_of
from ingest.delivery.clients.limits import Bucket, Limit, taken
from ingest.delivery.clients.loading import Loader
from ingest.delivery.clients.refusals import Refusals, Why
from ingest.delivery.clients.sealing import Sealing
from ingest.delivery.clients.signatures import BadSignature, Form, form_of, verify
from ingest.delivery.clients.turns import Entered, Room, Turns
from ingest.delivery.content import Caller
from ingest.gateway.delivery.proxies import is_from_proxy
from ingest.gateway.login.door import TOKEN, digest
from ingest.gateway.problems import NotAllowed, NotLoggedIn, Repeated, TooOften
from models.access import Action, decide
from models.clock import SECOND_US, wall_now_us
from models.db import callers
from models.db.callers import Known, Shown
from models.db.pool import Pool
from models.errors import Broken, TryAgain

CLIENT_HEADER = "x-client-id"
"""By which a hub says who it is, when it signs what it sends."""
VISIT = "thuiswacht.visit"
SMALL_BYTES = 64 * 1024
"""What is signed, and said to be no larger, is read before it is known whether the signature holds."""
LARGE_AT_ONCE = 16
"""And so many larger ones, for anybody can write the id of a client: that bounds what strangers fill."""
ANSWERED_WITHIN_S = 5.0
"""What is asked of the database, or somebody may come again."""
LONGEST_WAIT_S = 5.0
"""For a turn; after that somebody may come again as well."""
_UNKNOWN = "Nobody is known by this: expected a token, a signature, or a certificate of a client that counts."
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
_ASK = {"WWW-Authenticate": "Bearer"}

Answer = TypeVar("Answer")
ReadBody = Callable[[Request], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class CertificateHeader:
    """Where our proxy says which certificate it verified, and how."""

    name: str
    form: CertificateForm


@dataclass(slots=True)
class Visit:
    """One request, from its beginning to its end; what is to be given back when it is over."""

    client_id: str | None = None
    delivered: tuple[str, bytes, int] | None = None
    """The signed request, for remembering once it was answered well."""
    is_large: bool = False
    """One of the large signed ones."""


class Entrance:
    """Lets clients in, one request at a time. Call it first; wrap the application in `around`."""

    def __init__(
        self,
        pool: Pool,
        sealing: Sealing,
        *,
        at_work: int,
        read_body: ReadBody,
        certificates: CertificateHeader | None = None,
        decide: Decide = decide,
        now_us: Callable[[], int] = wall_now_us,
        longest_wait_s: float = LONGEST_WAIT_S,
        answered_within_s: float = ANSWERED_WITHIN_S,
    ) -> None:
        """`pool`: as thuiswacht_gateway. `read_body`: of a request that is signed, as it was signed."""
        self._pool = pool
        self._sealing = sealing
        self._read_body = read_body
        self._certificates = certificates
        self._decide = decide
        self._now_us = now_us
        self._longest_wait_s = longest_wait_s
        self._answered_within_s = answered_within_s
        self._known: Loader[Shown, Known | None] = Loader(self._find)
        self._delivered: Loader[tuple[str, bytes], bool] = Loader(self._find_delivered)
        self._note: Loader[tuple[str, bytes, int], None] = Loader(self._note_delivered)
        self._buckets: dict[str, Bucket] = {}
        self._turns: Turns[asyncio.Future[None]] = Turns(Room.of(at_work))
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._refusals = Refusals()

    async def __call__(
        self, request: Request, *, body: bytes | None = None, action: Action = Action.READING_DELIVER
    ) -> Caller:
        """Who a request comes from.

        **Raises**: NotLoggedIn, NotAllowed, TooOften, Repeated, TryAgain.
        """
        shown, client_id = self._shown(request)
        known = await self._in_time(self._known(shown))
        if known is None:
            raise self._refused(Why.UNKNOWN)
        if client_id is not None:
            form = form_of(request.headers)
            if form is None:
                raise self._refused(Why.SIGNATURE, known)
            await self._believe(request, known, form, body)
        return await self._let_in(request, known, action)

    async def webhook(
        self,
        request: Request,
        client_id: str,
        form_of_adapter: Callable[[str], Form | None],
        *,
        body: bytes | None = None,
    ) -> tuple[Caller, str]:
        """Who a webhook comes from, and the adapter that reads it; `form_of_adapter`: how its sender signs.

        **Raises**: as `__call__`.
        """
        known: Known | None = None
        if _ID.fullmatch(client_id):
            known = await self._in_time(self._known(Shown(client_id=client_id)))
        form = None if known is None or known.adapter is None else form_of_adapter(known.adapter)
        if known is None or known.adapter is None or form is None:
            raise self._refused(Why.UNKNOWN)
        await self._believe(request, known, form, body)
        return await self._let_in(request, known, Action.READING_DELIVER), known.adapter

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, whose requests give back what they took when they are over."""

        async def visited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            visit = scope[VISIT] = Visit()

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start" and visit.delivered is not None:
                    await self._remember(visit.delivered, message["status"])
                await send(message)

            try:
                await app(scope, receive, sending)
            finally:
                if visit.is_large:
                    self._large.release()
                if visit.client_id is not None:
                    self._call(self._turns.leave(visit.client_id))

        return visited

    @property
    def at_work(self) -> int:
        """How many requests are at work."""
        return self._turns.at_work

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return self._turns.waiting

    def _shown(self, request: Request) -> tuple[Shown, str | None]:
        """By what somebody wants to be known, and the client's id where it signs."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme:
            token = bearer.strip()
            if scheme.lower() != "bearer" or not TOKEN.fullmatch(token):
                raise self._refused(Why.UNKNOWN)
            return Shown(token_sha256=digest(token)), None
        client_id = request.headers.get(CLIENT_HEADER)
        if client_id is not None and _ID.fullmatch(client_id):
            return Shown(client_id=client_id), client_id
        certificate = self._certificate(request)
        if certificate is None:
            raise self._refused(Why.UNKNOWN)
        return Shown(thumbprint=certificate.thumbprint, subject=certificate.subject), None

    def _certificate(self, request: Request) -> Certificate | None:
        """What our proxy verified; nothing that anybody else says, and nothing that is said twice."""
        header = self._certificates
        if header is None or not is_from_proxy(request.scope):
            return None
        values = request.headers.getlist(header.name)
        return certificate_of(header.form, values[0]) if len(values) == 1 and values[0] else None

    async def _believe(self, request: Request, known: Known, form: Form, body: bytes | None) -> None:
        """Lets a signed request through that is genuine and new. **Raises**: NotLoggedIn, Repeated."""
        if body is None:
            if not _is_small(request):
                await self._take_large(_visit_of(request), known)
            body = await self._read_body(request)
        secrets = [
            self._sealing.open(known.client_id, number, sealed)
            for number, sealed in zip(known.numbers, known.secrets, strict=True)
        ]
        try:
            believed = verify(form, request.headers, body, secrets, self._now_us())
        except BadSignature as error:
            raise self._refused(Why.SIGNATURE, known, str(error)) from None
        if await self._in_time(self._delivered((known.client_id, believed.id_sha256))):
            raise Repeated("This request was delivered before, under the same id: it counts once.")
        _visit_of(request).delivered = (known.client_id, believed.id_sha256, believed.kept_s)

    async def _take_large(self, visit: Visit, known: Known) -> None:
        """Waits until another large signed request may be read. **Raises**: TryAgain."""
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await self._large.acquire()
        except TimeoutError:
            raise self._refused(Why.FULL, known) from None
        visit.is_large = True

    async def _let_in(self, request: Request, known: Known, action: Action) -> Caller:
        if not self._decide(known.user, action, None).allowed:
            raise self._refused(Why.NOT_ALLOWED, known)
        limit = Limit(known.per_second, known.burst)
        bucket, wait_us = taken(self._buckets.get(known.client_id), limit, self._now_us())
        self._buckets[known.client_id] = bucket
        if wait_us:
            raise self._refused(Why.RATE, known, wait_s=wait_us / SECOND_US)
        await self._take_turn(_visit_of(request), known)
        if not known.is_noted:
            await self._in_time(self._note_used(known))
        return Caller(known.client_id, known.user, known.names_patients)

    async def _take_turn(self, visit: Visit, known: Known) -> None:
        """Waits until it is this client's turn, for some seconds at most. **Raises**: TooOften, TryAgain."""
        if visit.client_id is not None:
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        match self._turns.enter(known.client_id, ticket):
            case Entered.TOO_MANY:
                raise self._refused(Why.TOO_MANY, known, wait_s=1)
            case Entered.FULL:
                raise self._refused(Why.FULL, known)
            case Entered.GO:
                visit.client_id = known.client_id
                return
            case Entered.WAIT:
                pass
        try:
            # Not wait_for: in Python 3.11 it forgets a cancellation when the turn comes at that moment.
            async with asyncio.timeout(self._longest_wait_s):
                await ticket
        except BaseException as error:
            if not self._turns.give_up(known.client_id, ticket):
                self._call(self._turns.leave(known.client_id))
            if isinstance(error, TimeoutError):
                raise self._refused(Why.FULL, known) from None
            raise
        visit.client_id = known.client_id

    def _call(self, tickets: Sequence[asyncio.Future[None]]) -> None:
        for ticket in tickets:
            # Of who was cut off a moment ago the turn is given back by itself.
            if not ticket.done():
                ticket.set_result(None)

    def _refused(
        self, why: Why, known: Known | None = None, how: str = "", *, wait_s: float = 0
    ) -> Exception:
        """Counts a refusal, and says it to who is refused."""
        self._refusals.count(None if known is None else known.client_id, why, how, self._now_us())
        headers = {"Retry-After": str(max(1, ceil(wait_s)))}
        match why:
            case Why.UNKNOWN:
                return NotLoggedIn(_UNKNOWN, headers=_ASK)
            case Why.SIGNATURE:
                return NotLoggedIn(
                    "The signature does not hold: expected one by a key that counts, over this body, of the "
                    "last five minutes.",
                    headers=_ASK,
                )
            case Why.NOT_ALLOWED:
                return NotAllowed("This client may not do this.")
            case Why.RATE | Why.TOO_MANY:
                return TooOften("More requests than this client may send: wait a little.", headers=headers)
            case Why.FULL:
                return TryAgain("The gate has as much to do as it can.", is_away=False)

    async def _in_time(self, work: Awaitable[Answer]) -> Answer:
        try:
            async with asyncio.timeout(self._answered_within_s):
                return await work
        except TimeoutError:
            raise TryAgain("The database does not answer in time.", is_away=False) from None

    async def _find(self, shown: Sequence[Shown]) -> list[Known | None]:
        async with self._pool.connection() as connection:
            return await callers.callers(connection, shown)

    async def _find_delivered(self, requests: Sequence[tuple[str, bytes]]) -> list[bool]:
        async with self._pool.connection() as connection:
            return await callers.were_delivered(connection, requests)

    async def _note_delivered(self, requests: Sequence[tuple[str, bytes, int]]) -> list[None]:
        async with self._pool.connection() as connection:
            await callers.note_delivered(connection, requests)
        return [None] * len(requests)

    async def _note_used(self, known: Known) -> None:
        async with self._pool.connection() as connection:
            await callers.note_used(connection, [(known.client_id, number) for number in known.numbers])

    async def _remember(self, request: tuple[str, bytes, int], status: int) -> None:
        """Remembers a request that was answered well: one that was not may come again."""
        if 200 <= status < 300:
            try:
                await self._in_time(self._note(request))
            except TryAgain:
                # It is in the log, and is answered so; sent again, its readings count once all the same.
                self._refusals.forgot(request[0])


def _is_small(request: Request) -> bool:
    """Whether a body is said to be small, packed in nothing; more than is said is never read."""
    length = request.headers.get("content-length", "")
    return (
        length.isascii() and length.isdecimal() and len(length) < 10 and int(length) <= SMALL_BYTES
        and "content-encoding" not in request.headers
    )  # fmt: skip


def _visit_of(request: Request) -> Visit:
    visit: Visit | None = request.scope.get(VISIT)
    if visit is None:
        raise Broken("The application is not wrapped in `Entrance.around`: turns would never be given back.")
    return visit
