"""Signed requests: the ways in which senders sign with a secret that both sides have. Time is an argument.

**Source**: standardwebhooks.com, specification 1.0; the older forms as they are widely documented: a digest
of the body alone (`X-Hub-Signature-256`), or of a time, a full stop and the body (`X-Signature`).
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models.clock import SECOND_US

TOLERANCE_S = 300
"""So far from our clock a signature may say that it was made."""
KEPT_S = 2 * TOLERANCE_S
"""For so long a request could be sent again, with its time still counting."""
KEPT_WITHOUT_TIME_S = 86_400
"""And where none is signed: it could be sent again for ever, of which the first day is looked at."""
SECRET_PREFIX = "whsec_"  # noqa: S105  of which secrets begin with it
_MOST_SIGNATURES = 10
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_SECONDS = re.compile(r"[0-9]{1,12}")


class BadSignature(Exception):
    """A request that is not to be believed; the text is a word of ours, nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its signature, before it is believed. **Units**: seconds since 1970 UTC."""

    signatures: tuple[bytes, ...]
    request_id: str | None = None
    at_s: int | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One way of signing, and the header by which it is recognised.

    `claim`: from the headers, by lower-case names; None where not all are there. **Raises**: BadSignature.
    `content`: what is signed of a claim and a body.
    """

    name: str
    header: str
    claim: Callable[[Mapping[str, str]], Claim | None]
    content: Callable[[Claim, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Believed:
    """A signed request that is genuine: which one it is, and for how long it could come again."""

    id_sha256: bytes
    kept_s: int


def verify(
    form: Form, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now_us: int
) -> Believed:
    """Lets a request through that one of the secrets signed, now. **Raises**: BadSignature.

    **Shape**: `headers` by lower-case names. **Units**: `now_us` in microseconds since 1970 UTC.
    """
    claim = form.claim(headers)
    if claim is None:
        raise BadSignature("not_signed")
    if claim.at_s is not None and abs(claim.at_s - now_us // SECOND_US) > TOLERANCE_S:
        raise BadSignature("not_now")
    content = form.content(claim, body)
    # All of them, always: how long it takes tells nothing.
    genuine = False
    for secret in secrets:
        expected = hmac.digest(secret, content, hashlib.sha256)
        for signature in claim.signatures[:_MOST_SIGNATURES]:
            genuine |= hmac.compare_digest(expected, signature)
    if not genuine:
        raise BadSignature("signature")
    named = content if claim.request_id is None else claim.request_id.encode()
    digest = hashlib.sha256(form.name.encode() + b"\0" + named).digest()
    return Believed(digest, KEPT_WITHOUT_TIME_S if claim.at_s is None else KEPT_S)


def form_of(headers: Mapping[str, str]) -> Form | None:
    """The first of our forms in which a request is signed; None: it is not.

    >>> form_of({"x-hub-signature-256": "sha256=" + "0" * 64}).name
    'body'
    """
    return next((form for form in FORMS if form.header in headers), None)


def sign(secret: bytes, message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of the Standard Webhooks scheme, for who sends. **Units**: seconds since 1970 UTC.

    >>> verify(STANDARD, sign(b"k" * 32, "msg_1", 100, b"x"), b"x", [b"k" * 32], 100_000_000).kept_s
    600
    """
    content = _standard_content(Claim((), message_id, at_s), body)
    signature = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{signature}",
    }


def _standard_claim(headers: Mapping[str, str]) -> Claim | None:
    named, at, signed = (headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if named is None or at is None or signed is None:
        return None
    pairs = (one.partition(",") for one in signed.split())
    return Claim(
        tuple(_from_base64(text) for version, _, text in pairs if version == "v1"), _id(named), _at(at)
    )


def _standard_content(claim: Claim, body: bytes) -> bytes:
    return f"{claim.request_id}.{claim.at_s}.".encode() + body


def _stamped_claim(headers: Mapping[str, str]) -> Claim | None:
    """`X-Signature` and `X-Timestamp`, or both in one: `X-Signature: t=…,v1=…`."""
    signed, at = headers.get("x-signature"), headers.get("x-timestamp")
    if signed is None:
        return None
    named = headers.get("x-request-id")
    request_id = None if named is None else _id(named)
    if at is not None:
        return Claim((_from_text(signed.removeprefix("sha256=")),), request_id, _at(at))
    parts = [one.strip().partition("=") for one in signed.split(",")]
    at = next((value for name, _, value in parts if name == "t"), None)
    if at is None:
        return None
    return Claim(tuple(_from_text(value) for name, _, value in parts if name == "v1"), request_id, _at(at))


def _stamped_content(claim: Claim, body: bytes) -> bytes:
    return f"{claim.at_s}.".encode() + body


def _body_claim(headers: Mapping[str, str]) -> Claim | None:
    signed = headers.get("x-hub-signature-256")
    if signed is None:
        return None
    return Claim((_from_text(signed.removeprefix("sha256=")),))


def _body_content(_: Claim, body: bytes) -> bytes:
    return body


STANDARD = Form("standard", "webhook-signature", _standard_claim, _standard_content)
"""`webhook-id`, `webhook-timestamp`, `webhook-signature`, in base64; several signatures while keys change."""
STAMPED = Form("stamped", "x-signature", _stamped_claim, _stamped_content)
"""`X-Signature` (hexadecimal or base64) over time and body, and `X-Timestamp`."""
BODY = Form("body", "x-hub-signature-256", _body_claim, _body_content)
"""`X-Hub-Signature-256: sha256=…` over the body alone: no time, so what was sent once counts once."""
FORMS = (STANDARD, STAMPED, BODY)


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise BadSignature("id")
    return text


def _at(text: str) -> int:
    # As it is written, so that what is signed is what is compared; leading zeros would not be.
    if not _SECONDS.fullmatch(text) or text != str(int(text)):
        raise BadSignature("time")
    return int(text)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _from_text(text: str) -> bytes:
    """A digest in hexadecimal (64 of them), or in base64."""
    if len(text) == 64:
        try:
            return bytes.fromhex(text)
        except ValueError:
            return b""
    return _from_base64(text)
