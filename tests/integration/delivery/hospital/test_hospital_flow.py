"""A hospital's system at the front gate: over register and log to the engine, and back to the alerts."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from pydantic import SecretStr

from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedClient, WantedKey
from ingest.delivery.clients.sealing import Sealing, secret_of
from ingest.delivery.hospital.acts import HospitalDesk
from ingest.gateway.delivery.service import GatewaySettings, OpenLog, make_app
from ingest.log import Ends, Writer, cluster_of
from models.clock import MINUTE_US, wall_now_us
from models.db.pool import connect
from models.settings import Settings
from simulators.demo.services import Services
from simulators.stack import Stack
from tests.integration.delivery.asking import signed_headers
from tests.integration.delivery.hospital.conftest import Hospital
from tests.integration.register.conftest import ELSEWHERE, HOSPITAL, KEYS
from tests.unit.delivery.hospital.resources import by_number, encounter, episode, paths, patient, replaced
from tests.wire import upload

pytestmark = pytest.mark.timeout(240)

SECRET = b"g" * 32
ALERT = "SELECT held_back, state FROM alert WHERE patient_id = $1"


@dataclass
class AtTheGate:
    """Systems of two hospitals, with their secrets, before a gate."""

    http: httpx.AsyncClient
    writer: Writer
    secrets: dict[str, bytes]

    async def send(
        self, method: str, path: str, resource: dict[str, Any], who: str = "ours"
    ) -> httpx.Response:
        """A signed request; what is answered is FHIR."""
        body = json.dumps(resource).encode()
        headers = signed_headers(who, self.secrets[who], body, wall_now_us())
        answer = await self.http.request(
            method, path, content=body, headers={"content-type": "application/fhir+json", **headers}
        )
        if answer.json()["resourceType"] != "Bundle":
            OperationOutcome.model_validate(answer.json())
        return answer

    async def post(self, resource: dict[str, Any], who: str = "ours") -> httpx.Response:
        """Tells something."""
        return await self.send("POST", f"/fhir/{resource['resourceType']}", resource, who)


@pytest.fixture
def settings(stack: Stack, database: str, topic: str) -> Settings:
    return Settings(kafka=stack.kafka, postgres=SecretStr(database), topic=topic)


@pytest.fixture
async def gate(settings: Settings, hospital: Hospital) -> AsyncIterator[AtTheGate]:
    """Ours may name patients, and so may theirs; a hub may not."""
    login = await connect(settings.postgres_dsn, role="thuiswacht_login", application="test", max_size=2)
    gateway = await connect(settings.postgres_dsn, role="thuiswacht_gateway", application="test", max_size=2)
    secrets: dict[str, bytes] = {}
    for name, organisation in (("ours", HOSPITAL), ("theirs", ELSEWHERE), ("hub", HOSPITAL)):
        key = WantedKey(hmac=True)
        wanted = WantedClient(name, name, organisation, key, names_patients=name != "hub", per_second=1000)
        made = await registry.add_client(login, wanted, Sealing(SECRET), wall_now_us())
        assert made.secret is not None
        secrets[name] = secret_of(made.secret)
    desk = HospitalDesk(hospital.people, KEYS)
    async with Writer(settings, timeout_s=5) as writer, Ends(settings) as ends:
        log_is = OpenLog(writer, ends, await cluster_of(settings))
        app = make_app(GatewaySettings(settings, SECRET, None), gateway, log_is, desk)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://gate.test") as http:
            yield AtTheGate(http, writer, secrets)
    await gateway.close()
    await login.close()


@pytest.fixture
def services(settings: Settings, tmp_path: Path) -> Iterator[Services]:
    environment = {
        "THUISWACHT_KAFKA": settings.kafka,
        "THUISWACHT_POSTGRES": settings.postgres_dsn,
        "THUISWACHT_TOPIC": settings.topic,
    }
    running = Services(environment, tmp_path)
    yield running
    running.stop()


def stay(status: str, **more: Any) -> dict[str, Any]:
    now_us = wall_now_us()
    return encounter(status, subject=by_number(), start_us=now_us - MINUTE_US, **more)


async def breathless(gate: AtTheGate, patient_id: UUID) -> None:
    """The patient says how they are, through their app."""
    now_us = wall_now_us()
    said = {"kind": "symptom_dyspnoea", "code": "severe", "taken_at_us": now_us - MINUTE_US}
    message = upload(said, patient=patient_id, sent_at_us=now_us, received_at_us=now_us)
    await gate.writer.write(patient_id, message)


async def test_an_admission_holds_alerts_back_a_discharge_proposes_and_a_death_ends(
    gate: AtTheGate, hospital: Hospital, services: Services
) -> None:
    patient_id = await hospital.include()
    for name in ("register publish", "clock", "ingest", "alerting"):
        services.start(name)

    async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
        while not await is_so():
            services.require_running()
            await hospital.admin.execute("SELECT pg_sleep(0.05)")

    async def alert_is(held_back: str | None, state: str = "open") -> bool:
        rows = await hospital.admin.fetch(ALERT, patient_id)
        return [(row["held_back"], row["state"]) for row in rows] == [(held_back, state)]

    async def is_known() -> bool:
        found: bool = await hospital.admin.fetchval("SELECT EXISTS (SELECT FROM patient_change)")
        return found

    await until(is_known)
    await breathless(gate, patient_id)
    await until(lambda: alert_is(None))

    assert (await gate.post(stay("in-progress"))).status_code == 200
    await until(lambda: alert_is("admission"))

    now_us = wall_now_us()
    answer = await gate.post(stay("finished", end_us=now_us))
    assert answer.status_code == 200
    assert "proposed" in answer.text
    await until(lambda: alert_is(None))
    assert await hospital.proposed(patient_id) == [("enrol", "open")]

    assert (await gate.post(patient(deceasedBoolean=True))).status_code == 200
    await until(lambda: alert_is(None, "resolved"))
    outcome = await hospital.admin.fetchval("SELECT outcome FROM alert WHERE patient_id = $1", patient_id)
    assert outcome is not None
    assert await hospital.admin.fetchval("SELECT count(*) FROM quarantine") == 0


async def test_what_is_answered_at_the_gate(gate: AtTheGate, hospital: Hospital) -> None:
    await hospital.include()
    statuses: list[tuple[int, str]] = []
    for resource, who in (
        (stay("in-progress"), "ours"),
        (stay("in-progress"), "ours"),
        (stay("in-progress"), "theirs"),
        (stay("in-progress"), "hub"),
        ({**stay("in-progress"), "class": {"code": "IMP"}}, "ours"),
        (stay("finished"), "ours"),
        (episode("active", "luck", patient=by_number()), "ours"),
        (patient(birthDate="1950-01-01", deceasedBoolean=True), "ours"),
    ):
        answer = await gate.post(resource, who)
        statuses.append((answer.status_code, answer.json()["issue"][0]["code"]))
    assert statuses == [
        (200, "informational"), (200, "informational"), (404, "not-found"), (403, "forbidden"),
        (422, "code-invalid"), (422, "required"), (422, "code-invalid"), (409, "conflict"),
    ]  # fmt: skip


async def test_put_under_its_id_and_within_a_bundle(gate: AtTheGate, hospital: Hospital) -> None:
    patient_id = await hospital.include()
    answer = await gate.send("PUT", "/fhir/Encounter/O-1", {**stay("in-progress"), "id": "O-1"})
    assert answer.status_code == 200, answer.text
    other = await gate.send("PUT", "/fhir/Encounter/O-2", {**stay("in-progress"), "id": "O-1"})
    assert other.status_code == 400
    entries = [
        {"fullUrl": "urn:uuid:5b1f0b1c-4a53-4a4e-8b0e-3f8a5d1c2b3a", "resource": patient(),
         "request": {"method": "POST", "url": "Patient"}},
        {"resource": stay("finished", end_us=wall_now_us()) | {
            "subject": {"reference": "urn:uuid:5b1f0b1c-4a53-4a4e-8b0e-3f8a5d1c2b3a"}},
         "request": {"method": "POST", "url": "Encounter"}},
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = await gate.send("POST", "/fhir", bundle)
    assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == ["200", "200"], answer.text
    assert [name for name, _ in await hospital.changes(patient_id)] == ["admit", "discharge"]
    refused = await gate.send("POST", "/fhir", {**bundle, "type": "transaction"})
    assert 400 <= refused.status_code < 500


NASTY: tuple[Any, ...] = (
    None, True, 0, -1.5, 1e300, "", "x" * 500, "2026-11-30", "2026-11-30T25:61:00Z",
    "0001-01-01T00:00:00+14:00",
    [], [[]], {}, {"value": []}, "\N{ARABIC-INDIC DIGIT ONE}" * 9,
)  # fmt: skip


async def test_whatever_stands_anywhere_is_answered_and_never_an_error_of_ours(
    gate: AtTheGate, hospital: Hospital
) -> None:
    await hospital.include()
    sound = (
        stay("in-progress", updated_us=wall_now_us()),
        episode(patient=by_number()),
        patient(link=[{"type": "replaces", "other": by_number()}], deceasedBoolean=False),
    )
    for resource in sound:
        for path in paths(resource)[1:]:
            for value in NASTY:
                sent = replaced(resource, path, value)
                answer = await gate.send("POST", f"/fhir/{resource['resourceType']}", sent)
                assert answer.status_code < 500, (path, value)
