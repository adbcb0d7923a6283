"""Plain JSON: what is meant arrives as it was sent, what is not meant is named where it stands."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.content import Code, Correction, Delivered, Named
from ingest.delivery.drafts import Speaking, draft
from ingest.delivery.plain import AS_SENT, MAX_READINGS, MAX_UPLOADS, Whole, read_upload, read_uploads
from ingest.delivery.preview import preview
from ingest.delivery.strict import Unreadable
from models.clock import to_us
from models.columns import Refusal
from models.messages import WireReading

AT_US = 1_795_332_660_000_000
PATIENT = "00000000-0000-4000-8000-000000000001"
WEIGHT: WireReading = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at_us": AT_US}
SENT = {"device_id": "scale-1", "readings": [WEIGHT]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["device_id", "patient_id", "upload_id", "sent_at", "sent_at_us", "correction", "readings", "schema",
     "type", "kind", "value", "unit", "taken_at", "taken_at_us", "text", "absent", "x-own", "revision"]
)  # fmt: skip
READINGS = st.lists(st.dictionaries(NAMES, JSON) | JSON)
UPLOADS = st.dictionaries(NAMES, JSON | READINGS)


def delivered(content: object) -> Delivered:
    found = read_upload(content, "")
    assert isinstance(found, Delivered), found
    return found


def only_fault(content: object) -> tuple[str, Code, str]:
    found = read_upload(content, "")
    if isinstance(found, Whole):
        [fault] = found.faults
    else:
        [fault] = found.faults.values()
    return fault.where, fault.code, fault.expected


def test_an_upload_as_on_the_wire() -> None:
    found = delivered({
        "schema": 1, "type": "upload", "upload_id": PATIENT, "patient_id": PATIENT, "device_id": "scale-1",
        "sent_at_us": AT_US + 1, "readings": [WEIGHT, {"kind": "steps", "taken_at_us": AT_US, "void": True}],
    })  # fmt: skip
    assert found == Delivered(
        readings=(WEIGHT, WireReading(kind="steps", taken_at_us=AT_US, void=True)),
        places=("readings[0]", "readings[1]"),
        device_id="scale-1",
        patient=Named(patient_id=UUID(PATIENT)),
        sent_at_us=AT_US + 1,
        upload_id=UUID(PATIENT),
    )


@pytest.mark.parametrize(
    ("written", "offset"),
    [
        ("2026-11-22T08:31:00+01:00", 60),
        ("2026-11-22T08:31+01:00", 60),
        ("2026-11-22T07:31:00Z", None),
        ("2026-11-22T07:31:00+00:00", 0),
        ("2026-11-22T08:31:00.123456+01:00", 60),
        ("2026-10-25T02:30:00+02:00", 120),
        ("2026-10-25T02:30:00+01:00", 60),
        ("2024-02-29T23:59:59-10:30", -630),
    ],
)
def test_a_time_that_people_write_is_exact(written: str, offset: int | None) -> None:
    reading = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at": written}
    [found] = delivered({**SENT, "readings": [reading]}).readings
    assert found["taken_at_us"] == to_us(datetime.fromisoformat(written))
    assert found.get("utc_offset_min") == offset
    assert delivered({**SENT, "sent_at": written}).sent_at_us == to_us(datetime.fromisoformat(written))


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22", "2026-11-22T08:31:00", "2026-11-22 08:31:00+01:00", "22-11-2026T08:31:00Z",
        "2026-11-22T08:31:60Z", "2026-02-30T08:31:00Z", "2026-11-22T25:31:00Z", "2026-11-22T08:31:00+0100",
        "2026-11-22T08:31:00.1234567Z", "2026-W47-7T08:31:00Z", "0000-01-01T00:00:00Z",
        "2026-11-22T08:31:00z", "٢٠٢٦-11-22T08:31:00Z", "", 20261122, None,
    ],
)  # fmt: skip
def test_a_time_that_could_be_two_or_none_is_refused(written: object) -> None:
    reading = {"kind": "body_weight", "value": 81.4, "unit": "kg", "taken_at": written}
    if written is not None:
        where, _, expected = only_fault({**SENT, "readings": [reading]})
        assert (where, expected.split(",")[0]) == ("readings[0].taken_at", "a time with its offset")
    where, _, _ = only_fault({**SENT, "sent_at": written})
    assert where == "sent_at"


@pytest.mark.parametrize(
    ("changed", "where", "code"),
    [
        ({"device_id": None}, "device_id", Code.STRUCTURE),
        ({"device_id": ""}, "device_id", Code.STRUCTURE),
        ({"device_id": "x" * 201}, "device_id", Code.STRUCTURE),
        ({"patient_id": "1"}, "patient_id", Code.VALUE),
        ({"patient_id": PATIENT.replace("-", "") + "0000"}, "patient_id", Code.VALUE),
        ({"upload_id": 7}, "upload_id", Code.VALUE),
        ({"sent_at_us": -1}, "sent_at_us", Code.VALUE),
        ({"sent_at_us": 1.0}, "sent_at_us", Code.VALUE),
        ({"sent_at_us": True}, "sent_at_us", Code.VALUE),
        ({"sent_at": "2026-11-22T07:31:00Z", "sent_at_us": 1}, "sent_at", Code.RULE),
        ({"correction": "amended"}, "correction", Code.UNKNOWN_CODE),
        ({"correction": []}, "correction", Code.UNKNOWN_CODE),
        ({"schema": 2}, "schema", Code.VALUE),
        ({"schema": True}, "schema", Code.VALUE),
        ({"type": "change"}, "type", Code.VALUE),
        ({"readings": None}, "readings", Code.STRUCTURE),
        ({"readings": {}}, "readings", Code.STRUCTURE),
        ({"readings": []}, "readings", Code.STRUCTURE),
        ({"readings": [WEIGHT] * 5_001}, "readings", Code.TOO_LONG),
        ({"received_at_us": AT_US}, "received_at_us", Code.RULE),
        ({"source": "vendor-a"}, "source", Code.RULE),
        ({"pateint_id": PATIENT}, "pateint_id", Code.STRUCTURE),
    ],
)
def test_an_upload_that_is_no_good_as_a_whole(changed: dict[str, Any], where: str, code: Code) -> None:
    assert only_fault({**SENT, **changed})[:2] == (where, code)


def test_without_device_and_patient_nobody_can_be_meant() -> None:
    assert only_fault({"readings": [WEIGHT]})[:2] == ("device_id", Code.REQUIRED)
    assert only_fault({"device_id": "scale-1"})[:2] == ("readings", Code.REQUIRED)
    assert only_fault([1, 2])[:2] == ("body", Code.STRUCTURE)


def test_what_a_misspelt_field_might_mean_is_said() -> None:
    assert "did you mean patient_id?" in only_fault({**SENT, "pateint_id": PATIENT})[2]
    assert "did you mean unit?" in only_fault({**SENT, "readings": [{**WEIGHT, "units": "kg"}]})[2]


def test_fields_of_the_senders_own_are_left_alone() -> None:
    assert delivered({**SENT, "x-firmware": 3, "readings": [{**WEIGHT, "x-raw": [1]}]}) == delivered(SENT)


@pytest.mark.parametrize(
    ("reading", "where"),
    [
        ("81.4 kg", "readings[1]"),
        ([81.4], "readings[1]"),
        (None, "readings[1]"),
        ({**WEIGHT, "comment": "x"}, "readings[1].comment"),
        ({**WEIGHT, "value": [[81.4]]}, "readings[1].value"),
        ({**WEIGHT, "unit": {"code": "kg"}}, "readings[1].unit"),
        ({**WEIGHT, "taken_at": "2026-11-22T08:31:00+01:00"}, "readings[1].taken_at"),
    ],
)
def test_a_reading_that_is_no_good_is_kept_as_it_was_sent_beside_the_others(reading: Any, where: str) -> None:
    found = delivered({**SENT, "readings": [WEIGHT, reading, WEIGHT]})
    assert list(found.faults) == [1]
    assert found.faults[1].where == where
    assert found.faults[1].kept
    kept: Any = found.readings[1]
    assert json.loads(kept[AS_SENT]) == reading
    assert not {"value", "code", "text", "absent", "void"} & kept.keys()
    assert found.readings[0] == found.readings[2] == WEIGHT


def test_a_number_that_cannot_be_kept_is_named_in_its_place() -> None:
    raw = json.dumps(SENT).replace("81.4", "81.40000000000000001").encode()
    [found] = read_uploads(raw).uploads
    assert isinstance(found, Delivered)
    fault = found.faults[0]
    assert (fault.where, fault.found, fault.code) == ("readings[0].value", "81.40000000000000001", Code.VALUE)
    kept: Any = found.readings[0]
    assert json.loads(kept[AS_SENT])["value"] == "81.40000000000000001"


def test_corrections() -> None:
    for correction in Correction:
        assert delivered({**SENT, "correction": correction.value}).correction is correction


def test_one_a_list_and_lines() -> None:
    one = json.dumps(SENT).encode()
    assert not read_uploads(one).is_several
    several = read_uploads(b"[" + one + b"," + one + b"]")
    assert several.is_several
    assert [one.places for one in several.uploads if isinstance(one, Delivered)] == [
        ("[0].readings[0]",), ("[1].readings[0]",),
    ]  # fmt: skip
    lines = read_uploads(one + b"\r\n\n{\n" + one, by_line=True)
    good, bad, last = lines.uploads
    assert isinstance(good, Delivered)
    assert good.places == ("line 1.readings[0]",)
    assert isinstance(bad, Whole)
    assert bad.faults[0].where == "line 3"
    assert isinstance(last, Delivered)


def test_too_many_and_none() -> None:
    one = json.dumps({**SENT, "readings": [WEIGHT] * 100}).encode()
    limit = MAX_READINGS // 100
    assert len(read_uploads(b"[" + b",".join([one] * limit) + b"]").uploads) == limit
    for raw, by_line in (
        (b"[" + b",".join([one] * (limit + 1)) + b"]", False),
        (b"[" + b",".join([b"{}"] * (MAX_UPLOADS + 1)) + b"]", False),
        (b"{}\n" * (MAX_UPLOADS + 1), True),
        (b"[]", False),
        (b"\n \n", True),
    ):
        with pytest.raises(Unreadable):
            read_uploads(raw, by_line=by_line)


@given(UPLOADS | JSON)
def test_whatever_is_sent_is_delivered_or_refused_with_its_place(content: object) -> None:
    found = read_upload(content, "[7]")
    if isinstance(found, Whole):
        assert found.faults
        assert all(fault.where.startswith("[7]") and fault.expected and fault.found for fault in found.faults)
    else:
        assert len(found.readings) == len(found.places) > 0


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
TEXTS = st.sampled_from([r'"\ud800"', r'"\u0000"', "NaN", "-Infinity", '"kg"', "null"])


def object_of(members: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{literal}' for name, literal in members.items()) + "}"


LITERALS = st.recursive(
    NUMBERS | TEXTS,
    lambda inner: (
        st.lists(inner).map(lambda items: f"[{','.join(items)}]")
        | st.dictionaries(NAMES, inner).map(object_of)
    ),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, LITERALS, min_size=1), st.dictionaries(NAMES, LITERALS))
def test_whatever_it_says_the_log_can_hold_it(fields: dict[str, str], others: dict[str, str]) -> None:
    readings = f"[{object_of(fields)},{object_of(others)}]"
    raw = f'{{"device_id":"scale-1","readings":{readings}}}'.encode()
    [found] = read_uploads(raw).uploads
    assert isinstance(found, Delivered)
    [made] = draft([Speaking(0, found, UUID(PATIENT), "scale-1")], "hub", AT_US)
    [judged] = preview([made], "n")
    assert len(judged) == 2
    assert all(isinstance(judged[number], Refusal) for number in found.faults)
