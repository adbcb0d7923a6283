"""Who sent a refused message, whatever it holds; and marks of repetition, whoever wrote them."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.quarantine.forms import RetryForm, places_of
from ingest.quarantine.retries import Place, first_time, mark_of, place_in, retries_in
from ingest.quarantine.senders import NOBODY, sender_of
from models.messages import MAX_MESSAGE_BYTES
from tests.bad_input import BAD_MESSAGES
from tests.wire import Message


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(json.dumps))
def test_nothing_that_is_sent_breaks_the_look_for_its_sender(raw: bytes | str) -> None:
    assert sender_of(raw if isinstance(raw, bytes) else raw.encode("utf-8", "replace")) == NOBODY


def test_messages_that_have_to_be_refused_tell_what_they_can() -> None:
    for raw, *_ in BAD_MESSAGES.values():
        sender_of(raw or b"")
    assert sender_of(b"[" * 100_000) == NOBODY
    assert sender_of(b'{"device_id":"' + b"x" * MAX_MESSAGE_BYTES + b'"}') == NOBODY
    assert sender_of(b'{"device_id": "", "source": "' + b"y" * 201 + b'", "readings": {}}') == NOBODY


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1))
def test_a_mark_is_read_as_it_was_written(partition: int, offset: int) -> None:
    place = Place(partition, offset)
    assert place_in([("other", b"1/2"), mark_of(place)]) == place


@given(st.binary(max_size=40))
def test_any_other_mark_is_none_or_a_place(value: bytes) -> None:
    place = place_in([("thuiswacht-retry-of", value)])
    assert place is None or (0 <= place.partition < 2**31 and 0 <= place.offset < 2**63)


def test_records_without_headers_are_no_repetitions() -> None:
    assert retries_in([Message(0, b"{}")]) == {}
    assert first_time(np.array([3, 4, 4, 5]), {4: Place(0, 1)}).tolist() == [True, False, False, True]


def test_places_are_partition_and_offset() -> None:
    assert places_of(RetryForm(places=("0-0", "12-34"))) == [(0, 0), (12, 34)]
