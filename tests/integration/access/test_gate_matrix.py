"""The access matrix of the front gate: each route × relation, delivered or refused as declared.

Then the same with the application's own check switched off, and only the database's functions and row-level
security left: nothing gets into the log, nothing changes. A route that nobody delivers at fails the test.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from alerting.versions import offer
from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedClient, WantedKey
from ingest.delivery.clients.sealing import Sealing, secret_of
from ingest.delivery.hospital.acts import HospitalDesk
from ingest.delivery.preview import warm_up
from ingest.gateway.delivery.routes import DeliveryRoute
from ingest.gateway.delivery.service import ROUTES, GatewaySettings, OpenLog, make_app
from ingest.gateway.login.door import digest
from ingest.gateway.routes import each_route
from ingest.log import Ends, Writer, cluster_of
from models.access import Action, Relation, Role, User, decide
from models.clock import wall_now_us
from models.db.pool import Connection, connect
from models.identity import Keys
from models.settings import Settings
from simulators.stack import Stack
from tests import shipped
from tests.integration.access.gate_requests import ABOUT_NOBODY, ADAPTER, CLIENT, GATE_REQUESTS
from tests.integration.access.world import NEIGHBOURS, OURS, RELATIONS, Subject, World
from tests.integration.delivery.asking import signed_headers
from tests.integration.policies import anybody_may

pytestmark = pytest.mark.timeout(600)

SECRET = b"g" * 32
KEYS = Keys(b"k" * 32)
PARTITIONS = 4
ACCEPTED = (200, 201, 202)
REFUSED = (403, 404, 422)

DECLARED = {
    f"{method} {route.path}": route
    for routes in ROUTES
    for route in each_route(routes.router.routes)
    if isinstance(route, DeliveryRoute)
    for method in route.methods or ()
}


def test_every_route_is_delivered_at() -> None:
    assert set(DECLARED) == {*GATE_REQUESTS, *ABOUT_NOBODY}


@dataclass(slots=True)
class FrontGate:
    """The gate with its routes, over a real log and database, and a client of ours and of theirs."""

    http: httpx.AsyncClient
    world: World
    ends: Ends
    secrets: Mapping[str, bytes]
    user: User

    async def length(self) -> int:
        """How many messages the log has."""
        return sum([await self.ends.end_of(number) for number in range(PARTITIONS)])

    async def deliver(self, name: str, subject: Subject, client: str = CLIENT) -> httpx.Response:
        """One request, signed by a client."""
        it = GATE_REQUESTS[name](subject)
        return await self.send(name.partition(" ")[0], it.path, json.dumps(it.body), it.content_type, client)

    async def send(
        self, method: str, path: str, body: str = "", content_type: str = "application/json",
        client: str = CLIENT,
    ) -> httpx.Response:  # fmt: skip
        """Whatever a client signs."""
        signed = signed_headers(client, self.secrets[client], body.encode(), wall_now_us())
        headers = {"content-type": content_type, **signed}
        return await self.http.request(method, path, content=body, headers=headers)


@pytest.fixture
async def front(
    database: str, stack: Stack, make_topic: Callable[..., str], admin: Connection
) -> AsyncIterator[FrontGate]:
    world = World(admin, KEYS)
    await world.begin()
    await offer(admin, shipped.compiled())
    # Compiled before, so that no request waits for it.
    warm_up()
    settings = Settings(
        kafka=stack.kafka, postgres=SecretStr(database), topic=make_topic(PARTITIONS),
        identity_key=SecretStr(base64.b64encode(b"k" * 32).decode()),
    )  # fmt: skip
    login = await connect(database, role="thuiswacht_login", application="matrix", max_size=1)
    gateway = await connect(database, role="thuiswacht_gateway", application="matrix", max_size=2)
    people = await connect(database, role="thuiswacht_people", application="matrix", max_size=2)
    secrets: dict[str, bytes] = {}
    for name, organisation in ((CLIENT, OURS), ("theirs", NEIGHBOURS)):
        wanted = WantedClient(
            name, name, organisation, WantedKey(hmac=True),
            names_patients=True, per_second=10_000, adapter=ADAPTER,
        )  # fmt: skip
        made = await registry.add_client(login, wanted, Sealing(SECRET), wall_now_us())
        secrets[name] = secret_of(made.secret or "")
    (user,) = [one.user for one in await registry.list_clients(login) if one.client_id == CLIENT]
    async with Writer(settings, timeout_s=5) as writer, Ends(settings) as ends:
        log_is = OpenLog(writer, ends, await cluster_of(settings))
        configuration = GatewaySettings(settings, SECRET, None)
        hospital = HospitalDesk(people, KEYS, decide=world.decide)
        app = make_app(configuration, gateway, log_is, hospital, decide=world.decide)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://gate.test") as http:
            yield FrontGate(http, world, ends, secrets, user)
    for pool in (people, gateway, login):
        await pool.close()


def may(name: str, relation: Relation) -> bool:
    """Whether the policy lets a system do this for a patient in this relation."""
    return decide(User(uuid4(), OURS, Role.SERVICE), DECLARED[name].action, relation).allowed


def whom(answer: httpx.Response) -> str:
    """What an answer says, for failures."""
    return f"{answer.status_code} {answer.text[:500]}"


@pytest.mark.parametrize("name", GATE_REQUESTS)
async def test_delivered_or_refused_as_declared(front: FrontGate, name: str) -> None:
    for relation in RELATIONS.values():
        it = await front.world.subject(front.user, relation)
        before, length = await front.world.stand_of(it.patient_id), await front.length()
        answer = await front.deliver(name, it)
        where = (name, relation, whom(answer))
        after, grown = await front.world.stand_of(it.patient_id), await front.length() - length
        if may(name, relation):
            assert answer.status_code in ACCEPTED, where
            # Readings go to the log, what is told of a patient into the register.
            assert grown == 1 if DECLARED[name].action is Action.READING_DELIVER else after != before, where
        else:
            assert answer.status_code in REFUSED, where
            assert str(it.patient_id) not in answer.text, where
            assert (grown, after) == (0, before), where


@pytest.mark.parametrize("name", GATE_REQUESTS)
async def test_the_database_alone_suffices(front: FrontGate, name: str) -> None:
    front.world.policy = anybody_may
    for relation in RELATIONS.values():
        # What is allowed is known to work; what would be refused is tried with nobody to refuse it.
        if relation.treatment and not relation.objection:
            continue
        it = await front.world.subject(front.user, relation)
        before, length = await front.world.stand_of(it.patient_id), await front.length()
        answer = await front.deliver(name, it)
        where = (name, relation, whom(answer))
        assert answer.status_code not in ACCEPTED, where
        assert str(it.patient_id) not in answer.text, where
        assert await front.length() == length, where
        assert await front.world.stand_of(it.patient_id) == before, where


@pytest.mark.parametrize("name", GATE_REQUESTS)
async def test_who_is_nobody_delivers_nothing(front: FrontGate, name: str) -> None:
    it = await front.world.subject(front.user, RELATIONS["treatment"])
    before, length = await front.world.stand_of(it.patient_id), await front.length()
    request = GATE_REQUESTS[name](it)
    for headers in ({}, {"Authorization": "Bearer " + "x" * 43}, {"x-client-id": CLIENT}):
        answer = await front.http.request(
            name.partition(" ")[0], request.path, json=request.body,
            headers={"content-type": request.content_type, **headers},
        )  # fmt: skip
        assert answer.status_code == 401, (name, headers, whom(answer))
    assert (await front.length(), await front.world.stand_of(it.patient_id)) == (length, before)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SERVICE])
async def test_a_token_of_a_person_delivers_nothing(front: FrontGate, admin: Connection, role: Role) -> None:
    """Not even one that somebody began as if it were a system's, for a system that has another role."""
    it = await front.world.subject(front.user, RELATIONS["treatment"])
    person = front.world.users[role.value].user
    await admin.execute(
        "INSERT INTO session (session_id, kind, token_sha256, person_id, organisation_id, role, began_at, "
        "seen_at, until_at) VALUES ($1, 'system', $2, $3, $4, $5, now(), now(), now() + '9m')",
        uuid4(), digest("t" * 43), person.person_id, OURS, role.value,
    )  # fmt: skip
    request, length = GATE_REQUESTS["POST /v1/uploads"](it), await front.length()
    answer = await front.http.post(
        request.path, json=request.body, headers={"Authorization": "Bearer " + "t" * 43}
    )
    assert answer.status_code == 401, whom(answer)
    assert await front.length() == length


async def test_what_became_of_an_upload_is_told_to_who_delivered_it(front: FrontGate) -> None:
    it = await front.world.subject(front.user, RELATIONS["treatment"])
    status = (await front.deliver("POST /v1/uploads", it)).json()["status"]
    assert (await front.send("GET", status)).json()["state"] == "pending"
    for answer in (
        await front.send("GET", status, client="theirs"),
        await front.send("GET", status[:-1] + ("A" if status[-1] != "A" else "B")),
        await front.send("GET", "/v1/uploads/x"),
    ):
        assert answer.status_code == 404, whom(answer)
    assert (await front.http.get(status)).status_code == 401
