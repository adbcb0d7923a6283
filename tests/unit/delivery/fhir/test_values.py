"""Values and units travel as they were sent; labels, codes and comparators that say otherwise are refused."""

import json
from typing import Any

import pytest

from ingest.delivery.fhir.observation import Mapped, map_observation
from ingest.delivery.strict import parse
from tests.unit.delivery.fhir.samples import (
    ABSENT,
    LOINC,
    MDC,
    SNOMED,
    blood_pressure,
    code,
    content,
    faults,
    observation,
    quantity,
)

TEMPERATURE = (LOINC, "8310-5")
SATURATION = (LOINC, "59408-5")


@pytest.mark.parametrize(
    ("coding", "value", "unit", "kind"),
    [
        ((LOINC, "29463-7"), 81400, "g", "body_weight"),
        ((LOINC, "29463-7"), 185, "[lb_av]", "body_weight"),
        ((LOINC, "8480-6"), 16.7, "kPa", "systolic"),
        (TEMPERATURE, 98.6, "[degF]", "temperature"),
        (TEMPERATURE, 98.6, "Cel", "temperature"),
        (SATURATION, 0.97, "1", "spo2"),
        (SATURATION, 0.97, "%", "spo2"),
        ((LOINC, "9279-1"), 16, "{breaths}/min", "respiratory_rate"),
        ((LOINC, "9279-1"), 16, "{breath}/min", "respiratory_rate"),
        ((LOINC, "8867-4"), 72, "{Beats}/min", "heart_rate"),
        ((LOINC, "14743-9"), 5500, "µmol/L", "glucose"),
        ((LOINC, "14743-9"), 5500, "μmol/L", "glucose"),
        ((LOINC, "14743-9"), 120, "mmol/L", "glucose"),
        ((LOINC, "2339-0"), 120, "mg/dL", "glucose"),
        ((LOINC, "99504-3"), 120, "mg/dL", "glucose_cgm"),
        ((LOINC, "33452-4"), 7.5, "L/s", "peak_flow"),
        ((LOINC, "19868-9"), 3400, "mL", "fvc"),
        ((LOINC, "41950-7"), 4321, "{steps}", "steps"),
        ((LOINC, "88330-6"), 5, "{score}", "score_news2"),
        ((MDC, "67996"), 83, "%", "battery"),
        ((LOINC, "29463-7"), 81.4, "stone", "body_weight"),
    ],
)
def test_value_and_unit_travel_as_sent(coding: tuple[str, str], value: float, unit: str, kind: str) -> None:
    sent = observation(coding, valueQuantity=quantity(value, unit))
    assert content(sent) == [{"kind": kind, "value": value, "unit": unit}]


@pytest.mark.parametrize("label", ["°F", "degF", "F", "Fahrenheit", "degrees Fahrenheit", "[degF]"])
def test_fahrenheit_labelled_celsius_is_refused_by_its_label(label: str) -> None:
    ((where, expected, found),) = faults(observation(TEMPERATURE, valueQuantity=quantity(98.6, "Cel", label)))
    assert where == "Observation.valueQuantity.unit"
    assert (expected, found) == ("a unit that says what the code says, Cel", f"'{label}', which is [degF]")


def test_mass_labelled_as_amount_is_refused_by_its_label() -> None:
    sent = observation((LOINC, "14743-9"), valueQuantity=quantity(45, "mmol/L", "mg/dL"))
    assert faults(sent)[0][2] == "'mg/dL', which is mg/dL"


@pytest.mark.parametrize(
    ("loinc", "unit", "asked"),
    [
        ("2339-0", "mmol/L", "mg/dL"),
        ("99504-3", "mmol/L", "mg/dL"),
        ("14743-9", "mg/dL", "mmol/L or umol/L"),
        ("105272-9", "mg/dL", "mmol/L or umol/L"),
    ],
)
def test_glucose_by_a_code_of_the_other_unit_is_refused(loinc: str, unit: str, asked: str) -> None:
    assert faults(observation((LOINC, loinc), valueQuantity=quantity(45, unit))) == [
        ("Observation.valueQuantity.code", f"{asked}: the code of what was measured says so", f"'{unit}'")
    ]


@pytest.mark.parametrize(
    ("unit", "label"),
    [("mm[Hg]", "mmHg"), ("kg", "kilogram"), ("/min", "beats/minute"), ("/min", "{beat}/min}"), ("Cel", "C")],
)
def test_a_label_for_people_does_no_harm(unit: str, label: str) -> None:
    kinds = {"mm[Hg]": "8480-6", "kg": "29463-7", "/min": "8867-4", "Cel": "8310-5"}
    sent = observation((LOINC, kinds[unit]), valueQuantity=quantity(60, unit, label))
    assert content(sent)[0]["unit"] == unit


