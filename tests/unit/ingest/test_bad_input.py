"""Whatever is sent, nothing raises, nothing is lost, and each refusal says why."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.changes import place
from ingest.decode import decode
from ingest.keys import partition_of
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from models.columns import Readings, Reason, Refusal
from models.messages import WireReading, WireUpload
from tests.bad_input import BAD_MESSAGES, BAD_READINGS
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

FIELDS = [*WireUpload.__annotations__, *WireReading.__annotations__, "other"]


def taken_in(*values: bytes | None) -> tuple[Readings, list[Refusal], int]:
    """The readings, the refusals, and how many readings there were, of messages behind a registration."""
    patients = PatientIndex()
    decoded = decode(log(registration(), *values), partition=0, nonce="n0nce")
    placed = place(decoded, patients, None, "trial", 1)
    readings, refused, _ = normalise(decoded, patients)
    refusals = [*decoded.refusals, *placed.refusals, *refused]
    assert decoded.received == len(readings) + sum(refusal.readings for refusal in refusals)
    return readings, refusals, decoded.received


@pytest.mark.parametrize(("bad", "reason", "field"), BAD_READINGS.values(), ids=BAD_READINGS)
def test_one_bad_reading_is_refused_and_takes_nobody_with_it(bad: Any, reason: Reason, field: str) -> None:
    readings, refusals, received = taken_in(
        upload(name="before"),
        upload(reading(), bad, reading(taken_at_us=TAKEN_AT_US + 1)),
        upload(name="after"),
    )
    assert received == 5
    assert readings.offset.tolist() == [1, 2, 2, 3]
    assert readings.position.tolist() == [0, 0, 2, 0]
    (refusal,) = refusals
    assert (refusal.reason, refusal.field, refusal.readings) == (reason, field, 1)
    assert (refusal.offset, refusal.position) == (2, 1)
    assert refusal.expected
    assert refusal.found


@pytest.mark.parametrize(("bad", "reason", "field", "readings"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_one_bad_message_is_refused_and_takes_nobody_with_it(
    bad: bytes | None, reason: Reason, field: str, readings: int
) -> None:
    stored, refusals, received = taken_in(upload(name="before"), bad, upload(name="after"))
    assert received == readings + 2
    assert stored.offset.tolist() == [1, 3]
    (refusal,) = refusals
    assert (refusal.reason, refusal.field, refusal.readings) == (reason, field, readings)
    assert (refusal.offset, refusal.position) == (2, -1)
    assert "\x00" not in refusal.found + refusal.field


LITERALS = {
    "81.4": None,
    "81.4000000000000": None,  # 15 digits
    "0.814e2": None,
    "0.0000000000000000000814e21": None,
    "81.400000000000001": Reason.TOO_MANY_DIGITS,
    "81.40000000000000": Reason.TOO_MANY_DIGITS,  # the sixteenth digit is a 0, and still was sent
    "814000000000000.1e-13": Reason.TOO_MANY_DIGITS,
    "8140000000000001e-14": Reason.TOO_MANY_DIGITS,
    "0.8140000000000001e2": Reason.TOO_MANY_DIGITS,
    "81400000000000000000": Reason.TOO_MANY_DIGITS,
    "1e999": Reason.NOT_FINITE,
    "1" + "0" * 5_000: Reason.TOO_MANY_DIGITS,
}


@pytest.mark.parametrize("spacing", [(",", ":"), (", ", ": "), (" ,\n", " :\t")])
@pytest.mark.parametrize(("literal", "reason"), LITERALS.items())
def test_values_keep_every_digit_or_are_refused(
    literal: str, reason: Reason | None, spacing: tuple[str, str]
) -> None:
    message = json.loads(upload())
    message["readings"][0]["value"] = 4711.25
    raw = json.dumps(message, separators=spacing).replace("4711.25", literal).encode()
    readings, refusals, _ = taken_in(upload(name="before"), raw)
    assert [refusal.reason for refusal in refusals] == ([] if reason is None else [reason])
    assert readings.value.tolist() == ([81.4, 81.4] if reason is None else [81.4])


@pytest.mark.parametrize("what", ["limits", "enrol"])
@pytest.mark.parametrize(("literal", "reason"), LITERALS.items())
def test_personal_limits_keep_every_digit_or_are_refused(
    literal: str, reason: Reason | None, what: str
) -> None:
    limits = {"gain_3d": {"value": 4711.25, "unit": "kg", "set_by": "n"}}
    content = {"programme": "heart_failure", "limits": limits} | ({"version": 1} if what == "enrol" else {})
    sent = change(what, content, valid_from_us=RECEIVED_AT_US).replace(b"4711.25", literal.encode())
    _, refusals, _ = taken_in(sent)
    field = f"change.{what}.limits.gain_3d.value"
    expected = [] if reason is None else [(reason, field, 0)]
    assert [(refusal.reason, refusal.field, refusal.readings) for refusal in refusals] == expected


def test_long_numbers_that_are_no_values_do_no_harm() -> None:
    readings, refusals, _ = taken_in(
        upload(device_id="12345678901234567890", source="x 12345678901234567890"),
        upload(reading(note="81.400000000000001", extra=81.40000000000001), weights=[1.2345678901234567]),
    )
    assert refusals == []
    assert readings.value.tolist() == [81.4, 81.4]


@pytest.mark.parametrize("schema_last", [False, True])
def test_the_limit_of_nesting_is_the_same_wherever_a_message_is_taken_apart(schema_last: bool) -> None:
    def nested(levels: int) -> bytes:
        # One level is that of the message. Brackets in a text are none.
        extra = f'"a\\"[[{{": {"[" * (levels - 1)}{"]" * (levels - 1)}'.encode()
        sent = upload(name=str(levels), source="[" * 150)
        return b"{%b, %b" % (extra, sent[1:]) if schema_last else b"%b, %b}" % (sent[:-1], extra)

    def offsets_from(depth: int) -> tuple[list[int], list[tuple[Reason, str]]]:
        if depth:
            return offsets_from(depth - 1)
        stored, refusals, _ = taken_in(nested(100), nested(101), nested(180), nested(50_000))
        return stored.offset.tolist(), [(refusal.reason, refusal.found) for refusal in refusals]

    for depth in (0, 200):
        stored, refused = offsets_from(depth)
        assert stored == [1]
        assert refused == 3 * [(Reason.INVALID_JSON, "nested too deeply")]


def test_changes_stand_in_the_order_of_the_log_whatever_they_look_like() -> None:
    disguised = change("admit").replace(b'{"schema": 1, "type": "change"', b'{"schema": 1, "type": "upload"')
    disguised = disguised[:-1] + b', "type": "change"}'
    decoded = decode(log(disguised, change("discharge")), partition=0, nonce="n")
    assert [offset for offset, _ in decoded.changes] == [0, 1]


def test_a_backslash_before_u0000_is_no_nul() -> None:
    readings, refusals, _ = taken_in(upload(reading(value=None, unit=None, text="\\u0000")))
    assert refusals == []
    assert readings.texts[readings.text[0]] == "\\u0000"


def test_systolic_stands_above_diastolic_of_the_same_measurement() -> None:
    def pressure(systolic: float, diastolic: float, **fields: Any) -> list[dict[str, Any]]:
        unit = fields.pop("unit", "mm[Hg]")
        return [
            reading("systolic", systolic, unit=unit, **fields),
            reading("diastolic", diastolic, unit="mm[Hg]", **fields),
        ]

    later = TAKEN_AT_US + 1_000_000
    readings, refusals, _ = taken_in(
        upload(
            *pressure(120, 80, group="a"),
            *pressure(80, 120, group="b"),
            *pressure(18.0, 80, group="c", unit="kPa"),
            *pressure(90, 90, taken_at_us=later),
        )
    )
    assert readings.position.tolist() == [0, 1, 4, 5]
    assert [(refusal.position, refusal.reason) for refusal in refusals] == [
        (2, Reason.IMPLAUSIBLE),
        (3, Reason.IMPLAUSIBLE),
        (6, Reason.IMPLAUSIBLE),
        (7, Reason.IMPLAUSIBLE),
    ]
    assert refusals[0].expected == "systolic above diastolic"


def test_a_change_in_the_wrong_partition_is_refused() -> None:
    right = partition_of(PATIENT, 4)
    found: dict[int, list[Reason]] = {}
    for partition in range(4):
        patients = PatientIndex()
        records = log(registration(), upload(), change("admit"))
        decoded = decode(records, partition=partition, nonce="n")
        placed = place(decoded, patients, None, "trial", 4)
        _, refused, _ = normalise(decoded, patients)
        found[partition] = [refusal.reason for refusal in (*placed.refusals, *refused)]
    wrong = [Reason.WRONG_PARTITION, Reason.WRONG_PARTITION, Reason.UNKNOWN_PATIENT]
    assert found == dict.fromkeys(range(4), wrong) | {right: []}


def test_an_upload_before_the_registration_is_of_an_unknown_patient() -> None:
    patients = PatientIndex()
    decoded = decode(log(upload(), registration(), upload(name="x")), partition=0, nonce="n")
    place(decoded, patients, None, "trial", 1)
    readings, refusals, _ = normalise(decoded, patients)
    assert readings.offset.tolist() == [2]
    assert [(refusal.offset, refusal.reason) for refusal in refusals] == [(0, Reason.UNKNOWN_PATIENT)]
    assert readings.organisation_id.tobytes() == HOSPITAL.bytes
    assert readings.patient_id.tobytes() == PATIENT.bytes


def test_messages_that_only_make_sense_together_do_not_pass() -> None:
    # As one list, these two would be one sound upload and one more.
    left = upload()[:-1] + b', "x": [{}'
    right = upload(name="right")[:-1] + b"}]}," + upload(name="third")
    readings, refusals, _ = taken_in(left, right, upload(name="last"))
    assert readings.offset.tolist() == [3]
    assert [refusal.reason for refusal in refusals] == [Reason.INVALID_JSON, Reason.INVALID_JSON]


def test_a_message_cannot_bring_a_neighbour() -> None:
    smuggler = upload() + b',"n0nce7":' + upload(name="smuggled")
    readings, refusals, _ = taken_in(smuggler, upload(name="last"))
    assert readings.offset.tolist() == [2]
    assert [refusal.reason for refusal in refusals] == [Reason.INVALID_JSON]


def test_many_messages_keep_their_places_among_bad_ones() -> None:
    values = [upload(name=str(n)) if n % 7 else upload(reading(unit=None)) for n in range(1_000)]
    readings, refusals, received = taken_in(*values, clock(5))
    assert received == 1_000
    assert np.array_equal(readings.offset, [n + 1 for n in range(1_000) if n % 7])
    assert [refusal.offset for refusal in refusals] == [n + 1 for n in range(1_000) if not n % 7]


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=6)
    | st.sampled_from(["upload", "body_weight", "kg", str(PATIENT), TAKEN_AT_US, RECEIVED_AT_US, 81.4, 1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), junk), max_size=3), st.data())
def test_whatever_is_sent_is_read_or_refused(parts: list[dict[str, Any]], data: st.DataObject) -> None:
    messages = [json.dumps(json.loads(upload(reading())) | part).encode() for part in parts]
    inside = [upload(reading() | part, reading()) for part in parts]
    raw = upload(reading())
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(raw)), st.integers(0, len(raw)))))
    broken = raw[:start] + data.draw(st.binary(max_size=5)) + raw[end:]
    readings, refusals, received = taken_in(*messages, *inside, broken, data.draw(st.binary(max_size=40)))
    assert received >= len(inside)
    for refusal in refusals:
        assert (refusal.field + refusal.expected + refusal.found).encode("utf-8").count(0) == 0
    for text in readings.texts:
        assert "\0" not in text
        text.encode("utf-8")
