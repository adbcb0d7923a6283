"""A front gate in this process: entrance and speakers behind small routes, over a real database."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedClient, WantedKey
from ingest.delivery.clients.sealing import Sealing, secret_of
from ingest.delivery.clients.signatures import BODY, Form
from ingest.delivery.content import Fault, Named
from ingest.delivery.speakers import Ask, Speaker, Speakers
from ingest.gateway.configuration import ApiSettings
from ingest.gateway.delivery.entrance import CertificateHeader, Entrance
from ingest.gateway.delivery.proxies import BehindProxies
from ingest.gateway.login.door import Door
from ingest.gateway.login.token import make_token
from ingest.gateway.problems import answer
from models.clock import wall_now_us
from models.db.pool import Pool, connect
from models.errors import ThuiswachtError
from models.identity import Keys
from tests.integration.delivery.homes import OURS

URL = "https://gate.test"
KEYS = Keys(b"i" * 32)
SEALING = Sealing(b"g" * 32)
PROXY = "203.0.113.7"


@dataclass
class Clock:
    """The wall's time, moved by so much."""

    moved_us: int = 0

    def now_us(self) -> int:
        return wall_now_us() + self.moved_us


@dataclass
class Gate:
    """The application, with what it stands on."""

    app: ASGIApp
    inner: FastAPI
    login: Pool
    gateway: Pool
    entrance: Entrance
    clock: Clock = field(default_factory=Clock)

    def http(self, address: str = "192.0.2.1") -> httpx.AsyncClient:
        """Somebody at this address."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url=URL)

    async def add(
        self,
        client_id: str,
        key: WantedKey,
        *,
        organisation: UUID = OURS,
        names_patients: bool = False,
        per_second: float = 1000,
        burst: int | None = None,
        adapter: str | None = None,
    ) -> bytes:
        """A client; its secret, where it has one."""
        wanted = WantedClient(
            client_id,
            client_id,
            organisation,
            key,
            names_patients=names_patients,
            per_second=per_second,
            burst=burst,
            adapter=adapter,
        )
        made = await registry.add_client(self.login, wanted, SEALING, wall_now_us())
        return b"" if made.secret is None else secret_of(made.secret)


@asynccontextmanager
async def gate(
    database: str,
    *,
    at_work: int = 64,
    certificates: CertificateHeader | None = None,
    at_the_desk: Callable[[Request], Awaitable[None]] | None = None,
    longest_wait_s: float = 60,
    answered_within_s: float = 60,
) -> AsyncGenerator[Gate]:
    """A gate over this database. `at_the_desk`: awaited within each delivery, before it is answered."""
    login = await connect(database, role="thuiswacht_login", application="test", max_size=2)
    gateway = await connect(database, role="thuiswacht_gateway", application="test", max_size=2)
    clock = Clock()
    entrance = Entrance(
        gateway,
        SEALING,
        at_work=at_work,
        read_body=Request.body,
        certificates=certificates,
        now_us=clock.now_us,
        longest_wait_s=longest_wait_s,
        answered_within_s=answered_within_s,
    )
    inner = FastAPI()
    inner.add_exception_handler(ThuiswachtError, answer)
    inner.include_router(make_token(Door(login, ApiSettings(URL, None, False), now_us=clock.now_us)))
    _add_routes(inner, entrance, Speakers(gateway, KEYS.bsn_digest), at_the_desk)
    app = BehindProxies(entrance.around(inner), PROXY)
    try:
        yield Gate(app, inner, login, gateway, entrance, clock)
    finally:
        await gateway.close()
        await login.close()


def _add_routes(
    app: FastAPI,
    entrance: Entrance,
    speakers: Speakers,
    at_the_desk: Callable[[Request], Awaitable[None]] | None,
) -> None:
    @app.post("/deliver")
    async def deliver(request: Request) -> JSONResponse:
        caller = await entrance(request)
        if at_the_desk is not None:
            await at_the_desk(request)
        return JSONResponse({"client_id": caller.client_id, "names_patients": caller.names_patients})

    @app.post("/speak")
    async def speak(request: Request) -> JSONResponse:
        caller = await entrance(request)
        asked: list[Ask] = [
            (one.get("device"), None if "patient" not in one and "bsn" not in one else _named(one))
            for one in await request.json()
        ]
        return JSONResponse([_said(one) for one in await speakers(caller, asked)])

    @app.post("/webhooks/{client_id}")
    async def webhook(request: Request, client_id: str) -> JSONResponse:
        forms: dict[str, Form] = {"cellular_hub": BODY}
        caller, adapter = await entrance.webhook(request, client_id, forms.get)
        return JSONResponse({"client_id": caller.client_id, "adapter": adapter})


def _named(one: dict[str, str]) -> Named:
    patient = one.get("patient")
    return Named(None if patient is None else UUID(patient), one.get("bsn"))


def _said(one: Speaker | Fault) -> dict[str, object]:
    if isinstance(one, Fault):
        return {"where": one.where, "code": one.code.value, "expected": one.expected, "found": one.found}
    return {
        "patient": str(one.patient_id),
        "device": one.device_id,
        "since_us": one.since_us,
    }
