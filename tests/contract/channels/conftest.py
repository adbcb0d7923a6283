"""Each channel with a real receiver at its end. Whoever adds a channel adds it here."""

import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer

from alerting.notify.channels import Address, Channel, Note, Outgoing, Refused
from alerting.notify.channels.kafka import Kafka
from alerting.notify.channels.mail import Mail
from alerting.notify.channels.secure_mail import SecureMail, SmtpCarrier
from alerting.notify.channels.webhook import Webhook
from alerting.notify.https import Https, tls_of
from alerting.notify.relay import Relay
from models.db.pool import Connection
from models.settings import Settings
from simulators.stack import Stack
from tests.notes import address
from tests.receivers.authority import Authority, make_authority
from tests.receivers.https import Reply, endpoint
from tests.receivers.smtp import mail_server

KEY = bytes(range(32))
PUBLIC_URL = "https://thuiswacht.example.org"
LETTER = b"%PDF-1.7 a letter"


@dataclass(frozen=True)
class Copy:
    """One copy as it arrived: under which id, what it says, and all that stands around that."""

    message_id: UUID
    content: bytes
    around: str


@dataclass
class Way:
    """A channel and the receiver at its end."""

    channel: Channel
    address: Address | None
    received: Callable[[], AbstractAsyncContextManager[Sequence[Copy]]]
    hang: Callable[[], None] | None
    leave: Callable[[], Awaitable[None]] | None
    first_line: Callable[[bytes], str] | None

    def outgoing(self, note: Note, content: bytes) -> Outgoing:
        return Outgoing(note, content, self.address)

    async def compose(self, connection: Connection, note: Note) -> bytes:
        content = await self.channel.compose(connection, note)
        assert not isinstance(content, Refused), content
        return content


Open = Callable[..., AbstractAsyncContextManager[Way]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server_tls(authority: Authority) -> ssl.SSLContext:
    return authority.server("localhost", "127.0.0.1")


@pytest.fixture
async def connection(stack: Stack) -> AsyncGenerator[Connection]:
    """Of a database without anything: these channels find all that they say in the note."""
    opened = await asyncpg.connect(stack.postgres_dsn)
    yield opened
    await opened.close()


def _first_field(content: bytes) -> str:
    name, value = next(iter(json.loads(content).items()))
    return f"{name}: {value}"


def _first_text(content: bytes) -> str:
    return content.decode().splitlines()[0]


def _relay(port: int, authority: Authority) -> Relay:
    return Relay("localhost", port, "tls", "melding@thuiswacht.example.org", tls_of(authority.file))


@asynccontextmanager
async def webhook(authority: Authority, tls: ssl.SSLContext, stack: Stack, topic: str) -> AsyncGenerator[Way]:
    async with endpoint(tls) as receiver:
        channel = Webhook(Https(tls_of(authority.file), own_machine=True), [KEY], public_url=PUBLIC_URL)

        @asynccontextmanager
        async def received() -> AsyncGenerator[Sequence[Copy]]:
            yield [
                Copy(UUID(request.message_id), request.body, f"{request.target} {dict(request.headers)}")
                for request in receiver.requests
            ]

        def hang() -> None:
            receiver.usual = Reply(hangs=True)

        yield Way(channel, address(receiver.url()), received, hang, receiver.leave, _first_field)


@asynccontextmanager
async def mail(authority: Authority, tls: ssl.SSLContext, stack: Stack, topic: str) -> AsyncGenerator[Way]:
    async with mail_server(tls) as box:
        channel = Mail(_relay(box.port, authority), PUBLIC_URL)

        @asynccontextmanager
        async def received() -> AsyncGenerator[Sequence[Copy]]:
            yield [
                Copy(
                    UUID(str(one["Message-ID"]).strip("<>").partition("@")[0]),
                    one.get_content().replace("\r\n", "\n").encode(),
                    f"{one.items()} {one.get_content()}",
                )
                for one in box.mails
            ]

        def hang() -> None:
            box.hangs = True

        yield Way(channel, address("praktijk@example.org"), received, hang, box.leave, _first_text)


@asynccontextmanager
async def secure_mail(
    authority: Authority, tls: ssl.SSLContext, stack: Stack, topic: str
) -> AsyncGenerator[Way]:
    async def write(connection: Connection, note: Note) -> bytes | Refused:
        return LETTER

    async with mail_server(tls) as box:
        channel = SecureMail(SmtpCarrier(_relay(box.port, authority)), write)

        @asynccontextmanager
        async def received() -> AsyncGenerator[Sequence[Copy]]:
            copies: list[Copy] = []
            for one in box.mails:
                [letter] = one.iter_attachments()
                text: Any = one.get_body()
                content = letter.get_payload(decode=True)
                assert isinstance(content, bytes)
                assert letter.get_content_type() == "application/pdf"
                around = f"{one.items()} {letter.get_filename()} {text.get_content()}"
                copies.append(Copy(UUID(str(one["Message-ID"])[1:37]), content, around))
            yield copies

        def hang() -> None:
            box.hangs = True

        yield Way(channel, address("praktijk@secure.example.org"), received, hang, box.leave, None)


@asynccontextmanager
async def kafka(authority: Authority, tls: ssl.SSLContext, stack: Stack, topic: str) -> AsyncGenerator[Way]:
    channel = Kafka(
        Settings(kafka=stack.kafka, alerts_topic=topic.removesuffix(".sandbox"), public_url=PUBLIC_URL)
    )

    @asynccontextmanager
    async def received() -> AsyncGenerator[Sequence[Copy]]:
        # Its types are said by halves.
        consumer: Any = AIOKafkaConsumer(topic, bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
        await consumer.start()
        try:
            ends: dict[Any, int] = await consumer.end_offsets(list(consumer.assignment()))
            copies: list[Copy] = []
            while sum(ends.values()) > len(copies):
                record: Any = await consumer.getone()
                copies.append(Copy(UUID(json.loads(record.value)["message_id"]), record.value, ""))
            yield copies
        finally:
            await consumer.stop()

    yield Way(channel, None, received, None, None, _first_field)


WAYS: dict[str, Open] = {"webhook": webhook, "mail": mail, "secure_mail": secure_mail, "kafka": kafka}


@pytest.fixture(params=sorted(WAYS))
async def way(
    request: pytest.FixtureRequest,
    authority: Authority,
    server_tls: ssl.SSLContext,
    stack: Stack,
    make_topic: Callable[..., str],
    tmp_path: Path,
) -> AsyncGenerator[Way]:
    topic = make_topic(partitions=1, suffix=".sandbox") if request.param == "kafka" else ""
    async with WAYS[request.param](authority, server_tls, stack, topic) as opened:
        yield opened
        await opened.channel.close()
