"""A real HTTPS endpoint that does what it is told: answers, hangs, drops the connection."""

import asyncio
import ssl
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """What came in."""

    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class Reply:
    """How to answer: by a status, or not at all (`drops` after having read everything, or `hangs`)."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    drops: bool = False
    hangs: bool = False


@dataclass
class Endpoint:
    """Its replies go by `script`, one for each request; after that by `usual`."""

    port: int = 0
    usual: Reply = field(default_factory=Reply)
    script: deque[Reply] = field(default_factory=deque[Reply])
    decide: Callable[[Request], Reply] | None = None
    requests: list[Request] = field(default_factory=list[Request])
    came: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: Counter[str] = field(default_factory=Counter[str])
    most_at_once: int = 0

    server: asyncio.Server | None = None

    async def leave(self) -> None:
        """From now on nobody listens."""
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()

    def url(self, host: str = "localhost", path: str = "/in") -> str:
        return f"https://{host}:{self.port}{path}"

    def reply_to(self, request: Request) -> Reply:
        if self.script:
            return self.script.popleft()
        return self.usual if self.decide is None else self.decide(request)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once["now"] += 1
        self.most_at_once = max(self.most_at_once, self.at_once["now"])
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            # Who asked has gone.
            pass
        finally:
            self.at_once["now"] -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read(reader)
        self.requests.append(request)
        self.came.set()
        reply = self.reply_to(request)
        if reply.hangs:
            await self.released.wait()
            return
        if reply.drops:
            writer.transport.abort()
            return
        headers = {"content-length": str(len(reply.body)), "connection": "close", **reply.headers}
        lines = [
            f"HTTP/1.1 {reply.status} So",
            *(f"{name}: {value}" for name, value in headers.items()),
            "",
            "",
        ]
        writer.write("\r\n".join(lines).encode() + reply.body)
        await writer.drain()


@asynccontextmanager
async def endpoint(tls: ssl.SSLContext, port: int = 0) -> AsyncGenerator[Endpoint]:
    """An endpoint on this machine, on a port of its own."""
    made = Endpoint()
    server = await asyncio.start_server(made.serve, "127.0.0.1", port, ssl=tls)
    made.server = server
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.released.set()
        server.close()
        await server.wait_closed()
        # Connections that the other side has left close at once; nobody waits for a sleeping one.
        for _ in range(200):
            if not made.at_once["now"]:
                break
            await asyncio.sleep(0.005)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(first.split(" ")[1], headers, body)
