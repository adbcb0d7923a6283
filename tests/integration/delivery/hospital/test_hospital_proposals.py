"""What was proposed is decided once, by who may, and is not proposed again."""

from uuid import UUID

import pytest

from ingest.acting import Deed, Known, doing
from ingest.register import proposals
from ingest.register.proposals import AcceptForm, DeclineForm, MergeAcceptForm
from models.access import Action, Role, User
from models.audit import Kind
from models.clock import HOUR_US, wall_now_us
from models.db.hospital import count_open, open_proposals
from models.errors import NotAllowed, NotThere, Outdated
from models.hospital import Proposal
from tests.integration.delivery.hospital.conftest import Hospital
from tests.integration.register.conftest import ANOTHER_BSN, KEYS, somebody
from tests.unit.delivery.hospital.resources import (
    Resource,
    by_id,
    by_number,
    encounter,
    episode,
    patient,
)

EXPIRED = {
    "dischargeDisposition": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": "exp"}]
    }
}


def discharged(number: str = "O-1", **more: object) -> Resource:
    now_us = wall_now_us()
    return encounter(
        "finished", number=number, subject=by_number(), start_us=now_us - 9 * HOUR_US, end_us=now_us - HOUR_US
    ) | dict(more)


async def the_open(hospital: Hospital, who: User | None = None) -> list[Proposal]:
    """What somebody sees that is to be decided."""
    deed = Deed(Action.PATIENT_SEARCH, Kind.READ, "test")
    async with doing(hospital.people, Known(who or hospital.nurse, "test"), deed) as act:
        found = await open_proposals(act.connection)
        assert await count_open(act.connection) == len(found)
    return found


async def accept(hospital: Hospital, one: Proposal) -> None:
    deed = Deed(Action.PATIENT_CHANGE, Kind.UPDATE, "test", one.patient_id)
    async with doing(hospital.people, Known(hospital.nurse, "test"), deed) as act:
        form = AcceptForm(version=one.version)
        await proposals.accept(act, KEYS, one.patient_id, one.proposal_id, form, wall_now_us())


async def decline(hospital: Hospital, one: Proposal, who: User | None = None) -> None:
    deed = Deed(Action.PATIENT_CHANGE, Kind.UPDATE, "test", one.patient_id)
    async with doing(hospital.people, Known(who or hospital.nurse, "test"), deed) as act:
        await proposals.decline(act, one.patient_id, one.proposal_id, DeclineForm(reason="op verzoek"))


async def merge(hospital: Hospital, one: Proposal, who: User) -> None:
    deed = Deed(Action.PATIENT_MERGE, Kind.UPDATE, "test", one.patient_id)
    async with doing(hospital.people, Known(who, "test"), deed) as act:
        form = MergeAcceptForm(version=one.version, into_version=one.into_version or 0)
        await proposals.accept_merge(act, KEYS, one.patient_id, one.proposal_id, form, wall_now_us())


async def names(hospital: Hospital, patient_id: UUID) -> list[str]:
    return [name for name, _ in await hospital.changes(patient_id)]


async def test_followed_after_discharge_and_decided_once(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    await hospital.told(discharged())
    (one,) = await the_open(hospital)
    await accept(hospital, one)
    enrolled = await hospital.admin.fetchval(
        "SELECT change->'enrol'->>'programme' FROM register_change WHERE patient_id = $1 "
        "ORDER BY number DESC LIMIT 1",
        patient_id,
    )
    assert enrolled == "hospital_at_home"
    for again in (accept, decline):
        with pytest.raises(Outdated):
            await again(hospital, one)
    assert await the_open(hospital) == []


async def test_declined_it_is_not_proposed_again_but_after_the_next_stay(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    await hospital.told(discharged())
    (one,) = await the_open(hospital)
    await decline(hospital, one)
    await hospital.told(discharged())
    assert await hospital.proposed(patient_id) == [("enrol", "declined")]
    await hospital.told(discharged("O-2"))
    assert await hospital.proposed(patient_id) == [("enrol", "declined"), ("enrol", "open")]


async def test_who_died_in_hospital_is_followed_until_somebody_says_so(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    await hospital.told(encounter(subject=by_number(), start_us=wall_now_us() - 9 * HOUR_US))
    await hospital.told(discharged(hospitalization=EXPIRED))
    assert await names(hospital, patient_id) == ["admit"]
    (one,) = await the_open(hospital)
    await accept(hospital, one)
    assert await names(hospital, patient_id) == ["admit", "end"]
    # What is otherwise proposed about them is for nobody any more.
    await hospital.told(episode(patient=by_id(patient_id)))
    assert await the_open(hospital) == []


async def test_a_merge_is_for_coordinators(hospital: Hospital) -> None:
    double, stays = await hospital.include(), await hospital.include(ANOTHER_BSN)
    await hospital.told(patient(link=[{"type": "replaced-by", "other": by_id(stays)}]))
    (one,) = await the_open(hospital)
    assert (one.patient_id, one.proposed.into, one.into_version) == (double, stays, 1)
    with pytest.raises(NotThere):
        await accept(hospital, one)
    for refused in (decline(hospital, one), merge(hospital, one, hospital.nurse)):
        with pytest.raises(NotAllowed):
            await refused
    await merge(hospital, one, await somebody(hospital.admin, Role.COORDINATOR))
    assert await names(hospital, double) == ["end"]
    # The hospital's system goes on with the number of the double, which is theirs who stay.
    answer = await hospital.told(encounter(subject=by_id(double), start_us=wall_now_us() - HOUR_US))
    assert answer.patient_id == stays
    assert await names(hospital, stays) == ["admit"]


async def test_others_see_nothing_of_it(hospital: Hospital) -> None:
    await hospital.include()
    await hospital.told(discharged())
    theirs = await somebody(hospital.admin, Role.NURSE, hospital.theirs.user.organisation_id)
    assert await the_open(hospital, theirs) == []
