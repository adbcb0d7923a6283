"""Secrets of clients open with our key, for their client and number, and otherwise not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.clients.sealing import Sealing, as_told, secret_of
from models.errors import BadInput, Broken

NONCE = b"n" * 12


@given(st.binary(min_size=16, max_size=64))
def test_a_secret_opens_for_its_client_alone(secret: bytes) -> None:
    sealing = Sealing(b"k" * 32)
    sealed = sealing.seal("hub", 1, secret, NONCE)
    assert secret not in sealed
    assert sealing.open("hub", 1, sealed) == secret
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    wrong = [
        (sealing, "hub", 2, sealed),
        (sealing, "hub2", 1, sealed),
        (sealing, "hub", 1, changed),
        (Sealing(b"o" * 32), "hub", 1, sealed),
    ]
    for one, client_id, number, what in wrong:
        with pytest.raises(Broken, match="does not open"):
            one.open(client_id, number, what)


@given(st.binary(min_size=16, max_size=256))
def test_what_is_told_is_read_back(secret: bytes) -> None:
    assert secret_of(as_told(secret) + "\n") == secret


def test_a_secret_that_a_vendor_chose_is_taken_as_it_is() -> None:
    assert secret_of("0123456789abcdef\n") == b"0123456789abcdef"
    for text in ("", "short", "whsec_", "whsec_%%%", "x" * 257):
        with pytest.raises(BadInput, match="16 to 256 bytes"):
            secret_of(text)
