"""What hospital systems tell through the gate: by itself, and in a batch beside readings."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from ingest.delivery.hospital.acts import HospitalDesk
from models.clock import HOUR_US, wall_now_us
from models.settings import Settings
from tests.integration.delivery.fhir_gate import Hub, hub
from tests.integration.delivery.hospital.conftest import Hospital
from tests.integration.register.conftest import BSN, HOSPITAL, KEYS
from tests.unit.delivery.hospital.resources import BSN_SYSTEM, encounter
from tests.wire import registration

WHO = {"resourceType": "Patient", "identifier": [{"system": BSN_SYSTEM, "value": BSN}]}


@pytest.fixture
async def system(hospital: Hospital, settings: Settings) -> AsyncIterator[Hub]:
    """A system of our hospital at a gate that can open identities."""
    key = SecretStr(base64.b64encode(b"k" * 32).decode())
    known = settings.model_copy(update={"identity_key": key})
    async with hub(known, hospital.admin, HOSPITAL, HospitalDesk(hospital.people, KEYS)) as it:
        yield it


def stay(**subject: Any) -> dict[str, Any]:
    return encounter("in-progress", start_us=wall_now_us() - 5 * HOUR_US, subject=subject)


async def test_an_admission_is_told_once(system: Hub, hospital: Hospital) -> None:
    patient_id = await hospital.include()
    for _ in range(2):
        answer = await system.post("/fhir/Encounter", stay(reference=f"Patient/{patient_id}"))
        assert answer.status_code == 200, answer.text
    assert [name for name, _ in await hospital.changes(patient_id)] == ["admit"]
    refused = await system.post(
        "/fhir/Encounter", stay(reference="Patient/00000000-0000-4000-8000-00000000dead")
    )
    assert refused.status_code == 404


async def test_a_batch_holds_readings_and_changes_and_a_transaction_readings_alone(
    system: Hub, hospital: Hospital
) -> None:
    patient_id = await hospital.include()
    await system.writer.write(patient_id, registration(patient_id))
    await system.until_followed()
    weight = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "urn:uuid:who"},
        "effectiveDateTime": system.at(),
        "valueQuantity": {"value": 81.4, "system": "http://unitsofmeasure.org", "code": "kg"},
    }
    entries = [
        {"fullUrl": "urn:uuid:who", "resource": WHO, "request": {"method": "POST", "url": "Patient"}},
        {"resource": weight, "request": {"method": "POST", "url": "Observation"}},
        {"resource": stay(reference="urn:uuid:who"), "request": {"method": "POST", "url": "Encounter"}},
        {"resource": {"resourceType": "Encounter"}, "request": {"method": "POST", "url": "Encounter"}},
    ]
    refused = await system.batch(*entries[:3], type_="transaction")
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["Bundle.entry[2].resource"]
    assert await hospital.changes(patient_id) == []

    answer = await system.batch(*entries)
    statuses = [one["response"]["status"][:3] for one in answer.json()["entry"]]
    assert statuses == ["200", "201", "200", "422"], answer.text
    assert [name for name, _ in await hospital.changes(patient_id)] == ["admit"]
    (stored,) = await system.readings()
    assert (stored["patient_id"], stored["value"], stored["device_id"]) == (patient_id, 81.4, "hub")
