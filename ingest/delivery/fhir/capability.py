"""What the front gate takes in FHIR: one table, for its routes and its CapabilityStatement. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FHIR_VERSION = "4.0.1"
FHIR_JSON = "application/fhir+json"
PUBLISHED = "2026-11-30"
"""When this table last changed: the date of the statement."""


class Interaction(StrEnum):
    """What can be done with one resource (FHIR's restful interactions, those that are taken here)."""

    CREATE = "create"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Taken:
    """A type of resource that is taken; `told` ones are changes of the register, the others are readings."""

    type: str
    documentation: str
    profiles: tuple[str, ...] = ()
    told: bool = False
    interactions: tuple[Interaction, ...] = (Interaction.CREATE, Interaction.UPDATE)


_HL7 = "http://hl7.org/fhir/StructureDefinition"
_NICTIZ = "http://nictiz.nl/fhir/StructureDefinition"
_PHD = "http://hl7.org/fhir/uv/phd/StructureDefinition"

RESOURCES: tuple[Taken, ...] = (
    Taken(
        "Observation",
        "Readings. The id follows from patient, what is measured, time and device: creating twice and "
        "putting are one. An update goes to that id; the answer to another one names it. A value changes "
        "only with the status corrected or amended, and is taken back with entered-in-error. What was taken "
        "is in the log; Content-Location tells what became of it. If-None-Exist takes identifier, or "
        "device.identifier with date, as they stand in the resource. If-Match takes the version that is "
        "stored.",
        (
            f"{_HL7}/vitalsigns",
            f"{_HL7}/bp",
            f"{_HL7}/bodyweight",
            f"{_HL7}/bodytemp",
            f"{_HL7}/heartrate",
            f"{_HL7}/oxygensat",
            f"{_HL7}/resprate",
            f"{_NICTIZ}/nl-core-BloodPressure",
            f"{_NICTIZ}/nl-core-BodyTemperature",
            f"{_NICTIZ}/nl-core-BodyWeight",
            f"{_NICTIZ}/nl-core-HeartRate",
            f"{_NICTIZ}/nl-core-O2Saturation",
            f"{_NICTIZ}/nl-core-PulseRate.PulseRateValue",
            f"{_PHD}/PhdNumericObservation",
            f"{_PHD}/PhdCompoundNumericObservation",
            f"{_PHD}/PhdCodedEnumerationObservation",
        ),
    ),
    Taken("QuestionnaireResponse", "Answers to the questionnaires of programmes; as with Observation."),
    Taken(
        "Patient",
        "Death, and a link to the patient that this one is the same as. Nothing else of it is kept. In a "
        "bundle, a Patient that tells neither is taken for its identifiers.",
        (f"{_NICTIZ}/nl-core-Patient",),
        told=True,
    ),
    Taken(
        "Encounter",
        "Admission, leave and discharge; that a stay was told in error.",
        (f"{_NICTIZ}/nl-core-Encounter",),
        told=True,
    ),
    Taken(
        "EpisodeOfCare",
        "That the treatment in one of our programmes (a type with a coding of urn:thuiswacht:programme) "
        "began or is over; people are asked to act on it.",
        (f"{_NICTIZ}/nl-core-EpisodeOfCare",),
        told=True,
    ),
)
"""What is taken by itself at its own address, and in a bundle."""

TAKEN = {one.type: one for one in RESOURCES}
READINGS = frozenset(one.type for one in RESOURCES if not one.told)
TOLD = frozenset(one.type for one in RESOURCES if one.told)

SYSTEM_INTERACTIONS = ("batch", "transaction")
"""What a Bundle may be; both are a POST to the address of the service itself."""

_BUNDLES = (
    "Nothing can be read here. In a bundle, Device and Patient are taken for their identifiers, which other "
    "entries refer to by fullUrl. A transaction is of one patient, is all or nothing, and holds readings; a "
    "batch may hold everything, each entry by itself. What an upload does not say of its patient is known "
    "from the device, and what it says is checked."
)


def statement(url: str, version: str) -> dict[str, Any]:
    """The CapabilityStatement of the service at `url` (its FHIR address), of this version of the software."""
    return {
        "resourceType": "CapabilityStatement",
        "name": "ThuiswachtGateway",
        "title": "Thuiswacht: front gate",
        "status": "active",
        "experimental": False,
        "date": PUBLISHED,
        "publisher": "Thuiswacht",
        "description": "Devices, vendors and hospital systems deliver here. Not for emergencies.",
        "kind": "instance",
        "software": {"name": "Thuiswacht", "version": version},
        "implementation": {"description": "Thuiswacht: front gate", "url": url},
        "fhirVersion": FHIR_VERSION,
        "format": [FHIR_JSON, "json"],
        "rest": [_rest()],
    }


def _rest() -> dict[str, Any]:
    oauth = {
        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
        "code": "OAuth",
    }
    return {
        "mode": "server",
        "documentation": _BUNDLES,
        "security": {
            "cors": False,
            "service": [{"coding": [oauth]}],
            "description": "A bearer token from /token (client credentials, private_key_jwt); a signature by "
            "HMAC with a timestamp; or mutual TLS.",
        },
        "resource": [_resource(one) for one in RESOURCES],
        "interaction": [{"code": code} for code in SYSTEM_INTERACTIONS],
    }


def _resource(taken: Taken) -> dict[str, Any]:
    of_readings = not taken.told
    return {
        "type": taken.type,
        **({"supportedProfile": [*taken.profiles]} if taken.profiles else {}),
        "documentation": taken.documentation,
        "interaction": [{"code": str(one)} for one in taken.interactions],
        "versioning": "versioned" if of_readings else "no-version",
        "readHistory": False,
        # An update of what is not there yet makes it: its id follows from what it is.
        "updateCreate": of_readings,
        "conditionalCreate": of_readings,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
    }
