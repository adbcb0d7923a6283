"""A house with devices, and the whole way from its front gate to the database: real Kafka, real Postgres."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any
from uuid import UUID, uuid4

import httpx
from pydantic import SecretStr

from ingest.delivery.clients.registry import WantedClient, WantedKey, add_client
from ingest.gateway.delivery.service import read_configuration, serve
from ingest.gateway.login.door import digest
from ingest.log import Writer
from models.access import Role, User
from models.clock import HOUR_US, SECOND_US, to_datetime, wall_now_us
from models.db import sessions
from models.db.pool import Connection, connect
from models.sessions import SessionKind
from models.settings import Settings
from simulators.stack.ports import free_port
from tests.integration.delivery.homes import OURS, make_organisations, make_patient
from tests.unit.login.signing import ec
from tests.wire import change

KEY = base64.b64encode(b"g" * 32).decode()
CLIENT = "hub"
Json = dict[str, Any]


@dataclass
class House:
    """What tests speak with: somebody who has a token, and a patient with devices."""

    settings: Settings
    admin: Connection
    patient_id: UUID
    token: str
    port: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def http(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers=self.headers, timeout=60, **options
        )

    async def post(self, content: object, **headers: str) -> httpx.Response:
        """Delivers what is given, as it is where it is bytes."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        async with self.http() as http:
            return await http.post(
                "/v1/uploads", content=body, headers={"Content-Type": "application/json", **headers}
            )

    async def get(self, path: str) -> httpx.Response:
        async with self.http() as http:
            return await http.get(path)

    async def became(self, address: str) -> Json:
        """What became of an upload, once it is told."""
        while True:
            answer = await self.get(address)
            assert answer.status_code == 200, answer.text
            if answer.json()["state"] == "done":
                return answer.json()
            # The gate asks us to.
            await asyncio.sleep(0.05)

    async def rows(self) -> list[tuple[Any, ...]]:
        """What is stored: kind, value and unit as sent, code, revision, void, device, source."""
        found = await self.admin.fetch(
            "SELECT k.name, r.value_received, r.unit_received, r.code, r.revision, r.void, r.device_id, "
            "r.source, r.taken_at FROM reading AS r JOIN kind AS k ON k.number = r.kind "
            "ORDER BY r.taken_at, k.name, r.revision, r.void"
        )
        return [tuple(row) for row in found]


def upload(*readings: Json, device: str = "scale-1", **fields: Any) -> Json:
    return {"device_id": device, "readings": list(readings), **fields}


def weight(value: float = 81.4, *, at_us: int, **fields: Any) -> Json:
    return {"kind": "body_weight", "value": value, "unit": "kg", "taken_at_us": at_us, **fields}


def minutes_ago(minutes: float) -> int:
    """A time to the second, so that it can be written in any way."""
    return (wall_now_us() - int(minutes * 60 * SECOND_US)) // SECOND_US * SECOND_US


def written(at_us: int) -> str:
    return to_datetime(at_us).isoformat().replace("+00:00", "Z")


async def make_house(settings: Settings, admin: Connection) -> House:
    """A patient of ours with three devices, known to the register and to the log; a client with a token."""
    await make_organisations(admin)
    patient_id = await make_patient(admin, device="scale-1")
    for device in ("cuff-1", "scale-2"):
        await admin.execute(
            "INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at) "
            "VALUES ($1, $2, $3, 'scale', now())",
            patient_id, OURS, device,
        )  # fmt: skip
    register = change("register", {"origin": "simulated", "organisation_id": str(OURS)}, patient=patient_id)
    async with Writer(settings) as writer:
        await writer.write(patient_id, register)
    return House(settings, admin, patient_id, await admit(settings, admin, CLIENT))


async def admit(
    settings: Settings, admin: Connection, client_id: str, *, names_patients: bool = False
) -> str:
    """A client of ours, and a token for it."""
    login = await connect(settings.postgres_dsn, role="thuiswacht_login", application="test", max_size=1)
    try:
        key = WantedKey(public_key=ec().as_pem(private=False).decode())
        wanted = WantedClient(
            client_id, client_id, OURS, key, names_patients=names_patients, per_second=10_000, burst=10_000
        )
        await add_client(login, wanted, None, wall_now_us())
        person_id = await admin.fetchval("SELECT person_id FROM client WHERE client_id = $1", client_id)
        token, now_us = token_urlsafe(32), wall_now_us()
        async with login.transaction() as connection:
            await sessions.begin(
                connection, uuid4(), SessionKind.SYSTEM, digest(token), User(person_id, OURS, Role.SERVICE),
                now_us, until_us=now_us + HOUR_US, client_key=(client_id, 1),
            )  # fmt: skip
        return token
    finally:
        await login.close()


@asynccontextmanager
async def open_gate(house: House, **changed: Any) -> AsyncGenerator[House]:
    """The gate in this process, listening on a port of its own; ended as a service is."""
    port, probes = free_port(), free_port()
    settings = house.settings.model_copy(
        update={
            "gateway_key": SecretStr(KEY), "gateway_port": port, "probes_port": probes,
            "storing_group": house.settings.consumer_group, **changed,
        }
    )  # fmt: skip
    stop = asyncio.Event()
    task = asyncio.create_task(serve(read_configuration(settings), stop))
    try:
        await until_ready(task, probes)
        house.port = port
        yield house
    finally:
        stop.set()
        await task


async def until_ready(task: asyncio.Task[None], probes: int) -> None:
    """Waits until the service says that it has all it needs; an error of it ends the wait."""
    async with httpx.AsyncClient() as http:
        while not task.done():
            try:
                if (await http.get(f"http://127.0.0.1:{probes}/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            # Nobody tells when another thread listens.
            await asyncio.sleep(0.05)
    await task


def faults_of(answer: Json) -> Sequence[tuple[str, str, bool]]:
    """Where, which code, and whether it is kept."""
    return [(one["where"], one["code"], one["kept"]) for one in answer.get("faults", [])]
