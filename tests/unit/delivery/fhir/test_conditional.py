"""Conditions: only what the resource says of itself can be asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.content import Code, Fault
from ingest.delivery.fhir.conditional import read_if_match, read_if_none_exist

PHD = {"system": "urn:example:phd", "value": "74E8-20181113175903+0100-150588"}
PULSE = {
    "resourceType": "Observation",
    "identifier": [{"system": "urn:example:uploads", "value": "2026|7"}, {"value": "bare"}, PHD],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/b51f"},
    "effectiveDateTime": "2026-03-01T08:00:00+01:00",
    "device": {"identifier": {"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "AC-DE"}},
}
DEVICE = "device.identifier=urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680|AC-DE"


@pytest.mark.parametrize(("value", "revision"), [('W/"0"', 0), ('"3"', 3), (' W/"12" ', 12)])
def test_if_match_is_one_version(value: str, revision: int) -> None:
    assert read_if_match(value, "If-Match") == revision


@pytest.mark.parametrize("value", ["*", "3", 'W/"01"', 'W/"1", W/"2"', "", 'W/"99999999999"', 'w/"1"'])
def test_anything_else_is_no_version(value: str) -> None:
    found = read_if_match(value, "If-Match")
    assert isinstance(found, Fault)
    assert found.code is Code.STRUCTURE


@pytest.mark.parametrize(
    "condition",
    [
        r"identifier=urn:example:uploads|2026\|7",
        r"?identifier=urn%3Aexample%3Auploads%7C2026%5C%7C7",
        "identifier=|bare",
        "identifier=bare",
        DEVICE + "&date=2026-03-01T08:00:00%2B01:00",
        DEVICE + "&date=2026-03-01T08:00:00+01:00",
        DEVICE + "&date=eq2026-03-01T07:00:00Z&code=http://loinc.org|8867-4",
        DEVICE.replace(".identifier", ":identifier") + "&date=2026-03-01T07:00:00Z&patient=b51f",
        "identifier=bare&subject=Patient/b51f",
        "identifier=urn:example:phd|74E8-20181113175903+0100-150588",
    ],
)
def test_what_the_resource_says_can_be_asked_for(condition: str) -> None:
    assert read_if_none_exist(condition, PULSE, "If-None-Exist") is None


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("identifier=urn:example:uploads|8", Code.RULE),
        ("identifier=urn:example:other|bare", Code.RULE),
        ("identifier=bare,other", Code.RULE),
        ("identifier=", Code.RULE),
        (DEVICE, Code.RULE),
        ("date=2026-03-01T07:00:00Z", Code.RULE),
        (DEVICE + "&date=2026-03-01", Code.RULE),
        (DEVICE + "&date=2026-03-01T07:00:01Z", Code.RULE),
        (DEVICE + "&date=2026-03-01T07:00:00Z&code=8310-5", Code.RULE),
        ("identifier=bare&patient=another", Code.RULE),
        ("identifier=bare&status=final", Code.NOT_SUPPORTED),
        ("identifier=bare&identifier=bare", Code.NOT_SUPPORTED),
        ("nothing", Code.STRUCTURE),
        ("", Code.RULE),
        ("&".join(["identifier=bare"] * 9), Code.STRUCTURE),
    ],
)
def test_anything_else_is_refused(condition: str, code: Code) -> None:
    found = read_if_none_exist(condition, PULSE, "If-None-Exist")
    assert found is not None
    assert (found.where, found.code) == ("If-None-Exist", code)
    assert "b51f" not in found.found, "what is asked for may be a patient's"


def test_the_device_may_be_contained() -> None:
    device = {"resourceType": "Device", "id": "d", "identifier": [{"system": "urn:x", "value": "7"}]}
    contained = PULSE | {"contained": [device], "device": {"reference": "#d"}}
    condition = "device.identifier=urn:x|7&date=2026-03-01T07:00:00Z"
    assert read_if_none_exist(condition, contained, "x") is None


def test_a_response_has_one_identifier_and_is_authored() -> None:
    response = {"identifier": {"system": "urn:x", "value": "7"}, "authored": "2026-03-01T07:00:00Z"}
    assert read_if_none_exist("identifier=urn:x|7&date=2026-03-01T07:00:00Z", response, "x") is None


def test_what_has_no_right_shape_is_not_what_is_asked_for() -> None:
    shapes: list[object] = [[], {}, 7, None]
    for value in shapes:
        found = read_if_none_exist("identifier=7", {"identifier": [{"value": value}, 7]}, "x")
        assert found is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["identifier=a|b", "device.identifier=a&date=2026-03-01T07:00:00Z", "code=a&patient=b"])
    | st.text(max_size=30),
    st.dictionaries(
        st.sampled_from(["identifier", "device", "date", "code", "subject", "contained", "effectivePeriod"]),
        JSON,
    ),
)
def test_no_condition_and_no_resource_raises(condition: str, resource: dict[str, object]) -> None:
    read_if_none_exist(condition, resource, "If-None-Exist")
    read_if_match(condition, "If-Match")
