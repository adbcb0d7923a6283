"""What a hospital's system tells, on a real Postgres: done once, on record, and of its own patients alone."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

from ingest.delivery.content import Code
from models.clock import HOUR_US, wall_now_us
from tests.integration.delivery.hospital.conftest import Hospital
from tests.integration.policies import anybody_may
from tests.integration.register.conftest import ANOTHER_BSN
from tests.unit.delivery.hospital.resources import (
    BSN_SYSTEM,
    Resource,
    by_id,
    by_number,
    encounter,
    patient,
)


def stay(status: str = "in-progress", **more: Any) -> Resource:
    """A stay of today: by the wall's clock, for the register goes by it."""
    now_us = wall_now_us()
    usual: dict[str, Any] = {"start_us": now_us - 5 * HOUR_US, "subject": by_number()}
    if status == "finished":
        usual["end_us"] = now_us - HOUR_US
    return encounter(status, **{**usual, **more})


async def test_admitted_and_home_again(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    # They are registered just now, so it holds from now on and not from before.
    await hospital.admin.execute(
        "UPDATE register_change SET valid_from_us = valid_from_us - 36000000000 WHERE patient_id = $1",
        patient_id,
    )
    answer = await hospital.told(stay())
    assert (answer.faults, answer.patient_id, answer.changed) == ((), patient_id, True)
    again = await hospital.told(stay())
    assert (again.faults, again.changed) == ((), False)
    assert await hospital.changes(patient_id) == [("admit", True)]
    await hospital.told(stay("finished"))
    assert await hospital.changes(patient_id) == [("admit", True), ("discharge", True)]
    assert await hospital.proposed(patient_id) == [("enrol", "open")]
    assert not (await hospital.told(stay("finished"))).changed
    assert await hospital.proposed(patient_id) == [("enrol", "open")]
    version = await hospital.admin.fetchval(
        "SELECT version FROM registration WHERE patient_id = $1", patient_id
    )
    assert version == 3


async def test_it_is_on_record_as_the_system_that_told_it(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    await hospital.told(stay())
    row = await hospital.admin.fetchrow(
        "SELECT * FROM audit WHERE event_code = 'follow_up.deliver' ORDER BY happened_us DESC LIMIT 1"
    )
    assert row is not None
    assert (row["user_role"], row["outcome"], row["ground"]) == ("service", "allowed", "treatment")
    assert (row["patients"], row["details"]) == ([patient_id], "StayTold: in_hospital")
    assert row["session"] == "client-system-0"


async def test_of_two_at_once_the_patient_is_admitted_once(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    told = [hospital.told(stay(number=f"O-{number}")) for number in range(6)]
    assert all(answer.faults == () for answer in await asyncio.gather(*told))
    assert [name for name, _ in await hospital.changes(patient_id)] == ["admit"]


async def test_somebody_elses_patient_is_not_there(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    stand = await everything(hospital)
    answers = [
        await hospital.told(stay(subject=subject), hospital.theirs)
        for subject in (by_number(), by_id(patient_id), by_number(ANOTHER_BSN), by_id(uuid4()))
    ]
    # Whether there is such a patient cannot be told from the answers.
    assert len({answer.faults for answer in answers}) == 1
    assert answers[0].faults[0].code is Code.NOT_FOUND
    assert await everything(hospital) == stand
    refused = await hospital.admin.fetch(
        "SELECT patients FROM audit WHERE event_code = 'follow_up.deliver' AND outcome = 'refused'"
    )
    assert len(refused) == 4


async def everything(hospital: Hospital) -> list[Any]:
    """All that stands in the register but what is on record."""
    tables = ("register_change", "hospital_word", "proposal", "registration", "patient_care")
    return [await hospital.admin.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]


async def test_the_database_refuses_what_a_mistake_of_ours_would_let_through(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    stand = await everything(hospital)
    hospital.decide = anybody_may
    for subject in (by_number(), by_id(patient_id)):
        answer = await hospital.told(stay(subject=subject), hospital.theirs)
        assert answer.faults[0].code is Code.NOT_FOUND
    assert await everything(hospital) == stand


async def test_a_client_that_may_not_name_patients_tells_nothing(hospital: Hospital) -> None:
    await hospital.include()
    answer = await hospital.told(stay(), replace(hospital.ours, names_patients=False))
    assert answer.faults[0].code is Code.FORBIDDEN


async def test_a_system_whose_role_has_ended_tells_nothing(hospital: Hospital) -> None:
    await hospital.include()
    await hospital.admin.execute("UPDATE person_role SET until_at = clock_timestamp() WHERE role = 'service'")
    assert (await hospital.told(stay())).faults[0].code is Code.NOT_FOUND


async def test_death_ends_the_follow_up_and_the_number_stays_taken(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    died = patient(deceasedBoolean=True, birthDate="1948-03-02")
    assert (await hospital.told(died)).faults == ()
    assert await hospital.changes(patient_id) == [("end", False)]
    assert not (await hospital.told(died)).changed
    assert await hospital.changes(patient_id) == [("end", False)]
    assert await hospital.admin.fetchval(
        "SELECT is_current FROM patient_identity WHERE patient_id = $1", patient_id
    )
    answer = await hospital.told(patient(deceasedBoolean=False))
    assert answer.faults[0].code is Code.CONFLICT
    assert answer.faults[0].where == "Patient.deceasedBoolean"
    assert await hospital.proposed(patient_id) == [("alive", "open")]


async def test_another_day_of_birth_is_another_person(hospital: Hospital) -> None:
    patient_id = await hospital.include()
    answer = await hospital.told(patient(deceasedBoolean=True, birthDate="1948-03-03"))
    assert [(one.where, one.code) for one in answer.faults] == [("Patient.birthDate", Code.CONFLICT)]
    assert "1948" not in answer.faults[0].expected
    assert await hospital.changes(patient_id) == []


async def test_an_id_and_a_number_must_be_of_one_patient(hospital: Hospital) -> None:
    await hospital.include()
    other = await hospital.include(ANOTHER_BSN)
    both = {**by_number(), **by_id(other)}
    assert (await hospital.told(stay(subject=both))).faults[0].code is Code.NOT_FOUND


async def test_doubles_are_proposed_and_never_merged(hospital: Hospital) -> None:
    double, stays = await hospital.include(), await hospital.include(ANOTHER_BSN)
    doubled = patient(link=[{"type": "replaced-by", "other": by_id(stays)}])
    answer = await hospital.told(doubled)
    assert (answer.faults, answer.changed) == ((), True)
    await hospital.told(doubled)
    # The same, said from the other side.
    replaces = patient(identifier=[{"system": BSN_SYSTEM, "value": ANOTHER_BSN}])
    await hospital.told({**replaces, "link": [{"type": "replaces", "other": by_number()}]})
    assert await hospital.proposed(double) == [("merge", "open")]
    assert await hospital.proposed(stays) == []
    into = await hospital.admin.fetchval("SELECT merge_into FROM proposal")
    assert into == stays
    assert await hospital.changes(double) == []


async def test_a_double_of_somebody_elses_patient_is_not_there(hospital: Hospital) -> None:
    await hospital.include()
    for other in (by_id(uuid4()), by_number(ANOTHER_BSN)):
        answer = await hospital.told(patient(link=[{"type": "replaced-by", "other": other}]))
        assert [(one.where, one.code) for one in answer.faults] == [("Patient.link[0].other", Code.NOT_FOUND)]


async def test_an_encounter_never_moves_to_another_patient(hospital: Hospital) -> None:
    await hospital.include()
    other = await hospital.include(ANOTHER_BSN)
    await hospital.told(stay())
    answer = await hospital.told(stay(subject=by_id(other)))
    assert [(one.where, one.code) for one in answer.faults] == [("Encounter.subject", Code.CONFLICT)]
    await hospital.told(stay("entered-in-error"))
    assert (await hospital.told(stay(subject=by_id(other)))).faults == ()
    assert [name for name, _ in await hospital.changes(other)] == ["admit"]


async def test_who_was_included_anew_is_the_one_that_is_told_of(hospital: Hospital) -> None:
    former = await hospital.include()
    await hospital.change(former, 1, end={"reason": "finished"})
    assert (await hospital.told(stay())).says.startswith("The follow-up of this patient has ended")
    anew = await hospital.include()
    answer = await hospital.told(stay(number="O-2"))
    assert answer.patient_id == anew
    assert [name for name, _ in await hospital.changes(former)] == ["end"]
