"""Whether a request was sent by our own pages, or by another site in the name of who is logged in."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def csrf_token(session_token: str) -> str:
    """What a state-changing request must show beside the cookie: our pages know it, other sites cannot.

    Bound to the session and computed from its token, so that nothing has to be kept.
    """
    return hmac.new(session_token.encode(), b"thuiswacht.csrf", hashlib.sha256).hexdigest()


def origin_of(url: str) -> str:
    """The origin as a browser writes it.

    >>> origin_of("https://Zorg.example.org:443/x"), origin_of("http://127.0.0.1:8080")
    ('https://zorg.example.org', 'http://127.0.0.1:8080')
    """
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def comes_from_elsewhere(method: str, headers: Mapping[str, str], own_origin: str) -> bool:
    """Whether a state-changing request comes from another site, or does not say where from.

    >>> comes_from_elsewhere("POST", {"origin": "https://evil.example"}, "https://zorg.example")
    True
    """
    if method in _SAFE:
        return False
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is None and site is None:
        return True
    return (origin is not None and origin != own_origin) or (site is not None and site != "same-origin")


def is_forged(
    method: str, headers: Mapping[str, str], session_token: str, own_origin: str, shown: str | None
) -> bool:
    """Whether a request with a session's cookie is not one of our own pages; `shown` is its CSRF token."""
    if method in _SAFE:
        return False
    if comes_from_elsewhere(method, headers, own_origin):
        return True
    return not hmac.compare_digest(csrf_token(session_token).encode(), (shown or "").encode())
