"""Webhooks, signed by the Standard Webhooks scheme, to systems of whoever may be asked.

**Source**: standardwebhooks.com, specification 1.0.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from alerting.notify.answers import receipt_of
from alerting.notify.body import written
from alerting.notify.channels import Later, Note, Outgoing, Receipt, Refused
from alerting.notify.https import Https, NotReached
from models.clock import SECOND_US, wall_now_us
from models.db.pool import Connection
from models.escalations import Channel

SECRET_PREFIX = "whsec_"  # noqa: S105  of which secrets begin with it


class Webhook:
    """Posts the structured body. `keys`: the one that secrets are derived from, and before it older ones.

    While there are several, each copy is signed for all of them: receivers change over when they can.
    """

    name = Channel.WEBHOOK
    addressed = True

    def __init__(
        self,
        https: Https,
        keys: Sequence[bytes],
        *,
        public_url: str | None = None,
        clock: Callable[[], int] = wall_now_us,
    ) -> None:
        self._https = https
        self._keys = tuple(keys)
        self._public_url = public_url
        self._clock = clock

    async def compose(self, connection: Connection, note: Note) -> bytes | Refused:  # noqa: ARG002  a channel
        """The documented JSON."""
        return written(note, self._public_url)

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Posts one copy under the id of its message."""
        if outgoing.address is None:
            return Refused("no address")
        message_id = str(outgoing.note.message.message_id)
        # When this copy is sent, by the wall: receivers refuse what is old, or not yet.
        at_s = self._clock() // SECOND_US
        headers = {
            "content-type": "application/json",
            **signed(self._keys, outgoing.address.address_id, message_id, at_s, outgoing.content),
        }
        try:
            answer = await self._https.post(outgoing.address.address, outgoing.content, headers)
        except NotReached as error:
            return Refused(error.why) if error.for_ever else Later(error.why)
        return receipt_of(answer.status, answer.headers, self._clock())

    async def close(self) -> None:
        """Nothing is kept open."""


def signed(
    keys: Sequence[bytes], address_id: UUID, message_id: str, at_s: int, content: bytes
) -> dict[str, str]:
    """The headers of the Standard Webhooks scheme. **Units**: `at_s` in seconds since 1970 UTC."""
    secrets = [secret_of(key, address_id) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signature(secret, message_id, at_s, content) for secret in secrets),
    }


def secret_of(key: bytes, address_id: UUID) -> bytes:
    """The secret that the messages to one address are signed with: derived, stored nowhere."""
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"thuiswacht webhook " + address_id.bytes)
    return derived.derive(key)


def as_told(secret: bytes) -> str:
    """The secret as its receiver is told it, and their library takes it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, message_id: str, at_s: int, content: bytes) -> str:
    """One signature of the scheme's version 1. **Units**: `at_s` in seconds since 1970 UTC."""
    signed = f"{message_id}.{at_s}.".encode() + content
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
