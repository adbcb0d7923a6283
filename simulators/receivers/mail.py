"""A mail server over TLS that takes whatever is sent to it."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as MAIL

from aiosmtpd.smtp import SMTP, Envelope, Session

from simulators.receivers.received import Inbox, Received

HOST = "127.0.0.1"


class _Taking:
    """What aiosmtpd calls when a mail is there."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Takes one mail; what cannot be read as one is refused."""
        content = envelope.content
        if not isinstance(content, bytes) or not envelope.rcpt_tos:
            self._inbox.refused += 1
            return "554 no mail"
        self._inbox.take(received(content, envelope.rcpt_tos[0]))
        return "250 taken"


def received(content: bytes, to: str) -> Received:
    """A mail as it came: with a letter it is secure mail, without one it says that something waits."""
    mail = message_from_bytes(content, _class=EmailMessage, policy=MAIL)
    body = mail.get_body(preferencelist=("plain",))
    letters = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    letter = letters[0].get_payload(decode=True) if letters else None
    return Received(
        way="secure_mail" if letters else "email",
        message_id=str(mail["Message-ID"] or "").strip("<>").partition("@")[0],
        to=to,
        text="" if body is None else str(body.get_content()),
        letter=letter if isinstance(letter, bytes) else None,
    )


@asynccontextmanager
async def mail_server(inbox: Inbox, tls: ssl.SSLContext) -> AsyncGenerator[int]:
    """Listens for as long as the block lasts; gives its port."""
    loop = asyncio.get_running_loop()
    handler = _Taking(inbox)
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", loop=loop), HOST, 0, ssl=tls
    )
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        server.close()
        await server.wait_closed()
