"""Whatever is sent, nothing raises, nothing is lost, and each refusal says why."""

import json
from typing import Any

import numpy as np
import pytest

from ingest.changes import place
from ingest.decode import decode
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from models.columns import Readings, Reason, Refusal
from tests.wire import (
    HOSPITAL,
    PATIENT,
    RECEIVED_AT_US,
    STRANGER,
    TAKEN_AT_US,
    change,
    clock,
    log,
    reading,
    registration,
    upload,
)

DAY_US = 86_400_000_000
FUTURE = RECEIVED_AT_US + 300_000_001


def taken_in(*values: bytes | None) -> tuple[Readings, list[Refusal], int]:
    """The readings, the refusals, and how many readings there were, of messages behind a registration."""
    patients = PatientIndex()
    decoded = decode(log(registration(), *values), partition=0, nonce="n0nce")
    placed = place(decoded, patients, None, "trial")
    readings, refused = normalise(decoded, patients)
    refusals = [*decoded.refusals, *placed.refusals, *refused]
    assert decoded.received == len(readings) + sum(refusal.readings for refusal in refusals)
    return readings, refusals, decoded.received


BAD_READINGS: dict[str, tuple[Any, Reason, str]] = {
    "not an object": ("81.4 kg", Reason.INVALID_FIELD, ""),
    "without a kind": (reading(kind=None), Reason.MISSING_FIELD, "kind"),
    "unknown kind": (reading(kind="shoe_size"), Reason.UNKNOWN_KIND, "kind"),
    "unknown kind, nothing else": ({"kind": "aura", "taken_at_us": TAKEN_AT_US}, Reason.UNKNOWN_KIND, "kind"),
    "without a time": (reading(taken_at_us=None), Reason.MISSING_TIME, "taken_at_us"),
    "time null": ({**reading(), "taken_at_us": None}, Reason.MISSING_TIME, "taken_at_us"),
    "time as text": (reading(taken_at_us="2026-11-22T07:31:00Z"), Reason.INVALID_FIELD, "taken_at_us"),
    "time as float": (reading(taken_at_us=float(TAKEN_AT_US)), Reason.INVALID_FIELD, "taken_at_us"),
    "future": (reading(taken_at_us=FUTURE), Reason.TAKEN_IN_FUTURE, "taken_at_us"),
    "far future": (reading(taken_at_us=5_000_000_000_000_000), Reason.TAKEN_IN_FUTURE, "taken_at_us"),
    "long ago": (
        reading(taken_at_us=RECEIVED_AT_US - 400 * DAY_US - 1),
        Reason.TAKEN_LONG_AGO,
        "taken_at_us",
    ),
    "before 1970": (reading(taken_at_us=-1), Reason.TAKEN_LONG_AGO, "taken_at_us"),
    "value as text": (reading(value="81.4"), Reason.INVALID_FIELD, "value"),
    "value a truth": (reading(value=True), Reason.INVALID_FIELD, "value"),
    "value null": ({**reading(), "value": None}, Reason.INVALID_FIELD, "value"),
    "not a number": (reading(value=float("nan")), Reason.NOT_FINITE, "value"),
    "infinite": (reading(value=float("-inf")), Reason.NOT_FINITE, "value"),
    "implausible": (reading(value=814.0), Reason.IMPLAUSIBLE, "value"),
    "implausible after conversion": (reading(value=12.0, unit="g"), Reason.IMPLAUSIBLE, "value"),
    "fraction called percent": (reading("spo2", 0.97, unit="%"), Reason.IMPLAUSIBLE, "value"),
    "fahrenheit called celsius": (reading("temperature", 98.6, unit="Cel"), Reason.IMPLAUSIBLE, "value"),
    "mg/dL called mmol/L": (reading("glucose", 120, unit="mmol/L"), Reason.IMPLAUSIBLE, "value"),
    "oximeter without a finger": (reading("spo2", 50, unit="%"), Reason.SENTINEL, "value"),
    "the same as a fraction": (reading("spo2", 0.5, unit="1"), Reason.SENTINEL, "value"),
    "zero": (reading("pulse", 0, unit="/min"), Reason.SENTINEL, "value"),
    "minus hundred": (reading(value=-100), Reason.SENTINEL, "value"),
    "medical float for nothing": (reading("pulse", 8_388_607, unit="/min"), Reason.SENTINEL, "value"),
    "unknown unit": (reading(unit="stone"), Reason.UNKNOWN_UNIT, "unit"),
    "another kind's unit": (reading(unit="mm[Hg]"), Reason.UNKNOWN_UNIT, "unit"),
    "without a unit": (reading(unit=None), Reason.MISSING_FIELD, "unit"),
    "empty unit": (reading(unit=""), Reason.INVALID_FIELD, "unit"),
    "unknown code": (reading("consciousness", None, unit=None, code="X"), Reason.UNKNOWN_CODE, "code"),
    "code for a number": (reading(value=None, unit=None, code="A"), Reason.UNKNOWN_CODE, "code"),
    "number for a code": (reading("consciousness", 3, unit="/min"), Reason.UNKNOWN_CODE, "code"),
    "nothing in it": (reading(value=None, unit=None), Reason.NOT_ONE_CONTENT, ""),
    "value and void": (reading(void=True), Reason.NOT_ONE_CONTENT, ""),
    "value and absent": (reading(absent="error"), Reason.NOT_ONE_CONTENT, ""),
    "unknown reason of absence": (reading(value=None, absent="lost"), Reason.INVALID_FIELD, "absent"),
    "void that is false": (reading(value=None, void=False), Reason.INVALID_FIELD, "void"),
    "NUL in a remark": (reading(value=None, text="a\x00b"), Reason.INVALID_TEXT, "text"),
    "half a letter": (reading(value=None, text="a\ud800b"), Reason.INVALID_TEXT, "text"),
    "revision below zero": (reading(revision=-1), Reason.INVALID_FIELD, "revision"),
    "revision beyond reason": (reading(revision=2**31), Reason.INVALID_FIELD, "revision"),
}


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


