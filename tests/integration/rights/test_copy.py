"""A copy of everything that is held of a patient: complete, and valid FHIR R4."""

import json
from datetime import date
from importlib import import_module
from typing import Any, cast

from ingest.on_command import Who
from models.bsn import bsn_of
from models.db.pool import Connection, Pool
from models.identity import Contact, Identity
from tests.integration.rights.conftest import World, rows_of
from tests.integration.rights.patients_rights import KEYS, copy_of, look, resources

FHIR: Any = import_module("fhir.resources.R4B")
STORED_AS_THEY_ARE = (
    "patient_change", "quarantine", "emergency_access", "reevaluation", "incident_alert", "call",
)  # fmt: skip


async def test_the_copy_holds_everything_and_is_valid_fhir(
    people: Pool, admin: Connection, world: World
) -> None:
    await look(people, Who(world.nurse), world.patient)
    copied = json.loads(json.dumps(await copy_of(people, world)))
    for resource in [copied, *resources(copied)]:
        FHIR.get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    urls = [entry["fullUrl"] for entry in copied["entry"]]
    assert len(urls) == len(set(urls))
    assert {url.removeprefix("urn:uuid:") for url in referred(copied)} <= {
        one["id"] for one in resources(copied)
    }
    counts = {
        name: len(resources(copied, name)) for name in {one["resourceType"] for one in resources(copied)}
    }
    held = await rows_of(admin, world.patient)
    assert counts == {
        "Patient": 1, "Organization": 2, "Device": 4, "Observation": held["reading"], "CarePlan": 1,
        "CareTeam": 1,
        "Consent": held["consent"] + held["objection"], "Flag": 1, "DetectedIssue": 1, "ServiceRequest": 1,
        "AuditEvent": 1,
        "Basic": sum(held[table] for table in STORED_AS_THEY_ARE),
    }  # fmt: skip
    assert str(world.other) not in json.dumps(copied)


async def test_a_copied_reading_says_what_was_measured_and_whether_it_counts(
    people: Pool, world: World
) -> None:
    observations = resources(await copy_of(people, world), "Observation")
    weights = [one for one in observations if one["code"]["coding"][0]["code"] == "29463-7"]
    newest = max(weights, key=lambda one: one["effectiveDateTime"])
    assert newest["valueQuantity"] == {
        "value": 81.4, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg",
    }  # fmt: skip
    assert {"url": "urn:thuiswacht:as-received", "valueQuantity": {"value": 81400.0, "unit": "g"}} in newest[
        "extension"
    ]
    told = sorted((one["effectiveDateTime"][:10], one["status"]) for one in weights)
    assert told == [
        ("2026-11-20", "cancelled"), ("2026-11-20", "entered-in-error"), ("2026-11-21", "corrected"),
        ("2026-11-21", "entered-in-error"), ("2026-11-22", "final"),
    ]  # fmt: skip
    answers = [one["valueCodeableConcept"] for one in observations if "valueCodeableConcept" in one]
    assert [one["coding"][0]["code"] for one in answers] == ["moderate"]
    assert [one["valueString"] for one in observations if "valueString" in one] == ["sliep slecht"]


def referred(part: Any) -> set[str]:
    if isinstance(part, list):
        inner = cast("list[Any]", part)
        return set[str]().union(*map(referred, inner))
    if not isinstance(part, dict):
        return set()
    fields = cast("dict[str, Any]", part)
    here = {fields["reference"]} if isinstance(fields.get("reference"), str) else set[str]()
    return here.union(*map(referred, fields.values()))


async def test_a_copy_says_who_the_patient_is(admin: Connection, people: Pool, world: World) -> None:
    contact = Contact(name="Dochter", relation="mantelzorger", phone="0655501234", may_be_told=True)
    who = Identity(
        family_name="Jansen", given_names="Jan", birth_date=date(1941, 2, 3), bsn=bsn_of("111222333"),
        phone="0701234567", contacts=(contact,),
    )  # fmt: skip
    sealed = KEYS.seal(world.patient, who, bytes(12))
    await admin.execute(
        "INSERT INTO patient_identity (patient_id, organisation_id, sealed, key_id, bsn_digest, name_digest) "
        "SELECT patient_id, organisation_id, $2, $3, $4, $5 FROM registration WHERE patient_id = $1",
        world.patient, sealed.sealed, sealed.key_id, sealed.bsn_digest, sealed.name_digest,
    )  # fmt: skip
    (patient,) = resources(await copy_of(people, world), "Patient")
    FHIR.get_fhir_model_class("Patient").model_validate(json.loads(json.dumps(patient)))
    assert patient["name"] == [{"use": "official", "family": "Jansen", "given": ["Jan"]}]
    assert patient["birthDate"] == "1941-02-03"
    assert "111222333" in [one["value"] for one in patient["identifier"]]
    assert patient["telecom"] == [{"system": "phone", "value": "0701234567"}]
    assert patient["contact"][0]["name"] == {"text": "Dochter"}
