"""Observations as the personal-health-device guide has them: MDC codes, system ids, supplemental types."""

from typing import Any

import pytest

from ingest.delivery.fhir.observation import holds_no_reading
from tests.unit.delivery.fhir.samples import (
    ABSENT,
    LOINC,
    MDC,
    PATIENT,
    code,
    content,
    faults,
    mapped,
    quantity,
)

PHD = "http://hl7.org/fhir/uv/phd"
SYSTEM_ID = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"
CUFF = {
    "resourceType": "Device",
    "identifier": [
        {
            "type": {"coding": [{"system": f"{PHD}/ContinuaDeviceIdentifiers", "code": "SYSID"}]},
            "system": SYSTEM_ID,
            "value": "01-02-03-FE-FF-0A-0B-0C",
        },
        {"system": "http://hl7.org/fhir/sid/eui-48/bluetooth", "value": "01-02-03-0A-0B-0C"},
    ],
    "specialization": [{"systemType": code((MDC, "528391"))}],
}


def phd(*codings: tuple[str, str], **changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "meta": {"profile": [f"{PHD}/StructureDefinition/PhdNumericObservation"]},
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice",
                "valueReference": {"reference": "Device/phg-1"},
            }
        ],
        "identifier": [
            {
                "system": f"{PHD}/StructureDefinition/PhdBaseObservation",
                "value": "010203FEFF0A0B0C-7-150020-20261122083120.00",
            }
        ],
        "status": "final",
        "category": [code((f"{PHD}/CodeSystem/PhdObservationCategories", "phd"))],
        "code": code(*codings),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "performer": [{"reference": f"Patient/{PATIENT}"}],
        "effectiveDateTime": "2026-11-22T08:31:20.00+01:00",
        "device": {"reference": "urn:uuid:cuff"},
    }
    return made | changed


def supplemental(number: str) -> dict[str, Any]:
    return {"code": code((MDC, "68193")), "valueCodeableConcept": code((MDC, number))}


def test_a_pressure_with_a_mean_that_is_no_number() -> None:
    parts = [
        {"code": code((MDC, "150021"), (LOINC, "8480-6")), "valueQuantity": quantity(116, "mm[Hg]")},
        {"code": code((MDC, "150022"), (LOINC, "8462-4")), "valueQuantity": quantity(71, "mm[Hg]")},
        {"code": code((MDC, "150023")), "dataAbsentReason": code((ABSENT, "not-a-number"))},
    ]
    sent = phd((MDC, "150020"), (LOINC, "85354-9"), component=parts)
    assert content(sent | {"device": {"reference": "Device/cuff"}}) == [
        {"kind": "systolic", "value": 116, "unit": "mm[Hg]"},
        {"kind": "diastolic", "value": 71, "unit": "mm[Hg]"},
        {"kind": "mean_arterial", "absent": "error", "code_received": "not-a-number"},
    ]
    assert mapped(sent, bundled={"urn:uuid:cuff": CUFF}).delivered.device_id == "010203FEFF0A0B0C"


@pytest.mark.parametrize(
    ("number", "loinc", "value", "unit", "kind"),
    [
        ("150456", "2708-6", 79.0, "%", "spo2"),
        ("149530", "8867-4", 48.0, "/min", "pulse"),
        ("149546", "8867-4", 61, "/min", "pulse"),
        ("147842", "8867-4", 61, "/min", "heart_rate"),
        ("150364", "8310-5", 36.5, "Cel", "temperature"),
        ("188736", "29463-7", 81.4, "kg", "body_weight"),
        ("151562", "9279-1", 16, "/min", "respiratory_rate"),
        ("160184", "14743-9", 6.3, "mmol/L", "glucose"),
        ("152584", "33452-4", 410, "L/min", "peak_flow"),
        ("152586", "20150-9", 2.31, "L", "fev1"),
        ("188928", "19868-9", 3.4, "L", "fvc"),
    ],
)
def test_numeric_ones_with_their_supplemental_types(
    number: str, loinc: str, value: float, unit: str, kind: str
) -> None:
    sent = phd(
        (MDC, number),
        (LOINC, loinc),
        valueQuantity=quantity(value, unit, f"{unit} as people say it"),
        component=[supplemental("150588")],
        device={"reference": "Device/phd-1"},
    )
    assert content(sent) == [{"kind": kind, "value": value, "unit": unit}]


def test_the_charge_of_a_battery() -> None:
    sent = phd((MDC, "67996"), valueQuantity=quantity(83, "%"), device={"reference": "Device/phd-1"})
    assert content(sent) == [{"kind": "battery", "value": 83, "unit": "%"}]


def test_what_clocks_said_is_no_reading() -> None:
    sent = phd(
        (MDC, "67975"),
        subject={"reference": "Device/phd-1"},
        valueDateTime="2026-11-22T08:31:18+01:00",
        device={"reference": "Device/phg-1"},
    )
    assert holds_no_reading(sent) is not None
    assert [fault[0] for fault in faults(sent)] == ["Observation.subject.reference", "Observation.code"]


def test_waveforms_are_refused_by_name() -> None:
    sent = phd((MDC, "150456"), valueSampledData={"data": "1 2"}, device={"reference": "Device/phd-1"})
    assert faults(sent)[0][::2] == ("Observation.valueSampledData", "valueSampledData")
