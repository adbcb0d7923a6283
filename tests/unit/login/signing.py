"""Keys and tokens as others make them: rightly, and in all the wrong ways."""

import base64
import hashlib
import hmac
import json
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

NOW_S = 1_795_332_680
NOW_US = NOW_S * 1_000_000


@cache
def rsa(name: str = "one", bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": name, "use": "sig"}, private=True, auto_kid=False)


@cache
def ec(curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, {"kid": f"ec-{curve}"}, private=True)


def public(*keys: RSAKey | ECKey) -> KeySet:
    return KeySet.import_key_set({"keys": [key.as_dict(private=False) for key in keys]})


def signed(claims: dict[str, Any], key: RSAKey | ECKey, algorithm: str = "RS256") -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


def _part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def unsigned(claims: dict[str, Any], algorithm: str = "none", kid: str | None = "one") -> str:
    return f"{_part({'alg': algorithm, 'typ': 'JWT', 'kid': kid})}.{_part(claims)}."


def confused(claims: dict[str, Any], key: RSAKey | ECKey) -> str:
    """HS256 with the public key as the secret: what a library that believes the header accepts."""
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': key.kid})}.{_part(claims)}"
    mac = hmac.new(key.as_pem(private=False), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
