"""By what a simulated sender is known at the gate: a secret to sign with, or a key that gets tokens."""

import secrets
from base64 import b64decode
from binascii import Error
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import httpx
from joserfc import jwt

from ingest.delivery.clients.signatures import SECRET_PREFIX, sign
from ingest.gateway.login.keys import private_key_from_pem
from ingest.gateway.login.token import ASSERTION_TYPE
from ingest.gateway.login.token import PATH as TOKEN_PATH
from ingest.gateway.login.tokens import AsymmetricKey, algorithms_of
from models.clock import SECOND_US, wall_now_us
from models.errors import BadInput, Broken

CLIENT_HEADER = "X-Client-Id"
_ASSERTION_S = 60


class Credentials(Protocol):
    """What makes a request one of a client."""

    async def headers(self, http: httpx.AsyncClient, body: bytes) -> dict[str, str]:
        """The headers to send with a body. **Raises**: Broken when the gate does not know us."""
        ...

    def forget(self) -> bool:
        """Called when the gate did not believe them; whether it is worth another try."""
        ...


class Signed:
    """A secret that both sides have, as small hubs use it: each request is signed (Standard Webhooks)."""

    def __init__(self, client_id: str, secret: bytes) -> None:
        self.client_id = client_id
        self._secret = secret

    async def headers(self, http: httpx.AsyncClient, body: bytes) -> dict[str, str]:  # noqa: ARG002
        """Signed now, under an id of its own."""
        signed = sign(self._secret, f"msg_{secrets.token_hex(12)}", wall_now_us() // SECOND_US, body)
        return {CLIENT_HEADER: self.client_id, **signed}

    def forget(self) -> bool:
        """A secret that is not believed will not be."""
        return False


class Tokens:
    """A private key: what it signs is given for a token, and that for ten minutes of deliveries."""

    def __init__(self, client_id: str, key: AsymmetricKey, audience: str) -> None:
        """`audience`: the address that the gate calls its own, without a path."""
        self.client_id = client_id
        self._key = key
        self._audience = audience.rstrip("/") + TOKEN_PATH
        self._token: str | None = None

    async def headers(self, http: httpx.AsyncClient, body: bytes) -> dict[str, str]:  # noqa: ARG002
        """The token, asked for when there is none."""
        if self._token is None:
            self._token = await self._ask(http)
        return {"Authorization": f"Bearer {self._token}"}

    def forget(self) -> bool:
        """The token has ended, most likely: the next request asks for another."""
        had_one, self._token = self._token is not None, None
        return had_one

    async def _ask(self, http: httpx.AsyncClient) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }
        answer = await http.post(TOKEN_PATH, data=form)
        if answer.status_code != HTTPStatus.OK:
            raise Broken(f"The gate gave {self.client_id} no token ({answer.status_code}): {answer.text}")
        given: dict[str, Any] = answer.json()
        return str(given["access_token"])

    def _assertion(self) -> str:
        (algorithm, *_) = algorithms_of(self._key)
        now_s = wall_now_us() // SECOND_US
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self._audience,
            "jti": secrets.token_hex(16),
            "iat": now_s,
            "exp": now_s + _ASSERTION_S,
        }
        return jwt.encode({"alg": algorithm}, claims, self._key, algorithms=[algorithm])


def read_secret(file: Path) -> bytes:
    """A secret as `thuiswacht clients add` shows it. **Raises**: BadInput."""
    text = file.read_text("utf-8").strip().removeprefix(SECRET_PREFIX)
    try:
        return b64decode(text, validate=True)
    except (Error, ValueError):
        expected = f"{SECRET_PREFIX}… in base64"
        raise BadInput(where="secret", expected=expected, found="something else") from None


def read_key(file: Path) -> AsymmetricKey:
    """A private key in PEM. **Raises**: BadInput."""
    return private_key_from_pem(file.read_text("utf-8"))
