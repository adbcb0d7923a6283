"""The access matrix: every role × relation × route, allowed or refused as declared, and on record.

Then the same with the application's own check switched off, and only row-level security left: nothing leaks
and nothing changes. The routes are those of the application: one that nobody asks for here fails the test.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from alerting.console.frame import Console
from alerting.console.live import Hub
from alerting.console.service import ROUTES as ROUTES_OF_CONSOLE
from alerting.gateway.service import ROUTES as ROUTES_ABOUT_ALERTS
from alerting.versions import offer
from alerting.worklist.handling import Rules
from ingest.acting import Decide
from ingest.gateway.problems import answer
from ingest.gateway.routes import GuardedRoute, each_route
from ingest.gateway.service import ROUTES as ROUTES_OF_INGEST
from models.access import Action, Ground, Relation, Role, User, decide
from models.audit import Kind
from models.db.pool import connect
from models.errors import ThuiswachtError
from models.identity import Keys
from models.settings import Settings
from tests import shipped
from tests.integration.access.requests import REQUESTS, parameters
from tests.integration.access.world import OURS, RELATIONS, Subject, World
from tests.integration.policies import anybody_may

# Every route in every relation, some five hundred requests a test.
pytestmark = pytest.mark.timeout(600)

REFUSED = 403
# Allowed, and then done, led on, or not possible with this patient: an end to a relation that there is not.
GRANTED = (200, 201, 202, 204, 303, 404, 409, 422)
SHOWS = (Action.PATIENT_READ, Action.IDENTITY_READ, Action.PATIENT_SEARCH, Action.COPY_MAKE)
KEYS = Keys(b"k" * 32)
RULES = Rules(shipped.policies(), shipped.rosters(), Settings())


def make_app() -> FastAPI:
    """The routes, without a login in front of them: the matrix says who asks."""
    app = FastAPI()
    for error in (ThuiswachtError, RequestValidationError):
        app.add_exception_handler(error, answer)
    for routes in (*ROUTES_OF_INGEST, *ROUTES_ABOUT_ALERTS, *ROUTES_OF_CONSOLE):
        app.include_router(routes.router)
    app.state.identity_keys = KEYS
    app.state.alert_rules = RULES
    app.state.console = Console(Hub(RULES.settings), RULES, "trial")
    # Already over, so that the live connection ends with its first word.
    app.state.stop = asyncio.Event()
    app.state.stop.set()
    return app


ROUTES: list[GuardedRoute] = [r for r in each_route(make_app().routes) if isinstance(r, GuardedRoute)]


def method_of(route: GuardedRoute) -> str:
    (method,) = route.methods or {"?"}
    return method


def name_of(route: GuardedRoute) -> str:
    return f"{method_of(route)} {route.path}"


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    admin = await asyncpg.connect(database)
    built = World(admin, KEYS)
    await built.begin()
    await offer(admin, shipped.compiled())
    yield built
    await admin.close()


@pytest.fixture
async def api(world: World, database: str) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app()
    app.state.identify = world.identify
    app.state.decide = world.decide
    app.state.pool = await connect(database, role="thuiswacht_people", application="matrix", max_size=2)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://matrix") as client:
        yield client
    await app.state.pool.close()


async def ask(
    api: httpx.AsyncClient, world: World, route: GuardedRoute, role: Role, cell: "Cell"
) -> httpx.Response:
    """Send the request of a route, about the patient of a cell, as somebody in a role."""
    person = world.users[Role.ENGINEER.value].user.person_id
    path = route.path.format(**parameters(cell.it, person, uuid4()))
    form = REQUESTS.get(name_of(route))
    body = None if form is None else form(cell.it, cell.other)
    return await api.request(method_of(route), path, json=body, headers={"x-role": role.value})


def by_patient(route: GuardedRoute, role: Role, relation: Relation) -> bool:
    """Whether the route may show or change something of a patient in this relation."""
    decided = decide(User(uuid4(), OURS, role), route.action, relation)
    return decided.allowed and decided.ground is not Ground.OFFICE


def may(route: GuardedRoute, role: Role, relation: Relation) -> bool:
    """Whether the policy allows the request."""
    return decide(User(uuid4(), OURS, role), route.action, relation if route.patient else None).allowed


def changes(route: GuardedRoute) -> bool:
    """Whether the request changes something; who pulls messages says by that which ones arrived."""
    return route.kind is not Kind.READ or name_of(route) == "GET /messages"


def test_every_route_is_asked_for() -> None:
    with_body = {name_of(route) for route in ROUTES if route.body_field is not None}
    assert with_body == set(REQUESTS)


@dataclass(slots=True)
class Cell:
    """A patient in one relation to one user, used until a request may have changed something about them."""

    world: World
    user: User
    relation: Relation
    it: Subject
    other: Subject
    before: str
    refused: list[str] = field(default_factory=list[str])
    """What was refused since somebody looked whether anything had changed."""

    @classmethod
    async def of(cls, world: World, user: User, relation: Relation) -> "Cell":
        it, other = await world.subject(user, relation), await world.subject(user, relation)
        return cls(world, user, relation, it, other, await world.stand_of(it.patient_id))

    async def before_asking(self, route: GuardedRoute, *, may: bool) -> None:
        """Looks at what was refused, before something may rightly change."""
        if may and changes(route):
            await self.require_unchanged()

    async def after(self, route: GuardedRoute, response: httpx.Response) -> "Cell":
        """Another patient, where the request did something."""
        if not changes(route) or response.status_code >= 300:
            return self
        return await Cell.of(self.world, self.user, self.relation)

    async def require_unchanged(self) -> None:
        """What was refused changed nothing: looked at for several at once, for looking takes its time."""
        if self.refused:
            assert await self.world.stand_of(self.it.patient_id) == self.before, self.refused
            self.refused.clear()


@pytest.mark.parametrize("role", Role)
async def test_allowed_or_refused_as_declared(api: httpx.AsyncClient, world: World, role: Role) -> None:
    rows = await world.audit_rows()
    for relation in RELATIONS.values():
        cell = await Cell.of(world, world.users[role.value].user, relation)
        for route in ROUTES:
            await cell.before_asking(route, may=may(route, role, relation))
            response = await ask(api, world, route, role, cell)
            where = (name_of(route), relation, response.text)
            rows += 1
            if not by_patient(route, role, relation):
                assert cell.it.word not in response.text, where
            elif route.action in SHOWS:
                assert cell.it.word in response.text, where
            if may(route, role, relation):
                assert response.status_code in GRANTED, where
                cell = await cell.after(route, response)
            else:
                assert response.status_code == REFUSED, where
                cell.refused.append(name_of(route))
        await cell.require_unchanged()
    assert await world.audit_rows() == rows


@pytest.mark.parametrize("role", Role)
async def test_row_level_security_alone_suffices(api: httpx.AsyncClient, world: World, role: Role) -> None:
    world.policy = anybody_may
    for relation in RELATIONS.values():
        cell = await Cell.of(world, world.users[role.value].user, relation)
        for route in ROUTES:
            if may(route, role, relation) and by_patient(route, role, relation):
                continue
            await cell.before_asking(route, may=may(route, role, relation))
            response = await ask(api, world, route, role, cell)
            where = (name_of(route), relation, response.text)
            if not by_patient(route, role, relation):
                assert cell.it.word not in response.text, where
            if may(route, role, relation):
                cell = await cell.after(route, response)
            else:
                cell.refused.append(name_of(route))
        await cell.require_unchanged()


def sees_the_alert(role: Role, relation: Relation) -> bool:
    """Whether the patient's alert is for this user: of a huisarts, where the practice was asked."""
    decided = decide(User(uuid4(), OURS, role), Action.ALERT_READ, relation)
    if role is Role.HUISARTS:
        return decided.ground is Ground.ESCALATED or relation.emergency
    return decided.allowed


