"""Both receivers on this machine, and how a dispatcher finds them."""

import base64
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from alerting.notify.channels.webhook import secret_of
from models.clock import wall_now_us
from simulators.receivers.certificate import make_certificate
from simulators.receivers.mail import HOST, mail_server
from simulators.receivers.received import Inbox, Received
from simulators.receivers.webhook import Hook, webhook_server

SENDER = "brieven@thuiswacht.example.org"


@dataclass(frozen=True, slots=True)
class Receivers:
    """What listens, and what came. `environment` leads the dispatching service here."""

    inbox: Inbox
    environment: Mapping[str, str]
    _webhook_port: int
    _key: bytes
    _secrets: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def mail_address(self, organisation_id: UUID) -> str:
        """An address of its own for letters to an organisation."""
        return f"{organisation_id}@ontvangers.example.org"

    def secret(self, address_id: UUID) -> bytes:
        """With which webhooks to one address are signed."""
        return secret_of(self._key, address_id)

    def webhook_address(self, address_id: UUID) -> str:
        """Where webhooks to one address go; signed with the secret of that address, or not taken."""
        path = f"/{address_id}"
        self._secrets[path] = self.secret(address_id)
        return f"https://{HOST}:{self._webhook_port}{path}"


@asynccontextmanager
async def receiving(
    folder: Path, key: bytes, tell: Callable[[Received], None] | None = None
) -> AsyncGenerator[Receivers]:
    """Listens for as long as the block lasts. `key`: 32 bytes, from which webhooks' secrets are derived."""
    certificate = make_certificate(folder, wall_now_us())
    tls = certificate.server_side()
    inbox = Inbox() if tell is None else Inbox(tell)
    secrets: dict[str, bytes] = {}
    hook = Hook(inbox, secrets, wall_now_us)
    async with mail_server(inbox, tls) as mail_port, webhook_server(hook, tls) as webhook_port:
        environment = {
            "THUISWACHT_RECEIVERS_HERE": "true",
            "THUISWACHT_RECEIVERS_CA_FILE": str(certificate.authority),
            "THUISWACHT_WEBHOOK_KEY": base64.b64encode(key).decode(),
            "THUISWACHT_PUBLIC_URL": "https://thuiswacht.example.org",
        }
        for name in ("SMTP", "SECURE_MAIL"):
            environment |= {
                f"THUISWACHT_{name}_HOST": HOST,
                f"THUISWACHT_{name}_PORT": str(mail_port),
                f"THUISWACHT_{name}_SECURITY": "tls",
                f"THUISWACHT_{name}_FROM": SENDER,
                f"THUISWACHT_{name}_CA_FILE": str(certificate.authority),
            }
        yield Receivers(inbox, environment, webhook_port, key, secrets)
