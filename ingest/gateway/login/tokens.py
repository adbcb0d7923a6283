"""Signed tokens of others: whether each is what it claims to be, for us, now. Time is an argument.

Algorithms are ours to choose, by the kind of key, never the token's: what is signed with `none`, or with a
public key as if it were a shared secret, is refused before anything in it is believed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from models.clock import SECOND_US

LEEWAY_S = 30
ASSERTION_LONGEST_S = 300
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"  # an identifier, not an address
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_BY_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "Ed25519"}

AsymmetricKey = RSAKey | ECKey | OKPKey


class BadToken(Exception):
    """A token that is not to be believed; the text is a word of ours, never a part of the token."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Who must have issued a token, and for whom."""

    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """Whose sessions an OpenID provider ends: one of its own sessions, or all of a subject."""

    subject: str | None
    provider_session: str | None
    jti: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a system signed to show that it is itself; counts once."""

    jti: str
    until_us: int


def algorithms_of(key: AsymmetricKey) -> tuple[str, ...]:
    """The algorithms that a key may have signed with; none for keys that we do not take."""
    match key:
        case RSAKey():
            return _RSA if key.raw_value.key_size >= 2048 else ()
        case ECKey() | OKPKey():
            algorithm = _BY_CURVE.get(key.curve_name)
            return () if algorithm is None else (algorithm,)


def header_of(token: str) -> Mapping[str, Any]:
    """What a token says of itself, unverified; for choosing among keys only. **Raises**: BadToken."""
    try:
        return jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise BadToken("unreadable") from error


def key_for(token: str, keys: KeySet) -> AsymmetricKey | None:
    """The key that a token names, or the only one where it names none."""
    kid = header_of(token).get("kid")
    usable = [
        key
        for key in keys
        if isinstance(key, AsymmetricKey) and key.get("use") in (None, "sig") and algorithms_of(key)
    ]
    if kid is None:
        return usable[0] if len(usable) == 1 else None
    return next((key for key in usable if key.kid == kid), None)


def id_token_claims(
    token: str, key: AsymmetricKey, expected: Expected, *, nonce: str, now_us: int
) -> Mapping[str, Any]:
    """The claims of an id_token that answers our request. **Raises**: BadToken.

    **Source**: OpenID Connect Core 1.0, section 3.1.3.7.
    """
    claims = _verified(token, key, expected, now_us)
    audience = claims["aud"]
    authorised = claims.get("azp")
    if isinstance(audience, list) and audience != [expected.audience] and authorised is None:
        raise BadToken("audience")
    if authorised is not None and authorised != expected.audience:
        raise BadToken("audience")
    if claims.get("nonce") != nonce:
        raise BadToken("nonce")
    if not claims.get("sub"):
        raise BadToken("subject")
    return claims


def logout_token(token: str, key: AsymmetricKey, expected: Expected, *, now_us: int) -> LogoutToken:
    """What a logout token ends. **Raises**: BadToken.

    **Source**: OpenID Connect Back-Channel Logout 1.0, section 2.6.
    """
    claims = _verified(token, key, expected, now_us)
    events = claims.get("events")
    if not isinstance(events, dict) or _LOGOUT_EVENT not in events:
        raise BadToken("event")
    if "nonce" in claims:
        raise BadToken("nonce")
    subject, provider_session, jti = claims.get("sub"), claims.get("sid"), claims.get("jti")
    if not (subject or isinstance(provider_session, str)) or not isinstance(jti, str):
        raise BadToken("subject")
    return LogoutToken(subject, provider_session, jti, int((claims["exp"] + LEEWAY_S) * SECOND_US))


def client_assertion(
    token: str, key: AsymmetricKey, client_id: str, audience: str, *, now_us: int
) -> Assertion:
    """What a system signed for our token endpoint. **Raises**: BadToken.

    **Source**: RFC 7523, section 3; at most five minutes from now, so that few have to be remembered.
    """
    claims = _verified(token, key, Expected(client_id, audience), now_us)
    if claims.get("sub") != client_id:
        raise BadToken("subject")
    # One endpoint, not one among others: what was signed for somebody else too could be used by them.
    if claims["aud"] not in (audience, [audience]):
        raise BadToken("audience")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 200:
        raise BadToken("jti")
    if claims["exp"] - now_us / SECOND_US > ASSERTION_LONGEST_S + LEEWAY_S:
        raise BadToken("too_long")
    return Assertion(jti, int((claims["exp"] + LEEWAY_S) * SECOND_US))


def client_id_of(token: str) -> str:
    """Whom an assertion claims to come from, unverified; for looking up the key. **Raises**: BadToken."""
    try:
        payload = jws.extract_compact(token.encode()).payload
        claims: Any = json.loads(payload or b"")
    except (JoseError, ValueError) as error:
        raise BadToken("unreadable") from error
    issuer = cast("dict[str, object]", claims).get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str):
        raise BadToken("issuer")
    return issuer


def _verified(token: str, key: AsymmetricKey, expected: Expected, now_us: int) -> dict[str, Any]:
    try:
        claims = jwt.decode(token, key, algorithms=algorithms_of(key)).claims
        jwt.JWTClaimsRegistry(
            now=now_us // SECOND_US,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": expected.issuer},
            aud={"essential": True, "value": expected.audience},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(claims)
    except (JoseError, ValueError) as error:
        raise BadToken(getattr(error, "error", "unreadable")) from error
    return claims
