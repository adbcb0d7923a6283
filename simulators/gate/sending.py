"""Requests to the front gate, each until it is answered: whoever is busy or away is given time."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx

from models.errors import TryAgain
from simulators.gate.answers import Answers, said_of
from simulators.gate.credentials import Credentials
from simulators.gate.requests import Request

TOLD_HEADER = "Thuiswacht-Simulated-Time"
"""When an upload came in, in simulated time; believed by gates of trials that are told to."""
PATIENCE_S = 120.0
"""So long a request is tried before the simulation gives up."""
TIMEOUT_S = 30.0
IN_FLIGHT = 4
"""Requests of one client at a time: enough to keep the gate busy, few enough for it to breathe."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Gate:
    """The front gate as one client sees it."""

    def __init__(self, http: httpx.AsyncClient, credentials: Credentials, answers: Answers) -> None:
        self._http = http
        self._credentials = credentials
        self.answers = answers

    async def send(self, request: Request) -> None:
        """Sends it until it is answered, and counts what was.

        **Raises**: TryAgain when the gate has not taken it for a long time; Broken, as `said_of`.
        """
        deadline_s, wait_s = time.monotonic() + PATIENCE_S, _FIRST_WAIT_S
        while True:
            response = await self._once(request)
            if response is not None and response.status_code not in _BUSY:
                if response.status_code == HTTPStatus.UNAUTHORIZED and self._credentials.forget():
                    continue
                said = said_of(request, response.status_code, response.content)
                self.answers.add(request, said)
                return
            if time.monotonic() > deadline_s:
                raise TryAgain(f"The gate at {self._http.base_url} has taken nothing for {PATIENCE_S:.0f} s.")
            self.answers.again += 1
            await asyncio.sleep(_asked_wait_s(response) or wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def send_all(self, lanes: Sequence[Sequence[Request]]) -> None:
        """Sends several rows of requests side by side, each row in its order. **Raises**: as `send`."""
        await side_by_side([self._send_in_order(lane) for lane in lanes])

    async def _send_in_order(self, requests: Sequence[Request]) -> None:
        for request in requests:
            await self.send(request)

    async def _once(self, request: Request) -> httpx.Response | None:
        """The answer; None when none came: then it may have been taken or not, and is sent again."""
        try:
            headers = {
                "Content-Type": request.content_type,
                TOLD_HEADER: str(request.at_us),
                **await self._credentials.headers(self._http, request.body),
            }
            return await self._http.post(request.path, content=request.body, headers=headers)
        except httpx.TransportError:
            return None


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[httpx.AsyncClient]:
    """Connections to a gate, kept open for the length of the block."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, limits=limits, trust_env=False) as http:
        yield http


async def side_by_side(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Does all of it at once; where one fails the others are given up. **Raises**: what the first raises."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


def _asked_wait_s(response: httpx.Response | None) -> float | None:
    """How long the gate asks to wait, where it does; a wait of hours is nobody's who simulates."""
    asked = "" if response is None else response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT_S) if asked.isdecimal() else None
