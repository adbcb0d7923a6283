"""What a patient's page looks up by functions of the database: for who sees the patient, and nobody else."""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from ingest.acting import Deed, Known, doing
from ingest.rights.telephone import DEVICE, SOURCE
from models.access import Action, Relation, Role
from models.audit import Kind
from models.clock import MINUTE_US
from models.db.calls import Call, CallOutcome, callbacks_due, calls_of, to_call_back, write_call
from models.db.pool import Pool
from models.db.series import entries_of, load_series, mark_of
from models.errors import NotAllowed
from models.identity import Keys
from tests.integration.access.world import World
from tests.integration.policies import anybody_may

NOW_US = 1_796_115_600_000_000
TREATED = Relation(treatment=True, own_organisation=True)
SINCE_US, UNTIL_US = 0, 2_000_000_000_000_000

_CHANGES = (
    "UPDATE registration SET version = version + 1 WHERE patient_id = $1",
    """
    INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by)
    SELECT patient_id, alert_id, organisation_id, now(), 'noted', 'x' FROM alert WHERE patient_id = $1
    """,
    """
    INSERT INTO reading SELECT (again.r).* FROM (
        SELECT jsonb_populate_record(reading, '{"revision": 1}') AS r FROM reading WHERE patient_id = $1
    ) AS again
    """,
    "UPDATE finding SET written_at = now() + interval '1 hour' WHERE patient_id = $1",
    "UPDATE treatment_relation SET until_at = now() + interval '1 hour' WHERE patient_id = $1",
)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    admin = await asyncpg.connect(database)
    built = World(admin, Keys(b"k" * 32))
    await built.begin()
    yield built
    await admin.close()


def reading_of(patient_id: UUID) -> Deed:
    return Deed(Action.PATIENT_READ, Kind.READ, "test", patient_id)


async def test_only_who_sees_the_patient_is_given_readings_entries_and_a_mark(
    people: Pool, world: World
) -> None:
    nurse = world.users[Role.NURSE.value]
    seen, unseen = await world.subject(nurse.user, TREATED), await world.subject(nurse.user, Relation())
    for one in (seen, unseen):
        message = {
            "device_id": DEVICE, "source": SOURCE,
            "readings": [{"kind": "body_weight", "taken_at_us": NOW_US, "value": 81.4, "unit": "kg"}],
        }  # fmt: skip
        await world.admin.execute(
            "INSERT INTO correction (correction_id, patient_id, organisation_id, message, by) "
            "SELECT gen_random_uuid(), patient_id, organisation_id, $2, $3 FROM registration "
            "WHERE patient_id = $1",
            one.patient_id, json.dumps(message), nurse.user.person_id,
        )  # fmt: skip
    async with doing(people, nurse, reading_of(seen.patient_id)) as act:
        for one, count in ((seen, 1), (unseen, 0)):
            found = await load_series(act.connection, one.patient_id, "body_weight", SINCE_US, UNTIL_US)
            assert found.value.tolist() == [81.4] * count
            assert len(await entries_of(act.connection, one.patient_id)) == count
            assert bool(await mark_of(act.connection, one.patient_id, SINCE_US)) == bool(count)
        # Afterwards the fences are as they were: nothing of anybody else is to be seen.
        assert await act.connection.fetchval("SELECT count(*) FROM reading") == 1


async def test_the_mark_changes_with_what_the_page_shows(people: Pool, world: World) -> None:
    nurse = world.users[Role.NURSE.value]
    it = await world.subject(nurse.user, TREATED)

    async def mark() -> str:
        async with doing(people, nurse, reading_of(it.patient_id)) as act:
            return await mark_of(act.connection, it.patient_id, SINCE_US)

    marks = [await mark()]
    for statement in _CHANGES:
        await world.admin.execute(statement, it.patient_id)
        marks.append(await mark())
    assert len(set(marks)) == len(marks)


async def ring(people: Pool, who: Known, patient_id: UUID, at_us: int, back_us: int | None = None) -> None:
    outcome = CallOutcome.REACHED if back_us is None else CallOutcome.CALL_BACK
    call = Call(uuid4(), patient_id, who.user.person_id, at_us, outcome, back_us, "Slaapt nog")
    async with doing(people, who, Deed(Action.CALL_RECORD, Kind.CREATE, "test", patient_id)) as act:
        await write_call(act.connection, call)


async def test_whom_to_ring_again_is_due_until_somebody_rings(people: Pool, world: World) -> None:
    nurse = world.users[Role.NURSE.value]
    early, late = [(await world.subject(nurse.user, TREATED)).patient_id for _ in range(2)]
    await ring(people, nurse, early, NOW_US, NOW_US + 10 * MINUTE_US)
    await ring(people, nurse, late, NOW_US, NOW_US + 60 * MINUTE_US)

    async def due(at_us: int) -> list[UUID]:
        deed = Deed(Action.ALERT_READ, Kind.READ, "test")
        async with doing(people, nurse, deed) as act:
            return [one.patient_id for one in await callbacks_due(act.connection, at_us)]

    assert await due(NOW_US) == []
    assert await due(NOW_US + 10 * MINUTE_US) == [early]
    assert await due(NOW_US + 60 * MINUTE_US) == [early, late]
    await ring(people, nurse, early, NOW_US + 11 * MINUTE_US)
    assert await due(NOW_US + 60 * MINUTE_US) == [late]
    async with doing(people, nurse, reading_of(early)) as act:
        calls = await calls_of(act.connection, early)
    assert [call.outcome for call in calls] == [CallOutcome.REACHED, CallOutcome.CALL_BACK]
    assert to_call_back(calls) is None
    assert to_call_back(calls[1:]) == calls[1]


async def test_a_call_with_whom_one_may_not_see_leaves_nothing(people: Pool, world: World) -> None:
    nurse = world.users[Role.NURSE.value]
    unseen = await world.subject(nurse.user, Relation())
    with pytest.raises(NotAllowed):
        await ring(people, nurse, unseen.patient_id, NOW_US)
    # Also where our own check lets it through.
    deed = Deed(Action.CALL_RECORD, Kind.CREATE, "test", unseen.patient_id, anybody_may)
    async with doing(people, nurse, deed) as act:
        await write_call(
            act.connection,
            Call(uuid4(), unseen.patient_id, nurse.user.person_id, NOW_US, CallOutcome.REACHED),
        )
    assert await world.admin.fetchval("SELECT count(*) FROM call") == 0
