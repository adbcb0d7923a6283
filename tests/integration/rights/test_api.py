"""The patient's rights by HTTP: the same decision and the same record on every route."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

from ingest.acting import Known
from ingest.gateway import problems
from ingest.gateway import rights as routes
from ingest.gateway.routes import GuardedRoute
from models.access import Role, User, decide
from models.clock import to_us
from models.db.pool import Connection, Pool
from models.errors import BadInput, NotAllowed
from models.identity import Keys
from tests.integration.rights.conftest import OURS, TAKEN_AT, World, end_follow_up, person, rows_of

REASON = {"reason": "asked for by letter of 20 November"}


async def by_header(request: Request) -> Known:
    """Who a test says that it is."""
    person_id, role = request.headers["who"].split()
    return Known(User(UUID(person_id), OURS, Role(role)), "session")


@pytest.fixture
async def api(people: Pool) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    for router in (routes.patients.router, routes.auditing.router):
        app.include_router(router)
    app.add_exception_handler(Exception, problems.answer)
    for error in (problems.Problem, NotAllowed, BadInput, RequestValidationError):
        app.add_exception_handler(error, problems.answer)
    app.state.decide = decide
    app.state.pool, app.state.identify, app.state.identity_keys = people, by_header, Keys(bytes(32))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def officer(world: World) -> dict[str, str]:
    return {"who": f"{world.officer} privacy_officer"}


def nurse(world: World) -> dict[str, str]:
    return {"who": f"{world.nurse} nurse"}


def requests_about(patient: UUID) -> list[tuple[str, str, dict[str, Any] | None]]:
    correction = {
        "kind": "body_weight",
        "taken_at": TAKEN_AT.isoformat(),
        "device_id": "scale-1",
        "take_back": True,
    }
    return [
        ("POST", f"/patients/{patient}/looks", REASON),
        ("POST", f"/patients/{patient}/copy", REASON),
        ("POST", f"/patients/{patient}/corrections", REASON | correction),
        ("POST", f"/patients/{patient}/objections", REASON),
        ("POST", f"/patients/{patient}/objections", REASON | {"take_back": True}),
        ("GET", f"/patients/{patient}/destruction", None),
        ("POST", f"/patients/{patient}/destruction", REASON),
        ("POST", "/audit/review", {}),
    ]


async def test_each_request_is_answered_and_on_record_once(
    api: httpx.AsyncClient, admin: Connection, world: World
) -> None:
    wanted = requests_about(world.patient)
    statuses = [
        (await api.request(method, path, json=body, headers=officer(world))).status_code
        for method, path, body in wanted
    ]
    assert statuses == [200, 200, 202, 204, 204, 200, 409, 200]
    told = await admin.fetch("SELECT event_code, outcome, reason, ground FROM audit ORDER BY number")
    assert len(told) == len(wanted)
    assert {row["outcome"] for row in told} == {"allowed"}
    assert [row["reason"] for row in told] == [(body or {}).get("reason") for *_, body in wanted]
    assert {row["ground"] for row in told} == {"own_organisation", "office"}


async def test_a_nurse_may_correct_and_nothing_else(
    api: httpx.AsyncClient, admin: Connection, world: World
) -> None:
    wanted = requests_about(world.patient)
    statuses = [
        (await api.request(method, path, json=body, headers=nurse(world))).status_code
        for method, path, body in wanted
    ]
    assert statuses == [403, 403, 202, 403, 403, 403, 403, 403]
    outcomes = await admin.fetch("SELECT outcome, count(*) FROM audit GROUP BY outcome")
    assert {row["outcome"]: row["count"] for row in outcomes} == {"allowed": 1, "refused": 7}


async def test_the_other_patients_and_those_who_are_not_there_look_alike(
    api: httpx.AsyncClient, admin: Connection, world: World
) -> None:
    stranger = await person(admin, "P. Vos", Role.PRIVACY_OFFICER)
    answers: list[tuple[int, str]] = []
    for patient in (UUID(int=77), UUID(int=78)):
        for method, path, body in requests_about(patient)[:-1]:
            answered = await api.request(
                method, path, json=body, headers={"who": f"{stranger} privacy_officer"}
            )
            answers.append((answered.status_code, answered.text))
    assert len(set(answers)) == 1
    assert answers[0][0] == 403


async def test_a_record_is_destroyed_by_request(
    api: httpx.AsyncClient, admin: Connection, world: World
) -> None:
    await end_follow_up(admin, world.patient)
    path = f"/patients/{world.patient}/destruction"
    shown = (await api.get(path, headers=officer(world))).json()
    assert (shown["obstacle"], shown["done"]) == (None, False)
    kept = await api.post(path, json=REASON | {"interest_of_another": True}, headers=officer(world))
    assert (kept.status_code, kept.json()["obstacle"]["code"]) == (409, "interest_of_another")
    done = await api.post(path, json=REASON, headers=officer(world))
    assert (done.status_code, done.json()["done"], done.json()["rows"]) == (200, True, shown["rows"])
    assert all(kept["why"]["nl"] for kept in done.json()["stays"])
    assert await rows_of(admin, world.patient) == {}
    assert (await api.get(path, headers=officer(world))).status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("looks", {}),
        ("looks", {"reason": "short"}),
        ("copy", REASON | {"more": 1}),
        ("destruction", {"reason": " " * 30}),
        ("corrections", REASON),
        (
            "corrections",
            REASON | {"kind": "body_weight", "taken_at": "2026-11-22", "device_id": "x", "value": 1},
        ),
        ("objections", REASON | {"organisation_id": str(UUID(int=9))}),
        ("objections", REASON | {"take_back": True}),
    ],
)
async def test_bad_requests_are_refused_with_nothing_half_done(
    api: httpx.AsyncClient, admin: Connection, world: World, path: str, body: dict[str, Any]
) -> None:
    before = await rows_of(admin, world.patient)
    answered = await api.post(f"/patients/{world.patient}/{path}", json=body, headers=officer(world))
    assert (answered.status_code, answered.headers["content-type"]) == (422, "application/problem+json")
    assert str(world.patient) not in answered.text
    assert await rows_of(admin, world.patient) == before
    assert await admin.fetchval("SELECT array_agg(outcome) FROM audit") == ["failed"]


async def test_looks_are_reviewed_and_emergencies_get_a_verdict(
    api: httpx.AsyncClient, admin: Connection, world: World
) -> None:
    await api.post(f"/patients/{world.patient}/looks", json=REASON, headers=nurse(world))
    flags = (await api.post("/audit/review", json={}, headers=officer(world))).json()
    whys = [flag["why"] for flag in flags]
    assert whys[:3] == ["emergency", "emergency", "refused"]
    assert flags[0]["name"] == "M. Jansen"
    assert "does not answer the door" in flags[0]["nl"]
    path = f"/audit/emergencies/{flags[0]['emergency_id']}/verdict"
    verdict = {"verdict": "justified"}
    own = await person(admin, "Q. Bos", Role.PRIVACY_OFFICER)
    await admin.execute(
        "UPDATE emergency_access SET person_id = $1 WHERE emergency_id = $2",
        own,
        UUID(flags[0]["emergency_id"]),
    )
    refused = await api.post(path, json=verdict, headers={"who": f"{own} privacy_officer"})
    assert (refused.status_code, refused.json()["errors"][0]["found"]) == (422, "your own")
    assert (await api.post(path, json=verdict, headers=nurse(world))).status_code == 403
    assert (await api.post(path, json=verdict, headers=officer(world))).status_code == 204
    assert (await api.post(path, json=verdict, headers=officer(world))).status_code == 422
    row = await admin.fetchrow(
        "SELECT reviewed_by, verdict FROM emergency_access WHERE reviewed_at IS NOT NULL"
    )
    assert row is not None
    assert tuple(row) == (world.officer, "justified")
    again = (await api.post("/audit/review", json={}, headers=officer(world))).json()
    assert [flag["why"] for flag in again].count("emergency") == 1


def test_every_route_has_its_policy() -> None:
    found = [*routes.patients.router.routes, *routes.auditing.router.routes]
    assert len(found) == 8
    assert all(isinstance(route, GuardedRoute) and route.action for route in found)


def test_times_are_to_the_microsecond() -> None:
    asked = routes.ReadingCorrection.model_validate(
        REASON | {"kind": "pulse", "taken_at": "2026-11-22T07:12:00.000001Z", "device_id": "x"}
    )
    assert to_us(asked.taken_at) % 1_000_000 == 1