@pytest.mark.parametrize("policy", [decide, anybody_may])
async def test_who_sees_an_alert(api: httpx.AsyncClient, world: World, policy: Decide) -> None:
    world.policy = policy
    for role in Role:
        headers = {"x-role": role.value}
        cells = {
            name: await Cell.of(world, world.users[role.value].user, relation)
            for name, relation in RELATIONS.items()
        }
        listed = (await api.get("/alerts?limit=500", headers=headers)).text
        for name, cell in cells.items():
            sees = sees_the_alert(role, cell.relation)
            shown = await api.get(f"/alerts/{cell.it.alert_id}", headers=headers)
            assert (str(cell.it.alert_id) in listed) == sees, (role, name)
            assert (cell.it.word in shown.text) == sees, (role, name, shown.text)
            assert (shown.status_code == 200) == sees, (role, name)


def places_for_ids() -> list[tuple[GuardedRoute, str]]:
    """Every field of every form in which somebody can write an id."""
    found: list[tuple[GuardedRoute, str]] = []
    for route in ROUTES:
        if route.body_field is not None:
            form: type[Any] = cast("Any", route.body_field.field_info).annotation
            if not issubclass(form, BaseModel):
                # A FHIR resource: whom it names is looked at in tests/integration/fhir.
                assert route.path.startswith("/fhir/"), route.path
                continue
            fields = form.model_fields
            found += [(route, name) for name, field in fields.items() if "UUID" in str(field.annotation)]
    # A new organisation gets whatever id the administrator wants: it is nobody else's.
    new = ("POST /directory/organisations", "POST /console/administration/organisations")
    return [place for place in found if name_of(place[0]) not in new]


@pytest.mark.parametrize("policy", [decide, anybody_may])
async def test_ids_of_others_in_every_place(api: httpx.AsyncClient, world: World, policy: Decide) -> None:
    """With a patient of one's own in the address, somebody else's id in the body opens nothing."""
    world.policy = policy
    tried = 0
    for role in (Role.COORDINATOR, Role.NURSE, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR):
        user = world.users[role.value].user
        cell = await Cell.of(world, user, RELATIONS["treatment"])
        stranger = await world.subject(user, RELATIONS["none"])
        before = await world.stand_of(stranger.patient_id)
        for route, name in places_for_ids():
            for foreign in (stranger.patient_id, uuid4()):
                form = cast("dict[str, Any] | None", REQUESTS[name_of(route)](cell.it, cell.other))
                body: dict[str, Any] = {**(form or {}), name: str(foreign)}
                person = world.users[Role.ENGINEER.value].user.person_id
                response = await api.request(
                    method_of(route),
                    route.path.format(**parameters(cell.it, person, uuid4())),
                    json=body,
                    headers={"x-role": role.value},
                )
                tried += 1
                where = (name_of(route), name, role, response.status_code, response.text)
                assert response.status_code in (REFUSED, 404, 409, 422), where
                assert stranger.word not in response.text, where
        assert await world.stand_of(stranger.patient_id) == before, role
    assert tried > 40
