"""One POST to somebody else's server, which may be anybody's and may do anything.

The name is looked up once, every answer is checked, and the connection goes to the address that was checked:
a name that means something else a moment later changes nothing. Certificate and Host are those of the name.
Redirects are answers like any other. What comes back is limited in size and, by the caller, in time.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import httpcore

from models.errors import BadInput
from models.reachable import is_loopback, is_public, require_https

_ANSWER_BYTES = 64 * 1024
_CONNECT_S = 5.0
_READ_S = 30.0

SocketOption: TypeAlias = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


class LookUp(Protocol):
    """Finds the addresses that a name has."""

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """**Raises**: OSError."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. **Shape**: `body` is cut off after 64 kB; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotReached(Exception):
    """No whole answer came. `for_ever`: it will be the same next time; `why` names nothing of the address."""

    def __init__(self, why: str, *, for_ever: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.for_ever = for_ever


@dataclass(frozen=True, slots=True)
class Https:
    """How we talk to others' servers. `own_machine`: also to servers here, in trial databases."""

    tls: ssl.SSLContext
    own_machine: bool = False
    look_up: LookUp | None = None

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Posts once. **Raises**: NotReached."""
        try:
            host, port, target = require_https(url)
        except BadInput:
            raise NotReached("not an https address", for_ever=True) from None
        address = await self._checked(host, port)
        written = f"[{host}]" if ":" in host else host
        request = httpcore.Request(
            "POST",
            httpcore.URL(scheme=b"https", host=host.encode(), port=port, target=target.encode()),
            headers=[
                (b"host", (written if port == 443 else f"{written}:{port}").encode()),
                (b"content-length", str(len(content)).encode()),
                (b"user-agent", b"thuiswacht"),
                (b"connection", b"close"),
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ],
            content=content,
            extensions={
                "timeout": {"connect": _CONNECT_S, "read": _READ_S, "write": _READ_S, "pool": _CONNECT_S}
            },
        )
        # A pool for one request: no connection outlives the look at where it leads.
        try:
            async with httpcore.AsyncConnectionPool(
                self.tls, max_connections=1, network_backend=_To(address)
            ) as pool:
                return await _answer(await pool.handle_async_request(request))
        except httpcore.TimeoutException:
            raise NotReached("timeout") from None
        except httpcore.ConnectError as error:
            raise NotReached("certificate" if _is_of_tls(error) else "no connection") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
            raise NotReached("connection lost") from None

    async def _checked(self, host: str, port: int) -> str:
        try:
            found = await (self.look_up or look_up)(host, port)
        except OSError:
            raise NotReached("name not found") from None
        if not found:
            raise NotReached("name not found")
        allowed = [is_public(a) or (self.own_machine and is_loopback(a)) for a in found]
        if not all(allowed):
            # One that leads inside among others that do not is no accident.
            raise NotReached("address not allowed", for_ever=True)
        return found[0]


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, by the resolver of the system. **Raises**: OSError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError("not a name") from None
    return [str(sockaddr[0]) for *_, sockaddr in found]


def tls_of(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are checked, against the public authorities and our own, if there is one."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


class _To(httpcore.AsyncNetworkBackend):
    """Connects to one address, whatever name is asked for."""

    def __init__(self, address: str) -> None:
        self._address = address
        # Declared twice in httpcore, once as a stand-in that is nothing.
        backend: Any = httpcore.AnyIOBackend()
        self._backend: httpcore.AsyncNetworkBackend = backend

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002  it was looked up and checked before
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's way
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return await self._backend.connect_tcp(self._address, port, timeout, local_address, socket_options)


async def _answer(response: httpcore.Response) -> Answer:
    try:
        body = b""
        async for part in response.aiter_stream():
            body += part
            if len(body) >= _ANSWER_BYTES:
                break
    finally:
        await response.aclose()
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return Answer(response.status, headers, body[:_ANSWER_BYTES])


def _is_of_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
