"""A centre, a practice and a post around patients with alerts; the API on top, whose clock is the log's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

from alerting.gateway.service import ROUTES
from alerting.worklist.handling import Rules
from ingest.acting import Known
from ingest.gateway.problems import answer
from models.access import Role, User, decide
from models.clock import MINUTE_US, to_datetime, to_us
from models.db.pool import Connection, Pool
from models.errors import ThuiswachtError
from models.settings import Settings
from tests import shipped

CENTRE, PRACTICE, POST, HOSPITAL = (UUID(int=n, version=4) for n in range(11, 15))
KINDS = {
    CENTRE: "monitoring_centre",
    PRACTICE: "gp_practice",
    POST: "out_of_hours_post",
    HOSPITAL: "hospital",
}
TREATING = (CENTRE, PRACTICE, HOSPITAL)
# A Tuesday, ten o'clock in The Hague: everybody works.
NOW = "2026-12-01T09:00:00+00:00"

_FILL = """
INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'simulated')
"""
_PATIENT = "INSERT INTO patient VALUES ($1, $2, 'simulated', NULL, $3, 'nl', 'c', 't', 0, 0, now())"
_CARE = "INSERT INTO patient_care (patient_id, organisation_id, version, huisarts_id) VALUES ($1, $2, 1, $3)"
_ALERT = """
INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, opened_at, held_back)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_FINDING = """
INSERT INTO finding (patient_id, finding_id, organisation_id, programme, version, programme_hash, rule,
    signal, severity, opened_at, opening, log_partition)
VALUES ($1, $2, $3, 'heart_failure', 1, 'h', 'weight_gain_3d', $4, $5, $6, '[]', 0)
"""
_REASON = """
INSERT INTO alert_finding (patient_id, alert_id, finding_id, joined_at, organisation_id)
VALUES ($1, $2, $3, $4, $5)
"""
_OPENED = """
INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by)
VALUES ($1, $2, $3, $4, 'opened', 'alerting')
"""
_STEP = """
INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, why)
VALUES ($1, $2, $3, $4, 2, 'opened')
"""
_TABLES = ("alert", "alert_event", "escalation", "escalation_step", "message", "recipient_count")

Body = Mapping[str, Any]


