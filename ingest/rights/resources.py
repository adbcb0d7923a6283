"""Rows about a patient as FHIR R4 resources, one function for each kind of row. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from ingest.rights.looks import Look
from models.clock import to_datetime
from models.identity import Identity
from models.kinds import KINDS, Kind

Resource = dict[str, Any]
Row = Mapping[str, Any]

_NAMES = uuid5(NAMESPACE_URL, "urn:thuiswacht:copy")
_UCUM = "http://unitsofmeasure.org"
_TERMS = "http://terminology.hl7.org/CodeSystem"
_VITAL = {
    "body_weight", "systolic", "diastolic", "mean_arterial", "heart_rate", "pulse", "spo2", "temperature",
    "respiratory_rate",
}  # fmt: skip
_SEVERITIES = {"high": "high", "medium": "moderate", "low": "low"}
_OUTCOMES = {"allowed": "0", "refused": "4", "failed": "8"}


def id_of(*parts: object) -> str:
    """The id of a resource that has none of its own: the same in every copy."""
    return str(uuid5(_NAMES, " ".join(map(str, parts))))


def reference(id_: object) -> Resource:
    """A reference to a resource of the same bundle."""
    return {"reference": f"urn:uuid:{id_}"}


def patient(registration: Row, followed: Row | None, who: Identity | None) -> Resource:
    """The patient: the random id, and who that is, where it is known."""
    resource: Resource = {
        "resourceType": "Patient",
        "id": registration["patient_id"],
        "meta": {"tag": [{"system": "urn:thuiswacht:origin", "code": registration["origin"]}]},
        "identifier": [{"system": "urn:thuiswacht:patient", "value": registration["patient_id"]}],
        "managingOrganization": reference(registration["organisation_id"]),
    }
    if who is not None:
        _tell_who(resource, who)
    if followed is None:
        return resource
    language = {"coding": [{"system": "urn:ietf:bcp:47", "code": followed["language"]}]}
    resource["communication"] = [{"language": language}]
    if followed["huisarts"]:
        resource["generalPractitioner"] = [{"display": followed["huisarts"]}]
    if followed["wijk"]:
        resource["address"] = [{"district": followed["wijk"]}]
    return resource


def _tell_who(resource: Resource, who: Identity) -> None:
    name = {"use": "official", "family": who.family_name}
    resource["name"] = [name | ({"given": [who.given_names]} if who.given_names else {})]
    resource["birthDate"] = who.birth_date.isoformat()
    if who.bsn is not None:
        resource["identifier"].append({"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": who.bsn})
    if who.phone:
        resource["telecom"] = [{"system": "phone", "value": who.phone}]
    if who.contacts:
        resource["contact"] = [
            {
                "relationship": [{"text": contact.relation}],
                "name": {"text": contact.name},
                **({"telecom": [{"system": "phone", "value": contact.phone}]} if contact.phone else {}),
            }
            for contact in who.contacts
        ]


def organisation(id_: str, name: str | None) -> Resource:
    """An organisation that another resource refers to."""
    return {"resourceType": "Organization", "id": id_, "name": name or id_}


def device(device_id: str, patient_id: UUID) -> Resource:
    """A device that readings came from."""
    return {
        "resourceType": "Device",
        "id": id_of("device", device_id),
        "identifier": [{"system": "urn:thuiswacht:device", "value": device_id}],
        "patient": reference(patient_id),
    }


def observation(row: Row, status: str) -> Resource:
    """A reading, with LOINC, SNOMED CT and UCUM, and as it was received where that differs."""
    kind = KINDS[int(row["kind"])]
    resource: Resource = {
        "resourceType": "Observation",
        "id": id_of("reading", *(row[key] for key in ("log_partition", "log_offset", "log_position"))),
        "status": status,
        "code": code_of(kind),
        "subject": reference(row["patient_id"]),
        "effectiveDateTime": row["taken_at"],
        "issued": row["received_at"],
        "device": reference(id_of("device", row["device_id"])),
        "extension": [
            {"url": "urn:thuiswacht:source", "valueString": row["source"]},
            {"url": "urn:thuiswacht:revision", "valueInteger": row["revision"]},
        ],
    }
    if kind.name in _VITAL:
        resource["category"] = [
            {"coding": [{"system": f"{_TERMS}/observation-category", "code": "vital-signs"}]}
        ]
    if row["unit_received"] is not None and row["value_received"] is not None:
        received = {"value": row["value_received"], "unit": row["unit_received"]}
        resource["extension"].append({"url": "urn:thuiswacht:as-received", "valueQuantity": received})
    return resource | _value(row, kind)


def code_of(kind: Kind) -> Resource:
    """What is measured, in every system that has a code for it."""
    codings = [{"system": "http://loinc.org", "code": code} for code in kind.loinc]
    codings += [{"system": "http://snomed.info/sct", "code": code} for code in kind.snomed]
    codings.append({"system": "urn:thuiswacht:kind", "code": kind.name})
    return {"coding": codings, "text": kind.dutch}


def _value(row: Row, kind: Kind) -> Resource:
    if row["value"] is not None:
        unit = kind.unit or "1"
        return {"valueQuantity": {"value": row["value"], "unit": unit, "system": _UCUM, "code": unit}}
    if row["code"] is not None:
        coding = {"system": f"urn:thuiswacht:answer:{kind.name}", "code": kind.codes[int(row["code"])]}
        return {"valueCodeableConcept": {"coding": [coding]}}
    if row["text"] is not None:
        return {"valueString": row["text"]}
    absent = {"system": f"{_TERMS}/data-absent-reason", "code": row["absent"] or "unknown"}
    return {"dataAbsentReason": {"coding": [absent]}}


def care_plan(row: Row, ended_at: str | None) -> Resource:
    """An enrolment in a programme, with the limits that were set with it."""
    enrol = row["change"]["enrol"]
    resource: Resource = {
        "resourceType": "CarePlan",
        "id": row["change_id"],
        "status": "active" if ended_at is None else "revoked",
        "intent": "plan",
        "title": f"{enrol['programme']} {enrol['version']}",
        "subject": reference(row["patient_id"]),
        "period": period(row["effective_from"], ended_at),
    }
    personal = {key: enrol[key] for key in ("limits", "schedule") if enrol.get(key)}
    if personal:
        resource["note"] = [{"text": json.dumps(personal, sort_keys=True)}]
    return resource


def care_team(row: Row, at: str) -> Resource:
    """An organisation that treats the patient, or did."""
    return {
        "resourceType": "CareTeam",
        "id": id_of("treatment", row["organisation_id"], row["from_at"]),
        "status": "active" if row["until_at"] is None or row["until_at"] > at else "inactive",
        "subject": reference(row["patient_id"]),
        "period": period(row["from_at"], row["until_at"]),
        "participant": [{"member": reference(row["organisation_id"])}],
    }


def consent(row: Row, at: str, *, deny: bool) -> Resource:
    """A consent, or an objection: that an organisation may look, or may not."""
    told = "bezwaar / objection" if deny else "toestemming / consent"
    recipient = {"system": f"{_TERMS}/v3-ParticipationType", "code": "IRCP"}
    return {
        "resourceType": "Consent",
        "id": id_of("objection" if deny else "consent", row["organisation_id"], row["from_at"]),
        "status": "active" if row["until_at"] is None or row["until_at"] > at else "inactive",
        "scope": {"coding": [{"system": f"{_TERMS}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": reference(row["patient_id"]),
        "dateTime": row["from_at"],
        "policyRule": {"text": told},
        "provision": {
            "type": "deny" if deny else "permit",
            "period": period(row["from_at"], row["until_at"]),
            "actor": [{"role": {"coding": [recipient]}, "reference": reference(row["organisation_id"])}],
        },
    }


def flag(row: Row) -> Resource:
    """A finding: a stretch of time in which a rule held."""
    status = "entered-in-error" if row["retracted"] else "inactive" if row["cleared_at"] else "active"
    extensions = [
        {"url": f"urn:thuiswacht:{name}", "valueString": json.dumps(row[name], sort_keys=True)}
        for name in ("opening", "raised")
        if row[name] is not None
    ]
    rule = f"{row['programme']} {row['version']}: {row['rule']}"
    return {
        "resourceType": "Flag",
        "id": row["finding_id"],
        "status": status,
        "code": {"coding": [{"system": "urn:thuiswacht:signal", "code": row["signal"]}], "text": rule},
        "subject": reference(row["patient_id"]),
        "period": period(row["opened_at"], row["cleared_at"]),
        "extension": [*extensions, {"url": "urn:thuiswacht:severity", "valueString": row["severity"]}],
    }


def detected_issue(row: Row, findings: Sequence[str], events: Sequence[Row]) -> Resource:
    """An alert, with the findings that are its reasons and everything that was done with it."""
    status = "entered-in-error" if row["retracted"] else "final" if row["resolved_at"] else "preliminary"
    resource: Resource = {
        "resourceType": "DetectedIssue",
        # An alert may have the id of its first finding, and a bundle has each id once.
        "id": id_of("alert", row["alert_id"]),
        "identifier": [{"system": "urn:thuiswacht:alert", "value": row["alert_id"]}],
        "status": status,
        "code": {"coding": [{"system": "urn:thuiswacht:signal", "code": row["signal"]}]},
        "severity": _SEVERITIES[row["severity"]],
        "patient": reference(row["patient_id"]),
        "identifiedDateTime": row["opened_at"],
    }
    if findings:
        resource["implicated"] = [reference(finding_id) for finding_id in findings]
    if events:
        resource["mitigation"] = [
            {"action": {"text": _told(event)}, "date": event["happened_at"]} for event in events
        ]
    return resource


def service_request(row: Row) -> Resource:
    """What was asked of the patient: to measure again."""
    status = {"pending": "active", "withdrawn": "revoked"}.get(row["status"], "completed")
    return {
        "resourceType": "ServiceRequest",
        "id": row["request_id"],
        "status": status,
        "intent": "order",
        "code": {"coding": [{"system": "urn:thuiswacht:kind", "code": row["kind"]}]},
        "subject": reference(row["patient_id"]),
        "occurrenceDateTime": row["due_at"],
        "authoredOn": row["asked_at"],
        "note": [{"text": json.dumps({k: row[k] for k in ("reason", "status", "value", "former")})}],
    }


def audit_event(number: int, look: Look, action: str, patient_id: UUID) -> Resource:
    """A look at the record: who, when, what, on which ground, as it is told to the patient."""
    resource: Resource = {
        "resourceType": "AuditEvent",
        "id": id_of("look", look.at_us, number),
        "type": {"system": f"{_TERMS}/audit-event-type", "code": "rest"},
        "subtype": [{"system": "urn:thuiswacht:action", "code": look.what}],
        "action": action,
        "recorded": to_datetime(look.at_us).isoformat(),
        "outcome": _OUTCOMES[look.outcome],
        "outcomeDesc": look.nl,
        "agent": [{"who": {"display": look.who}, "requestor": True, "role": [{"text": look.role}]}],
        "source": {"observer": {"display": look.organisation or "Thuiswacht"}},
        "entity": [{"what": reference(patient_id)}],
    }
    if look.ground:
        resource["purposeOfEvent"] = [{"text": look.ground}]
    return resource


def basic(table: str, number: int, row: Row) -> Resource:
    """A row that FHIR has no resource for, as it is stored."""
    return {
        "resourceType": "Basic",
        "id": id_of(table, number, json.dumps(row, sort_keys=True)),
        "code": {"coding": [{"system": "urn:thuiswacht:table", "code": table}], "text": table},
        "subject": reference(row["patient_id"]),
        "extension": [{"url": "urn:thuiswacht:row", "valueString": json.dumps(row, sort_keys=True)}],
    }


def period(start: str, end: str | None) -> Resource:
    """From when until when, without an end where there is none."""
    return {"start": start} if end is None else {"start": start, "end": end}


def _told(event: Row) -> str:
    parts = (event["event"], event["from_value"], event["to_value"])
    return " ".join(str(part) for part in parts if part is not None)
