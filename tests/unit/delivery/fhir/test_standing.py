"""What counts, what corrects, what takes back; and what would change the meaning of the rest."""

from typing import Any

import pytest

from ingest.delivery.content import Correction
from ingest.delivery.fhir.observation import holds_no_reading
from tests.unit.delivery.fhir.samples import (
    LOINC,
    MDC,
    SNOMED,
    TAKEN_AT_US,
    blood_pressure,
    code,
    content,
    faults,
    mapped,
    nl_core,
    observation,
    quantity,
    readings,
)

POCD = "http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status"


@pytest.mark.parametrize(
    ("status", "correction"),
    [("final", Correction.NONE), ("amended", Correction.CORRECTED), ("corrected", Correction.CORRECTED)],
)
def test_status(status: str, correction: Correction) -> None:
    found = mapped(observation(status=status)).delivered
    assert found.correction is correction
    assert found.readings[0].get("value") == 81.4
    assert "revision" not in found.readings[0]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("preliminary", "final: a value that may still change is sent when it does not"),
        ("registered", "final: there is no value yet"),
        ("cancelled", "final: nothing was measured; entered-in-error takes back what was sent"),
        ("unknown", "final, amended, corrected or entered-in-error"),
        ("done", "one of final, amended, corrected, entered-in-error"),
    ],
)
def test_a_status_that_does_not_count(status: str, expected: str) -> None:
    assert faults(observation(status=status)) == [("Observation.status", expected, f"'{status}'")]


def test_without_a_status() -> None:
    assert faults(observation(status=None))[0][::2] == ("Observation.status", "nothing")
    assert faults(observation(status=["final"]))[0][::2] == ("Observation.status", "a list")


def test_entered_in_error_takes_back_what_it_holds() -> None:
    found = mapped(observation(status="entered-in-error")).delivered
    assert found.correction is Correction.IN_ERROR
    assert found.readings == (
        {"kind": "body_weight", "taken_at_us": TAKEN_AT_US, "void": True, "utc_offset_min": 60},
    )
    without_value = observation(status="entered-in-error", valueQuantity=None)
    assert content(without_value) == [{"kind": "body_weight", "void": True}]


def test_entered_in_error_of_a_pressure() -> None:
    sent = blood_pressure(status="entered-in-error")
    assert content(sent) == [{"kind": "systolic", "void": True}, {"kind": "diastolic", "void": True}]
    del sent["component"]
    assert [one["kind"] for one in content(sent)] == ["systolic", "diastolic", "mean_arterial"]


def test_entered_in_error_of_a_saturation_with_oxygen() -> None:
    sent = nl_core("O2Saturation") | {"status": "entered-in-error"}
    assert content(sent) == [{"kind": "spo2", "void": True}, {"kind": "supplemental_oxygen", "void": True}]


@pytest.mark.parametrize(
    ("status", "version", "revision"),
    [
        ("corrected", "2", 2),
        ("entered-in-error", "7", 7),
        ("final", "2", None),
        ("corrected", "v2", None),
        ("corrected", "0", None),
        ("corrected", "99999999999", None),
        ("corrected", "²", None),
    ],
)
def test_the_revision_of_a_correction_is_its_version(status: str, version: str, revision: int | None) -> None:
    sent = observation(status=status, meta={"versionId": version})
    assert readings(sent)[0].get("revision") == revision


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"modifierExtension": [{"url": "http://example.org/not"}]}, "Observation.modifierExtension"),
        ({"implicitRules": "http://example.org/rules"}, "Observation.implicitRules"),
        ({"focus": [{"reference": "Patient/2"}]}, "Observation.focus"),
        (
            {
                "meta": {
                    "security": [
                        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
                    ]
                }
            },
            "Observation.meta.security",
        ),
        ({"interpretation": [code((POCD, "questionable"))]}, "Observation.interpretation"),
        ({"interpretation": [code((POCD, "early-indication"))]}, "Observation.interpretation"),
        ({"valueQuanity": quantity(1, "kg")}, "Observation"),
        ({"issued": None, "resource_type": "x"}, "Observation"),
    ],
)
def test_what_would_change_the_meaning_is_refused(changed: dict[str, object], where: str) -> None:
    assert [fault[0] for fault in faults(observation(**changed))] == [where]


def test_what_is_marked_as_test_data_is_taken_where_nobody_exists() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
    sent = observation(meta={"security": [label]})
    assert mapped(sent, trial=True).about == "body_weight"
    assert faults(sent)[0][2] == "HTEST"


def test_a_modifier_within_a_component_is_refused() -> None:
    part: dict[str, Any] = {
        "code": code((LOINC, "8480-6")),
        "valueQuantity": quantity(125, "mm[Hg]"),
        "modifierExtension": [{}],
    }
    assert faults(blood_pressure(part))[0][0] == "Observation.component[0].modifierExtension"


def test_what_only_adds_is_left_out() -> None:
    sent = observation(
        note=[{"text": "after breakfast"}],
        interpretation=[code((POCD, "in-alarm")), code((SNOMED, "48867003"))],
        extension=[{"url": "http://hl7.org/fhir/StructureDefinition/bodyPosition"}],
        identifier=[{"system": "urn:x", "value": "1"}],
        meta={"profile": ["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},
        hasMember=[{"reference": "Observation/2"}],
        issued="2026-11-22T08:31:21+01:00",
    )
    assert content(sent) == [{"kind": "body_weight", "value": 81.4, "unit": "kg"}]


@pytest.mark.parametrize("found", ["Patient", None, 3, ["Observation"]])
def test_another_resource(found: object) -> None:
    sent = observation() | {"resourceType": found}
    assert faults(sent)[0][:2] == ("Observation.resourceType", "Observation")


def test_faults_stand_where_the_resource_stands() -> None:
    sent = blood_pressure()
    sent["component"][1]["valueQuantity"]["value"] = "75"
    assert faults(sent, where="Bundle.entry[3].resource") == [
        ("Bundle.entry[3].resource.component[1].valueQuantity.value", "a number", "'75'")
    ]
    found = mapped(blood_pressure(), where="Bundle.entry[3].resource").delivered
    assert found.places[0] == "Bundle.entry[3].resource.component[0].valueQuantity"


def test_all_faults_are_told_at_once() -> None:
    sent = observation(status="draft", effectiveDateTime="2026", valueQuantity=quantity(81, "kg", "lb"))
    assert {fault[0] for fault in faults(sent)} == {
        "Observation.status",
        "Observation.effectiveDateTime",
        "Observation.valueQuantity.unit",
    }


def test_what_holds_no_reading_and_needs_none() -> None:
    clock = observation((MDC, "67975"), valueQuantity=None, valueDateTime="2026-11-22T08:31:20+01:00")
    assert holds_no_reading(clock) is not None
    assert holds_no_reading(nl_core("PulseRate")) is not None
    for one in (observation(), blood_pressure(), nl_core("HeartRate"), observation((LOINC, "1-8"))):
        assert holds_no_reading(one) is None
