"""A hub that speaks FHIR to a front gate in this process, over a real log, database and ingest worker."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedClient, WantedKey
from ingest.delivery.clients.sealing import Sealing, secret_of
from ingest.delivery.hospital.acts import HospitalDesk
from ingest.gateway.delivery.service import GatewaySettings, OpenLog, make_app
from ingest.log import Ends, Writer, cluster_of
from models.clock import to_datetime, wall_now_us
from models.db.pool import Connection, connect
from models.settings import Settings
from tests.integration.delivery.asking import signed_headers
from tests.integration.delivery.homes import OURS, make_patient
from tests.integration.ingest.conftest import Figures, Running, everything, working
from tests.wire import registration

SECRET = b"g" * 32
FHIR_JSON = "application/fhir+json"
HUB = "hub"
READINGS = """
SELECT kind, taken_at, value, unit_received, code, revision, void, device_id, source, patient_id, log_offset
FROM reading ORDER BY taken_at, kind, revision, void
"""


@dataclass
class Hub:
    """Delivers, and looks what is stored of it."""

    http: httpx.AsyncClient
    admin: Connection
    running: Running
    writer: Writer
    settings: Settings
    secret: bytes
    log: Any
    """A reader of the log, whose types are said by halves."""
    now: datetime = field(default_factory=lambda: to_datetime(wall_now_us()).replace(microsecond=0))

    async def send(self, method: str, path: str, content: object, **headers: str) -> httpx.Response:
        """A signed request; `if_match="…"` is the header If-Match."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = signed_headers(HUB, self.secret, body, wall_now_us())
        return await self.http.request(
            method, path, content=body, headers={"content-type": FHIR_JSON, **named, **signed}
        )

    async def post(self, path: str, content: object, **headers: str) -> httpx.Response:
        """Something new."""
        return await self.send("POST", path, content, **headers)

    async def put(self, content: Mapping[str, Any], id_: str, **headers: str) -> httpx.Response:
        """Something under its id."""
        path = f"/fhir/{content['resourceType']}/{id_}"
        return await self.send("PUT", path, {**content, "id": id_}, **headers)

    async def batch(self, *entries: Any, type_: str = "batch", **headers: str) -> httpx.Response:
        """A Bundle of entries."""
        return await self.post(
            "/fhir", {"resourceType": "Bundle", "type": type_, "entry": entries}, **headers
        )

    async def home(self, *devices: str) -> UUID:
        """A patient whom the log knows, with devices since long ago."""
        patient_id = await make_patient(self.admin, device=devices[0])
        for device in devices[1:]:
            await self.admin.execute(
                "INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at) "
                "SELECT patient_id, organisation_id, $2, 'scale', handed_out_at FROM device_loan "
                "WHERE device_id = $1",
                devices[0], device,
            )  # fmt: skip
        await self.admin.execute("UPDATE device_loan SET handed_out_at = handed_out_at - interval '9 days'")
        await self.writer.write(patient_id, registration(patient_id))
        await self.until_followed()
        return patient_id

    async def ends(self) -> dict[int, int]:
        """Where each partition of the log ends."""
        partitions = [TopicPartition(self.settings.topic, number) for number in range(4)]
        found: dict[TopicPartition, int] = await self.log.end_offsets(partitions)
        return {one.partition: end for one, end in found.items()}

    async def messages(self) -> int:
        """How many messages the log has."""
        return sum((await self.ends()).values())

    async def until_followed(self) -> Figures:
        """Waits until all of the log is stored."""
        ends = {partition: end for partition, end in (await self.ends()).items() if end}
        return await everything(self.running, self.admin, ends)

    async def readings(self) -> list[Mapping[str, Any]]:
        """All that is stored, once the log is."""
        await self.until_followed()
        return [dict(row) for row in await self.admin.fetch(READINGS)]

    def at(self, minutes_ago: int = 10) -> str:
        """A time of today, with an offset."""
        return (self.now - timedelta(minutes=minutes_ago)).isoformat()


@asynccontextmanager
async def hub(
    settings: Settings, admin: Connection, organisation: UUID = OURS, hospital: HospitalDesk | None = None
) -> AsyncGenerator[Hub]:
    """A gate, a worker that stores, and a hub that may deliver for the homes of an organisation.

    With `hospital` it may name patients too, and tells of them there.
    """
    login = await connect(settings.postgres_dsn, role="thuiswacht_login", application="test", max_size=2)
    gateway = await connect(settings.postgres_dsn, role="thuiswacht_gateway", application="test", max_size=4)
    wanted = WantedClient(
        HUB, HUB, organisation, WantedKey(hmac=True), per_second=1000, names_patients=hospital is not None
    )
    made = await registry.add_client(login, wanted, Sealing(SECRET), wall_now_us())
    assert made.secret is not None
    log = AIOKafkaConsumer(bootstrap_servers=settings.kafka)
    await log.start()
    try:
        async with (
            working(settings) as running,
            Writer(settings, timeout_s=5) as writer,
            Ends(settings) as ends,
        ):
            log_is = OpenLog(writer, ends, await cluster_of(settings))
            app = make_app(GatewaySettings(settings, SECRET, None), gateway, log_is, hospital)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://gate.test") as http:
                yield Hub(http, admin, running, writer, settings, secret_of(made.secret), log)
    finally:
        await log.stop()
        await gateway.close()
        await login.close()
