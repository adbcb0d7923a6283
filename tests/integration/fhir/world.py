"""A patient of a centre with an alert that was handed to a hospital, somebody at each, and the API on top."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import Request

from alerting.gateway import patients, task
from alerting.notify.channels import Correspondent, Note
from alerting.worklist.handling import Rules
from ingest.acting import Known
from ingest.gateway.app import Pools, make_app
from models.access import Role, User
from models.alerts import Alert
from models.clock import HOUR_US, to_datetime, wall_now_us
from models.db.alerts import lock_alerts
from models.db.escalations import escalation_of, write_escalations
from models.db.outbox import add_messages, message_of
from models.db.pool import Connection, Pool
from models.db.readings import copy_readings
from models.escalations import (
    Channel,
    Escalation,
    Message,
    MessageKind,
    Party,
    Recipient,
    RequestKind,
)
from models.identity import Keys
from models.messages import Origin
from models.register import OrganisationKind
from models.settings import Settings
from tests import shipped
from tests.integration.escalation.region import Region
from tests.rows import Row, readings


@dataclass(slots=True)
class World:
    """Ids of those who are there."""

    admin: Connection
    region: Region
    api: httpx.AsyncClient
    known: dict[str, Known]
    patient_id: UUID
    alert: Alert
    escalation_id: UUID
    message_id: UUID

    @property
    def hospital(self) -> UUID:
        return self.region.by_kind[OrganisationKind.HOSPITAL]

    @property
    def specialist(self) -> UUID:
        return self.known["specialist"].user.person_id

    async def put(self, resource: dict[str, Any], who: str = "system", **headers: str) -> httpx.Response:
        """The status of the Task, told by who."""
        path = f"/fhir/Task/{self.escalation_id}"
        media = {"content-type": "application/fhir+json", "x-who": who, **headers}
        return await self.api.put(path, json={"resourceType": "Task"} | resource, headers=media)

    async def now(self) -> tuple[Alert, Escalation, Message]:
        """How all of it is now."""
        (alert,) = await lock_alerts(self.admin, [(self.patient_id, self.alert.alert_id)])
        escalation = await self.admin.fetchrow(
            "SELECT * FROM escalation WHERE escalation_id = $1", self.escalation_id
        )
        message = await self.admin.fetchrow("SELECT * FROM message WHERE message_id = $1", self.message_id)
        assert escalation is not None
        assert message is not None
        return alert, escalation_of(escalation), message_of(message)

    async def note(self) -> Note:
        """What the sender gives a channel to send."""
        alert, escalation, message = await self.now()
        return Note(
            message=message,
            alerts=(alert,),
            escalations=(escalation,),
            sender=Correspondent(self.region.centre, "Centrum Duin", "070-1234567"),
            responsible=alert.responsible,
            to=Correspondent(self.hospital, "Ziekenhuis Zee"),
            now_us=wall_now_us(),
        )

    async def measure(self, taken_at_us: int, source: str = "vendor-a", **of: Any) -> None:
        """A weight of the patient arrives."""
        month = to_datetime(taken_at_us).date().replace(day=1)
        await self.admin.execute("SELECT ensure_reading_partitions(ARRAY[$1::date])", month)
        offset = await self.admin.fetchval("SELECT count(*) FROM reading")
        row = Row(
            offset, patient_id=self.patient_id, organisation_id=self.region.centre, taken_at_us=taken_at_us,
            source=source, received_at_us=taken_at_us, **of,
        )  # fmt: skip
        await copy_readings(self.admin, [readings([row])])

    async def app(self, url: str, source: str = "vendor-a", origin: str = "simulated") -> UUID:
        """The vendor of a source has an app."""
        key = uuid4()
        await self.admin.execute(
            "INSERT INTO patient_app (address_id, source, address, origin) VALUES ($1, $2, $3, $4)",
            key, source, url, origin,
        )  # fmt: skip
        return key

    async def to_patient(self) -> list[Message]:
        """All messages to the patient."""
        rows = await self.admin.fetch("SELECT * FROM message WHERE kind = 'to_patient' ORDER BY due_at")
        return [message_of(row) for row in rows]


async def build(admin: Connection, region: Region, people: Pool) -> World:
    """All of it."""
    hospital = region.by_kind[OrganisationKind.HOSPITAL]
    patient_id = await region.patient(treated_by=(region.centre,))
    now_us = wall_now_us()
    alert = await region.alert(patient_id, at_us=now_us - HOUR_US)
    escalation = Escalation(
        escalation_id=uuid4(), alert_id=alert.alert_id, patient_id=patient_id,
        organisation_id=region.centre, step_no=1, recipient=Recipient.SPECIALIST, request=RequestKind.ACUTE,
        to=Party(Role.SPECIALIST, hospital), asked_at_us=now_us, reason="Drie kilo erbij",
        answer_by_us=now_us + HOUR_US,
    )  # fmt: skip
    await write_escalations(admin, [escalation])
    message = Message(
        message_id=uuid4(), patient_id=patient_id, organisation_id=region.centre, origin=Origin.SIMULATED,
        kind=MessageKind.ESCALATION, channel=Channel.FHIR, severity=alert.severity, alerts=(alert.alert_id,),
        due_at_us=now_us, to_id=hospital, escalation_id=escalation.escalation_id,
    )  # fmt: skip
    await add_messages(admin, [message])
    await admin.execute("UPDATE message SET state = 'delivered', delivered_at = now()")
    known = {
        "system": await _somebody(admin, Role.SERVICE, hospital, is_system=True),
        "specialist": await _somebody(admin, Role.SPECIALIST, hospital),
        "colleague": await _somebody(admin, Role.SPECIALIST, hospital),
        "nurse": await _somebody(admin, Role.NURSE, region.centre),
        "stranger": await _somebody(admin, Role.SERVICE, region.by_kind[OrganisationKind.REFERRAL_DESK]),
        "administrator": await _somebody(admin, Role.ADMINISTRATOR, region.centre),
    }

    async def identify(request: Request) -> Known:
        return known[request.headers["x-who"]]

    routers = [one.router for one in (task.routes, patients.patients, patients.apps)]
    app = make_app(Pools(people, people), identify, Keys(b"k" * 32), routers)
    app.state.alert_rules = Rules(shipped.policies(), shipped.rosters(), Settings())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    api = httpx.AsyncClient(transport=transport, base_url="https://thuiswacht.test")
    return World(admin, region, api, known, patient_id, alert, escalation.escalation_id, message.message_id)


async def _somebody(
    admin: Connection, role: Role, organisation_id: UUID, *, is_system: bool = False
) -> Known:
    person_id = uuid4()
    await admin.execute(
        "INSERT INTO person (person_id, name, is_system) VALUES ($1, $2, $3)",
        person_id,
        role.value,
        is_system,
    )
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, $3)", person_id, organisation_id, role.value)
    return Known(User(person_id, organisation_id, role), f"session-{role}")
