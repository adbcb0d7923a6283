"""A register with patients of a hospital, and the hospital's system that tells of them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from ingest.acting import Decide, Deed, Known, doing
from ingest.delivery.content import Caller
from ingest.delivery.hospital.acts import Answer, HospitalDesk
from ingest.register import acts
from ingest.register.forms import ChangeForm, InclusionForm, filled_in
from models.access import Action, Role, User, decide
from models.audit import Kind
from models.clock import wall_now_us
from models.db.pool import Connection, Pool
from tests.integration.register.conftest import BSN, ELSEWHERE, HOSPITAL, KEYS, PRACTICE, admin, somebody

__all__ = ["admin"]


@dataclass
class Hospital:
    """The register, and systems that tell it something."""

    admin: Connection
    people: Pool
    nurse: User
    ours: Caller
    theirs: Caller
    decide: Decide = decide

    async def include(self, bsn: str | None = BSN, **more: Any) -> UUID:
        """Somebody new, whom our hospital follows."""
        fields = {
            "identity": {"family_name": "de Vries", "birth_date": "1948-03-02", "bsn": bsn},
            "programmes": [{"programme": "heart_failure"}],
            "huisarts": PRACTICE,
            **more,
        }
        deed = Deed(Action.PATIENT_INCLUDE, Kind.CREATE, "test")
        async with doing(self.people, Known(self.nurse, "test"), deed) as act:
            one = await acts.include_patient(act, KEYS, filled_in(InclusionForm, fields), wall_now_us())
        return one.patient_id

    async def change(self, patient_id: UUID, version: int, **what: Any) -> None:
        """A nurse changes one thing."""
        deed = Deed(Action.PATIENT_CHANGE, Kind.UPDATE, "test", patient_id)
        form = filled_in(ChangeForm, {"version": version, "change": what})
        async with doing(self.people, Known(self.nurse, "test"), deed) as act:
            await acts.change_patient(act, KEYS, patient_id, form, wall_now_us())

    async def told(self, resource: dict[str, Any], caller: Caller | None = None) -> Answer:
        """What comes of a resource."""
        desk = HospitalDesk(self.people, KEYS, self.decide)
        return await desk.tell(caller or self.ours, resource, wall_now_us())

    async def changes(self, patient_id: UUID) -> list[tuple[str, bool]]:
        """The changes of a patient after their registration, and whether each is a correction."""
        rows = await self.admin.fetch(
            "SELECT (SELECT min(k) FROM jsonb_object_keys(change) AS k) AS name, correction "
            "FROM register_change WHERE patient_id = $1 ORDER BY number",
            patient_id,
        )
        found = [(row["name"], row["correction"]) for row in rows]
        return [one for one in found if one[0] not in {"register", "enrol"}]

    async def proposed(self, patient_id: UUID) -> list[tuple[str, str]]:
        """What is proposed about a patient, and what became of it."""
        rows = await self.admin.fetch(
            "SELECT kind, state FROM proposal WHERE patient_id = $1 ORDER BY proposed_at", patient_id
        )
        return [(row["kind"], row["state"]) for row in rows]


@pytest.fixture
async def hospital(admin: Connection, people: Pool) -> Hospital:
    """Ours, with a system; and another one with a system of its own."""
    ours, theirs = [
        Caller(f"system-{number}", await somebody(admin, Role.SERVICE, organisation), names_patients=True)
        for number, organisation in enumerate((HOSPITAL, ELSEWHERE))
    ]
    return Hospital(admin, people, await somebody(admin, Role.NURSE), ours, theirs)
