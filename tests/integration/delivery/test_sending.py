"""What simulated senders do when the gate is busy, away, or does not know them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from models.errors import Broken
from simulators.gate.answers import Answered, Answers
from simulators.gate.credentials import Signed
from simulators.gate.requests import Part, Request
from simulators.gate.sending import Gate, connected
from simulators.wire import Message

TAKEN = b'{"uploads": [{"result": "accepted", "status": "/v1/uploads/x"}, {"result": "duplicate"}]}'
REQUEST = Request(
    "/v1/uploads",
    "application/json",
    b"[{}, {}]",
    (Part(Message(1, 7, b"{}", 3), (3,)), Part(Message(2, 8, b"{}", 2), (2,))),
    2,
)


@dataclass
class Script:
    """A server that answers as it is told, and keeps what it was asked."""

    answers: list[tuple[int, str, bytes]]
    asked: list[str] = field(default_factory=list[str])
    serving: list[asyncio.Task[None] | None] = field(default_factory=list[asyncio.Task[None] | None])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.append(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode().lower()
                length = int(text.partition("content-length: ")[2].partition("\r")[0])
                await reader.readexactly(length)
                self.asked.append(text)
                status, header, body = self.answers.pop(0)
                if status == 0:
                    break
                lines = f"HTTP/1.1 {status} .\r\n{header}content-length: {len(body)}\r\n\r\n"
                writer.write(lines.encode() + body)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def talking(*answers: tuple[int, str, bytes]) -> AsyncGenerator[tuple[Script, Gate]]:
    script = Script(list(answers))
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with connected(f"http://127.0.0.1:{port}") as http:
            yield script, Gate(http, Signed("hub", b"k" * 32), Answers())
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*(task for task in script.serving if task is not None))


async def test_who_is_busy_is_asked_again_and_counted_once() -> None:
    busy, many, away = (503, "retry-after: 0\r\n", b""), (429, "", b""), (0, "", b"")
    async with talking(busy, many, away, (200, "", TAKEN)) as (script, gate):
        await gate.send(REQUEST)
    assert len(script.asked) == 4
    assert gate.answers.uploads == {Answered.ACCEPTED: 1, Answered.DUPLICATE: 1}
    assert gate.answers.in_log == {7: 3}
    assert gate.answers.not_in_log == {Answered.DUPLICATE: 2}
    assert (gate.answers.requests, gate.answers.again) == (1, 3)
    # Each time signed anew, at the same simulated moment.
    assert len({text.partition("webhook-id: ")[2].partition("\r")[0] for text in script.asked}) == 4
    assert all("thuiswacht-simulated-time: 2\r\n" in text for text in script.asked)


@pytest.mark.parametrize("status", [401, 415, 500])
async def test_what_no_simulation_may_be_answered_ends_it(status: int) -> None:
    async with talking((status, "", b"no")) as (_, gate):
        with pytest.raises(Broken, match=f"{status} to /v1/uploads: no"):
            await gate.send(REQUEST)


async def test_an_upload_that_cannot_be_read_is_refused_and_no_more() -> None:
    torn = Request("/v1/uploads", "application/json", b"{", REQUEST.parts[:1], 1)
    async with talking((400, "", b"{}")) as (_, gate):
        await gate.send(torn)
    assert gate.answers.uploads == {Answered.REFUSED: 1}
    assert gate.answers.not_in_log == {Answered.REFUSED: 3}


async def test_of_rows_side_by_side_each_is_in_order_and_one_that_fails_ends_all() -> None:
    taken = (200, "", TAKEN)
    async with talking(taken, taken, taken, taken) as (script, gate):
        await gate.send_all([[REQUEST, REQUEST], [REQUEST, REQUEST]])
        assert (gate.answers.requests, len(script.asked)) == (4, 4)
    async with talking(taken, (500, "", b"")) as (_, gate):
        with pytest.raises(Broken):
            await gate.send_all([[REQUEST], [REQUEST]])


async def test_nobody_there_is_waited_for_until_somebody_is() -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9", trust_env=False) as http:
        gate = Gate(http, Signed("hub", b"k" * 32), Answers())
        sending = asyncio.create_task(gate.send(REQUEST))
        while gate.answers.again < 2:  # noqa: ASYNC110  (counted by the task itself)
            await asyncio.sleep(0.01)
        assert not sending.done()
        sending.cancel()
