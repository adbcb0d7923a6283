"""A hospital's FHIR server, and a vendor's webhook: real HTTPS on this machine, as small as they can be."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alerting.notify.https import Https, tls_of

Reply = tuple[int, dict[str, Any] | str]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(slots=True)
class Receiver:
    """Takes requests, and answers as `reply` says."""

    reply: Callable[[Received], Reply]
    received: list[Received] = field(default_factory=list[Received])
    port: int = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/fhir"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        received = Received(first.split()[1], headers, content)
        self.received.append(received)
        status, body = self.reply(received)
        sent = (body if isinstance(body, str) else json.dumps(body)).encode()
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: {len(sent)}\r\n\r\n".encode() + sent)
        await writer.drain()
        writer.close()


class Store:
    """What a FHIR server keeps of transactions: conditional creates make what is not there yet."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}

    def __call__(self, received: Received) -> Reply:
        entries: list[dict[str, Any]] = []
        for entry in received.json["entry"]:
            request, resource = entry["request"], entry["resource"]
            kind, _, condition = request["url"].partition("?")
            key = f"{kind}?{request.get('ifNoneExist') or condition}"
            is_new = key not in self.resources
            if is_new or request["method"] == "PUT":
                self.resources[key] = resource
            entries.append({"response": {"status": "201 Created" if is_new else "200 OK"}})
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for key, one in self.resources.items() if key.startswith(f"{kind}?")]


@asynccontextmanager
async def listening(
    folder: Path, reply: Callable[[Received], Reply]
) -> AsyncGenerator[tuple[Receiver, Https]]:
    """A receiver, and the client that trusts its certificate."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver = Receiver(reply)
    server = await asyncio.start_server(receiver.talk, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver, Https(tls_of(certificate), own_machine=True)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)  # noqa: TID251  a certificate holds by the clock on the wall
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private
