"""Certificates of clients, as the proxy that ended TLS and verified them tells of them in a header.

**Source**: RFC 9440 (`Client-Cert`); Envoy's documentation of `x-forwarded-client-cert`; nginx's of
`$ssl_client_escaped_cert`.
"""

import base64
import hashlib
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from models.errors import BadInput

CertificateForm = Literal["client_cert", "xfcc", "pem", "sha256"]
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_PART = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)\s*(;|,|$)')


@dataclass(frozen=True, slots=True)
class Certificate:
    """By what a client is known: the SHA-256 of its certificate, and the name in it (RFC 4514)."""

    thumbprint: bytes | None = None
    subject: str | None = None


def certificate_of(form: CertificateForm, value: str) -> Certificate | None:
    """What a header says; None when it cannot be read, or tells of several.

    >>> certificate_of("sha256", "0" * 64).thumbprint == bytes(32)
    True
    """
    try:
        return _READ[form](value)
    except ValueError:
        return None


def certificate_from_file(content: bytes) -> Certificate:
    """A certificate in PEM or DER, for who registers it by its digest. **Raises**: BadInput."""
    try:
        found = _parsed(content)
    except ValueError:
        raise BadInput(
            where="certificate", expected="a certificate in PEM or DER", found="something else"
        ) from None
    return Certificate(thumbprint=found.thumbprint)


def subject_of(text: str) -> str:
    """The name of a certificate as it is compared, most specific part first. **Raises**: BadInput.

    >>> subject_of("CN=hub.example, O=Example")
    'CN=hub.example,O=Example'
    """
    try:
        name = _name(re.sub(r"(?<!\\),\s+", ",", text.strip()))
    except ValueError:
        name = None
    if name is None:
        raise BadInput(
            where="certificate",
            expected="a file with a certificate, or its subject such as CN=hub.example,O=Example",
            found="neither",
        )
    return name


def _name(text: str) -> str | None:
    """The name in the one way of writing it in which names are compared; None for one without parts."""
    return _compared(x509.Name.from_rfc4514_string(text))


def _compared(subject: x509.Name) -> str | None:
    name = subject.rfc4514_string()
    return name if name and "\0" not in name else None


def _from_client_cert(value: str) -> Certificate:
    if not (len(value) > 2 and value.startswith(":") and value.endswith(":")):
        raise ValueError
    return _parsed(base64.b64decode(value[1:-1], validate=True))


def _from_pem(value: str) -> Certificate:
    return _parsed(unquote(value).encode())


def _from_sha256(value: str) -> Certificate:
    digest = value.replace(":", "")
    if not _HEX.fullmatch(digest):
        raise ValueError
    return Certificate(thumbprint=bytes.fromhex(digest))


def _from_xfcc(value: str) -> Certificate:
    found: dict[str, str] = {}
    at = 0
    while at < len(value):
        part = _PART.match(value, at)
        # A comma begins what another proxy before ours says: that one is not asked.
        if part is None or part[3] == "," or part[1].lower() in found:
            raise ValueError
        text = part[2]
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        found[part[1].lower()] = text
        at = part.end()
    thumbprint = _from_sha256(found["hash"]).thumbprint if "hash" in found else None
    subject = _name(found.get("subject", ""))
    if thumbprint is None and subject is None:
        raise ValueError
    return Certificate(thumbprint, subject)


def _parsed(content: bytes) -> Certificate:
    with warnings.catch_warnings(action="ignore"):
        if content.lstrip().startswith(b"-----BEGIN"):
            found = x509.load_pem_x509_certificate(content)
        else:
            found = x509.load_der_x509_certificate(content)
        digest = hashlib.sha256(found.public_bytes(Encoding.DER)).digest()
        return Certificate(digest, _compared(found.subject))


_READ: Mapping[CertificateForm, Callable[[str], Certificate]] = {
    "client_cert": _from_client_cert,
    "xfcc": _from_xfcc,
    "pem": _from_pem,
    "sha256": _from_sha256,
}
