"""The OpenID provider: what it tells of itself, its keys as they change, and the code for a token."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote_plus, urlsplit

import httpx
from authlib.oauth2 import rfc7636
from authlib.oauth2.rfc6749 import parameters
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ingest.gateway.configuration import OidcSettings
from ingest.gateway.login.keys import private_key_from_pem
from ingest.gateway.login.tokens import AsymmetricKey, BadToken, Expected, algorithms_of, key_for
from models import logs
from models.clock import HOUR_US, SECOND_US, wall_now_us
from models.db.sessions import Pending
from models.endpoints import is_loopback
from models.errors import TryAgain

log = logs.get(__name__)

# Authlib has no types.
_grant_uri: Callable[..., str] = cast("Any", parameters).prepare_grant_uri
_challenge: Callable[[str], str] = cast("Any", rfc7636).create_s256_code_challenge

SCOPE = "openid profile"
_PATIENCE_S = 10.0
_TOLD_AGAIN_US = HOUR_US
_KEYS_AT_MOST_EVERY_US = 10 * SECOND_US
"""A token with a key that we do not know makes us ask again, but nobody makes us ask all the time."""
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class CodeRefused(Exception):
    """The provider does not give a token for this code: used before, too old, or not for us."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider tells of itself (OpenID Connect Discovery)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None


class Provider:
    """One provider; asks it only when there is something to ask, and keeps what it told for an hour."""

    def __init__(
        self, settings: OidcSettings, redirect_uri: str, now_us: Callable[[], int] = wall_now_us
    ) -> None:
        self.settings = settings
        self._now_us = now_us
        self._redirect_uri = redirect_uri
        self._http = httpx.AsyncClient(timeout=_PATIENCE_S, follow_redirects=False)
        self._told: tuple[int, Told] | None = None
        self._keys: tuple[int, KeySet] | None = None

    @property
    def expected(self) -> Expected:
        """Who issues its tokens, for us."""
        return Expected(self.settings.issuer, self.settings.client_id)

    async def close(self) -> None:
        """Gives its connections back."""
        await self._http.aclose()

    async def address(self, state: str, pending: Pending) -> str:
        """Where to send a browser that wants to log in. **Raises**: TryAgain."""
        told = await self._tell()
        return _grant_uri(
            told.authorization_endpoint,
            client_id=self.settings.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=SCOPE,
            state=state,
            nonce=pending.nonce,
            code_challenge=_challenge(pending.code_verifier),
            code_challenge_method="S256",
            acr_values=" ".join(self.settings.claims.acr_values),
        )

    async def end_address(self, back_to: str) -> str | None:
        """Where a browser ends its session at the provider too; None where the provider has no such place."""
        told = await self._tell()
        if told.end_session_endpoint is None:
            return None
        parameters = httpx.QueryParams(client_id=self.settings.client_id, post_logout_redirect_uri=back_to)
        separator = "&" if urlsplit(told.end_session_endpoint).query else "?"
        return f"{told.end_session_endpoint}{separator}{parameters}"

    async def id_token(self, code: str, pending: Pending) -> str:
        """The id_token for a code, not yet looked at. **Raises**: CodeRefused, TryAgain."""
        told = await self._tell()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": pending.code_verifier,
        }
        auth = httpx.Auth()
        if self.settings.client_key is not None:
            form |= self._signed(told.token_endpoint, self.settings.client_key)
        elif self.settings.client_secret is not None:
            # RFC 6749, 2.3.1: encoded as in a form before they are put together.
            auth = httpx.BasicAuth(
                quote_plus(self.settings.client_id), quote_plus(self.settings.client_secret)
            )
        try:
            response = await self._http.post(told.token_endpoint, data=form, auth=auth)
        except httpx.HTTPError as error:
            raise _away(error) from error
        if response.status_code >= 500:
            raise TryAgain(f"The OpenID provider answers with {response.status_code}.")
        token = _object(response).get("id_token") if response.status_code == 200 else None
        if not isinstance(token, str):
            raise CodeRefused
        return token

    async def key_for(self, token: str) -> AsymmetricKey:
        """The key that signed a token, asked for where we do not know it. **Raises**: BadToken, TryAgain."""
        now_us = self._now_us()
        if self._keys is not None and now_us - self._keys[0] < _TOLD_AGAIN_US:
            found = key_for(token, self._keys[1])
            if found is not None:
                return found
        if self._keys is None or now_us - self._keys[0] >= _KEYS_AT_MOST_EVERY_US:
            self._keys = (now_us, await self._ask_for_keys())
            found = key_for(token, self._keys[1])
            if found is not None:
                return found
        raise BadToken("unknown_key")

    async def _tell(self) -> Told:
        now_us = self._now_us()
        if self._told is None or now_us - self._told[0] >= _TOLD_AGAIN_US:
            address = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
            self._told = (now_us, read_told(await self._get(address), self.settings.issuer))
        return self._told[1]

    async def _ask_for_keys(self) -> KeySet:
        told = await self._tell()
        found = await self._get(told.jwks_uri)
        keys: object = found.get("keys")
        listed = cast("list[dict[str, Any]]", keys) if isinstance(keys, list) else []
        try:
            return KeySet.import_key_set({"keys": [key for key in listed if _is_public_signing_key(key)]})
        except (JoseError, ValueError) as error:
            raise TryAgain("The OpenID provider's keys cannot be read.") from error

    async def _get(self, address: str) -> dict[str, Any]:
        try:
            response = await self._http.get(address, headers={"Accept": "application/json"})
        except httpx.HTTPError as error:
            raise _away(error) from error
        if response.status_code != 200:
            raise TryAgain(f"The OpenID provider answers with {response.status_code}.")
        return _object(response)

    def _signed(self, token_endpoint: str, pem: str) -> dict[str, str]:
        """Our own client assertion (RFC 7523)."""
        key = private_key_from_pem(pem)
        now_s = self._now_us() // SECOND_US
        us = self.settings.client_id
        claims = {"iss": us, "sub": us, "aud": token_endpoint, "jti": secrets.token_urlsafe(24)}
        algorithm = algorithms_of(key)[0]
        token = jwt.encode(
            {"alg": algorithm}, claims | {"iat": now_s, "exp": now_s + 60}, key, algorithms=[algorithm]
        )
        return {"client_id": us, "client_assertion_type": _ASSERTION, "client_assertion": token}


