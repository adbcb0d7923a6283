"""A nurse tells a patient something: refused clearly where it cannot arrive, on record where it can."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from models.clock import MINUTE_US, wall_now_us
from tests.integration.fhir.world import World

MEASURE = {"text": "measure_now", "about": "body_weight"}


async def tell(world: World, form: dict[str, Any], who: str = "nurse") -> httpx.Response:
    return await world.api.post(f"/patients/{world.patient_id}/messages", json=form, headers={"x-who": who})


async def test_it_goes_through_the_app(world: World) -> None:
    await world.measure(wall_now_us() - MINUTE_US)
    await world.app("https://app.example/hook")
    response = await tell(world, MEASURE)
    assert response.status_code == 202, response.text
    (message,) = await world.to_patient()
    assert message.message_id == UUID(response.json()["message_id"])
    nurse = str(world.known["nurse"].user.person_id)
    assert json.loads(message.body) == {"about": "body_weight", "by": nurse, "text": "measure_now"}
    details = await world.admin.fetchval("SELECT details FROM audit WHERE event_code = 'patient.message'")
    assert "measure_now" in details


async def test_without_an_app_somebody_has_to_ring(world: World) -> None:
    await world.measure(wall_now_us() - MINUTE_US)
    await world.app("https://app.example/hook", source="vendor-b")
    response = await tell(world, MEASURE)
    assert response.status_code == 409
    assert "ring them" in response.json()["detail"]
    assert await world.to_patient() == []


@pytest.mark.parametrize(
    "form",
    [
        {"text": "hallo"},
        {"text": "measure_now"},
        {"text": "measure_now", "about": "symptom_cough"},
        {"text": "symptom_question", "about": "body_weight"},
        {"text": "seen_by_nurse", "about": "body_weight"},
        {"text": "measure_again", "about": "body_weight"},
        {"text": "seen_by_nurse", "words": "Alles goed!"},
    ],
)
async def test_what_there_is_no_text_for_is_refused(world: World, form: dict[str, Any]) -> None:
    await world.measure(wall_now_us() - MINUTE_US)
    await world.app("https://app.example/hook")
    assert (await tell(world, form)).status_code == 422
    assert await world.to_patient() == []


async def test_who_does_not_treat_the_patient_tells_them_nothing(world: World) -> None:
    for who in ("specialist", "system", "administrator"):
        assert (await tell(world, MEASURE, who)).status_code == 403


async def test_whom_follow_up_has_ended_for(world: World) -> None:
    await world.admin.execute("UPDATE patient_care SET ended_at = now()")
    assert (await tell(world, MEASURE)).status_code == 409


async def test_apps_are_entered_by_administrators(world: World) -> None:
    form = {"source": "vendor-a", "address": "https://app.example/hook", "origin": "simulated"}
    by_administrator, by_nurse = {"x-who": "administrator"}, {"x-who": "nurse"}
    assert (await world.api.post("/directory/patient-apps", json=form, headers=by_nurse)).status_code == 403
    made = await world.api.post("/directory/patient-apps", json=form, headers=by_administrator)
    assert made.status_code == 201, made.text
    again = await world.api.post("/directory/patient-apps", json=form, headers=by_administrator)
    assert again.status_code == 422
    shown = await world.api.get("/directory/patient-apps", headers=by_nurse)
    assert shown.json()["patient_apps"] == [
        {"address_id": made.json()["address_id"], "source": "vendor-a", "origin": "simulated"}
    ]
    end = f"/directory/patient-apps/{made.json()['address_id']}/end"
    assert (await world.api.post(end, headers=by_administrator)).status_code == 204
    assert (await world.api.post(end, headers=by_administrator)).status_code == 404


@pytest.mark.parametrize("address", ["http://app.example/hook", "https://user@app.example/", "app.example"])
async def test_an_address_is_https_and_holds_no_password(world: World, address: str) -> None:
    response = await world.api.post(
        "/directory/patient-apps",
        json={"source": "vendor-a", "address": address},
        headers={"x-who": "administrator"},
    )
    assert response.status_code == 422
