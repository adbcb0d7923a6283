"""Observations for tests: the published ones, and one of each kind to change."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from ingest.delivery.content import Fault
from ingest.delivery.fhir.observation import Mapped, map_observation
from models.messages import WireReading

NL_CORE = Path(__file__).resolve().parents[3] / "data" / "nl-core"
UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
MDC = "urn:iso:std:iso:11073:10101"
TAKEN_AT = "2026-11-22T08:31:20+01:00"
TAKEN_AT_US = 1_795_332_680_000_000
PATIENT = "00000000-0000-4000-8000-000000000001"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def nl_core(name: str) -> dict[str, Any]:
    """A published example, of the patient that tests have."""
    resource: dict[str, Any] = json.loads((NL_CORE / f"nl-core-{name}-01.json").read_text(encoding="utf-8"))
    return resource | {"subject": {"reference": f"Patient/{PATIENT}"}}


def code(*codings: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": value} for system, value in codings]}


def quantity(value: float, unit: str, label: str | None = None) -> dict[str, Any]:
    found = {"value": value, "system": UCUM, "code": unit}
    return found if label is None else found | {"unit": label}


def observation(*codings: tuple[str, str], **changed: Any) -> dict[str, Any]:
    """A sound Observation, by default of a weight; an element that is None is left out."""
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": code(*(codings or ((LOINC, "29463-7"),))),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": TAKEN_AT,
        "device": {"identifier": {"system": "urn:thuiswacht:device", "value": "scale-4711"}},
        "valueQuantity": quantity(81.4, "kg"),
    }
    made.update(changed)
    return deepcopy({name: element for name, element in made.items() if element is not None})


def blood_pressure(*parts: dict[str, Any], **changed: Any) -> dict[str, Any]:
    components = list(parts) or [
        {"code": code((LOINC, "8480-6")), "valueQuantity": quantity(125, "mm[Hg]")},
        {"code": code((LOINC, "8462-4")), "valueQuantity": quantity(75, "mm[Hg]")},
    ]
    return observation((LOINC, "85354-9"), valueQuantity=None, component=components, **changed)


def mapped(resource: dict[str, Any], **given: Any) -> Mapped:
    """What an Observation delivers; it must not be refused."""
    found = map_observation(resource, **given)
    assert isinstance(found, Mapped), found
    return found


def readings(resource: dict[str, Any], **given: Any) -> tuple[WireReading, ...]:
    return mapped(resource, **given).delivered.readings


def content(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """What each reading holds beside its time."""
    times = {"taken_at_us", "utc_offset_min"}
    return [
        {name: field for name, field in reading.items() if name not in times}
        for reading in readings(resource)
    ]


def faults(resource: dict[str, Any], **given: Any) -> list[tuple[str, str, str]]:
    """What is wrong with an Observation: where, expected, found; it must be refused."""
    found = map_observation(resource, **given)
    assert not isinstance(found, Mapped), found
    assert all(isinstance(fault, Fault) for fault in found)
    return [(fault.where, fault.expected, fault.found) for fault in found]
