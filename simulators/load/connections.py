"""A kept connection to a gate, one request at a time, that costs next to nothing itself."""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
_PORTS = {"http": 80, "https": 443}


class NoAnswer(Exception):
    """A connection ended, or nothing came any more."""


class Connection(asyncio.Protocol):
    """`answered(connection, status, whole)` is called for each answer, `lost(why)` where none will come."""

    def __init__(self, answered: Callable[[Self, int, bytes], None], lost: Callable[[str], None]) -> None:
        self._answered = answered
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._ends_at = 0
        self._is_asking = False
        self.is_over = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (the loop makes no others here)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self.is_over.set()
        if self._is_asking:
            self._is_asking = False
            self._lost(f"A connection ended before its answer ({exc}).")

    def send(self, request: bytes) -> None:
        """Sends one request; its answer comes before the next is sent."""
        assert self._transport is not None  # noqa: S101 (connected before)
        self._is_asking = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Called by the loop: an answer is whole when as much as it says has come."""
        received = self._received
        received += data
        if not self._ends_at:
            head = received.find(_END_OF_HEAD)
            if head < 0:
                return
            found = _LENGTH.search(received, 0, head)
            self._ends_at = head + len(_END_OF_HEAD) + (int(found[1]) if found else 0)
        if len(received) < self._ends_at or not self._is_asking:
            return
        status, whole = int(received[9:12]), bytes(received)
        self._received, self._ends_at, self._is_asking = bytearray(), 0, False
        self._answered(self, status, whole)

    async def close(self) -> None:
        """Nothing more comes over it."""
        self._is_asking = False
        if self._transport is not None:
            self._transport.close()
            await self.is_over.wait()


async def connect(
    url: str, answered: Callable[[Connection, int, bytes], None], lost: Callable[[str], None]
) -> Connection:
    """A connection to who listens at an address. **Raises**: OSError."""
    parts = urlsplit(url)
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(answered, lost), parts.hostname or "", parts.port or _PORTS[parts.scheme], ssl=tls
    )
    return connection
