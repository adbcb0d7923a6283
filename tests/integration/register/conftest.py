"""A register with organisations, people and programmes, and an API on it that knows who asks by a header."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

from alerting.versions import offer
from ingest.gateway import directory, register
from ingest.gateway.problems import NotLoggedIn, answer
from ingest.gateway.routes import Known, require_policies
from models.access import Role, User, decide
from models.db.pool import Connection, Pool
from models.errors import ThuiswachtError
from models.identity import Keys
from tests import shipped

BSN = "111222333"
ANOTHER_BSN = "123456782"
KEYS = Keys(b"k" * 32)

HOSPITAL, CENTRE, PRACTICE, OTHER_PRACTICE, ELSEWHERE = (UUID(int=n) for n in range(1, 6))
ORGANISATIONS = {
    HOSPITAL: "hospital",
    CENTRE: "monitoring_centre",
    PRACTICE: "gp_practice",
    OTHER_PRACTICE: "gp_practice",
    ELSEWHERE: "hospital",
}


@pytest.fixture
async def admin(database: str) -> AsyncIterator[Connection]:
    """The superuser, in a database with organisations and programmes."""
    connection = await asyncpg.connect(database)
    for organisation_id, kind in ORGANISATIONS.items():
        await connection.execute(
            "INSERT INTO organisation VALUES ($1, $2, $3, 'simulated')", organisation_id, kind.title(), kind
        )
    await offer(connection, shipped.compiled())
    yield connection
    await connection.close()


async def somebody(admin: Connection, role: Role, organisation: UUID = HOSPITAL) -> User:
    """A person who may act as this role there."""
    person_id = uuid4()
    await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Test')", person_id)
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, $3)", person_id, organisation, role.value)
    return User(person_id, organisation, role)


@dataclass
class Api:
    """The API as one user."""

    client: httpx.AsyncClient
    user: User
    app: FastAPI

    async def __call__(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        user = self.user
        headers = {"x-user": f"{user.person_id} {user.organisation_id} {user.role}"}
        response = await self.client.request(method, path, json=body, headers=headers)
        assert response.status_code == expect, response.text
        return response.json() if response.content else None

    def as_user(self, user: User) -> "Api":
        """The same API, somebody else."""
        return Api(self.client, user, self.app)


async def identify(request: Request) -> Known:
    """Believes what the header says: that login holds is tested elsewhere."""
    if "x-user" not in request.headers:
        raise NotLoggedIn("Log in.")
    person, organisation, role = request.headers["x-user"].split()
    return Known(User(UUID(person), UUID(organisation), Role(role)), "test")


@pytest.fixture
async def nurse(admin: Connection) -> User:
    return await somebody(admin, Role.NURSE)


@pytest.fixture
async def api(people: Pool, nurse: User) -> AsyncIterator[Api]:
    """The API, as a nurse of the hospital."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(register.routes.router)
    app.include_router(directory.routes.router)
    for kind in (ThuiswachtError, RequestValidationError, Exception):
        app.add_exception_handler(kind, answer)
    require_policies(app, public=[])
    app.state.decide = decide
    app.state.pool, app.state.identify, app.state.identity_keys = people, identify, KEYS
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Api(client, nurse, app)


def form(**more: Any) -> dict[str, Any]:
    """The form of somebody new."""
    return {
        "identity": {"family_name": "de Vries", "birth_date": "1948-03-02", "bsn": BSN},
        "programmes": [{"programme": "heart_failure"}],
        "huisarts": str(PRACTICE),
        **more,
    }


async def included(api: Api, **more: Any) -> str:
    """The id of somebody who was just included."""
    return (await api("POST", "/patients", form(**more), 201))["patient_id"]
