"""Connections that never end are ended; who comes late to their own request still hears the answer to it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from prometheus_client import REGISTRY

from ingest.gateway.delivery import bodies, connections
from ingest.gateway.delivery.bodies import read_body
from ingest.gateway.delivery.connections import BoundedConnection
from ingest.gateway.problems import answer
from ingest.gateway.server import Server
from models.errors import ThuiswachtError
from simulators.stack.ports import free_port

HEAD = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
# Nothing is asserted about seconds: short, so that nobody waits for long.
SOON_S = 0.2

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SLOWEST_HEAD_S", SOON_S)
    monkeypatch.setattr(connections, "SLOWEST_FETCH_S", SOON_S)
    monkeypatch.setattr(bodies, "SLOWEST_S", SOON_S)


@asynccontextmanager
async def serving() -> AsyncGenerator[int]:
    app = FastAPI()
    app.add_exception_handler(ThuiswachtError, answer)

    @app.post("/read")
    async def read(request: Request) -> Response:
        return Response(f"{len(await read_body(request))} bytes\n")

    @app.post("/unread")
    async def unread(request: Request) -> Response:
        return Response("as you like\n", 413)

    @app.get("/large")
    async def large(request: Request) -> Response:
        return Response(bytes(32 * 1024 * 1024))

    port = free_port()
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, http=BoundedConnection, lifespan="off", log_config=None,
        timeout_keep_alive=60, access_log=False,
    )  # fmt: skip
    server = Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn gives no event)
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[Pair]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side ends the connection, in whatever way."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def answered(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length)


def cut_off(why: str) -> float:
    return REGISTRY.get_sample_value("thuiswacht_gateway_cut_off_total", {"why": why}) or 0.0


@pytest.mark.parametrize("sent", [b"", b"POST /read HT", HEAD, b"\r\n\r\n"])
async def test_a_head_that_never_ends_is_not_waited_for(sent: bytes) -> None:
    before = cut_off("slow_head")
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(sent)
        assert await rest_of(reader) == b""
    assert cut_off("slow_head") == before + 1


async def test_nor_one_that_comes_drop_by_drop_behind_another_request() -> None:
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 2\r\n\r\n{}")
        assert await answered(reader) == (200, b"2 bytes\n")
        reading = asyncio.create_task(rest_of(reader))
        try:
            while not reading.done():
                writer.write(b"\r\n")
                await asyncio.sleep(SOON_S / 10)
        except ConnectionError:
            pass
        assert await reading == b""


async def test_a_body_that_comes_too_slowly_is_answered_408() -> None:
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 200\r\n\r\n{")
        status, _ = await answered(reader)
        assert status == 408
        # And what is left of it is not waited for either.
        assert await rest_of(reader) == b""


async def test_who_is_answered_before_the_body_has_ended_hears_it_and_may_go_on() -> None:
    length = 20_000_000
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(HEAD.replace(b"/read", b"/unread") + b"Connection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % length + bytes(length))
        assert (await answered(reader))[0] == 413
        await writer.drain()
        assert await rest_of(reader) == b""
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(HEAD.replace(b"/read", b"/unread") + b"Content-Length: %d\r\n\r\n" % length)
        writer.write(bytes(length))
        assert (await answered(reader))[0] == 413
        await writer.drain()
        writer.write(HEAD + b"Content-Length: 2\r\n\r\n{}")
        assert await answered(reader) == (200, b"2 bytes\n")


async def test_a_head_that_is_too_large_is_cut_off() -> None:
    before = cut_off("large_head")
    for head in (b"X-A: " + b"x" * 100_000, b"".join(b"X-%d: 1\r\n" % number for number in range(101))):
        async with serving() as port, connected(port) as (reader, writer):
            writer.write(HEAD + head)
            assert await rest_of(reader) == b""
    assert cut_off("large_head") == before + 2


async def test_an_answer_that_nobody_fetches_is_not_kept() -> None:
    before = cut_off("slow_fetch")
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        while cut_off("slow_fetch") == before:  # noqa: ASYNC110 (it is us who must not read)
            await asyncio.sleep(SOON_S / 10)
        assert len(await rest_of(reader)) < 32 * 1024 * 1024


async def test_more_connections_than_we_can_have_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SLOWEST_HEAD_S", 60)
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 1)
    async with serving() as port, connected(port) as (first, writer):
        writer.write(HEAD + b"Content-Length: 2\r\n\r\n{}")
        assert (await answered(first))[0] == 200
        async with connected(port) as (second, _):
            assert await rest_of(second) == b""
        writer.write(HEAD + b"Content-Length: 2\r\n\r\n{}")
        assert (await answered(first))[0] == 200


async def test_garbage_is_answered_and_ends_the_connection() -> None:
    for garbage in (b"\x16\x03\x01\x02\x00", b"NONSENSE\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"):
        async with serving() as port, connected(port) as (reader, writer):
            writer.write(garbage)
            assert (await rest_of(reader)).startswith(b"HTTP/1.1 400")


async def test_many_requests_at_once_are_answered_in_turn_and_not_without_end() -> None:
    one = HEAD + b"Content-Length: 2\r\n\r\n{}"
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(one * 10)
        for _ in range(10):
            assert await answered(reader) == (200, b"2 bytes\n")
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(one * 1_000)
        assert (await rest_of(reader)).count(b"HTTP/1.1") < 1_000
