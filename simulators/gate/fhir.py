"""Uploads as FHIR R4: an Observation for each reading, both pressures of a measurement in one.

What goes wrong on the way to the log goes wrong here too: a value in another unit, one that was never
measured, one taken back. **Source**: HL7 FHIR R4 vital signs, the codes of `models.kinds`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from models.clock import to_datetime
from models.kinds import (
    BLOOD_PRESSURE_IEEE,
    BLOOD_PRESSURE_LOINC,
    BLOOD_PRESSURE_SNOMED,
    KIND_BY_NAME,
    Kind,
)
from models.messages import WireReading, WireUpload

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
MDC = "urn:iso:std:iso:11073:10101"
OURS = "urn:thuiswacht:kind"
ANSWER = "urn:thuiswacht:answer"
UCUM = "http://unitsofmeasure.org"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
DEVICE = "urn:thuiswacht:device"

_UCUM_OF = {"mmHg": "mm[Hg]", "bpm": "/min"}
"""Spellings on a display that are no UCUM; in `code` stands what they mean."""
_ONE_LOINC = {"pulse": "8893-0"}
"""Of several codes the one that stands for this kind alone."""
_PRESSURES = ("systolic", "diastolic")


def observations(upload: WireUpload) -> list[dict[str, Any]]:
    """The Observations of an upload, in its order."""
    readings = upload["readings"]
    together = _together(readings)
    made: list[dict[str, Any]] = []
    for row, reading in enumerate(readings):
        if row in together.values():
            continue
        observation = _about(upload, reading)
        if row in together:
            observation["code"] = {
                "coding": [
                    {"system": LOINC, "code": BLOOD_PRESSURE_LOINC},
                    {"system": SNOMED, "code": BLOOD_PRESSURE_SNOMED},
                    {"system": MDC, "code": BLOOD_PRESSURE_IEEE},
                ]
            }
            both = (reading, readings[together[row]])
            observation["component"] = [{"code": _code(one["kind"]), **_content(one)} for one in both]
        else:
            observation["code"] = _code(reading["kind"])
            observation.update(_content(reading))
        made.append(observation)
    return made


def bundle(resources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch that creates all of them."""
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
            for resource in resources
        ],
    }


def is_said(upload: WireUpload) -> bool:
    """Whether Observations can say all of it: what patients write in their own words they cannot."""
    return not any("text" in reading for reading in upload["readings"])


def _together(readings: Sequence[WireReading]) -> dict[int, int]:
    """Rows of systolic pressures with the row of the diastolic one of the same measurement."""
    waiting: dict[tuple[object, ...], int] = {}
    found: dict[int, int] = {}
    for row, reading in enumerate(readings):
        if reading["kind"] not in _PRESSURES:
            continue
        key = (
            reading["taken_at_us"], reading.get("group"), reading.get("revision", 0), "void" in reading
        )  # fmt: skip
        other = waiting.pop(key, None)
        if other is None or readings[other]["kind"] == reading["kind"]:
            waiting[key] = row
        elif reading["kind"] == _PRESSURES[0]:
            found[row] = other
        else:
            found[other] = row
    return found


def _about(upload: WireUpload, reading: WireReading) -> dict[str, Any]:
    revision = reading.get("revision", 0)
    observation: dict[str, Any] = {"resourceType": "Observation"}
    if revision:
        observation["meta"] = {"versionId": str(revision)}
    observation |= {
        "status": _status(reading),
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
        "subject": {"reference": f"Patient/{upload['patient_id']}"},
        "effectiveDateTime": _moment(reading),
        "device": {"identifier": {"system": DEVICE, "value": upload["device_id"]}},
    }
    return observation


def _status(reading: WireReading) -> str:
    if "void" in reading:
        return "entered-in-error"
    return "corrected" if reading.get("revision", 0) else "final"


def _moment(reading: WireReading) -> str:
    at: datetime = to_datetime(reading["taken_at_us"]).astimezone(UTC)
    if (offset_min := reading.get("utc_offset_min")) is not None:
        at = at.astimezone(timezone(timedelta(minutes=offset_min)))
        return at.isoformat()
    return at.replace(tzinfo=None).isoformat() + "Z"


def _code(name: str) -> dict[str, Any]:
    kind: Kind = KIND_BY_NAME[name]
    loinc = (_ONE_LOINC[name],) if name in _ONE_LOINC else kind.loinc
    coding = [{"system": LOINC, "code": code} for code in loinc]
    coding += [{"system": SNOMED, "code": code} for code in kind.snomed]
    coding += [{"system": MDC, "code": code} for code in kind.ieee[:1]]
    return {"coding": coding or [{"system": OURS, "code": name}]}


def _content(reading: WireReading) -> dict[str, Any]:
    if "value" in reading:
        unit = reading.get("unit", "1")
        quantity = {"value": reading["value"], "unit": unit, "system": UCUM, "code": _UCUM_OF.get(unit, unit)}
        return {"valueQuantity": quantity}
    if "code" in reading:
        coding = {"system": f"{ANSWER}:{reading['kind']}", "code": reading["code"]}
        return {"valueCodeableConcept": {"coding": [coding]}}
    if "absent" in reading:
        return {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": str(reading["absent"])}]}}
    return {}
