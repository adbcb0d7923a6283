"""Entries of a transaction that may be sent twice: each resource is found again by an identifier. Pure."""

from typing import Any
from uuid import UUID

from ingest.rights.resources import Resource
from models.messages import Origin

PATIENT = "urn:thuiswacht:patient"
ORGANISATION = "urn:thuiswacht:organisation"
PERSON = "urn:thuiswacht:person"
ESCALATION = "urn:thuiswacht:escalation"
MESSAGE = "urn:thuiswacht:message"
ALERT = "urn:thuiswacht:alert"
FINDING = "urn:thuiswacht:finding"
READING = "urn:thuiswacht:reading"
DEVICE = "urn:thuiswacht:device"
PROGRAMME = "urn:thuiswacht:programme"
POLICY = "urn:thuiswacht:policy"
PROVENANCE = "urn:thuiswacht:provenance"
ORIGIN = "urn:thuiswacht:origin"
_ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def identified(kind: str, system: str, value: object, display: str | None = None) -> Resource:
    """A reference to something that is not in the bundle, by its identifier."""
    found: Resource = {"type": kind, "identifier": {"system": system, "value": str(value)}}
    return found if display is None else found | {"display": display}


def patient_reference(patient_id: UUID) -> Resource:
    """The patient by our random id: who that is stays sealed to who sends."""
    return identified("Patient", PATIENT, patient_id)


def mark(resource: Resource, origin: Origin) -> Resource:
    """The resource, saying whether its patient exists: who does not is test data for every receiver."""
    meta: Resource = {"tag": [{"system": ORIGIN, "code": origin.value}]}
    if origin is not Origin.REAL:
        meta["security"] = [{"system": _ACT_REASON, "code": "HTEST"}]
    return resource | {"meta": meta}


def create(full_url: object, resource: Resource, system: str, value: object) -> Resource:
    """Makes it where it is not there yet; sent again, it changes nothing."""
    condition = f"identifier={system}|{value}"
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": condition}
    return _entry(full_url, resource, request)


def put(full_url: object, resource: Resource, system: str, value: object) -> Resource:
    """Brings it up to date, or makes it."""
    url = f"{resource['resourceType']}?identifier={system}|{value}"
    return _entry(full_url, resource, {"method": "PUT", "url": url})


def create_tagged(full_url: object, resource: Resource, value: object) -> Resource:
    """Makes one that has no identifier in R4, a Provenance, once: it is found again by its tag."""
    meta: dict[str, Any] = resource["meta"]
    tagged = resource | {"meta": meta | {"tag": [*meta["tag"], {"system": PROVENANCE, "code": str(value)}]}}
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": f"_tag={PROVENANCE}|{value}"}
    return _entry(full_url, tagged, request)


def _entry(full_url: object, resource: Resource, request: Resource) -> Resource:
    return {"fullUrl": f"urn:uuid:{full_url}", "resource": resource, "request": request}
