"""What is newer than everything known is new; nothing else goes that way."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest.newest
from ingest.decode import decode
from ingest.newest import Newest, keys_of
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from tests.wire import HOSPITAL, TAKEN_AT_US, log, reading, upload

keys = st.integers(-(2**63), 2**63 - 1).filter(bool) | st.integers(1, 5)
steps = st.lists(st.tuples(keys, st.integers(-50, 50)), max_size=60)


@settings(deadline=None)  # the first call compiles
@given(st.lists(steps, max_size=4))
def test_it_equals_a_dictionary(batches: list[list[tuple[int, int]]]) -> None:
    newest, plain = Newest(), dict[int, int]()
    for batch in batches:
        asked = np.array([key for key, _ in batch], dtype=np.int64)
        taken = np.array([at for _, at in batch], dtype=np.int64)
        unknown = newest.unknown(asked)
        assert unknown.tolist() == [key not in plain for key, _ in batch]
        new = np.unique(asked[unknown])
        newest.learn(new, np.full(len(new), -10))
        plain |= dict.fromkeys(new.tolist(), -10)
        expected: list[bool] = []
        for key, at in batch:
            expected.append(at > plain[key])
            plain[key] = max(plain[key], at)
        assert newest.pass_on(asked, taken).tolist() == expected


def test_it_grows_and_forgets() -> None:
    newest = Newest()
    many = np.arange(1, 100_001, dtype=np.int64) * 7_919
    newest.learn(many, many)
    assert len(newest) == 100_000
    assert not newest.unknown(many).any()
    assert not newest.pass_on(many, many).any()
    assert newest.pass_on(many, many + 1).all()
    newest.clear()
    assert newest.unknown(many).all()
    assert len(newest) == 0


def test_it_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.newest, "MOST_KEYS", 1_000)
    newest, lengths = Newest(), set[int]()
    for first in range(1, 20_000, 300):
        # Half of them known from the batch before.
        asked = np.arange(first, first + 600, dtype=np.int64) * 7_919
        unknown = newest.unknown(asked)
        newest.learn(asked[unknown], asked[unknown])
        assert not newest.pass_on(asked, asked).any()
        lengths.add(len(newest))
    assert max(lengths) <= 1_600


def test_patient_kind_and_device_make_the_key_and_nothing_else_does() -> None:
    patients = PatientIndex()
    ids = [UUID(int=1), UUID(int=2)]
    for patient in ids:
        patients.add(patient, HOSPITAL, -1)

    def keys_in(*values: bytes) -> list[int]:
        readings = normalise(decode(log(*values), partition=0, nonce="n"), patients).readings
        return keys_of(readings).tolist()

    pulse = reading("pulse", 70, unit="/min")
    found = keys_in(
        upload(reading(), pulse, patient=ids[0]),
        upload(reading(), pulse, patient=ids[1]),
        upload(reading(), pulse, patient=ids[0], device_id="other"),
    )
    assert len(set(found)) == 6
    later = reading(taken_at_us=TAKEN_AT_US + 1, revision=2, group="g", value=70.0)
    assert keys_in(upload(later, patient=ids[0], source="x")) == found[:1]
