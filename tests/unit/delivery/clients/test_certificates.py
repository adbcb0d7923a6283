"""Certificates, as proxies write them into headers; what cannot be read exactly is nobody's."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.clients.certificates import (
    Certificate,
    CertificateForm,
    certificate_from_file,
    certificate_of,
    subject_of,
)
from models.errors import BadInput


def made() -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example, Hubs"),
            x509.NameAttribute(NameOID.COMMON_NAME, "hub.example"),
        ]
    )
    key, at = generate_private_key(SECP256R1()), datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at)
        .not_valid_after(at + timedelta(days=365))
        .sign(key, SHA256())
    )


CERTIFICATE = made()
DER, PEM = CERTIFICATE.public_bytes(Encoding.DER), CERTIFICATE.public_bytes(Encoding.PEM)
THUMBPRINT = hashlib.sha256(DER).digest()
SUBJECT = r"CN=hub.example,O=Example\, Hubs"
WHOLE = Certificate(THUMBPRINT, SUBJECT)
HASH = THUMBPRINT.hex()


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("client_cert", f":{base64.b64encode(DER).decode()}:", WHOLE),
        ("pem", quote(PEM.decode()), WHOLE),
        ("sha256", HASH, Certificate(THUMBPRINT)),
        ("sha256", ":".join(HASH[n : n + 2].upper() for n in range(0, 64, 2)), Certificate(THUMBPRINT)),
        ("xfcc", f'By=spiffe://gate;Hash={HASH};Subject="CN=hub.example,O=Example\\\\, Hubs"', WHOLE),
        ("xfcc", f"Hash={HASH}", Certificate(THUMBPRINT)),
        ("xfcc", 'Subject="CN=hub.example";URI=spiffe://x', Certificate(subject="CN=hub.example")),
        ("xfcc", f'Hash={HASH};Subject=""', Certificate(THUMBPRINT)),
    ],
    # The certificate is another one each time: tests that run side by side must have the same names.
    ids=count(),
)
def test_forms_of_proxies(form: CertificateForm, value: str, expected: Certificate) -> None:
    assert certificate_of(form, value) == expected


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("client_cert", base64.b64encode(DER).decode()),
        ("client_cert", f":{base64.b64encode(DER[:-5]).decode()}:"),
        ("client_cert", "::"),
        ("pem", PEM.decode().replace("M", "N")),
        ("pem", ""),
        ("sha256", HASH[:-2]),
        ("sha256", "g" * 64),
        ("xfcc", f"Hash={HASH},Hash={HASH}"),
        ("xfcc", f"Hash={HASH};Hash={'0' * 64}"),
        ("xfcc", f"By=a,Hash={HASH}"),
        ("xfcc", "By=spiffe://gate"),
        ("xfcc", 'Subject="CN=hub'),
        ("xfcc", "Hash=00"),
        ("xfcc", ""),
    ],
    ids=count(),
)
def test_what_is_not_read_exactly_is_nobodys(form: CertificateForm, value: str) -> None:
    assert certificate_of(form, value) is None


@given(st.sampled_from(["client_cert", "pem", "sha256", "xfcc"]), st.text(max_size=200))
def test_nothing_that_stands_in_a_header_breaks_it(form: CertificateForm, value: str) -> None:
    found = certificate_of(form, value)
    assert found is None or found.thumbprint or found.subject


def test_a_file_and_a_name_as_they_are_registered() -> None:
    assert certificate_from_file(PEM) == certificate_from_file(DER) == Certificate(THUMBPRINT)
    assert subject_of(r"CN=hub.example, O=Example\, Hubs") == SUBJECT
    with pytest.raises(BadInput, match="PEM or DER"):
        certificate_from_file(b"no certificate")
    for text in ("no-such-file.pem", "", "CN"):
        with pytest.raises(BadInput, match="a file with a certificate"):
            subject_of(text)
