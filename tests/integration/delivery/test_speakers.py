"""For whom a device speaks, and a name: decided by the register, never by the message."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from ingest.delivery.clients.registry import WantedKey
from ingest.delivery.content import Caller, Fault, Named
from ingest.delivery.speakers import Speaker, Speakers
from models.access import Role, User
from models.bsn import bsn_of
from models.db.pool import Connection
from models.identity import Identity
from tests.integration.delivery.gates import KEYS, Gate
from tests.integration.delivery.homes import (
    OURS,
    THEIRS,
    lend,
    make_patient,
    merge,
    object_to,
    take_back,
)
from tests.integration.policies import anybody_may

BSN = "111222333"
WHO = Identity(family_name="Proef", birth_date=date(1950, 3, 1), bsn=bsn_of(BSN))


@pytest.fixture
async def hub(made: Gate) -> Caller:
    return await client(made, "hub")


@pytest.fixture
async def hospital(made: Gate) -> Caller:
    return await client(made, "hospital", names_patients=True)


async def client(made: Gate, client_id: str, **more: Any) -> Caller:
    await made.add(client_id, WantedKey(hmac=True), **more)
    # Whom it acts as and what it may do, the database knows by its id alone.
    return Caller(client_id, User(uuid4(), OURS, Role.SERVICE), more.get("names_patients", False))


@pytest.fixture
def speakers(made: Gate) -> Speakers:
    return Speakers(made.gateway, KEYS.bsn_digest)


async def one(speakers: Speakers, caller: Caller, device: str | None, named: Named | None = None) -> Any:
    (found,) = await speakers(caller, [(device, named)])
    return found if isinstance(found, Speaker) else (found.where, found.code.value, found.found)


NOT_THEIRS = ("device_id", "not_found", "one that is not")
NOBODY = ("patient", "not_found", "nobody who is one")


async def test_a_device_speaks_for_whom_it_is_on_loan_to(
    speakers: Speakers, hub: Caller, admin: Connection
) -> None:
    first, second = await make_patient(admin, device="scale-1"), await make_patient(admin)
    assert await one(speakers, hub, "scale-1") == Speaker(first, "scale-1")
    assert await one(speakers, hub, "scale-2") == NOT_THEIRS
    await take_back(admin, "scale-1")
    assert await one(speakers, hub, "scale-1") == NOT_THEIRS
    await lend(admin, second, "scale-1")
    found = await one(speakers, hub, "scale-1")
    returned = await admin.fetchval("SELECT max(returned_at) FROM device_loan")
    assert (found.patient_id, found.since_us) == (second, round(returned.timestamp() * 1_000_000))


async def test_the_same_patient_who_has_it_again_is_nobody_else(
    speakers: Speakers, hub: Caller, admin: Connection
) -> None:
    patient = await make_patient(admin, device="scale-1")
    await take_back(admin, "scale-1")
    await lend(admin, patient, "scale-1")
    assert await one(speakers, hub, "scale-1") == Speaker(patient, "scale-1")


async def test_another_organisations_device_looks_like_none(
    speakers: Speakers, hub: Caller, hospital: Caller, admin: Connection
) -> None:
    theirs = await make_patient(admin, treated_by=THEIRS, device="scale-1")
    for caller in (hub, hospital):
        assert await one(speakers, caller, "scale-1") == await one(speakers, caller, "scale-9") == NOT_THEIRS
        assert await one(speakers, caller, "scale-1", Named(theirs)) == NOT_THEIRS


async def test_an_objection_silences_the_device(speakers: Speakers, hub: Caller, admin: Connection) -> None:
    patient = await make_patient(admin, device="scale-1")
    await object_to(admin, patient, THEIRS)
    assert await one(speakers, hub, "scale-1") == Speaker(patient, "scale-1")
    await object_to(admin, patient, OURS)
    assert await one(speakers, hub, "scale-1") == NOT_THEIRS


async def test_a_name_besides_must_be_the_same(
    speakers: Speakers, hub: Caller, hospital: Caller, admin: Connection
) -> None:
    patient = await make_patient(admin, device="scale-1")
    other = await make_patient(admin, device="scale-2")
    theirs = await make_patient(admin, treated_by=THEIRS)
    another = ("patient", "forbidden", "another")
    for caller in (hub, hospital):
        assert await one(speakers, caller, "scale-1", Named(patient)) == Speaker(patient, "scale-1")
        for wrong in (other, theirs, uuid4()):
            assert await one(speakers, caller, "scale-1", Named(wrong)) == another


async def test_without_a_device_only_who_may_name_patients_does(
    speakers: Speakers, hub: Caller, hospital: Caller, admin: Connection
) -> None:
    patient, theirs = await make_patient(admin), await make_patient(admin, treated_by=THEIRS)
    assert await one(speakers, hospital, None, Named(patient)) == Speaker(patient, "hospital")
    assert await one(speakers, hospital, "monitor-7", Named(patient)) == Speaker(patient, "monitor-7")
    assert await one(speakers, hub, None, Named(patient)) == ("device_id", "required", "none")
    assert await one(speakers, hub, "monitor-7", Named(patient)) == NOT_THEIRS
    assert await one(speakers, hub, None) == ("device_id", "required", "none")
    assert await one(speakers, hospital, None) == ("patient", "required", "neither")
    for nobody in (theirs, uuid4()):
        assert await one(speakers, hospital, None, Named(nobody)) == NOBODY


async def test_a_national_number_is_found_for_who_may_name_patients(
    speakers: Speakers, hub: Caller, hospital: Caller, made: Gate, admin: Connection
) -> None:
    patient = await make_patient(admin, device="scale-1", identity=(KEYS, WHO))
    other = await make_patient(admin)
    assert await one(speakers, hospital, None, Named(bsn="1112.22.333")) == Speaker(patient, "hospital")
    assert await one(speakers, hospital, "scale-1", Named(bsn=BSN)) == Speaker(patient, "scale-1")
    assert await one(speakers, hospital, None, Named(patient, BSN)) == Speaker(patient, "hospital")
    assert await one(speakers, hospital, None, Named(other, BSN)) == NOBODY
    assert await one(speakers, hospital, None, Named(bsn="123456782")) == NOBODY
    assert (await one(speakers, hospital, None, Named(bsn="123456789")))[1] == "value"
    assert (await one(speakers, hub, "scale-1", Named(bsn=BSN)))[:2] == ("patient", "forbidden")
    without = Speakers(made.gateway, None)
    assert (await one(without, hospital, None, Named(bsn=BSN)))[:2] == ("patient", "forbidden")


async def test_a_double_leads_to_the_registration_that_stays(
    speakers: Speakers, hub: Caller, hospital: Caller, admin: Connection
) -> None:
    first = await make_patient(admin, device="scale-1")
    second, stays = await make_patient(admin), await make_patient(admin)
    await merge(admin, first, second)
    await merge(admin, second, stays)
    assert await one(speakers, hub, "scale-1") == Speaker(stays, "scale-1")
    assert await one(speakers, hub, "scale-1", Named(second)) == Speaker(stays, "scale-1")
    assert await one(speakers, hospital, None, Named(first)) == Speaker(stays, "hospital")


async def test_who_stays_must_be_treated_here(speakers: Speakers, hub: Caller, admin: Connection) -> None:
    double = await make_patient(admin, device="scale-1")
    await merge(admin, double, await make_patient(admin, treated_by=THEIRS))
    assert await one(speakers, hub, "scale-1") == NOT_THEIRS


async def test_follow_up_that_ended_takes_no_device_its_voice(
    speakers: Speakers, hub: Caller, admin: Connection
) -> None:
    patient = await make_patient(admin, device="scale-1")
    await admin.execute("UPDATE patient_care SET ended_at = clock_timestamp()")
    assert await one(speakers, hub, "scale-1") == Speaker(patient, "scale-1")


async def test_a_revoked_client_speaks_for_nobody(speakers: Speakers, hub: Caller, admin: Connection) -> None:
    await make_patient(admin, device="scale-1")
    await admin.execute("UPDATE client SET removed_at = clock_timestamp()")
    assert await one(speakers, hub, "scale-1") == NOT_THEIRS


async def test_the_database_refuses_by_itself(made: Gate, hub: Caller, admin: Connection) -> None:
    """With the application's own check switched off, and a caller that says it may name patients."""
    speakers = Speakers(made.gateway, KEYS.bsn_digest, decide=anybody_may)
    boasting = Caller(hub.client_id, hub.user, names_patients=True)
    theirs = await make_patient(admin, treated_by=THEIRS, device="scale-1", identity=(KEYS, WHO))
    objected = await make_patient(admin, device="scale-2")
    await object_to(admin, objected, OURS)
    for device in ("scale-1", "scale-2"):
        assert await one(speakers, boasting, device) == NOT_THEIRS
    for named in (Named(theirs), Named(objected), Named(bsn=BSN)):
        assert await one(speakers, boasting, None, named) == NOBODY
    ours = await make_patient(admin, identity=(KEYS, WHO.model_copy(update={"bsn": bsn_of("123456782")})))
    for named in (Named(ours), Named(bsn="123456782")):
        assert await one(speakers, boasting, None, named) == NOBODY