def test_without_a_code_the_label_is_the_unit() -> None:
    assert content(observation(valueQuantity={"value": 81.4, "unit": "kg"}))[0]["unit"] == "kg"
    assert content(observation(valueQuantity={"value": 81.4, "unit": "kilo's"}))[0]["unit"] == "kilo's"
    assert "unit" not in content(observation(valueQuantity={"value": 81.4}))[0]


@pytest.mark.parametrize(
    ("wrong", "where", "expected", "found"),
    [
        ({"value": "81.4"}, "value", "a number", "'81.4'"),
        ({"value": True}, "value", "a number", "true"),
        ({"value": None}, "value", "a number", "null"),
        ({"value": 1e300}, "value", "a number of at most 15 digits", "a number far out of every range"),
        ({"value": 10**400}, "value", "a number of at most 15 digits", "a number far out of every range"),
        (
            {"value": float("nan")},
            "value",
            "a number of at most 15 digits",
            "a number far out of every range",
        ),
        ({"comparator": "<"}, "comparator", "a value: less or more than something is none", "'<'"),
        ({"system": MDC}, "system", "http://unitsofmeasure.org", f"'{MDC}'"),
        ({"system": None}, "system", "a text", "null"),
        ({"code": 3}, "code", "a text", "3"),
        ({"code": "k\x00g"}, "code", "a unit of UCUM", "'k?g'"),
    ],
)
def test_a_quantity_that_is_none(wrong: dict[str, Any], where: str, expected: str, found: str) -> None:
    sent = observation(valueQuantity=quantity(81.4, "kg") | wrong)
    assert (f"Observation.valueQuantity.{where}", expected, found) in faults(sent)


def test_a_quantity_without_a_value_or_without_a_system() -> None:
    bare = quantity(81.4, "kg")
    without = {name: {key: part for key, part in bare.items() if key != name} for name in bare}
    assert faults(observation(valueQuantity=without["value"]))[0][2] == "nothing"
    assert faults(observation(valueQuantity=without["system"])) == [
        ("Observation.valueQuantity.system", "http://unitsofmeasure.org, beside a code", "nothing")
    ]


@pytest.mark.parametrize(
    "name", ["valueSampledData", "valueRange", "valueRatio", "valueString", "valueTime", "valueBoolean"]
)
def test_other_forms_of_a_value_are_refused_by_name(name: str) -> None:
    found = faults(observation(valueQuantity=None, **{name: {}}))
    assert [(where, what) for where, _, what in found] == [(f"Observation.{name}", name)]


def test_a_whole_number_counts_steps_and_nothing_else() -> None:
    steps = observation((LOINC, "55423-8"), valueQuantity=None, valueInteger=4321)
    assert content(steps) == [{"kind": "steps", "value": 4321, "unit": "{steps}"}]
    assert faults(observation(valueQuantity=None, valueInteger=81))[0][0] == "Observation.valueInteger"


def test_two_values_or_none() -> None:
    assert faults(observation(valueString="81")) == [
        ("Observation", "one value, or dataAbsentReason", "valueQuantity and valueString")
    ]
    ((where, expected, found),) = faults(observation(valueQuantity=None))
    assert (where, found) == ("Observation.value", "nothing")
    assert expected.startswith("valueQuantity of body weight, in kg")


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("error", "error"),
        ("not-performed", "not-performed"),
        ("asked-declined", "asked-declined"),
        ("unknown", "unknown"),
        ("temp-unknown", "temporarily-unknown"),
        ("not-a-number", "error"),
    ],
)
def test_why_there_is_no_value(reason: str, ours: str) -> None:
    sent = observation(valueQuantity=None, dataAbsentReason=code((ABSENT, reason)))
    received = {} if reason == ours else {"code_received": reason}
    assert content(sent) == [{"kind": "body_weight", "absent": ours, **received}]


@pytest.mark.parametrize("reason", ["masked", "as-text", "unsupported", "not-permitted", "because"])
def test_reasons_that_are_no_facts_about_measuring_are_refused(reason: str) -> None:
    sent = observation(valueQuantity=None, dataAbsentReason=code((ABSENT, reason)))
    assert faults(sent)[0][::2] == ("Observation.dataAbsentReason", f"{ABSENT}|{reason}")