BAD_MESSAGES: dict[str, tuple[bytes | None, Reason, str, int]] = {
    "nothing": (None, Reason.INVALID_JSON, "", 0),
    "empty": (b"", Reason.INVALID_JSON, "", 0),
    "no JSON": (b"weight 81.4", Reason.INVALID_JSON, "", 0),
    "cut off": (upload()[:-10], Reason.INVALID_JSON, "", 1),
    "a list": (b"[1]", Reason.INVALID_JSON, "", 0),
    "nested too deeply": (b'{"a":' * 100_000, Reason.INVALID_JSON, "", 0),
    "not UTF-8": (upload().replace(b"vendor", b"v\xffndor"), Reason.INVALID_TEXT, "", 1),
    "a real NUL": (upload().replace(b"vendor", b"v\x00ndor"), Reason.INVALID_TEXT, "", 1),
    "a written NUL": (upload(device_id="scale\x00"), Reason.INVALID_TEXT, "device_id", 1),
    "half a letter": (upload(device_id="scale\udfff"), Reason.INVALID_TEXT, "device_id", 1),
    "without a schema": (upload(schema=None), Reason.UNKNOWN_SCHEMA, "schema", 1),
    "unknown schema": (upload(schema=2), Reason.UNKNOWN_SCHEMA, "schema", 1),
    "schema true": (upload(schema=True), Reason.UNKNOWN_SCHEMA, "schema", 1),
    "without a type": (upload(type=None), Reason.UNKNOWN_TYPE, "type", 1),
    "unknown type": (upload(type="download"), Reason.UNKNOWN_TYPE, "type", 1),
    "without readings": (upload(readings=None), Reason.MISSING_FIELD, "readings", 0),
    "no list of readings": (upload(readings={}), Reason.INVALID_FIELD, "readings", 0),
    "no readings": (upload(readings=[]), Reason.NO_READINGS, "readings", 0),
    "too many readings": (upload(*[reading()] * 5_001), Reason.TOO_MANY_READINGS, "readings", 5_001),
    "too large": (
        upload(*[reading(text="x" * 1_000)] * 10_000),
        Reason.UPLOAD_TOO_LARGE,
        "",
        10_000,
    ),
    "without a device": (upload(device_id=None), Reason.MISSING_FIELD, "device_id", 1),
    "device a number": (upload(device_id=4711), Reason.INVALID_FIELD, "device_id", 1),
    "device of 201 letters": (upload(device_id="d" * 201), Reason.INVALID_FIELD, "device_id", 1),
    "upload id no UUID": (upload(upload_id="42"), Reason.INVALID_FIELD, "upload_id", 1),
    "upload id long, no UUID": (upload(upload_id="x" * 36), Reason.INVALID_FIELD, "upload_id", 1),
    "patient id no UUID": (upload(patient="123456782"), Reason.INVALID_FIELD, "patient_id", 1),
    "unknown patient": (
        upload(reading(), reading(), patient=STRANGER),
        Reason.UNKNOWN_PATIENT,
        "patient_id",
        2,
    ),
    "received never": (upload(received_at_us=None), Reason.MISSING_FIELD, "received_at_us", 1),
    "received in 1970": (upload(received_at_us=0), Reason.RECEIVED_AT_IMPOSSIBLE, "received_at_us", 1),
    "received in 2200": (
        upload(received_at_us=7_258_118_400_000_000),
        Reason.RECEIVED_AT_IMPOSSIBLE,
        "received_at_us",
        1,
    ),
    "change without content": (
        change("pause", change={}),
        Reason.UNKNOWN_CHANGE,
        "change",
        0,
    ),
    "unknown change": (change("promote"), Reason.UNKNOWN_CHANGE, "change", 0),
    "two changes": (change("pause", change={"pause": {}, "admit": {}}), Reason.UNKNOWN_CHANGE, "change", 0),
    "wrong change": (change("enrol", {"programme": "hf"}), Reason.MISSING_FIELD, "change.enrol.version", 0),
    "change of a stranger": (change("admit", patient=STRANGER), Reason.UNKNOWN_PATIENT, "patient_id", 0),
    "registered twice": (registration(), Reason.ALREADY_REGISTERED, "change.register", 0),
    "real patient in a trial": (
        registration(STRANGER, origin="real"),
        Reason.INVALID_FIELD,
        "change.register.origin",
        0,
    ),
    "clock without now": (b'{"schema":1,"type":"clock"}', Reason.MISSING_FIELD, "now_us", 0),
    "clock of text": (b'{"schema":1,"type":"clock","now_us":"now"}', Reason.INVALID_FIELD, "now_us", 0),
    "clock of floats": (b'{"schema":1,"type":"clock","now_us":1.5}', Reason.INVALID_FIELD, "now_us", 0),
}


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


def test_long_numbers_that_are_no_values_do_no_harm() -> None:
    readings, refusals, _ = taken_in(
        upload(device_id="12345678901234567890", source="x 12345678901234567890"),
        upload(reading(note="81.400000000000001", extra=81.40000000000001), weights=[1.2345678901234567]),
    )
    assert refusals == []
    assert readings.value.tolist() == [81.4, 81.4]


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


def test_an_upload_before_the_registration_is_of_an_unknown_patient() -> None:
    patients = PatientIndex()
    decoded = decode(log(upload(), registration(), upload(name="x")), partition=3, nonce="n")
    place(decoded, patients, None, "trial")
    readings, refusals = normalise(decoded, patients)
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
