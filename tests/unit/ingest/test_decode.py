"""What is sound arrives as it was sent."""

import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.changes import place
from ingest.decode import decode
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from ingest.scan import as_bytes, long_numbers, parse_uuids
from models.columns import NO_OFFSET_MIN, Readings, Reason
from models.kinds import KIND_BY_NAME
from models.messages import Enrol, Register
from tests.wire import (
    HOSPITAL,
    PATIENT,
    RECEIVED_AT_US,
    TAKEN_AT_US,
    change,
    clock,
    log,
    reading,
    registration,
    upload,
)

WEEK_US = 7 * 86_400_000_000


def readings_of(*values: bytes) -> Readings:
    patients = PatientIndex()
    patients.add(PATIENT, HOSPITAL, -1)
    readings, refusals, _ = normalise(decode(log(*values), partition=2, nonce="n"), patients)
    assert refusals == []
    return readings


def text_of(readings: Readings, column: NDArray[np.int32], row: int = 0) -> str | None:
    return None if column[row] < 0 else readings.texts[int(column[row])]


def test_a_plain_reading_arrives_with_all_that_was_sent() -> None:
    readings = readings_of(upload(reading(value=81_400, unit="g")))
    assert (readings.partition, len(readings)) == (2, 1)
    assert readings.value[0] == 81.4
    assert (readings.value_received[0], text_of(readings, readings.unit_received)) == (81_400, "g")
    assert readings.kind[0] == KIND_BY_NAME["body_weight"].number
    assert readings.taken_at_us[0] == TAKEN_AT_US
    assert readings.received_at_us[0] == RECEIVED_AT_US
    assert readings.sent_at_us[0] == RECEIVED_AT_US - 1_000_000
    assert text_of(readings, readings.device) == "scale-4711"
    assert text_of(readings, readings.source) == "vendor-a"
    assert UUID(bytes=readings.upload_id[0].tobytes()) == UUID(
        json.loads(upload(reading(value=81_400, unit="g")))["upload_id"]
    )
    assert (readings.revision[0], readings.void[0], readings.too_late[0]) == (0, False, False)
    assert readings.utc_offset_min[0] == NO_OFFSET_MIN
    for column in (readings.code, readings.absent, readings.text, readings.group, readings.code_received):
        assert column[0] == -1


def test_every_optional_field_arrives() -> None:
    readings = readings_of(
        upload(
            reading(revision=3, group="morning", utc_offset_min=-120),
            reading("consciousness", None, unit=None, code="V", code_received="248234008"),
            reading("symptom_cough", None, unit=None, text="Ik hoest – al weken 🙁"),
            reading("glucose", None, unit=None, absent="asked-declined"),
            reading("spo2", None, unit=None, void=True, revision=1),
        )
    )
    assert readings.revision.tolist() == [3, 0, 0, 0, 1]
    assert text_of(readings, readings.group, 0) == "morning"
    assert readings.utc_offset_min.tolist() == [-120, *[NO_OFFSET_MIN] * 4]
    assert readings.code.tolist() == [-1, KIND_BY_NAME["consciousness"].codes.index("V"), -1, -1, -1]
    assert text_of(readings, readings.code_received, 1) == "248234008"
    assert text_of(readings, readings.text, 2) == "Ik hoest – al weken 🙁"
    assert text_of(readings, readings.absent, 3) == "asked-declined"
    assert readings.void.tolist() == [False, False, False, False, True]
    assert np.isnan(readings.value).tolist() == [False, True, True, True, True]
    assert readings.unit[1:].tolist() == [-1] * 4


def test_unknown_fields_and_another_order_of_fields_are_fine() -> None:
    message = json.loads(upload(reading(mood="fine"), battery_of_phone=17))
    backwards = json.dumps(dict(reversed(message.items())), indent=2).encode()
    readings = readings_of(upload(name="a"), backwards, upload(name="b"))
    assert readings.offset.tolist() == [0, 1, 2]
    assert readings.value.tolist() == [81.4] * 3