def test_a_value_beside_a_reason_for_none_is_refused() -> None:
    sent = observation(dataAbsentReason=code((ABSENT, "error")))
    assert faults(sent) == [
        ("Observation", "one value, or dataAbsentReason", "valueQuantity and dataAbsentReason")
    ]


def test_a_pressure_that_is_half_absent_or_wholly() -> None:
    systolic = {"code": code((LOINC, "8480-6")), "valueQuantity": quantity(125, "mm[Hg]")}
    diastolic = {"code": code((LOINC, "8462-4")), "dataAbsentReason": code((ABSENT, "error"))}
    assert content(blood_pressure(systolic, diastolic)) == [
        {"kind": "systolic", "value": 125, "unit": "mm[Hg]"},
        {"kind": "diastolic", "absent": "error"},
    ]
    whole = blood_pressure(dataAbsentReason=code((ABSENT, "not-performed")))
    del whole["component"]
    assert content(whole) == [
        {"kind": "systolic", "absent": "not-performed"},
        {"kind": "diastolic", "absent": "not-performed"},
    ]


@pytest.mark.parametrize(
    ("answer", "ours", "received"),
    [
        ((SNOMED, "248234008"), "A", f"{SNOMED}|248234008"),
        ((SNOMED, "130987000"), "C", f"{SNOMED}|130987000"),
        ((SNOMED, "300202002"), "V", f"{SNOMED}|300202002"),
        ((LOINC, "LA17107-6"), "P", f"{LOINC}|LA17107-6"),
        ((LOINC, "LA9343-0"), "U", f"{LOINC}|LA9343-0"),
        (("urn:thuiswacht:answer:consciousness", "C"), "C", None),
    ],
)
def test_consciousness(answer: tuple[str, str], ours: str, received: str | None) -> None:
    sent = observation((LOINC, "80288-4"), valueQuantity=None, valueCodeableConcept=code(answer))
    kept = {} if received is None else {"code_received": received}
    assert content(sent) == [{"kind": "consciousness", "code": ours, **kept}]


def test_answers_that_contradict_or_are_not_known() -> None:
    both = code((SNOMED, "248234008"), (LOINC, "LA9343-0"))
    sent = observation((LOINC, "80288-4"), valueQuantity=None, valueCodeableConcept=both)
    assert faults(sent) == [
        (
            "Observation.valueCodeableConcept",
            f"codings that mean the same: {SNOMED}|248234008 is A",
            f"{LOINC}|LA9343-0, U",
        )
    ]
    sent["valueCodeableConcept"] = code((SNOMED, "1"))
    assert faults(sent)[0][2] == f"{SNOMED}|1"
    sent["valueCodeableConcept"] = {"text": "alert"}
    assert faults(sent)[0][2] == "no coding with system and code: texts do not say it"


def test_texts_and_yes_or_no_where_a_kind_has_them() -> None:
    chest_pain = ("urn:thuiswacht:kind", "symptom_chest_pain")
    assert content(observation(chest_pain, valueQuantity=None, valueBoolean=True))[0]["code"] == "yes"
    assert content(observation(chest_pain, valueQuantity=None, valueString="no"))[0]["code"] == "no"
    dyspnoea = observation(("urn:thuiswacht:kind", "symptom_dyspnoea"), valueQuantity=None, valueBoolean=True)
    assert faults(dyspnoea)[0][::2] == ("Observation.valueBoolean", "yes or no")
    assert isinstance(map_observation(dyspnoea | {"valueBoolean": "yes"}), tuple)
    assert not isinstance(
        map_observation(observation(chest_pain, valueQuantity=None, valueString="nee")), Mapped
    )


@pytest.mark.parametrize("number", ["1e999", "NaN", "Infinity", "36.6000000000000001", "1" * 40])
def test_numbers_that_nobody_can_keep_are_refused_at_their_place(number: str) -> None:
    text = json.dumps(blood_pressure()).replace("125", number)
    parsed: Any = parse(text.encode())
    ((where, expected, found),) = faults(parsed)
    assert where == "Observation.component[0].valueQuantity.value"
    assert expected
    assert number[:10] in found


def test_texts_that_nobody_can_keep_are_refused_at_their_place() -> None:
    for bad in ("\\u0000", "\\ud800"):
        text = json.dumps(observation()).replace("scale-4711", f"scale{bad}")
        parsed: Any = parse(text.encode())
        assert faults(parsed)[0][0] == "Observation.device.identifier.value"
