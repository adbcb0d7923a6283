"""Secrets of those who sign: how they are read and made, and sealed while they lie in the database."""

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ingest.delivery.clients.signatures import SECRET_PREFIX
from models.errors import BadInput, Broken

NONCE_BYTES = 12
SECRET_BYTES = 32
"""Of one that we make."""
SHORTEST, LONGEST = 16, 256


class Sealing:
    """Seals with AES-256-GCM, by a key derived from the gateway's; a secret opens for its client alone."""

    def __init__(self, key: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"thuiswacht.gateway.client_secret")
        self._cipher = AESGCM(derived.derive(key))

    def seal(self, client_id: str, number: int, secret: bytes, nonce: bytes) -> bytes:
        """**Shape**: `nonce` is 12 bytes that were never used before with this key."""
        return nonce + self._cipher.encrypt(nonce, secret, _bound(client_id, number))

    def open(self, client_id: str, number: int, sealed: bytes) -> bytes:
        """**Raises**: Broken when it was sealed with another key, for another client, or was changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(client_id, number))
        except InvalidTag:
            raise Broken(
                f"Key {number} of client {client_id} does not open: it was sealed with another "
                "THUISWACHT_GATEWAY_KEY, or changed."
            ) from None


def as_told(secret: bytes) -> str:
    """A secret as it is told to who signs with it, and libraries of Standard Webhooks take it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def secret_of(text: str) -> bytes:
    """The secret that somebody else chose: base64 behind `whsec_`, or the text itself. **Raises**: BadInput.

    >>> secret_of("whsec_MDEyMzQ1Njc4OWFiY2RlZg==")
    b'0123456789abcdef'
    """
    text = text.strip()
    try:
        secret = (
            base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
            if text.startswith(SECRET_PREFIX)
            else text.encode()
        )
    except ValueError:
        secret = b""
    if not SHORTEST <= len(secret) <= LONGEST:
        raise BadInput(
            where="secret",
            expected=f"{SHORTEST} to {LONGEST} bytes, as text or as {SECRET_PREFIX} and base64",
            found="something else",
        )
    return secret


def _bound(client_id: str, number: int) -> bytes:
    return f"{client_id}:{number}".encode()
