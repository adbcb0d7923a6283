"""Through the front gate without waiting: a request for each upload, over connections that stay open.

What is due and finds no free connection stands in line, and its time runs. Who is told to wait (429, 503) or
gets no answer tries again, as devices do, and its time runs as well.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import numpy as np

from models.errors import Broken, TryAgain
from simulators.gate.credentials import Credentials
from simulators.gate.sending import connected
from simulators.load.connections import Connection, connect
from simulators.load.pacing import Watch
from simulators.load.readings import Writing
from simulators.load.schedule import Planned

CONNECTIONS = 64
PATH = "/v1/uploads"
ANSWERED_WITHIN_S = 60.0
SHOWN = 3
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_TAKEN = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED)
_RETRY_AFTER = b"\r\nretry-after: "
_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where the gate is, and by what it knows us."""

    url: str
    credentials: Credentials


class ThroughGate:
    """Delivers the uploads of one plan; knows when each was answered.

    `acknowledged_us`: by the watch, −1 where it was not. **Shape**: [n], as what is planned.
    """

    def __init__(
        self, entrance: Entrance, http: httpx.AsyncClient, planned: Planned, writing: Writing, watch: Watch
    ) -> None:
        self._entrance, self._http, self._writing, self._watch = entrance, http, writing, watch
        self._waiting = asyncio.Queue[tuple[int, bytes]]()
        self._open = 0
        self._moved = asyncio.Event()
        self._failed: BaseException | None = None
        self._host = urlsplit(entrance.url).netloc
        self.again = 0
        self.refused = Counter[int]()
        self.refusals: list[str] = []
        self.acknowledged_us = np.full(len(planned), -1, np.int64)

    def put(self, begin: int, end: int) -> None:
        """Takes rows of the plan over, at once."""
        for row, body in zip(range(begin, end), self._writing.for_the_gate(begin, end), strict=True):
            self._waiting.put_nowait((row, body))
        self._open += end - begin

    async def drain(self) -> None:
        """Return when the gate has answered all taken over.

        **Raises**: TryAgain when it does not; Broken when it refused any: nothing here deserves that.
        """
        while self._open and self._failed is None:
            self._moved.clear()
            try:
                async with asyncio.timeout(ANSWERED_WITHIN_S):
                    await self._moved.wait()
            except TimeoutError:
                raise TryAgain(
                    f"The gate at {self._entrance.url} has answered nothing for {ANSWERED_WITHIN_S:.0f} s, "
                    f"{self._open:,} uploads wait."
                ) from None
        if self._failed is not None:
            raise self._failed
        if self.refused:
            told = ", ".join(f"{n:,} with {status}" for status, n in sorted(self.refused.items()))
            raise Broken(f"The gate refused uploads: {told}. The first ones:\n" + "\n".join(self.refusals))

    async def work(self) -> None:
        """Delivers over one connection, one after the other, until it is cancelled."""
        line: _Line | None = None
        try:
            while True:
                row, body = await self._waiting.get()
                while True:
                    if line is None or line.is_over:
                        line = await self._connected()
                    wait_s = await self._deliver(line, row, body)
                    if wait_s is None:
                        break
                    self.again += 1
                    await asyncio.sleep(wait_s)
        finally:
            if line is not None:
                await line.close()

    def ended(self, worker: asyncio.Task[None]) -> None:
        """Tells whoever waits for the answers what ended a worker, where it was not us."""
        if not worker.cancelled():
            self._failed = worker.exception()
            self._moved.set()

    async def _connected(self) -> "_Line":
        begun_us = self._watch.now_us()
        while True:
            try:
                return await _Line.open(self._entrance.url)
            except OSError as error:
                if self._watch.now_us() - begun_us > ANSWERED_WITHIN_S * 1e6:
                    raise TryAgain(f"The gate at {self._entrance.url} is away.") from error
            await asyncio.sleep(_WAIT_S)

    async def _deliver(self, line: "_Line", row: int, body: bytes) -> float | None:
        """Asks once; how long to wait before it is asked again, None when it was answered for good."""
        headers = await self._entrance.credentials.headers(self._http, body)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        answer = await line.ask(
            f"POST {PATH} HTTP/1.1\r\nHost: {self._host}\r\n{head}Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        if answer is None:
            return _WAIT_S
        status, whole = answer
        if status in _BUSY:
            return _asked_wait_s(whole)
        if status == HTTPStatus.UNAUTHORIZED and self._entrance.credentials.forget():
            return 0.0
        if status in _TAKEN:
            self.acknowledged_us[row] = self._watch.now_us()
        else:
            self.refused[status] += 1
            if len(self.refusals) < SHOWN:
                self.refusals.append(whole.partition(b"\r\n\r\n")[2][:300].decode("utf-8", "replace"))
        self._open -= 1
        self._moved.set()
        return None


class _Line:
    """A connection of which an answer can be awaited."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, bytes] | None] | None = None
        self._connection: Connection | None = None

    @classmethod
    async def open(cls, url: str) -> "_Line":
        """**Raises**: OSError."""
        line = cls()
        line._connection = await connect(url, line._answered, line._lost)
        return line

    @property
    def is_over(self) -> bool:
        """Whether the other side ended it."""
        return self._connection is None or self._connection.is_over.is_set()

    async def ask(self, request: bytes) -> tuple[int, bytes] | None:
        """Status and all of the answer; None when none came: then it may have been taken or not."""
        assert self._connection is not None  # noqa: S101 (opened so)
        self._answer = asyncio.get_running_loop().create_future()
        self._connection.send(request)
        return await self._answer

    async def close(self) -> None:
        """Nothing more comes over it."""
        if self._connection is not None:
            await self._connection.close()

    def _answered(self, _: Connection, status: int, whole: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, whole))

    def _lost(self, _: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)


def _asked_wait_s(answer: bytes) -> float:
    """How long the gate asks to wait, within reason."""
    head = answer.partition(b"\r\n\r\n")[0].lower()
    asked = head.partition(_RETRY_AFTER)[2].partition(b"\r\n")[0]
    return min(float(asked), _LONGEST_WAIT_S) if asked.isdigit() else _WAIT_S


@asynccontextmanager
async def known_at(entrance: Entrance) -> AsyncGenerator[httpx.AsyncClient]:
    """What credentials are got with; they are there when the block begins: getting them is no delivery.

    **Raises**: what the credentials raise.
    """
    async with connected(entrance.url) as http:
        await entrance.credentials.headers(http, b"")
        yield http


@asynccontextmanager
async def through_gate(
    entrance: Entrance, http: httpx.AsyncClient, planned: Planned, writing: Writing, watch: Watch
) -> AsyncGenerator[ThroughGate]:
    """The way of one plan through a gate."""
    way = ThroughGate(entrance, http, planned, writing, watch)
    workers = [asyncio.create_task(way.work()) for _ in range(CONNECTIONS)]
    for worker in workers:
        worker.add_done_callback(way.ended)
    try:
        yield way
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