def read_told(found: Mapping[str, Any], issuer: str) -> Told:
    """What a provider tells, as far as we use it. **Raises**: TryAgain for another issuer, or without TLS."""
    if found.get("issuer") != issuer:
        raise TryAgain("The OpenID provider calls itself otherwise than THUISWACHT_OIDC_ISSUER.", after_s=60)
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    needed = [found.get(name) for name in names]
    if not all(isinstance(address, str) and _is_safe(address, issuer) for address in needed):
        raise TryAgain(f"The OpenID provider does not tell its {', '.join(names)}, with https.", after_s=60)
    methods = found.get("code_challenge_methods_supported", ["S256"])
    if "S256" not in methods:
        raise TryAgain("The OpenID provider does not do PKCE with S256.", after_s=60)
    end = found.get("end_session_endpoint")
    usable_end = end if isinstance(end, str) and _is_safe(end, issuer) else None
    authorization, token, jwks = cast("list[str]", needed)
    return Told(authorization, token, jwks, usable_end)


def _is_safe(address: str, issuer: str) -> bool:
    """Whether an address has TLS, or is on this machine like the issuer itself."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return True
    return urlsplit(issuer).scheme == "http" and is_loopback(parts.hostname or "")


def _is_public_signing_key(key: object) -> bool:
    """Symmetric keys have no place among public ones, and keys for encryption sign nothing."""
    if not isinstance(key, dict):
        return False
    found = cast("dict[str, object]", key)
    return found.get("kty") in ("RSA", "EC", "OKP") and found.get("use", "sig") == "sig" and "d" not in found


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        found: object = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TryAgain("The OpenID provider answers with something that is not an object of JSON.")
    return cast("dict[str, Any]", found)


def _away(error: httpx.HTTPError) -> TryAgain:
    log.warning("away", what="openid_provider", why=type(error).__name__)
    return TryAgain(f"The OpenID provider is away ({type(error).__name__}).", after_s=5)