@pytest.mark.parametrize("device", ["", "x\0y", "\ud800", "d" * 201])
async def test_a_name_that_no_device_can_have_takes_nobody_along(
    speakers: Speakers, hub: Caller, admin: Connection, device: str
) -> None:
    patient = await make_patient(admin, device="scale-1")
    asked = [speakers(hub, [(device, None)]), speakers(hub, [("scale-1", None)])]
    (wrong,), (right,) = await asyncio.gather(*asked)
    assert isinstance(wrong, Fault)
    assert (wrong.where, wrong.code.value) == ("device_id", "value")
    assert right == Speaker(patient, "scale-1")


async def test_questions_of_several_are_answered_each_for_its_own(
    speakers: Speakers, made: Gate, hub: Caller, admin: Connection
) -> None:
    other = await client(made, "theirs", organisation=THEIRS)
    patients = {f"d{n}": await make_patient(admin, device=f"d{n}") for n in range(5)}
    theirs = await make_patient(admin, treated_by=THEIRS, device="d9")
    asked = [(device, None) for device in (*patients, "d9", "d0")]
    ours_found, theirs_found = await asyncio.gather(speakers(hub, asked), speakers(other, asked))
    assert [isinstance(found, Fault) for found in ours_found] == [False] * 5 + [True, False]
    assert [found.patient_id for found in ours_found if isinstance(found, Speaker)] == [
        *patients.values(), patients["d0"],
    ]  # fmt: skip
    assert [found.patient_id for found in theirs_found if isinstance(found, Speaker)] == [theirs]


async def test_the_gate_sees_no_table_of_patients(made: Gate, admin: Connection) -> None:
    rows = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind IN ('r', 'p', 'v') "
        "AND has_table_privilege('thuiswacht_gateway', oid, 'SELECT, INSERT, UPDATE, DELETE')"
    )
    assert sorted(row["relname"] for row in rows) == ["access_policy", "installation", "migration"]