def test_ids_in_capitals_are_the_same_ids() -> None:
    message = json.loads(upload(patient=str(PATIENT).upper()))
    message["upload_id"] = message["upload_id"].upper()
    readings = readings_of(json.dumps(message).encode())
    assert readings.patient_id.tobytes() == PATIENT.bytes
    assert readings.upload_id.tobytes() == UUID(message["upload_id"]).bytes


def test_what_is_late_is_marked() -> None:
    readings = readings_of(
        upload(
            reading(taken_at_us=RECEIVED_AT_US - WEEK_US),
            reading(taken_at_us=RECEIVED_AT_US - WEEK_US - 1),
            reading(taken_at_us=RECEIVED_AT_US + 300_000_000),
        )
    )
    assert readings.too_late.tolist() == [False, True, False]


def test_changes_hold_from_their_place_in_the_log_on() -> None:
    enrol = {"programme": "heart_failure", "version": 1}
    patients = PatientIndex()
    decoded = decode(
        log(
            registration(),
            change("enrol", enrol, valid_from_us=50),
            clock(100),
            clock(90),
            change("enrol", enrol, valid_from_us=50, change_id=str(UUID(int=14))),
            change("enrol", enrol, valid_from_us=150),
            change("enrol", enrol, valid_from_us=50, correction=True),
            first=10,
        ),
        partition=0,
        nonce="n",
    )
    placed = place(decoded, patients, None, "trial", 1)
    assert placed.refusals == ()
    assert placed.clock_us == 100
    assert [(at.offset, at.effective_from_us) for at in placed.changes] == [
        (10, 0), (11, 50), (14, 100), (15, 150), (16, 50),
    ]  # fmt: skip
    assert isinstance(placed.changes[0].change.change.only, Register)
    assert isinstance(placed.changes[1].change.change.only, Enrol)
    assert decoded.received == 0
    assert patients.row(PATIENT) == 0


def test_a_change_that_is_sent_again_has_no_effect() -> None:
    patients = PatientIndex()
    enrol = change("enrol", {"programme": "heart_failure", "version": 1})
    first = place(
        decode(log(registration(), enrol, enrol), partition=0, nonce="n"), patients, None, "trial", 1
    )
    assert ([at.offset for at in first.changes], first.refusals) == ([0, 1], ())
    later = decode(log(registration(), change("pause"), enrol, first=3), partition=0, nonce="n")
    second = place(later, patients, None, "trial", 1)
    assert ([at.offset for at in second.changes], second.refusals) == ([4], ())


def test_a_clock_that_leaps_over_years_is_refused() -> None:
    year_us = 366 * 86_400_000_000
    decoded = decode(log(clock(year_us), clock(9 * year_us), clock(2 * year_us)), partition=0, nonce="n")
    placed = place(decoded, PatientIndex(), None, "trial", 1)
    assert placed.clocks == ((0, year_us), (2, 2 * year_us))
    assert placed.clock_us == 2 * year_us
    assert [(refusal.offset, refusal.reason) for refusal in placed.refusals] == [(1, Reason.CLOCK_LEAP)]


def test_the_clock_before_the_batch_counts() -> None:
    patients = PatientIndex()
    decoded = decode(log(registration(), clock(300)), partition=0, nonce="n")
    placed = place(decoded, patients, 200, "trial", 1)
    assert (placed.changes[0].effective_from_us, placed.clock_us) == (200, 300)


def test_nothing_comes_of_nothing() -> None:
    decoded = decode([], partition=0, nonce="n")
    readings, refusals, _ = normalise(decoded, PatientIndex())
    assert (len(readings), refusals, decoded.received) == (0, [], 0)


