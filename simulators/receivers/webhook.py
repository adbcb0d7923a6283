"""An HTTPS server that takes webhooks, and believes those that are signed for their address.

**Source**: standardwebhooks.com, specification 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
"""

import asyncio
import hmac
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from alerting.notify.channels.webhook import signature
from models.clock import SECOND_US
from simulators.receivers.mail import HOST
from simulators.receivers.received import Inbox, Received

_MOST_BYTES = 1_000_000
_PATIENCE_S = 300
_READ_S = 10.0


@dataclass(frozen=True, slots=True)
class Hook:
    """Where webhooks come in. `secrets`: by path, what they are signed with; `clock` in microseconds."""

    inbox: Inbox
    secrets: Mapping[str, bytes]
    clock: Callable[[], int]

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Takes one, or says with which status it is refused."""
        secret = self.secrets.get(path)
        if secret is None:
            self.inbox.refused += 1
            return 404
        message_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not at.isdecimal() or not self._signed(secret, message_id, int(at), headers, body):
            self.inbox.refused += 1
            return 401
        self.inbox.take(Received("webhook", message_id, path, body.decode()))
        return 204

    def _signed(
        self, secret: bytes, message_id: str, at_s: int, headers: Mapping[str, str], body: bytes
    ) -> bool:
        wanted = signature(secret, message_id, at_s, body)
        given = headers.get("webhook-signature", "").split()
        recent = abs(self.clock() // SECOND_US - at_s) <= _PATIENCE_S
        return recent and any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given)


@asynccontextmanager
async def webhook_server(hook: Hook, tls: ssl.SSLContext) -> AsyncGenerator[int]:
    """Listens for as long as the block lasts; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever hangs up in the middle sends again.
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(_READ_S):
                status = await _one(hook, reader)
                head = f"HTTP/1.1 {status} .\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                writer.write(head.encode())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0, ssl=tls)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        server.close()
        await server.wait_closed()


async def _one(hook: Hook, reader: asyncio.StreamReader) -> int:
    """The status of one request; a request that is none is 400."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        fields = (line.partition(":") for line in head[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        length = int(headers.get("content-length", ""))
    except (ValueError, asyncio.LimitOverrunError):
        return 400
    if method != "POST":
        return 405
    if not 0 <= length <= _MOST_BYTES:
        return 413
    return hook.answer(path, headers, await reader.readexactly(length))
