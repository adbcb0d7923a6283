"""Whatever JSON holds: never an exception, always either a reason or exactly what was sent."""

import re
from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ingest.delivery.content import Fault
from ingest.delivery.fhir.codes import MEANINGS, OUR_KIND
from ingest.delivery.fhir.observation import Mapped, holds_no_reading, map_observation
from ingest.delivery.fhir.outcome import outcome_of
from ingest.delivery.fhir.questionnaire import map_questionnaire_response
from ingest.delivery.fhir.questionnaires import ASKED
from models.clock import to_us
from models.kinds import KIND_BY_NAME, KINDS
from models.messages import WireReading
from models.units import UNITS, is_unit_of
from tests.unit.delivery.fhir.samples import (
    LOINC,
    PATIENT,
    TAKEN_AT,
    blood_pressure,
    code,
    faults,
    nl_core,
    observation,
    quantity,
)

WIRE: TypeAdapter[WireReading] = TypeAdapter(WireReading)

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            LOINC, "29463-7", "8867-4", "kg", "final", TAKEN_AT, "Observation", "Device/1", "#1",
            "entered-in-error", "2026-11-22", "\ud800", "\x00", f"Patient/{PATIENT}", "unknown",
        ]
    ),
)  # fmt: skip
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), texts, st.sampled_from([10**400, 1e300, -0.0])
    ),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.dictionaries(
            st.one_of(
                texts,
                st.sampled_from(
                    ["system", "code", "value", "unit", "coding", "reference", "identifier", "start"]
                ),
            ),
            inside,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
measured = [kind for kind in KINDS if not kind.is_coded]
# Codes of glucose hold its unit; our own leave it open.
own_codes = {
    kind.name: [
        coding
        for coding, means in MEANINGS.items()
        if len(means) == 1 and kind.name in means and (coding[0] == OUR_KIND or "glucose" not in kind.name)
    ]
    for kind in KINDS
}


@st.composite
def moments(draw: st.DrawFn) -> str:
    second = draw(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001 (its zone follows)
    minutes = draw(st.integers(0, 13 * 60))
    sign = draw(st.sampled_from("+-"))
    fraction = draw(st.sampled_from(["", ".5", ".000001", ".123456", ".1000000"]))
    return f"{second:%Y-%m-%dT%H:%M:%S}{fraction}{sign}{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def quantities(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    units = [unit for number, unit in enumerate(UNITS) if is_unit_of(KIND_BY_NAME[kind].number, number)]
    value = draw(st.one_of(st.integers(-(10**6), 10**6), st.decimals(-1000, 1000, places=3).map(float)))
    return quantity(value, draw(st.sampled_from(units)))


@st.composite
def observations(draw: st.DrawFn) -> dict[str, Any]:
    """Sound ones: of every kind that is measured, or a pressure."""
    changed: dict[str, Any] = {
        "effectiveDateTime": draw(moments()),
        "status": draw(st.sampled_from(STATUSES)),
    }
    if draw(st.booleans()):
        names = draw(
            st.sets(st.sampled_from(["systolic", "diastolic", "mean_arterial", "pulse"]), min_size=1)
        )
        parts = [
            {"code": code(draw(st.sampled_from(own_codes[name]))), "valueQuantity": draw(quantities(name))}
            for name in sorted(names)
        ]
        return blood_pressure(*parts, **changed)
    kind = draw(st.sampled_from(measured))
    coding = draw(st.sampled_from(own_codes[kind.name]))
    return observation(coding, valueQuantity=draw(quantities(kind.name)), **changed)


STATUSES = ["final", "amended", "corrected", "entered-in-error"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inside = cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        inside = enumerate(cast("list[Any]", value))
    return [path, *[deeper for key, part in inside for deeper in places(part, (*path, key))]]


def replaced(resource: Any, path: tuple[Any, ...], new: Any) -> Any:
    changed = deepcopy(resource)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return changed


def at_place(resource: Any, place: str) -> Any:
    """What stands at a place, read in the simplest way."""
    for name, number in re.findall(r"\.(\w+)(?:\[(\d+)\])?", place):
        resource = resource[name] if not number else resource[name][int(number)]
    return resource


def check(resource: Any, found: Mapped | tuple[Fault, ...]) -> None:
    """A reason, or exactly what was sent."""
    if not isinstance(found, Mapped):
        assert found
        assert all(fault.where and fault.expected and fault.found for fault in found)
        assert outcome_of(found)["issue"]
        return
    readings = found.delivered.readings
    assert readings
    assert len(readings) == len(found.delivered.places)
    for reading, place in zip(readings, found.delivered.places, strict=True):
        WIRE.validate_python(dict(reading))
        assert reading["taken_at_us"] == found.taken_at_us
        if "value" in reading:
            sent = at_place(resource, place)
            if place.endswith("valueQuantity"):
                assert reading["value"] == sent["value"]
                assert reading.get("unit") == sent.get("code", sent.get("unit"))
            else:
                assert reading["value"] == sent
    if "effectiveDateTime" in resource and len(resource["effectiveDateTime"]) > 10:
        text = re.sub(r"(\.\d{6})\d+", r"\1", resource["effectiveDateTime"])
        assert found.taken_at_us == to_us(datetime.fromisoformat(text))


@given(observations())
def test_sound_ones_arrive_as_they_were_sent(resource: dict[str, Any]) -> None:
    before = deepcopy(resource)
    found = map_observation(resource)
    assert isinstance(found, Mapped), found
    assert resource == before
    check(resource, found)


@settings(max_examples=200)
@given(st.data())
def test_changed_ones_give_a_reason_or_what_they_say(data: st.DataObject) -> None:
    samples = [nl_core("BloodPressure"), nl_core("O2Saturation"), nl_core("HeartRate")]
    resource = data.draw(st.one_of(observations(), st.sampled_from(samples)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(resource)[1:] or [("status",)]))
        resource = replaced(resource, path, data.draw(json_values))
    check(resource, map_observation(resource))
    holds_no_reading(resource)


NAMES = st.one_of(
    st.sampled_from(
        [
            "status", "code", "subject", "device", "effectivePeriod", "effectiveDateTime", "valueQuantity",
            "valueCodeableConcept", "dataAbsentReason", "component", "contained", "meta", "interpretation",
            "method", "hasMember", "questionnaire", "authored", "author", "item", "identifier", "id",
        ]
    ),
    texts,
)  # fmt: skip
resources = st.dictionaries(NAMES, json_values, max_size=10)


@settings(max_examples=150)
@given(resources, st.sampled_from(["Observation", "QuestionnaireResponse"]))
@example({"valueQuantity": {"value": 10**400}}, "Observation")
def test_any_json_gives_a_reason(resource: dict[str, Any], type_: str) -> None:
    whole = resource | {"resourceType": type_}
    holds_no_reading(resource)
    for mapping in (map_observation, map_questionnaire_response):
        assert not isinstance(mapping(resource), Mapped)
        check(whole, mapping(whole))


@settings(max_examples=150)
@given(st.data())
def test_any_answers_give_a_reason_or_what_they_say(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(ASKED)))
    resource: Any = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"urn:thuiswacht:questionnaire:{name}",
        "status": "completed",
        "authored": TAKEN_AT,
        "item": [{"linkId": link, "answer": [{"valueBoolean": True}]} for link in ASKED[name]],
    }
    for _ in range(data.draw(st.integers(0, 3))):
        path = data.draw(st.sampled_from(places(resource)[1:]))
        resource = replaced(resource, path, data.draw(json_values))
    check(resource, map_questionnaire_response(resource))


def test_items_a_hundred_deep_and_wide_codings() -> None:
    deep: Any = {"linkId": "symptom_cold", "answer": [{"valueBoolean": True}]}
    for _ in range(5_000):
        deep = {"linkId": "group", "item": [deep]}
    resource = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "urn:thuiswacht:questionnaire:copd",
        "status": "completed",
        "authored": TAKEN_AT,
        "item": [deep],
    }
    assert isinstance(map_questionnaire_response(resource), Mapped)
    pressure = {"code": code((LOINC, "8480-6")), "valueQuantity": quantity(120, "mm[Hg]")}
    many = blood_pressure(*[pressure] * 100_000)
    assert faults(many) == [("Observation.component", "at most 30 components", "100000")]
    misspelt = observation() | {f"element{number}": 1 for number in range(100_000)}
    assert len(faults(misspelt)) == 50
    wide = observation(
        code={"coding": [{"system": "urn:x", "code": str(number)} for number in range(10_000)]}
    )
    assert all(len(found) < 500 for _, _, found in faults(wide))
