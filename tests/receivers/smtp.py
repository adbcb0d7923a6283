"""A real mail server with TLS, that keeps what it gets or says what it is told to."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER, PASSWORD = "thuiswacht", "geheim"


@dataclass
class Mailbox:
    """What arrived. `recipients`, `data`: what it says instead of yes, one for each mail."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    raw: list[bytes] = field(default_factory=list[bytes])
    to: list[str] = field(default_factory=list[str])
    recipients: deque[str] = field(default_factory=deque[str])
    data: deque[str] = field(default_factory=deque[str])
    hangs: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)

    server: asyncio.Server | None = None

    async def leave(self) -> None:
        """From now on nobody listens."""
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.recipients:
            return self.recipients.popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        if self.hangs:
            await self.released.wait()
        if self.data:
            return self.data.popleft()
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.raw.append(content)
        self.to += envelope.rcpt_tos
        return "250 OK"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=right)


@asynccontextmanager
async def mail_server(
    tls: ssl.SSLContext, *, starttls: bool = False, in_the_open: bool = False
) -> AsyncGenerator[Mailbox]:
    """A mail server on this machine: TLS from the first byte, by STARTTLS, or (refused by us) without."""
    box = Mailbox()
    made: list[SMTP] = []
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        smtp = SMTP(
            box,
            hostname="localhost",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
            authenticator=_authenticate,
            auth_require_tls=starttls,
            loop=loop,
        )
        made.append(smtp)
        return smtp

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=None if starttls or in_the_open else tls)
    box.server = server
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        box.released.set()
        server.close()
        for smtp in made:
            if smtp.transport is not None:
                smtp.transport.close()
            handler: asyncio.Task[Any] | None = getattr(smtp, "_handler_coroutine", None)
            if handler is not None:
                handler.cancel()
                await asyncio.gather(handler, return_exceptions=True)
        await server.wait_closed()
