"""Receivers on this machine, as a sender meets them: over TLS, strict about signatures, each message once."""

import base64
import ssl
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import aiosmtplib
import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from models.clock import to_datetime, wall_now_us
from simulators.receivers.received import Received
from simulators.receivers.receivers import Receivers, receiving

KEY = b"k" * 32
PRACTICE, ADDRESS = UUID(int=1, version=4), UUID(int=2, version=4)


@pytest.fixture
async def told() -> list[Received]:
    return []


@pytest.fixture
async def receivers(tmp_path: Path, told: list[Received]) -> AsyncIterator[Receivers]:
    async with receiving(tmp_path, KEY, told.append) as running:
        yield running


def trusting(receivers: Receivers) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=receivers.environment["THUISWACHT_RECEIVERS_CA_FILE"])


async def mailed(receivers: Receivers, mail: EmailMessage, tls: ssl.SSLContext) -> None:
    await aiosmtplib.send(
        mail,
        sender="a@example.org",
        recipients=[receivers.mail_address(PRACTICE)],
        hostname=receivers.environment["THUISWACHT_SMTP_HOST"],
        port=int(receivers.environment["THUISWACHT_SMTP_PORT"]),
        use_tls=True,
        tls_context=tls,
    )


def a_mail(letter: bytes | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail["Message-ID"] = "<0198@example.org>"
    mail["Subject"] = "Er wacht een bericht"
    mail.set_content("Er wacht een bericht voor u: één.\n")
    if letter is not None:
        mail.add_attachment(letter, maintype="application", subtype="pdf", filename="brief.pdf")
    return mail


async def test_a_letter_arrives_as_it_was_sent(receivers: Receivers, told: list[Received]) -> None:
    for _ in range(2):
        await mailed(receivers, a_mail(b"%PDF-1.4\r\n\x00\xff"), trusting(receivers))
    (one,) = told
    assert (one.way, one.message_id, one.letter) == ("secure_mail", "0198", b"%PDF-1.4\r\n\x00\xff")
    assert one.to == receivers.mail_address(PRACTICE)
    assert receivers.inbox.copies == 1


async def test_a_mail_without_a_letter_is_plain(receivers: Receivers, told: list[Received]) -> None:
    await mailed(receivers, a_mail(), trusting(receivers))
    assert [(one.way, one.text.strip()) for one in told] == [("email", "Er wacht een bericht voor u: één.")]


async def test_who_does_not_trust_the_authority_sends_nothing(
    receivers: Receivers, told: list[Received]
) -> None:
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await mailed(receivers, a_mail(), ssl.create_default_context())
    assert not told


async def test_a_webhook_is_taken_when_its_signature_holds(
    receivers: Receivers, told: list[Received]
) -> None:
    url = receivers.webhook_address(ADDRESS)
    sign = Webhook(base64.b64encode(receivers.secret(ADDRESS)).decode())
    now = to_datetime(wall_now_us())

    async def post(body: str, signature: str, to: str = url, method: str = "POST") -> int:
        headers = {
            "webhook-id": "m1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        async with httpx.AsyncClient(verify=trusting(receivers)) as client:
            return (await client.request(method, to, content=body, headers=headers)).status_code

    right = sign.sign("m1", now, '{"a": 1}')
    assert await post('{"a": 1}', right) == 204
    assert await post('{"a": 1}', right) == 204
    assert await post('{"a": 2}', right) == 401
    assert await post('{"a": 1}', "") == 401
    assert await post('{"a": 1}', right, to=url.rsplit("/", 1)[0] + "/else") == 404
    assert await post('{"a": 1}', right, method="PUT") == 405
    assert [(one.way, one.message_id, one.text) for one in told] == [("webhook", "m1", '{"a": 1}')]
    assert (receivers.inbox.copies, receivers.inbox.refused) == (1, 3)


async def test_it_ends_without_leaving_anything_open(tmp_path: Path) -> None:
    async with receiving(tmp_path, KEY) as running:
        port = int(running.environment["THUISWACHT_SMTP_PORT"])
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=2).connect()
