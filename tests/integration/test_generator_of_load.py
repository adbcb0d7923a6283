"""The generator of load sends what is due when it is due, and time runs from the planned moment."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from benchmarks.gateway.generator import Generator, poisson
from benchmarks.gateway.measuring import percentiles
from simulators.load.connections import NoAnswer

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\naccepted"


class Slow:
    """A server that answers one request at a time, each after so long, in two pieces."""

    def __init__(self, takes_s: float, answer: bytes = ANSWER) -> None:
        self._takes_s, self._answer = takes_s, answer
        self._one = asyncio.Lock()
        self._open = 0
        self.is_over = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                async with self._one:
                    await asyncio.sleep(self._takes_s)
                if not self._answer:
                    break
                writer.write(self._answer[:30])
                await writer.drain()
                writer.write(self._answer[30:])
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        await writer.wait_closed()
        self._open -= 1
        if self._open == 0:
            self.is_over.set()


@asynccontextmanager
async def asking(slow: Slow, connections: int) -> AsyncGenerator[Generator]:
    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    async with server:
        async with Generator([port], connections, b"accepted") as generator:
            yield generator
        await slow.is_over.wait()


async def test_waiting_for_a_connection_counts() -> None:
    """A server that takes 10 ms each, asked 20 times at once: the last waited for all of them."""
    async with asking(Slow(0.01), 2) as generator:
        run = await generator.open_loop([REQUEST] * 20, [0.0] * 20)
        assert run.statuses == {202: 20}
        assert run.accepted == 20
        assert max(run.latency_s) >= 0.2
        assert run.elapsed_s >= 0.2
        again = await generator.closed_loop([REQUEST] * 4)
        assert (again.accepted, len(again.latency_s)) == (4, 4)


async def test_an_answer_that_does_not_come_is_no_answer() -> None:
    async with asking(Slow(0.0, answer=b""), 1) as generator:
        with pytest.raises(NoAnswer):
            await generator.closed_loop([REQUEST])


def test_moments_are_as_many_as_asked_and_those_of_strangers() -> None:
    at_s = poisson(1_000, 2.0, seed=1)
    assert len(at_s) == 2_000
    assert at_s == sorted(at_s)
    assert 1.8 < at_s[-1] < 2.2
    assert percentiles([]).p99 == 0.0
