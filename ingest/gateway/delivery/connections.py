"""Connections that may not last: heads that never end, answers that nobody fetches, and too many of them.

uvicorn bounds how long a connection may rest, and nothing else.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from models import metrics

MAX_CONNECTIONS = 2_000
SLOWEST_HEAD_S = 10.0
"""After so long the head of a request has to be here, and the rest of one that was answered to be over."""
SLOWEST_FETCH_S = 20.0
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
MAX_PIPELINED = 16


class BoundedConnection(HttpToolsProtocol):
    """HTTP in C, with bounds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = False
        self._head_bytes = 0
        self._headers_seen = 0
        self._unanswered = 0
        self._garbage: str | None = None
        self._lingers = False
        self._late: asyncio.TimerHandle | None = None
        self._unfetched: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Somebody is there."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._cut_off("too_many")
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._forget(self._late)
        self._forget(self._unfetched)
        self._late = self._unfetched = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of requests."""
        if self._garbage is not None:
            return
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._cut_off("large_head")
                return
        # uvicorn's types say nothing of connections that have not asked for anything yet.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if self._late is None and (cycle is None or cycle.response_complete):
            self._expect_head()

    def send_400_response(self, msg: str) -> None:
        """It is no HTTP. What came before it is answered first, or this would be taken for its answer."""
        metrics.GATEWAY_CUT_OFF.labels("garbage").inc()
        self._garbage = msg
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and cycle.more_body:
            # It was within this one, which gets no other answer.
            self._unanswered -= 1
            if self.pipeline:
                self.pipeline.popleft()
        if self._unanswered <= 0:
            super().send_400_response(msg)

    def on_response_complete(self) -> None:
        """The next one may begin."""
        self._unanswered -= 1
        super().on_response_complete()
        if self._garbage is not None and self._unanswered <= 0 and not self.transport.is_closing():
            super().send_400_response(self._garbage)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._head_bytes = self._headers_seen = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of it."""
        self._headers_seen += 1
        if self._headers_seen > MAX_HEADERS:
            self._cut_off("large_head")
            return
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """It is whole."""
        self._is_in_head = False
        self._unanswered += 1
        self._forget(self._late)
        self._late = None
        super().on_headers_complete()
        _Answer(self.cycle, self._linger)
        if len(self.pipeline) > MAX_PIPELINED:
            self._cut_off("pipelined")

    def on_message_complete(self) -> None:
        """Its body has ended too."""
        super().on_message_complete()
        if self._lingers:
            self.transport.close()
        elif self.cycle.response_complete:
            # It was answered before that, and the rest read away: closing on who still sends would take the
            # answer from them. From here on the connection rests.
            self._forget(self._late)
            self._late = None
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def pause_writing(self) -> None:
        """Nobody fetches our answer, for now."""
        super().pause_writing()
        self._unfetched = self.loop.call_later(SLOWEST_FETCH_S, self._cut_off, "slow_fetch")

    def resume_writing(self) -> None:
        """Somebody does."""
        self._forget(self._unfetched)
        self._unfetched = None
        super().resume_writing()

    def _linger(self) -> None:
        """Reads away what is left of a request that was answered: closing would take the answer back."""
        self._lingers = True
        if self._late is None:
            self._expect_head()

    def _expect_head(self) -> None:
        self._late = self.loop.call_later(SLOWEST_HEAD_S, self._cut_off, "slow_head")

    def _cut_off(self, why: str) -> None:
        if not self.transport.is_closing():
            metrics.GATEWAY_CUT_OFF.labels(why).inc()
            self.transport.abort()

    def _forget(self, timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


class _Answer:
    """The transport of one answer: its head waits for what comes first of its body, so that both go at once.

    uvicorn hands them over one by one, and each is a call of the system and a packet of its own.
    """

    def __init__(self, cycle: RequestResponseCycle, linger: Callable[[], None]) -> None:
        self._cycle = cycle
        self._linger = linger
        self._transport = cycle.transport
        self._then = cycle.on_response
        self._head: bytes | None = None
        cycle.transport = cast("asyncio.Transport", self)
        cycle.on_response = self.complete

    def write(self, data: bytes) -> None:
        """The head first, then pieces of the body; the word to go on with a body comes before all."""
        if self._head is None and not data.startswith(b"HTTP/1.1 100 "):
            self._head = data
        else:
            self._transport.write((self._head or b"") + data)
            self._head = self._head and b""

    def complete(self) -> None:
        """It has no body, or that was the last of it."""
        self._flush()
        self._then()

    def close(self) -> None:
        """Ends the connection behind it, once the request has ended too."""
        self._flush()
        if self._cycle.more_body:
            self._linger()
        else:
            self._transport.close()

    def is_closing(self) -> bool:
        """Whether nothing goes out any more."""
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""
