"""What is to be done with the entries of a bundle."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.content import Code, Fault, Named
from ingest.delivery.fhir.bundle import Bundle, read_bundle
from ingest.delivery.fhir.ids import observation_id
from ingest.delivery.fhir.plan import (
    Again,
    Planned,
    Step,
    id_of,
    moved,
    plan,
    refuse_address,
    refuse_others,
    refuse_version,
)
from ingest.delivery.fhir.responses import Response, refusal

AT = "2026-03-01T08:00:00+01:00"
PATIENT, ANOTHER = UUID(int=1), UUID(int=2)


def weight(value: object = 81.4, device: str = "scale-1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": AT,
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "kg"},
        "device": {"identifier": {"system": "urn:thuiswacht:device", "value": device}},
        **more,
    }


def entry(resource: dict[str, Any], id_: str | None = None, **conditions: str) -> dict[str, Any]:
    type_ = resource["resourceType"]
    if id_ is None:
        return {"resource": resource, "request": {"method": "POST", "url": type_, **conditions}}
    request = {"method": "PUT", "url": f"{type_}/{id_}", **conditions}
    return {"resource": resource | {"id": id_}, "request": request}


def planned(*entries: Any, together: bool = False) -> list[Step]:
    type_ = "transaction" if together else "batch"
    found = read_bundle({"resourceType": "Bundle", "type": type_, "entry": [*entries]})
    assert isinstance(found, Bundle)
    return plan(found.entries, is_bundle=True, together=together)


def only(*entries: Any) -> Planned:
    (step,) = planned(*entries)
    assert isinstance(step, Planned)
    return step


def refused(step: Step) -> tuple[int, str, Code]:
    assert isinstance(step, Response)
    return step.status, step.faults[0].where, step.faults[0].code


def test_each_entry_becomes_its_readings_or_its_faults() -> None:
    good, bad, unmapped = planned(entry(weight()), {}, entry(weight("much", device="scale-2")))
    assert isinstance(good, Planned)
    assert good.mapped.about == "body_weight"
    assert refused(bad)[:2] == (400, "Bundle.entry[1].request")
    assert refused(unmapped)[0] == 422
    assert refused(unmapped)[1].startswith("Bundle.entry[2].resource.valueQuantity")


def test_the_same_again_is_answered_like_the_first() -> None:
    steps = planned(entry(weight()), entry(weight(device="scale-2")), entry(weight()))
    assert isinstance(steps[1], Planned)
    assert steps[2] == Again(0)


def test_what_is_wrong_with_both_stands_in_both_places() -> None:
    fault = Fault("Bundle.entry[1].resource.device", "a device", "none", Code.NOT_FOUND)
    found = moved(refusal(404, fault), 1, 12)
    assert found.faults[0].where == "Bundle.entry[12].resource.device"


@pytest.mark.parametrize(
    "second", [weight(81.5), weight(status="corrected"), weight(status="entered-in-error")]
)
def test_another_word_about_the_same_reading_is_refused(second: dict[str, Any]) -> None:
    first, other = planned(entry(weight()), entry(second))
    assert isinstance(first, Planned)
    assert refused(other) == (409, "Bundle.entry[1].resource", Code.CONFLICT)


def test_changes_are_told_in_a_batch_and_refused_in_a_transaction() -> None:
    died = entry({"resourceType": "Patient", "deceasedBoolean": True})
    (told,) = planned(died)
    assert not isinstance(told, Response)
    assert refused(planned(entry(weight()), died, together=True)[1])[0] == 422


def test_what_holds_no_reading_is_no_harm_in_a_bundle() -> None:
    panel = weight(hasMember=[{"reference": "Observation/1"}])
    del panel["valueQuantity"]
    panel["code"] = {"coding": [{"system": "http://loinc.org", "code": "85353-1"}]}
    (step,) = planned(entry(panel))
    assert isinstance(step, Response)
    assert (step.status, step.faults) == (200, ())


EUI_64 = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"


def as_the_phd_guide_has_it(**identifier: str) -> list[dict[str, Any]]:
    """A transaction of a gateway for personal health devices: everything refers to what it brings along."""
    patient = {"resourceType": "Patient", "identifier": [identifier]}
    device = {
        "resourceType": "Device",
        "identifier": [{"system": EUI_64, "value": "00-1C-05-04-00-00-78-25"}],
    }
    clock = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "67975"}]},
        "subject": {"reference": "urn:uuid:d"},
        "effectiveDateTime": AT,
        "valueDateTime": AT,
        "device": {"reference": "urn:uuid:d"},
    }
    own = weight(subject={"reference": "urn:uuid:p"}) | {"device": {"reference": "urn:uuid:d"}}
    return [
        entry(patient, ifNoneExist="identifier=7") | {"fullUrl": "urn:uuid:p"},
        entry(device, ifNoneExist="identifier=7") | {"fullUrl": "urn:uuid:d"},
        entry(clock) | {"fullUrl": "urn:uuid:c"},
        entry(own) | {"fullUrl": "urn:uuid:o"},
    ]


def test_a_gateway_brings_its_patient_its_device_and_its_clock() -> None:
    entries = as_the_phd_guide_has_it(system="urn:oid:1.2.3", value="theirs")
    *beside, step = planned(*entries, together=True)
    assert [one.status for one in beside if isinstance(one, Response)] == [200, 200, 200]
    assert isinstance(step, Planned)
    assert step.mapped.delivered.device_id == "001C050400007825"
    assert step.mapped.delivered.patient is None
    assert step.note is not None


def test_a_patient_with_a_number_that_is_known_here_is_named() -> None:
    named = as_the_phd_guide_has_it(system="http://fhir.nl/fhir/NamingSystem/bsn", value="111222333")
    step = planned(*named, together=True)[-1]
    assert isinstance(step, Planned)
    assert step.mapped.delivered.patient == Named(bsn="111222333")
    assert step.note is None


def test_a_patient_put_to_an_id_is_named_by_it() -> None:
    entries = as_the_phd_guide_has_it(system="urn:oid:1.2.3", value="theirs")
    entries[0]["resource"]["id"] = str(PATIENT)
    entries[0]["request"] = {"method": "PUT", "url": f"Patient/{PATIENT}"}
    step = planned(*entries, together=True)[-1]
    assert isinstance(step, Planned)
    assert step.mapped.delivered.patient == Named(PATIENT)


def test_only_its_own_id_is_one_to_put_it_to() -> None:
    own = observation_id(PATIENT, "body_weight", 1_772_348_400_000_000, "scale-1")
    step = only(entry(weight(), str(own)))
    assert id_of(step, PATIENT, "scale-1") == own
    assert refuse_address(step, own) is None
    wrong = only(entry(weight(), "mine"))
    found = refuse_address(wrong, own)
    assert found is not None
    assert found.status == 422
    assert str(own) in found.faults[0].expected


def test_the_version_must_be_the_one_stored() -> None:
    step = only(entry(weight(), "mine", ifMatch='W/"1"'))
    assert refuse_version(step, 1) is None
    for stored in (None, 0, 2):
        found = refuse_version(step, stored)
        assert found is not None
        assert (found.status, found.faults[0].where) == (412, "Bundle.entry[0].request.ifMatch")
    assert refuse_version(only(entry(weight())), None) is None


def test_a_transaction_names_the_entries_of_another_patient() -> None:
    step = only(entry(weight()))
    steps = {0: step, 2: step, 3: step}
    assert refuse_others(steps, dict.fromkeys(steps, PATIENT)) == {}
    assert list(refuse_others(steps, {0: PATIENT, 2: ANOTHER, 3: PATIENT})) == [2]
    assert refuse_others({}, {}) == {}


SHAPES: list[Any] = [None, True, 81.4, "", "final", [], [{}], {}, {"coding": {}}, {"value": "much"}]
MUTATIONS = st.sampled_from(SHAPES)


@given(
    st.lists(
        st.dictionaries(st.sampled_from([*weight(), "id", "subject", "component", "hasMember"]), MUTATIONS),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_there_is_a_step_for_each_entry(changes: list[dict[str, Any]], together: bool) -> None:
    entries = [
        {"resource": weight() | change, "request": {"method": "POST", "url": "Observation"}}
        for change in changes
    ]
    assert len(planned(*entries, together=together)) == len(entries)


def places(value: Any, *before: Any) -> Iterator[tuple[Any, ...]]:
    """The way to everything in it."""
    yield before
    if isinstance(value, dict):
        inside = [*cast("dict[str, Any]", value).items()]
    else:
        inside = [*enumerate(cast("list[Any]", value))] if isinstance(value, list) else []
    for name, one in inside:
        yield from places(one, *before, name)


def test_whatever_stands_anywhere_there_is_a_step_for_each_entry() -> None:
    """One thing after the other is something else than FHIR has there."""
    sound = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            *as_the_phd_guide_has_it(system="urn:x", value="7"),
            entry(weight(device="scale-2"), "mine", ifMatch='W/"0"'),
            entry(weight(device="scale-3", identifier=[{"value": "7"}]), ifNoneExist="identifier=7"),
        ],
    }
    for way in places(sound):
        for shape in SHAPES if way else ():
            changed: Any = deepcopy(sound)
            inside = changed
            for name in way[:-1]:
                inside = inside[name]
            inside[way[-1]] = shape
            found = read_bundle(changed)
            if isinstance(found, Bundle):
                assert len(plan(found.entries, is_bundle=True)) == len(found.entries)


def test_test_data_is_taken_where_nobody_exists_alone() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
    found = read_bundle(
        {"resourceType": "Bundle", "type": "batch", "entry": [entry(weight(meta={"security": [label]}))]}
    )
    assert isinstance(found, Bundle)
    (in_trial,) = plan(found.entries, is_bundle=True, is_trial=True)
    assert isinstance(in_trial, Planned)
    (in_care,) = plan(found.entries, is_bundle=True)
    assert refused(in_care)[:2] == (422, "Bundle.entry[0].resource.meta.security")
