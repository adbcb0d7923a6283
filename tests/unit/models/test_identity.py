"""What is sealed opens for its patient and its key alone, and shows itself nowhere."""

import base64
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bsn import Bsn
from models.errors import Broken, RefuseToStart
from models.identity import Contact, Identity, Keys, plain_name
from models.settings import Settings, identity_key

NONCE = bytes(range(12))
PATIENT, ANOTHER = UUID(int=1), UUID(int=2)
TRUUS = Contact(name="Truus", relation="mantelzorger", may_be_told=True)
IDENTITY = Identity(
    family_name="de Vries", birth_date=date(1948, 3, 2), bsn=Bsn("111222333"), contacts=(TRUUS,)
)
KEYS = Keys(b"k" * 32)


@given(st.text(min_size=1, max_size=200), st.dates(), st.binary(min_size=12, max_size=12))
def test_what_was_sealed_opens_as_it_was(name: str, born: date, nonce: bytes) -> None:
    identity = Identity(family_name=name, birth_date=born)
    sealed = KEYS.seal(PATIENT, identity, nonce)
    assert KEYS.open(PATIENT, sealed.sealed, sealed.key_id) == identity


def test_it_opens_for_no_other_patient_no_other_key_and_not_when_it_was_changed() -> None:
    sealed = KEYS.seal(PATIENT, IDENTITY, NONCE)
    with pytest.raises(Broken, match="does not open"):
        KEYS.open(ANOTHER, sealed.sealed, sealed.key_id)
    with pytest.raises(Broken, match="THUISWACHT_IDENTITY_KEY"):
        Keys(b"x" * 32).open(PATIENT, sealed.sealed, sealed.key_id)
    for place in range(len(sealed.sealed)):
        changed = bytearray(sealed.sealed)
        changed[place] ^= 1
        with pytest.raises(Broken):
            KEYS.open(PATIENT, bytes(changed), sealed.key_id)


def test_the_digests_find_the_same_and_tell_nothing_without_the_key() -> None:
    sealed = KEYS.seal(PATIENT, IDENTITY, NONCE)
    assert sealed.bsn_digest == KEYS.bsn_digest(Bsn("111222333"))
    assert sealed.name_digest == KEYS.name_digest("VRIES, de", date(1948, 3, 2))
    assert sealed.name_digest != KEYS.name_digest("de Vries", date(1948, 3, 3))
    assert sealed.bsn_digest != Keys(b"x" * 32).bsn_digest(Bsn("111222333"))


@given(st.text(max_size=30))
def test_a_plain_name_is_its_own_plain_name(name: str) -> None:
    assert plain_name(plain_name(name)) == plain_name(name)


def test_who_somebody_is_shows_in_no_repr() -> None:
    for shown in (repr(IDENTITY), str(IDENTITY), repr(TRUUS), f"{IDENTITY}"):
        assert "Vries" not in shown
        assert "111222333" not in shown
        assert "Truus" not in shown


def test_a_key_that_is_missing_or_no_key_is_refused_saying_how_to_make_one() -> None:
    key = b"k" * 32
    good = Settings.model_validate({"identity_key": base64.b64encode(key).decode()})
    assert identity_key(good) == key
    assert "aGtra2tr" not in repr(good)
    for wrong in (None, "", "not base64!", base64.b64encode(b"short").decode()):
        settings = Settings.model_validate({"identity_key": wrong})
        with pytest.raises(RefuseToStart, match="openssl rand -base64 32") as refused:
            identity_key(settings)
        assert not wrong or wrong not in str(refused.value)
