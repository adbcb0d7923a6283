"""Device and patient, as references, identifiers, contained and bundled resources name them."""

from typing import Any
from uuid import UUID

import pytest

from ingest.delivery.content import Named
from tests.unit.delivery.fhir.samples import PATIENT, faults, mapped, observation

EUI_64 = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"
BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
PHD = {
    "resourceType": "Device",
    "id": "phd",
    "identifier": [
        {"system": EUI_64, "value": "71-10-00-FE-FF-5F-49-B0"},
        {"system": "http://hl7.org/fhir/sid/eui-48/bluetooth", "value": "B0-49-5F-00-10-71"},
    ],
}


@pytest.mark.parametrize(
    ("device", "device_id"),
    [
        ({"identifier": {"system": "urn:thuiswacht:device", "value": "scale-4711"}}, "scale-4711"),
        ({"identifier": {"system": "urn:oid:2.999", "value": "S/N 12"}}, "S/N 12"),
        ({"identifier": {"value": "scale-4711"}}, "scale-4711"),
        ({"identifier": {"system": EUI_64, "value": "71-10-00-fe-ff-5f-49-b0"}}, "711000FEFF5F49B0"),
        ({"reference": "Device/scale-4711"}, "scale-4711"),
        ({"reference": "https://vendor.example/fhir/Device/4711/_history/2"}, "4711"),
        ({"reference": "Device/phd-711000FEFF5F49B0.B0495F001071"}, "phd-711000FEFF5F49B0.B0495F001071"),
        ({"reference": "#phd"}, "711000FEFF5F49B0"),
        ({"reference": "urn:uuid:1", "display": "the scale"}, "711000FEFF5F49B0"),
        (None, None),
    ],
)
def test_devices(device: dict[str, Any] | None, device_id: str | None) -> None:
    sent = observation(device=device, contained=[PHD])
    assert mapped(sent, bundled={"urn:uuid:1": PHD}).delivered.device_id == device_id


@pytest.mark.parametrize(
    ("device", "where", "found"),
    [
        ({"display": "the scale"}, "Observation.device", "nothing"),
        ({"reference": "DeviceMetric/1"}, "Observation.device.reference", "'DeviceMetric/1'"),
        ({"reference": "urn:uuid:2"}, "Observation.device.reference", "'urn:uuid:2'"),
        ({"reference": "#other"}, "Observation.device.reference", "'#other'"),
        ({"reference": "#patient"}, "Observation.device.reference", "another resource"),
        ({"reference": "#nameless"}, "Observation.device.identifier", "none"),
        ({"reference": "#several"}, "Observation.device.identifier", "several, of other systems"),
        ({"reference": "Device/" + "x" * 600}, "Observation.device.reference", "607"),
        (
            {"identifier": {"system": EUI_64, "value": "71-10"}},
            "Observation.device.identifier.value",
            "'71-10'",
        ),
        ({"identifier": {"value": "a\x00b"}}, "Observation.device.identifier.value", "'a?b'"),
        ({"identifier": {"value": " "}}, "Observation.device.identifier.value", "' '"),
        ({"identifier": {"system": [], "value": "x"}}, "Observation.device.identifier.system", "a list"),
        ({"identifier": "x"}, "Observation.device.identifier", "'x'"),
        ("scale-4711", "Observation.device", "'scale-4711'"),
    ],
)
def test_devices_that_are_none(device: object, where: str, found: str) -> None:
    several = [{"system": "a", "value": "1"}, {"system": "b", "value": "2"}]
    contained: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "patient"},
        {"resourceType": "Device", "id": "nameless"},
        {"resourceType": "Device", "id": "several", "identifier": several},
    ]
    found_ = faults(observation(device=device, contained=contained))
    assert (where, found) in [fault[::2] for fault in found_]


@pytest.mark.parametrize(
    ("subject", "named"),
    [
        ({"reference": f"Patient/{PATIENT}"}, Named(UUID(PATIENT))),
        ({"reference": f"https://us.example/fhir/Patient/{PATIENT.upper()}"}, Named(UUID(PATIENT))),
        ({"identifier": {"system": BSN, "value": "111222333"}}, Named(None, "111222333")),
        ({"identifier": {"system": "urn:thuiswacht:patient", "value": PATIENT}}, Named(UUID(PATIENT))),
        (
            {"reference": f"Patient/{PATIENT}", "identifier": {"system": BSN, "value": "111222333"}},
            Named(UUID(PATIENT), "111222333"),
        ),
        ({"reference": "#p"}, Named(None, "111222333")),
        ({"display": "somebody"}, None),
        (None, None),
    ],
)
def test_patients(subject: dict[str, Any] | None, named: Named | None) -> None:
    inside = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": "urn:own", "value": "7"}, {"system": BSN, "value": "111222333"}],
    }
    assert mapped(observation(subject=subject, contained=[inside])).delivered.patient == named


@pytest.mark.parametrize(
    ("subject", "where", "found"),
    [
        (
            {"reference": "Patient/111222333"},
            "Observation.subject.reference",
            "a reference that names none of ours",
        ),
        ({"reference": "somebody"}, "Observation.subject.reference", "a reference that names none of ours"),
        ({"reference": "Group/1"}, "Observation.subject.reference", "a reference to Group"),
        ({"reference": "Device/1"}, "Observation.subject.reference", "a reference to Device"),
        (
            {"identifier": {"system": BSN, "value": "111222334"}},
            "Observation.subject.identifier.value",
            "another",
        ),
        (
            {"identifier": {"system": "urn:own", "value": "7"}},
            "Observation.subject",
            "no identifier that is known here",
        ),
        (
            {"identifier": {"system": [], "value": {}}},
            "Observation.subject",
            "no identifier that is known here",
        ),
        (
            {
                "reference": f"Patient/{PATIENT}",
                "identifier": {"system": "urn:thuiswacht:patient", "value": str(UUID(int=9))},
            },
            "Observation.subject.identifier",
            "another",
        ),
    ],
)
def test_patients_that_are_none_are_never_repeated(subject: object, where: str, found: str) -> None:
    told = faults(observation(subject=subject))
    assert [fault[::2] for fault in told] == [(where, found)]
    assert "11122233" not in str(told)
