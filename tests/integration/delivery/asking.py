"""What clients do to be known: sign for a token, and show it; sign a request."""

import secrets
from typing import Any
from uuid import uuid4

import httpx
from joserfc.jwk import ECKey, RSAKey

from ingest.delivery.clients import signatures
from ingest.gateway.delivery.entrance import CLIENT_HEADER
from ingest.gateway.login.token import ASSERTION_TYPE
from models.clock import SECOND_US
from tests.integration.delivery.gates import URL, Gate
from tests.unit.login.signing import signed


async def ask(
    gate: Gate, client_id: str, key: RSAKey | ECKey, algorithm: str = "ES256", **changed: Any
) -> httpx.Response:
    """Ask for a token."""
    now_s = gate.clock.now_us() // SECOND_US
    claims = {
        "iss": client_id, "sub": client_id, "aud": f"{URL}/token", "jti": secrets.token_hex(8), "iat": now_s,
        "exp": now_s + 60,
    } | changed  # fmt: skip
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed(claims, key, algorithm),
    }
    async with gate.http() as http:
        return await http.post("/token", data=form)


async def token_of(
    gate: Gate, client_id: str, key: RSAKey | ECKey, algorithm: str = "ES256"
) -> dict[str, str]:
    """The header that a client comes with, once it has a token."""
    answer = await ask(gate, client_id, key, algorithm)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def signed_headers(
    client_id: str, secret: bytes, body: bytes, at_us: int, request_id: str | None = None
) -> dict[str, str]:
    """The headers of a request that a hub signs."""
    named = request_id or f"msg_{uuid4().hex}"
    return {CLIENT_HEADER: client_id, **signatures.sign(secret, named, at_us // SECOND_US, body)}


async def deliver(
    gate: Gate, headers: dict[str, str], body: bytes = b"{}", address: str = "192.0.2.1"
) -> httpx.Response:
    """Deliver something."""
    async with gate.http(address) as http:
        return await http.post("/deliver", content=body, headers=headers)
