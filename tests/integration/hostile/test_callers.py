"""Whoever is nobody, not yet, no longer, or of somewhere else: nothing gets in, and nothing is told."""

import secrets
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc.jwk import ECKey

from benchmarks.gateway.ground import CLIENT
from benchmarks.gateway.homes import ask_token, token_of
from models.clock import SECOND_US, wall_now_us
from tests.gates import Gate
from tests.integration.hostile.conftest import FHIR, FHIR_TYPE, PLAIN, now, refused, upload, written

pytestmark = pytest.mark.usefixtures("unharmed")

OTHERS = UUID("00000000-0000-4000-8000-0000000000b9")
_OTHERS = """
WITH house AS (
    INSERT INTO organisation VALUES ($1, 'Ander ziekenhuis', 'hospital', 'simulated') ON CONFLICT DO NOTHING
), registered AS (
    INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($2, $1, 'simulated')
), care AS (
    INSERT INTO patient_care (patient_id, organisation_id, version) VALUES ($2, $1, 1)
), treated AS (
    INSERT INTO treatment_relation (patient_id, organisation_id, from_at)
    VALUES ($2, $1, now() - interval '100 days')
)
INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at)
VALUES ($2, $1, $3, 'monitor', now() - interval '100 days')
"""


def count(gate: Gate) -> int:
    """Messages in the log so far, as ingest has followed it, and readings."""
    (row,) = gate.stored("SELECT sum(next_offset)::bigint AS n FROM log_position")
    number: int = row["n"]
    return number


NOBODY = {
    "no token": "",
    "a token of nobody": "",
    "rubbish": "\x7f",
    "a very long one": "a" * 6_000,
    "a token of another kind": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJiZW5jaG1hcmsifQ.",
}


@pytest.mark.parametrize("path", [PLAIN, FHIR, "/fhir/Observation"])
@pytest.mark.parametrize("name", NOBODY)
def test_who_is_nobody_delivers_nothing(gate: Gate, name: str, path: str) -> None:
    before = count(gate)
    token = secrets.token_urlsafe(32) if name == "a token of nobody" else NOBODY[name]
    answer = gate.post(path, written(upload(gate)), token=token)
    # A token that no header may hold is no HTTP at all.
    if name != "rubbish":
        refused(answer, 401)
        assert "bearer" in answer.headers["www-authenticate"].lower()
    assert answer.status in (400, 401)
    assert count(gate) == before


@pytest.mark.parametrize("path", [PLAIN, FHIR])
def test_an_ended_token_is_nobodys(gate: Gate, path: str) -> None:
    token = token_of(gate.ground.url, CLIENT, gate.ground.key)
    gate.stored(
        "UPDATE session SET began_at = began_at - interval '11 minutes', "
        "seen_at = seen_at - interval '11 minutes', until_at = until_at - interval '11 minutes' "
        "WHERE token_sha256 = sha256(convert_to($1, 'UTF8'))", token,
    )  # fmt: skip
    before = count(gate)
    refused(gate.post(path, written(upload(gate)), token=token), 401)
    assert count(gate) == before


NOW_S = wall_now_us() // SECOND_US
CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"iat": NOW_S - 600, "exp": NOW_S - 540},
    "not yet": {"iat": NOW_S + 3_600, "nbf": NOW_S + 3_600, "exp": NOW_S + 3_660},
    "for years": {"exp": NOW_S + 10**8},
    "for somebody else": {"aud": "https://gate.example.org/token"},
    "for two": {"aud": ["https://gate.example.org/token", "https://other.example.org"]},
    "of somebody else": {"iss": "another", "sub": "another"},
    "of two": {"sub": "another"},
    "without an id": {"jti": ""},
    "with an absurd time": {"exp": 10**30},
    "with no time": {"exp": "tomorrow"},
}


@pytest.mark.parametrize("name", CLAIMS)
def test_signatures_that_are_no_longer_not_yet_or_not_for_us_give_no_token(gate: Gate, name: str) -> None:
    answer = ask_token(gate.ground.url, CLIENT, gate.ground.key, **CLAIMS[name])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_the_signature_of_somebody_else_gives_no_token(gate: Gate) -> None:
    answer = ask_token(gate.ground.url, CLIENT, ECKey.generate_key("P-256"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_what_was_signed_counts_once(gate: Gate) -> None:
    jti = secrets.token_hex(16)
    first, second = (ask_token(gate.ground.url, CLIENT, gate.ground.key, jti=jti) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 401)


def test_another_organisations_patient_looks_as_one_that_there_is_not(gate: Gate) -> None:
    theirs, device = uuid4(), f"theirs-{secrets.token_hex(4)}"
    gate.stored(_OTHERS, OTHERS, theirs, device)
    before = count(gate)
    told: set[tuple[int, str]] = set()
    for patient_id in (theirs, uuid4()):
        content = upload(gate) | {"patient_id": str(patient_id)}
        answer = refused(gate.post(PLAIN, written(content)), 403, 404, 422)
        told.add((answer.status, answer.body.decode().replace(str(patient_id), "…")))
    assert len(told) == 1, "the answers differ, so they tell whether there is such a patient"
    told.clear()
    for device_id in (device, "nobody-has-it"):
        answer = refused(gate.post(PLAIN, written(upload(gate) | {"device_id": device_id})), 403, 404, 422)
        told.add((answer.status, answer.body.decode().replace(device_id, "…")))
    assert len(told) == 1
    assert count(gate) == before
    assert gate.stored("SELECT FROM reading WHERE patient_id = $1", theirs) == []


def test_another_devices_identity_is_not_believed(gate: Gate) -> None:
    """A device speaks for whoever has it, and for nobody else, whatever the message says."""
    mine, other = gate.homes[0], gate.homes[1]
    content = upload(gate) | {"device_id": mine.device_id, "patient_id": str(other.patient_id)}
    before = count(gate)
    refused(gate.post(PLAIN, written(content)), 403, 404, 422)
    resource = _weight(str(other.patient_id), mine.device_id)
    refused(gate.post("/fhir/Observation", written(resource), FHIR_TYPE), 403, 404, 422)
    assert count(gate) == before


def test_a_bundle_that_mixes_patients_is_refused_as_a_transaction_and_split_as_a_batch(gate: Gate) -> None:
    resources = [_weight(str(home.patient_id), home.device_id) for home in gate.homes[:3]]
    entries = [{"resource": one, "request": {"method": "POST", "url": "Observation"}} for one in resources]
    before = count(gate)
    transaction = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = refused(gate.post(FHIR, written(transaction), FHIR_TYPE), 400, 422)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert count(gate) == before
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = gate.post(FHIR, written(batch), FHIR_TYPE)
    assert answer.status == 200, answer
    assert [entry["response"]["status"][:3] for entry in answer.json()["entry"]] == ["201"] * 3
    for home, resource in zip(gate.homes, resources, strict=False):
        query = "SELECT value FROM reading WHERE patient_id = $1 AND value = $2"
        (row,) = gate.stored(query, home.patient_id, resource["valueQuantity"]["value"])
        assert row


def _weight(patient_id: str, device_id: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "device": {"identifier": {"value": device_id}},
        "effectiveDateTime": now().isoformat(),
        "valueQuantity": {
            "value": round(60 + secrets.randbelow(100_000) / 1_000, 3),
            "system": "http://unitsofmeasure.org",
            "code": "kg",
        },
    }
