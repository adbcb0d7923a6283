"""The status of a Task comes back through the API: only a named person takes over, and twice is once."""

from typing import Any
from uuid import uuid4

import pytest

from models.access import Role
from models.alerts import AlertState
from models.escalations import EscalationState, MessageState, Party
from tests.integration.fhir.world import World


def owner(world: World, who: str = "specialist") -> dict[str, Any]:
    person_id = world.known[who].user.person_id
    return {"identifier": {"system": "urn:thuiswacht:person", "value": str(person_id)}}


async def stand(world: World) -> str:
    tables = ("alert", "alert_event", "escalation", "message", "escalation_step")
    rows = [await world.admin.fetch(f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in tables]
    return str(rows)


def said(response: Any) -> str:
    content = response.json()
    assert content["resourceType"] == "OperationOutcome"
    assert response.headers["content-type"] == "application/fhir+json"
    return content["issue"][0]["diagnostics"]


@pytest.mark.parametrize("status", ["requested", "received"])
async def test_received_is_seen_and_nothing_moves(world: World, status: str) -> None:
    response = await world.put({"status": status})
    assert response.status_code == 200, response.text
    alert, escalation, message = await world.now()
    assert message.state is MessageState.SEEN
    assert escalation.state is EscalationState.ASKED
    assert escalation.delivered_at_us is not None
    assert alert == world.alert


async def test_accepted_by_a_named_person_moves_responsibility(world: World) -> None:
    response = await world.put({"status": "accepted", "owner": owner(world)})
    assert response.status_code == 200, response.text
    alert, escalation, message = await world.now()
    assert (alert.state, alert.owner) == (AlertState.ACKNOWLEDGED, world.specialist)
    assert alert.responsible == Party(Role.SPECIALIST, world.hospital)
    assert (escalation.state, escalation.accepted_by) == (EscalationState.ACCEPTED, world.specialist)
    assert message.state is MessageState.ACCEPTED
    audited = await world.admin.fetchrow(
        "SELECT user_id, details FROM audit WHERE event_code = 'escalation.answer'"
    )
    assert audited is not None
    assert audited["user_id"] == str(world.known["system"].user.person_id)
    assert str(world.specialist) in audited["details"]


async def test_accepted_by_nobody_is_only_seen_and_says_so(world: World) -> None:
    for named in (
        {},
        {"owner": {"display": "Dr. Zee"}},
        {"owner": owner(world, "nurse")},
        {"owner": owner(world, "system")},
    ):
        response = await world.put({"status": "accepted", **named})
        assert response.status_code == 200, response.text
        assert "not accepted" in said(response)
    alert, escalation, message = await world.now()
    assert alert == world.alert
    assert escalation.state is EscalationState.ASKED
    assert message.state is MessageState.SEEN


async def test_rejected_goes_back_with_the_reason(world: World) -> None:
    await world.put({"status": "accepted", "owner": owner(world)})
    assert (await world.put({"status": "rejected"})).status_code == 422
    response = await world.put({"status": "rejected", "statusReason": {"text": "Geen bed"}})
    assert response.status_code == 200, response.text
    alert, escalation, _ = await world.now()
    assert escalation.state is EscalationState.HANDED_BACK
    assert (alert.state, alert.responsible) == (AlertState.OPEN, Party(Role.NURSE, world.region.centre))
    why = await world.admin.fetchval(
        "SELECT why::text FROM alert_event WHERE event = 'escalation_handed_back'"
    )
    assert "Geen bed" in why


async def test_completed_with_output_answers(world: World) -> None:
    await world.put({"status": "accepted", "owner": owner(world)})
    output = [
        {"type": {"text": "antwoord"}, "valueString": "Furosemide naar 80 mg"},
        {"type": {"coding": [{"code": "referral_avoided"}]}, "valueBoolean": True},
    ]
    response = await world.put({"status": "completed", "output": output})
    assert response.status_code == 200, response.text
    _, escalation, _ = await world.now()
    assert escalation.state is EscalationState.ANSWERED
    assert (escalation.answer, escalation.referral_avoided) == ("Furosemide naar 80 mg", True)


async def test_the_same_again_changes_nothing(world: World) -> None:
    output = [{"type": {"text": "antwoord"}, "valueString": "ja"}]
    for resource in (
        {"status": "received"},
        {"status": "accepted", "owner": owner(world)},
        {"status": "completed", "output": output},
    ):
        assert (await world.put(resource)).status_code == 200
        before = await stand(world)
        again = await world.put(resource)
        assert again.status_code == 200, again.text
        assert await stand(world) == before


async def test_wrong_steps_are_refused_and_change_nothing(world: World) -> None:
    await world.put({"status": "accepted", "owner": owner(world)})
    before = await stand(world)
    for resource, status in (
        ({"status": "received"}, 409),
        ({"status": "accepted", "owner": owner(world, "colleague")}, 409),
        ({"status": "completed"}, 422),
        ({"status": "cancelled"}, 422),
        ({"resourceType": "Patient", "status": "accepted"}, 422),
    ):
        response = await world.put(resource)
        assert response.status_code == status, response.text
        assert said(response)
    assert await stand(world) == before


async def test_an_old_version_is_refused(world: World) -> None:
    etag = (await world.put({"status": "received"})).headers["etag"]
    assert (
        await world.put({"status": "accepted", "owner": owner(world)}, **{"if-match": 'W/"1"'})
    ).status_code == 409
    assert (await world.put({"status": "accepted"}, **{"if-match": "soon"})).status_code == 422
    response = await world.put({"status": "accepted", "owner": owner(world)}, **{"if-match": etag})
    assert response.status_code == 200, response.text


async def test_a_patch_does_the_same(world: World) -> None:
    operations = [
        {"op": "replace", "path": "/status", "value": "accepted"},
        {"op": "replace", "path": "/owner", "value": owner(world)},
    ]
    response = await world.api.patch(
        f"/fhir/Task/{world.escalation_id}",
        json=operations,
        headers={"x-who": "system", "content-type": "application/json-patch+json"},
    )
    assert response.status_code == 200, response.text
    alert, _, _ = await world.now()
    assert alert.owner == world.specialist


async def test_what_was_handed_to_others_is_nobodys_business(world: World) -> None:
    before = await stand(world)
    response = await world.put({"status": "received"}, who="stranger")
    assert response.status_code == 404
    assert said(response)
    world.escalation_id = uuid4()
    assert (await world.put({"status": "received"})).status_code == 404
    assert await stand(world) == before


async def test_an_escalation_that_is_over_says_so(world: World) -> None:
    await world.admin.execute("UPDATE escalation SET state = 'withdrawn', over_at = now()")
    response = await world.put({"status": "accepted", "owner": owner(world)})
    assert response.status_code == 409
    assert "withdrawn" in said(response)