@dataclass
class Ward:
    """The test's database as its superuser, and the API with somebody for each name."""

    admin: Connection
    client: httpx.AsyncClient
    people: dict[str, User] = field(default_factory=dict[str, User])

    async def begin(self) -> None:
        """Organisations, people, and what time it is."""
        for organisation_id, kind in KINDS.items():
            await self.admin.execute(
                "INSERT INTO organisation VALUES ($1, $2, $2, 'simulated')", organisation_id, kind
            )
        for organisation_id in (PRACTICE, POST):
            await self.admin.execute(
                "INSERT INTO message_address (address_id, organisation_id, channel, address) "
                "VALUES ($1, $2, 'secure_mail', 'post@example.org')",
                uuid4(), organisation_id,
            )  # fmt: skip
        await self.admin.execute(
            "INSERT INTO log_position (consumer_group, cluster_id, topic, partition, clock_us) "
            "VALUES ('thuiswacht.alerting', 'c', 't', 0, 0)"
        )
        await self.set_clock(NOW)
        for name, role, organisation_id in (
            ("M. Jansen", Role.NURSE, CENTRE),
            ("P. Smit", Role.NURSE, CENTRE),
            ("H. de Boer", Role.HUISARTS, PRACTICE),
            ("A. Visser", Role.HUISARTS, PRACTICE),
            ("S. Bakker", Role.HUISARTS, POST),
            ("K. Mulder", Role.SPECIALIST, HOSPITAL),
            ("E. Vos", Role.ENGINEER, CENTRE),
        ):
            self.people[name] = await self.somebody(name, role, organisation_id)

    async def somebody(self, name: str, role: Role, organisation_id: UUID) -> User:
        """A person who may act as this there."""
        person_id = uuid4()
        await self.admin.execute("INSERT INTO person (person_id, name) VALUES ($1, $2)", person_id, name)
        await self.admin.execute(
            "INSERT INTO person_role VALUES ($1, $2, $3)", person_id, organisation_id, role.value
        )
        return User(person_id, organisation_id, role)

    async def set_clock(self, at: str) -> None:
        """From now on it is that time."""
        await self.admin.execute("UPDATE log_position SET clock_us = $1", _us(at))

    async def pass_minutes(self, minutes: int) -> None:
        """Time goes by."""
        await self.admin.execute("UPDATE log_position SET clock_us = clock_us + $1", minutes * MINUTE_US)

    async def patient(self, wijk: str = "Loosduinen") -> UUID:
        """A patient whom centre, practice and hospital treat."""
        patient_id = uuid4()
        await self.admin.execute(_FILL, patient_id, CENTRE)
        await self.admin.execute(_PATIENT, patient_id, CENTRE, wijk)
        await self.admin.execute(_CARE, patient_id, CENTRE, PRACTICE)
        for organisation_id in TREATING:
            await self.admin.execute(
                "INSERT INTO treatment_relation VALUES ($1, $2, now() - interval '1 day')",
                patient_id, organisation_id,
            )  # fmt: skip
        return patient_id

    async def alert(
        self,
        patient_id: UUID,
        signal: str = "fluid",
        severity: str = "high",
        *,
        opened_at: str = "2026-12-01T08:00:00+00:00",
        origin: str = "simulated",
        held_back: str | None = None,
    ) -> UUID:
        """An open alert with a finding that holds."""
        alert_id, finding_id, at = uuid4(), uuid4(), to_datetime(_us(opened_at))
        await self.admin.execute(
            _ALERT, patient_id, alert_id, CENTRE, origin, signal, severity, at, held_back
        )
        await self.admin.execute(_FINDING, patient_id, finding_id, CENTRE, signal, severity, at)
        await self.admin.execute(_REASON, patient_id, alert_id, finding_id, at, CENTRE)
        await self.admin.execute(_OPENED, patient_id, alert_id, CENTRE, at)
        await self.admin.execute(_STEP, patient_id, alert_id, CENTRE, at)
        return alert_id

    async def ask(self, name: str, method: str, path: str, body: Body | None = None) -> httpx.Response:
        """A request of somebody."""
        return await self.client.request(method, path, json=body, headers={"x-who": name})

    async def get(self, name: str, path: str) -> Any:
        """What somebody sees."""
        response = await self.ask(name, "GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    async def do(self, name: str, alert_id: UUID | str, what: str, body: Body, expect: int = 200) -> Any:
        """What somebody does with an alert, in the version in which it is unless they say another."""
        version = await self.admin.fetchval(
            "SELECT version FROM alert WHERE alert_id = $1", UUID(str(alert_id))
        )
        response = await self.ask(name, "POST", f"/alerts/{alert_id}/{what}", {"version": version, **body})
        assert response.status_code == expect, response.text
        return response.json()

    async def stand(self) -> str:
        """Everything that stands about alerts."""
        return json.dumps(
            [
                [str(row) for row in await self.admin.fetch(f"SELECT * FROM {t} ORDER BY 1, 2")]
                for t in _TABLES
            ]
        )

    async def due(self, alert_id: UUID) -> list[Any]:
        """When somebody looks at an alert next: at most one row."""
        return [
            tuple(row)
            for row in await self.admin.fetch(
                "SELECT due_at, why FROM escalation_step WHERE alert_id = $1 AND state = 'due'", alert_id
            )
        ]


def app_of(people: Pool, ward_people: dict[str, User]) -> FastAPI:
    """The routes about alerts, for whoever the header names."""

    async def identify(request: Request) -> Known:
        return Known(ward_people[request.headers["x-who"]], "session")

    app = FastAPI()
    for routes in ROUTES:
        app.include_router(routes.router)
    for kind in (ThuiswachtError, RequestValidationError, Exception):
        app.add_exception_handler(kind, answer)
    app.state.pool, app.state.identify, app.state.decide = people, identify, decide
    app.state.alert_rules = Rules(shipped.policies(), shipped.rosters(), Settings(dispatch_time="log"))
    return app


def _us(at: str) -> int:
    from datetime import datetime

    return to_us(datetime.fromisoformat(at))
