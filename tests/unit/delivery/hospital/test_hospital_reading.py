"""What a hospital's resource says, or where it is wrong; whatever is sent, nothing raises."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.content import Code, Fault, Named
from ingest.delivery.hospital.encounter import map_encounter
from ingest.delivery.hospital.episode import map_episode
from ingest.delivery.hospital.patient import map_patient
from ingest.delivery.hospital.told import PersonTold, StayTold
from ingest.delivery.strict import parse
from models.clock import DAY_US, HOUR_US
from models.hospital import Said
from tests.unit.delivery.hospital.resources import (
    ANOTHER_BSN,
    BSN,
    BSN_SYSTEM,
    NOW_US,
    OTHER,
    PATIENT,
    YESTERDAY_US,
    Resource,
    at,
    by_id,
    by_number,
    encounter,
    episode,
    paths,
    patient,
    replaced,
    without,
)

MAPS: Mapping[str, Callable[..., Any]] = {
    "Encounter": map_encounter,
    "EpisodeOfCare": map_episode,
    "Patient": map_patient,
}


def read(resource: Resource) -> Any:
    told = MAPS[resource["resourceType"]](resource, NOW_US)
    assert not isinstance(told, tuple), told
    return told


def refused_by(told: Any) -> list[Any]:
    return list(cast("tuple[Any, ...]", told)) if isinstance(told, tuple) else []


def only_fault(resource: Resource) -> Fault:
    (fault,) = refused_by(MAPS[resource["resourceType"]](resource, NOW_US))
    assert isinstance(fault, Fault)
    return fault


def test_what_the_tests_send_is_fhir() -> None:
    for resource in (encounter(), encounter("finished", end_us=NOW_US), episode(), patient()):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_an_admission() -> None:
    told = read(encounter(updated_us=NOW_US))
    assert told == StayTold(
        whom=Named(patient_id=PATIENT),
        keys=("https://hospital.example/encounters|O-1",),
        said=Said.IN_HOSPITAL,
        in_hospital=True,
        began_us=NOW_US - 5 * HOUR_US,
        told_us=NOW_US,
    )


STATES: tuple[tuple[str, str, Said], ...] = (
    ("arrived", "EMER", Said.IN_HOSPITAL),
    ("triaged", "EMER", Said.IN_HOSPITAL),
    ("in-progress", "OBSENC", Said.IN_HOSPITAL),
    ("onleave", "IMP", Said.AWAY),
    ("planned", "IMP", Said.PLANNED),
    ("cancelled", "IMP", Said.TAKEN_BACK),
    ("entered-in-error", "ACUTE", Said.TAKEN_BACK),
    ("in-progress", "AMB", Said.AWAY),
    ("in-progress", "HH", Said.AWAY),
)


@pytest.mark.parametrize(("status", "kind", "said"), STATES)
def test_what_counts_as_being_in_hospital(status: str, kind: str, said: Said) -> None:
    told = read(encounter(status, kind))
    assert (told.said, told.in_hospital) == (said, kind not in {"AMB", "HH"})


@pytest.mark.parametrize(
    ("kind", "disposition", "goes_home", "by_death"),
    [
        ("IMP", None, True, False),
        ("IMP", "home", True, False),
        ("IMP", "other-hcf", False, False),
        ("IMP", "exp", False, True),
        ("EMER", None, False, False),
    ],
)
def test_who_went_home(kind: str, disposition: str | None, goes_home: bool, by_death: bool) -> None:
    system = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
    coding = {"coding": [{"system": system, "code": disposition}, {"system": "urn:x", "code": "y"}]}
    more: Resource = {} if disposition is None else {"hospitalization": {"dischargeDisposition": coding}}
    told = read(encounter("finished", kind, end_us=NOW_US - HOUR_US, **more))
    assert (told.said, told.goes_home, told.by_death) == (Said.OVER, goes_home, by_death)
    assert told.ended_us == NOW_US - HOUR_US


def test_when_it_became_what_it_is() -> None:
    history = [{"status": "in-progress", "period": {"start": at(YESTERDAY_US), "end": at(NOW_US - HOUR_US)}}]
    assert read(encounter("onleave", statusHistory=history)).turned_us == NOW_US - HOUR_US


def test_a_patient_may_be_named_in_several_ways_that_agree() -> None:
    assert read(encounter(subject=by_number())).whom == Named(bsn=BSN)
    assert read(encounter(subject={**by_number(), "reference": f"Patient/{PATIENT}"})).whom == Named(
        PATIENT, BSN
    )
    # The sender's own id is no id of ours.
    assert read(encounter(subject={**by_number(), "reference": "Patient/123"})).whom == Named(bsn=BSN)
    contained = {"resourceType": "Patient", "id": "p", "identifier": [by_number()["identifier"]]}
    assert read(encounter(subject={"reference": "#p"}, contained=[contained])).whom == Named(bsn=BSN)
    ours = {"identifier": {"system": "urn:thuiswacht:patient", "value": str(PATIENT)}}
    assert read(encounter(subject=ours)).whom == Named(patient_id=PATIENT)
    beside = {"urn:uuid:7": {"resourceType": "Patient", "identifier": [by_number()["identifier"]]}}
    told = map_encounter(encounter(subject={"reference": "urn:uuid:7"}), NOW_US, bundled=beside)
    assert isinstance(told, StayTold)
    assert told.whom == Named(bsn=BSN)


def test_a_patient_is_found_by_number_or_by_our_id() -> None:
    assert read(patient()).whom == Named(bsn=BSN)
    assert read({**without(patient(), "identifier"), "id": str(PATIENT)}).whom == Named(patient_id=PATIENT)
    # With a number, the id is the sender's own, whatever it looks like.
    assert read({**patient(), "id": str(OTHER)}).whom == Named(bsn=BSN)
    old = {"system": BSN_SYSTEM, "value": ANOTHER_BSN, "use": "old"}
    assert read({**patient(), "identifier": [old, *patient()["identifier"]]}).whom == Named(bsn=BSN)


DEATHS: tuple[tuple[Resource, bool | None, date | None], ...] = (
    ({}, None, None),
    ({"deceasedBoolean": True}, True, None),
    ({"deceasedBoolean": False}, False, None),
    ({"deceasedDateTime": "2026-11-20"}, True, date(2026, 11, 20)),
    ({"deceasedDateTime": "2026-11"}, True, None),
    ({"deceasedDateTime": "2026-11-20T23:30:00+01:00"}, True, date(2026, 11, 20)),
)


@pytest.mark.parametrize(("more", "died", "day"), DEATHS)
def test_a_death(more: Resource, died: bool | None, day: date | None) -> None:
    told = read(patient(birthDate="1948-03-02", **more))
    assert isinstance(told, PersonTold)
    assert (told.died, told.died_on, told.birth_date) == (died, day, date(1948, 3, 2))


def test_doubles_are_those_that_replace_each_other() -> None:
    links = [
        {"type": "replaced-by", "other": by_id(OTHER)},
        {"type": "replaces", "other": by_number(ANOTHER_BSN)},
        {"type": "seealso", "other": {"reference": "Patient/elsewhere"}},
    ]
    doubles = read(patient(link=links)).doubles
    assert [(one.other, one.is_other) for one in doubles] == [
        (Named(patient_id=OTHER), False), (Named(bsn=ANOTHER_BSN), True),
    ]  # fmt: skip


def test_an_episode_names_our_programme() -> None:
    told = read(episode("finished", updated_us=NOW_US))
    assert (told.programme, told.said, told.keys, told.told_us) == ("copd", Said.OVER, ("id|E-1",), NOW_US)


WRONG: Mapping[str, tuple[Resource, str, Code]] = {
    "another type": ({**encounter(), "resourceType": "Encounter", "modifierExtension": []},
                     "Encounter.modifierExtension", Code.NOT_SUPPORTED),
    "an element that there is not": ({**encounter(), "wing": "b"}, "Encounter", Code.STRUCTURE),
    "an unknown state": (encounter("gone"), "Encounter.status", Code.UNKNOWN_CODE),
    "a state that says nothing": (encounter("unknown"), "Encounter.status", Code.UNKNOWN_CODE),
    "no state": (without(encounter(), "status"), "Encounter.status", Code.REQUIRED),
    "no class": (without(encounter(), "class"), "Encounter.class", Code.REQUIRED),
    "an unknown class": (encounter(kind="ICU"), "Encounter.class.code", Code.UNKNOWN_CODE),
    "a class of another list": (
        {**encounter(), "class": {"system": "urn:x", "code": "IMP"}},
        "Encounter.class.system", Code.UNKNOWN_CODE,
    ),
    "a class that is no code": (
        {**encounter(), "class": {**encounter()["class"], "code": ["IMP"]}},
        "Encounter.class.code", Code.UNKNOWN_CODE,
    ),
    "an admission without a begin": (encounter(start_us=None), "Encounter.period.start", Code.REQUIRED),
    "a discharge without an end": (encounter("finished"), "Encounter.period.end", Code.REQUIRED),
    "an admission to come": (encounter(start_us=NOW_US + HOUR_US), "Encounter.period.start", Code.RULE),
    "a discharge to come": (
        encounter("finished", end_us=NOW_US + HOUR_US), "Encounter.period.end", Code.RULE,
    ),
    "an end before the begin": (
        encounter("finished", end_us=NOW_US - DAY_US), "Encounter.period.end", Code.RULE,
    ),
    "a day without a time": (
        {**encounter(), "period": {"start": "2026-11-30"}}, "Encounter.period.start", Code.VALUE,
    ),
    "a time without a zone": (
        {**encounter(), "period": {"start": "2026-11-22T07:31:20"}}, "Encounter.period.start", Code.VALUE,
    ),
    "changed in the future": (
        encounter(updated_us=NOW_US + HOUR_US), "Encounter.meta.lastUpdated", Code.RULE,
    ),
    "nobody": (without(encounter(), "subject"), "Encounter.subject", Code.REQUIRED),
    "somebody by name": (
        encounter(subject={"display": "mevrouw Jansen"}), "Encounter.subject", Code.REQUIRED,
    ),
    "somebody of another server": (
        encounter(subject={"reference": f"https://his.example/Patient/{PATIENT}"}),
        "Encounter.subject", Code.REQUIRED,
    ),
    "a wrong number": (
        encounter(subject=by_number("123456789")), "Encounter.subject.identifier.value", Code.VALUE,
    ),
    "nothing to know it again by": (
        without(encounter(), "identifier"), "Encounter.identifier", Code.REQUIRED,
    ),
    "two numbers": (
        {**patient(), "identifier": [by_number()["identifier"], by_number(ANOTHER_BSN)["identifier"]]},
        "Patient.identifier", Code.RULE,
    ),
    "a patient without number or id of ours": (
        without(patient(), "identifier"), "Patient.identifier", Code.REQUIRED,
    ),
    "dead twice": (
        patient(deceasedBoolean=True, deceasedDateTime="2026-11-01"), "Patient.deceasedBoolean", Code.RULE,
    ),
    "death without a value": (
        patient(_deceasedDateTime={"extension": []}), "Patient.deceasedDateTime", Code.REQUIRED,
    ),
    "a death to come": (patient(deceasedDateTime="2027-01-01"), "Patient.deceasedDateTime", Code.RULE),
    "an unknown link": (
        patient(link=[{"type": "twin", "other": by_id()}]), "Patient.link[0].type", Code.UNKNOWN_CODE,
    ),
    "a link to nobody": (patient(link=[{"type": "replaces"}]), "Patient.link[0].other", Code.REQUIRED),
    "an episode of something else": (
        {**episode(), "type": [{"coding": [{"system": "urn:x", "code": "copd"}]}]},
        "EpisodeOfCare.type", Code.REQUIRED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_at_its_place(name: str) -> None:
    resource, where, code = WRONG[name]
    fault = only_fault(resource)
    assert (fault.where, fault.code) == (where, code)
    told = json.dumps([fault.expected, fault.found])
    assert not any(secret in told for secret in ("Jansen", BSN, ANOTHER_BSN, "123456789", str(PATIENT)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
SOUND = [encounter(), encounter("finished", end_us=NOW_US), episode(), patient(deceasedBoolean=True)]


@given(st.data())
def test_whatever_stands_anywhere_nothing_raises(data: st.DataObject) -> None:
    sound = data.draw(st.sampled_from(SOUND))
    path = data.draw(st.sampled_from(paths(sound)[1:]))
    sent = replaced(sound, path, data.draw(JSON))
    for read_it in MAPS.values():
        faults = refused_by(read_it(sent, NOW_US))
        assert all(isinstance(one, Fault) for one in faults)


@given(st.dictionaries(st.text(max_size=10) | st.sampled_from([*encounter(), *patient()]), JSON, max_size=6))
def test_any_object_is_refused_and_never_raises(sent: dict[str, Any]) -> None:
    for name, read_it in MAPS.items():
        assert refused_by(read_it({**sent, "resourceType": name}, NOW_US))


def test_a_fraction_finer_than_a_microsecond_is_cut_off() -> None:
    start = "2026-11-22T07:31:20.1234567+01:00"
    told = read({**encounter(), "period": {"start": start}})
    assert told.began_us % 1_000_000 == 123_456


def test_ids_are_written_in_full() -> None:
    short = UUID(int=1).hex
    assert only_fault(encounter(subject={"reference": f"Patient/{short}"})).code is Code.REQUIRED


def test_a_text_that_cannot_be_read_is_refused_where_it_stands() -> None:
    sent = cast("Any", parse(json.dumps(encounter()).replace('"O-1"', r'"\ud800"').encode()))
    assert only_fault(sent).where == "Encounter.identifier[0].value"
