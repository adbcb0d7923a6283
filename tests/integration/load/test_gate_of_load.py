"""Through the gate: who is told to wait, or gets no answer, tries again; who is refused is told."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import httpx
import numpy as np
import pytest

from models.errors import Broken
from simulators.load.gate import Entrance, ThroughGate, known_at, through_gate
from simulators.load.homes import homes_of
from simulators.load.pacing import OwnWatch
from simulators.load.readings import Writing
from simulators.load.schedule import Profile, Wanted, plan

HANG_UP = b""
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
SLOW_DOWN = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
UNKNOWN = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 8\r\n\r\nno good!"
UPLOADS = 30


class Known:
    """By what it is known; forgotten once when it is not believed."""

    def __init__(self) -> None:
        self.forgotten = 0

    async def headers(self, http: httpx.AsyncClient, body: bytes) -> dict[str, str]:  # noqa: ARG002
        return {"Authorization": "Bearer some"}

    def forget(self) -> bool:
        self.forgotten += 1
        return True


@asynccontextmanager
async def delivering(first: Sequence[bytes], credentials: Known) -> AsyncGenerator[ThroughGate]:
    """A gate that answers so to the first requests, and accepts all others."""
    answers = list(first)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                answer = answers.pop(0) if answers else ACCEPTED
                if answer is HANG_UP:
                    break
                writer.write(answer)
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        await writer.wait_closed()

    homes, watch = homes_of(1, 20), OwnWatch()
    planned = plan(Wanted(Profile.STEADY, UPLOADS, 1.0, 1), homes.ordinary, ())
    writing = Writing(homes, planned, watch.zero_us)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        entrance = Entrance(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", credentials)
        async with known_at(entrance) as http, through_gate(entrance, http, planned, writing, watch) as way:
            way.put(0, UPLOADS)
            yield way


async def test_each_is_tried_until_it_is_taken() -> None:
    known = Known()
    async with delivering([BUSY, HANG_UP, SLOW_DOWN, UNKNOWN, BUSY], known) as way:
        await way.drain()
        assert np.all(way.acknowledged_us >= 0)
        assert way.again == 5
        assert known.forgotten == 1


async def test_what_is_refused_is_told_and_not_counted_as_taken() -> None:
    async with delivering([REFUSED], Known()) as way:
        with pytest.raises(Broken, match=r"1 with 422(.|\n)*no good!"):
            await way.drain()
        assert (way.acknowledged_us < 0).sum() == 1