def test_more_patients_than_at_first() -> None:
    patients = PatientIndex()
    ids = [UUID(int=n) for n in range(1, 1_000)]
    for offset, patient in enumerate(ids):
        assert patients.add(patient, HOSPITAL, offset) == offset
    assert patients.add(ids[7], HOSPITAL, 5_000) == 7
    found = patients.rows_at([str(patient) for patient in ids], np.full(len(ids), 500))
    assert found.tolist() == [row if row < 500 else -1 for row in range(len(ids))]


numbers = st.floats(min_value=20, max_value=300, allow_nan=False).map(lambda value: float(f"{value:.10g}"))
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


@st.composite
def _readings(draw: st.DrawFn) -> dict[str, Any]:
    return reading(
        value=draw(numbers),
        taken_at_us=draw(st.integers(RECEIVED_AT_US - WEEK_US, RECEIVED_AT_US)),
        group=draw(st.none() | words),
        revision=draw(st.none() | st.integers(0, 9)),
        utc_offset_min=draw(st.none() | st.integers(-840, 840)),
    )


wire_readings = _readings()


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.lists(wire_readings, min_size=1, max_size=4), min_size=1, max_size=12), words)
def test_columns_equal_what_was_written(uploads: list[list[dict[str, Any]]], device: str) -> None:
    readings = readings_of(*[upload(*sent, device_id=device) for sent in uploads])
    flat = [(offset, at, sent) for offset, many in enumerate(uploads) for at, sent in enumerate(many)]
    assert readings.offset.tolist() == [offset for offset, _, _ in flat]
    assert readings.position.tolist() == [at for _, at, _ in flat]
    assert readings.value.tolist() == [sent["value"] for *_, sent in flat]
    assert readings.taken_at_us.tolist() == [sent["taken_at_us"] for *_, sent in flat]
    assert readings.revision.tolist() == [sent.get("revision", 0) for *_, sent in flat]
    assert [text_of(readings, readings.group, row) for row in range(len(flat))] == [
        sent.get("group") for *_, sent in flat
    ]
    assert {text_of(readings, readings.device, row) for row in range(len(flat))} == {device}


@settings(deadline=None)  # the first call compiles
@given(st.lists(wire_readings, min_size=1, max_size=8), st.integers(1, 7))
def test_batching_changes_nothing(sent: list[dict[str, Any]], size: int) -> None:
    messages = [upload(one) for one in sent]
    whole = readings_of(*messages)
    pieces = [readings_of(*messages[at : at + size]) for at in range(0, len(messages), size)]
    for name in ("value", "taken_at_us", "revision", "upload_id", "patient", "too_late"):
        assert np.array_equal(
            getattr(whole, name), np.concatenate([getattr(piece, name) for piece in pieces])
        )


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.text('0123456789.eE-" :,', max_size=40), max_size=6))
def test_no_long_number_is_missed(parts: list[str]) -> None:
    raw = "x".join(parts)
    found = long_numbers(as_bytes(raw.encode())).tolist()
    at = 0
    expected: list[int] = []
    while at < len(raw):
        end = at
        while end < len(raw) and raw[end] in "0123456789.":
            end += 1
        long = end - at >= 17 or (end - at == 16 and raw[end : end + 1] in ("e", "E"))
        if long and raw[at - 1 : at] != '"':
            expected.append(at)
        at = max(end, at + 1)
    assert found == expected


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.uuids(), max_size=5))
def test_ids_are_read_as_the_standard_library_reads_them(ids: list[UUID]) -> None:
    found, wrong = parse_uuids(as_bytes("".join(map(str, ids)).encode()))
    assert [UUID(bytes=row.tobytes()) for row in found] == ids
    assert not wrong.any()


@pytest.mark.parametrize("text", ["g" * 36, "0" * 36, "00000000-0000-4000-8000-00000000000-", "-" * 36])
def test_what_is_no_id_is_seen(text: str) -> None:
    assert parse_uuids(as_bytes(text.encode()))[1].tolist() == [True]
