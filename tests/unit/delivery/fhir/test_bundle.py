"""Bundles: each entry by itself, in its order, and nothing of any shape raises."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.fhir.bundle import MAX_ENTRIES, Bundle, Supporting, read_bundle
from ingest.delivery.fhir.capability import Interaction
from ingest.delivery.fhir.interaction import Asked, Refused

ID = "5f3c9ad0-5b7c-4c3e-9a43-1b7a5f0c0d11"
DEVICE_URL = "urn:uuid:0c7f2f0a-0000-4000-8000-000000000001"


def pulse(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", **more}


def entry(resource: Any, method: str = "POST", url: str | None = None, **more: Any) -> dict[str, Any]:
    address = resource["resourceType"] if url is None else url
    return {"resource": resource, "request": {"method": method, "url": address, **more}}


def bundle(*entries: Any, type_: str = "batch") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type_, "entry": [*entries]}


def read(*entries: Any) -> tuple[Any, ...]:
    found = read_bundle(bundle(*entries))
    assert isinstance(found, Bundle)
    return found.entries


def refused(*entries: Any) -> Refused:
    (found,) = read(*entries)
    assert isinstance(found, Refused)
    return found


def test_a_batch_is_its_entries() -> None:
    created, updated = read(entry(pulse()), entry(pulse(id=ID), "PUT", f"Observation/{ID}", ifMatch='W/"2"'))
    assert created == Asked("Bundle.entry[0].resource", Interaction.CREATE, "Observation", pulse())
    assert updated == Asked(
        "Bundle.entry[1].resource", Interaction.UPDATE, "Observation", pulse(id=ID), to=ID, if_match=2
    )


def test_a_transaction_is_together() -> None:
    found = read_bundle(bundle(entry(pulse()), type_="transaction"))
    assert isinstance(found, Bundle)
    assert found.together


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (None, 400, "Bundle"),
        ([], 400, "Bundle"),
        (pulse(), 400, "Bundle"),
        ({"resourceType": "Bundle"}, 422, "Bundle.type"),
        (bundle(entry(pulse()), type_="collection"), 422, "Bundle.type"),
        (bundle(), 422, "Bundle.entry"),
        ({"resourceType": "Bundle", "type": "batch", "entries": []}, 400, "Bundle"),
        (bundle() | {"implicitRules": "urn:x"}, 400, "Bundle"),
        (bundle(*[0] * (MAX_ENTRIES + 1)), 413, "Bundle.entry"),
    ],
)
def test_what_is_no_bundle_for_us_is_refused_whole(body: object, status: int, where: str) -> None:
    found = read_bundle(body)
    assert isinstance(found, Refused)
    assert (found.status, found.faults[0].where) == (status, where)


BROKEN: list[tuple[Any, int, str]] = [
    (7, 400, ""),
    ({}, 400, ".request"),
    ({"resource": pulse()}, 400, ".request"),
    (entry(pulse()) | {"modifierExtension": []}, 400, ""),
    (entry(pulse()) | {"response": {"status": "200"}}, 400, ""),
    (entry(pulse(), ifNoneMatch="*"), 400, ".request"),
    (entry(pulse(), "GET"), 405, ".request.method"),
    (entry(pulse(), "DELETE", f"Observation/{ID}"), 405, ".request.method"),
    (entry(pulse(), "post"), 400, ".request.method"),
    ({"request": {"method": ["GET"], "url": "Observation"}}, 400, ".request.method"),
    (entry(pulse(), url=f"Observation/{ID}"), 400, ".request.url"),
    (entry(pulse(), url="https://elsewhere.example/Observation"), 400, ".request.url"),
    (entry(pulse(id=ID), "PUT", "Observation"), 400, ".request.url"),
    (entry(pulse(id=ID), "PUT", "Observation?identifier=7"), 400, ".request.url"),
    (entry({"resourceType": "Medication"}), 404, ".resource"),
    (entry(pulse(), url="QuestionnaireResponse"), 400, ".resource.resourceType"),
    ({"request": {"method": "POST", "url": "Observation"}}, 400, ".resource"),
    (entry(pulse(id=ID), "PUT", "Observation/another"), 400, ".resource.id"),
    (entry(pulse(), "PUT", f"Observation/{ID}"), 400, ".resource.id"),
    (entry(pulse()) | {"fullUrl": "one"}, 400, ".fullUrl"),
    (entry(pulse(id=ID)) | {"fullUrl": "https://app.example/Observation/1"}, 400, ".fullUrl"),
    (entry(pulse(), ifMatch='W/"1"'), 400, ".request.ifMatch"),
    (entry(pulse(id=ID), "PUT", f"Observation/{ID}", ifMatch="*"), 400, ".request.ifMatch"),
    (entry(pulse(), ifNoneExist="status=final"), 400, ".request.ifNoneExist"),
    (entry(pulse(), ifNoneExist="identifier=7"), 412, ".request.ifNoneExist"),
    (entry(pulse(), ifNoneExist=7), 400, ".request.ifNoneExist"),
    (entry({"resourceType": "Encounter"}, ifNoneExist="identifier=7"), 412, ".request.ifNoneExist"),
]


@pytest.mark.parametrize(("broken", "status", "where"), BROKEN)
def test_a_bad_entry_says_where_and_spares_the_others(broken: Any, status: int, where: str) -> None:
    first, second, third = read(entry(pulse()), broken, entry(pulse()))
    assert isinstance(first, Asked)
    assert isinstance(third, Asked)
    assert isinstance(second, Refused)
    assert (second.status, second.faults[0].where) == (status, f"Bundle.entry[1]{where}")


def test_the_same_address_twice_is_refused_in_both_places() -> None:
    both = read(*[entry(pulse()) | {"fullUrl": "urn:uuid:1"}] * 2, entry(pulse()))
    assert [type(one) for one in both] == [Refused, Refused, Asked]


def device(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Device", "identifier": [{"system": "urn:x", "value": "7"}], **more}


@pytest.mark.parametrize(
    ("device_entry", "observation", "reference"),
    [
        (entry(device()) | {"fullUrl": DEVICE_URL}, {}, DEVICE_URL),
        (entry(device(id="d"), "PUT", "Device/d"), {}, "Device/d"),
        (
            entry(device(id="d")) | {"fullUrl": "https://app.example/fhir/Device/d"},
            {"fullUrl": "https://app.example/fhir/Observation/1"},
            "Device/d",
        ),
    ],
)
def test_a_device_of_the_bundle_comes_into_what_refers_to_it(
    device_entry: Any, observation: dict[str, Any], reference: str
) -> None:
    sent = pulse(device={"reference": reference, "display": "meter"})
    supporting, asked = read(device_entry, entry(sent) | observation)
    assert supporting == Supporting("Bundle.entry[0].resource", "Device")
    assert asked.resource is sent
    assert asked.bundled[reference]["identifier"] == device()["identifier"]


def test_a_search_for_an_identifier_is_the_identifier() -> None:
    (asked,) = read(entry(pulse(device={"reference": "Device?identifier=urn:x|7"})))
    assert asked.bundled["Device?identifier=urn:x|7"]["identifier"] == [{"system": "urn:x", "value": "7"}]
    (asked,) = read(entry(pulse(device={"reference": "Device?type=7"})))
    assert not asked.bundled


def test_a_condition_may_name_the_device_of_the_bundle() -> None:
    at = "2026-03-01T07:00:00Z"
    sent = pulse(device={"reference": DEVICE_URL}, effectiveDateTime=at)
    condition = f"device.identifier=urn:x|7&date={at}"
    _, asked = read(entry(device()) | {"fullUrl": DEVICE_URL}, entry(sent, ifNoneExist=condition))
    assert isinstance(asked, Asked)
    assert asked.once


def test_a_patient_who_tells_nothing_is_there_for_their_identifiers() -> None:
    told, silent = read(
        entry({"resourceType": "Patient", "deceasedBoolean": True}),
        entry({"resourceType": "Patient", "identifier": []}, ifNoneExist="identifier=7"),
    )
    assert isinstance(told, Asked)
    assert silent == Supporting("Bundle.entry[1].resource", "Patient")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
WORDS = JSON | st.sampled_from(
    ["POST", "PUT", "Observation", "Device", f"Observation/{ID}", "urn:uuid:1", ID]
)


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, WORDS))


REFERENCE = WORDS | objects("reference", "identifier")
RESOURCE = WORDS | st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["Observation", "Device", "Patient"]) | WORDS},
    optional={
        "id": WORDS,
        "subject": REFERENCE,
        "device": REFERENCE,
        "contained": WORDS,
        "identifier": WORDS,
    },
)
ENTRY = JSON | st.fixed_dictionaries(
    {"resource": RESOURCE, "request": JSON | objects("method", "url", "ifMatch", "ifNoneExist")},
    optional={"fullUrl": WORDS},
)


@given(st.lists(ENTRY, min_size=1, max_size=4), st.sampled_from(["batch", "transaction"]))
def test_there_are_as_many_answers_as_entries(entries: list[Any], type_: str) -> None:
    found = read_bundle(bundle(*entries, type_=type_))
    assert isinstance(found, Bundle)
    assert len(found.entries) == len(entries)


@given(JSON | objects("resourceType", "type", "entry"))
def test_no_json_raises(body: object) -> None:
    read_bundle(body)
