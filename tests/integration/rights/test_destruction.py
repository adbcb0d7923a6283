"""A record is destroyed as a whole or not at all, and that is on record; what is old is let go."""

import asyncio
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from ingest.acting import Acting
from ingest.auditing.verifying import by_nobody, take_checkpoint, verify_log
from ingest.on_command import Who, acting_as
from ingest.rights.destruction import Destruction, destroy_all, destroy_on_request, preview, to_let_go
from models.access import Action, Role
from models.audit import Kind
from models.checkpoint import read
from models.clock import DAY_US, to_datetime, to_us, wall_now_us
from models.db import audit as audit_rows
from models.db import positions, rights
from models.db.pool import Connection, Pool
from models.db.positions import Advance
from models.db.rights import Warrant
from models.errors import BadInput, NotAllowed
from models.retention import Ground, Obstacle, years_before
from tests.integration.ingest.conftest import until
from tests.integration.rights.conftest import PLACE, THEIRS, World, end_follow_up, person, record, rows_of

REASON = "asked for in writing on 23 November"
YEARS = 365.25 * DAY_US


async def ask(pool: Pool, who: Who, patient_id: UUID, reason: str = REASON, **options: bool) -> Destruction:
    async with acting_as(
        pool, who, Action.DESTRUCTION, Kind.DELETE, patient_id=patient_id, reason=reason
    ) as deed:
        return await destroy_on_request(
            deed.connection, patient_id, deed.require, deed.decision, reason, **options
        )


def warrant(deed: Acting, at_us: int) -> Warrant:
    return Warrant(
        Ground.RETENTION, at_us, wall_now_us(), deed.decision.protocol, deed.decision.ground, "old enough"
    )


async def test_all_of_one_patient_goes_and_nothing_of_another(
    people: Pool, admin: Connection, world: World, auditor: Pool
) -> None:
    before, others = await rows_of(admin, world.patient), await rows_of(admin, world.other)
    assert len(before) >= 16
    await end_follow_up(admin, world.patient)
    async with acting_as(
        people, world.as_officer, Action.DESTRUCTION, Kind.READ, patient_id=world.patient
    ) as deed:
        shown = await preview(deed.connection, world.patient, deed.require, wall_now_us())
    assert (shown.obstacle, shown.rows) == (None, before | {"patient_change": 3})
    done = await ask(people, world.as_officer, world.patient)
    assert done.is_done
    assert await rows_of(admin, world.patient) == {}
    assert await rows_of(admin, world.other) == others
    raws = await admin.fetch("SELECT log_offset, raw FROM quarantine_message ORDER BY log_offset")
    assert [tuple(row) for row in raws] == [(13, b""), (23, b"{}")]
    assert await admin.fetchval("SELECT patient_id FROM destroyed") == world.patient
    told = await admin.fetch(
        "SELECT event_code, user_id, reason, details FROM audit WHERE $1 = ANY (patients) ORDER BY number",
        world.patient,
    )
    assert [row["event_code"] for row in told] == ["destruction", "record.destroyed", "destruction"]
    assert {row["user_id"] for row in told} == {str(world.officer)}
    assert "reading 9" in told[1]["details"]
    assert told[1]["reason"] == REASON
    assert (await verify_log(auditor, None)).flaws == []


async def test_who_is_followed_or_not_read_to_the_end_is_not_destroyed(
    people: Pool, admin: Connection, world: World
) -> None:
    assert (await ask(people, world.as_officer, world.patient)).obstacle is Obstacle.STILL_FOLLOWED
    await end_follow_up(admin, world.patient, offset=100)
    assert (await ask(people, world.as_officer, world.patient)).obstacle is Obstacle.LOG_NOT_READ
    await admin.execute("UPDATE log_position SET next_offset = 101")
    kept = await ask(people, world.as_officer, world.patient, interest_of_another=True)
    assert kept.obstacle is Obstacle.INTEREST_OF_ANOTHER
    with pytest.raises(BadInput, match="reason"):
        await ask(people, world.as_officer, world.patient, reason=" ")
    assert "reading" in await rows_of(admin, world.patient)
    assert await admin.fetchval("SELECT count(*) FROM destroyed") == 0


async def test_nobody_else_destroys(people: Pool, admin: Connection, world: World) -> None:
    await end_follow_up(admin, world.patient)
    stranger = await person(admin, "P. Vos", Role.PRIVACY_OFFICER, THEIRS)
    for who in (Who(world.nurse), Who(stranger)):
        with pytest.raises(NotAllowed):
            await ask(people, who, world.patient)
    # The database says so as well, whatever the program decides.
    async with acting_as(people, Who(world.nurse), Action.PATIENT_READ, Kind.READ) as deed:
        for one in (Action.PATIENT_READ, Action.DESTRUCTION):
            await deed.connection.execute("SELECT set_config('thuiswacht.action', $1, true)", one.value)
            assert (
                await rights.destroy(deed.connection, world.patient, warrant(deed, 0)) is Obstacle.NOT_ALLOWED
            )
    async with people.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM registration")
    refused = await admin.fetchval("SELECT count(*) FROM audit WHERE outcome = 'refused'")
    assert refused == 2
    assert "reading" in await rows_of(admin, world.patient)


async def test_a_record_is_let_go_twenty_years_after_its_last_change(
    people: Pool, admin: Connection, world: World
) -> None:
    await end_follow_up(admin, world.patient)
    await admin.execute("UPDATE finding SET written_at = '2026-11-22Z'")
    for table in ("alert_event", "measurement_request", "incident_alert"):
        await admin.execute(f"UPDATE {table} SET written_at = '2026-11-22Z'")
    await admin.execute("UPDATE alert SET created_at = '2026-11-22Z'")
    await admin.execute("UPDATE reevaluation SET asked_at = '2026-11-22Z'")
    last_us = to_us(to_datetime(wall_now_us()).replace(2026, 11, 23, 0, 0, 0, 0))
    due_us = years_before(last_us, -20)
    async with acting_as(people, world.as_officer, Action.DESTRUCTION, Kind.DELETE) as deed:
        assert await to_let_go(deed.connection, due_us - 1) == {world.other: Obstacle.STILL_FOLLOWED}, (
            "whose last change was a day earlier, and who is still followed"
        )
        found = await to_let_go(deed.connection, due_us)
        assert found == {world.patient: None, world.other: Obstacle.STILL_FOLLOWED}
        too_early = await rights.destroy(deed.connection, world.patient, warrant(deed, due_us - 1))
        assert too_early is Obstacle.NOT_YET
        await destroy_all(deed.connection, [world.patient], warrant(deed, due_us))
    assert await rows_of(admin, world.patient) == {}
    assert "reading" in await rows_of(admin, world.other)


async def test_in_a_live_database_nothing_is_let_go_before_its_time(
    people: Pool, admin: Connection, world: World, auditor: Pool
) -> None:
    await end_follow_up(admin, world.patient)
    await admin.execute(
        "ALTER TABLE installation DISABLE TRIGGER USER; UPDATE installation SET purpose = 'live'"
    )
    far_us = years_before(wall_now_us(), -100)
    async with acting_as(people, world.as_officer, Action.DESTRUCTION, Kind.DELETE) as deed:
        assert (await to_let_go(deed.connection, far_us))[world.patient] is Obstacle.NOT_YET
        assert await rights.destroy(deed.connection, world.patient, warrant(deed, far_us)) is Obstacle.NOT_YET
    async with auditor.transaction() as connection:
        assert await audit_rows.to_let_go(connection, far_us) == {}
        assert await audit_rows.let_go(connection, far_us, by_nobody("x", Kind.DELETE)) == {}


async def test_the_audit_log_is_let_go_after_five_years_and_stays_whole(
    admin: Connection, auditor: Pool, world: World
) -> None:
    first_us = to_us(to_datetime(wall_now_us()).replace(2026, 11, 29))
    for day in range(40):
        for user in ("anna", "bert", "carl"):
            event = replace(by_nobody("test", Kind.READ), user_id=user, happened_us=first_us + day * DAY_US)
            async with auditor.transaction() as connection:
                await audit_rows.write(connection, event)
    early, late = (await take_checkpoint(auditor))[0], years_before(first_us + 30 * DAY_US, -5)
    event = replace(by_nobody("audit.let_go", Kind.DELETE), reason="older than five years", happened_us=late)
    async with auditor.transaction() as connection:
        assert await audit_rows.to_let_go(connection, years_before(first_us, -5)) == {}
        shown = await audit_rows.to_let_go(connection, late)
        assert sum(shown.values()) == 90
        assert await audit_rows.let_go(connection, late, event) == shown
    assert await admin.fetchval("SELECT min(happened_us) FROM audit") >= first_us + 30 * DAY_US
    assert (await verify_log(auditor, read(early))).flaws == []
    again = years_before(first_us + 35 * DAY_US, -5)
    async with auditor.transaction() as connection:
        assert sum((await audit_rows.let_go(connection, again, event)).values()) == 15
    assert (await verify_log(auditor, read(early))).flaws == []
    with pytest.raises(asyncpg.RestrictViolationError):
        await admin.execute("DELETE FROM audit WHERE happened_us < $1", first_us + 38 * DAY_US)


async def test_postgres_counts_years_as_python_does(admin: Connection) -> None:
    for day in ("2028-02-29", "2026-11-29", "2027-03-01", "2000-02-29"):
        for years in (5, 20):
            at = await admin.fetchval(f"SELECT '{day} 12:00Z'::timestamptz")
            before = await admin.fetchval(f"SELECT $1::timestamptz - interval '{years} years'", at)
            assert to_datetime(years_before(to_us(at), years)) == before


async def test_a_double_goes_with_its_registration(people: Pool, admin: Connection, world: World) -> None:
    if not await admin.fetchval("SELECT to_regclass('patient_care') IS NOT NULL"):
        # As the register makes it; with its own migration this table is there already.
        await admin.execute(
            "CREATE TABLE patient_care (patient_id uuid, version integer, "
            "merged_into uuid REFERENCES registration, FOREIGN KEY (patient_id) REFERENCES registration);"
            "ALTER TABLE patient_care OWNER TO thuiswacht_owner; CALL fence('patient_care');"
            "CREATE POLICY patient_care_doubles ON patient_care FOR SELECT "
            "TO thuiswacht_owner USING (merged_into = (SELECT under_destruction()));"
            f"INSERT INTO patient_care VALUES ('{world.other}', 1, '{world.patient}')"
        )
    else:
        await admin.execute(
            "INSERT INTO patient_care (patient_id, organisation_id, version, ended_at, merged_into) "
            "SELECT patient_id, organisation_id, 9, now(), $2 FROM registration WHERE patient_id = $1",
            world.other, world.patient,
        )  # fmt: skip
    await end_follow_up(admin, world.patient)
    assert (await ask(people, world.as_officer, world.patient)).obstacle is Obstacle.STILL_FOLLOWED
    await end_follow_up(admin, world.other, 51)
    third = await record(admin, world.nurse, 30)
    done = await ask(people, world.as_officer, world.patient)
    assert (done.is_done, set(done.registrations)) == (True, {world.patient, world.other})
    assert await rows_of(admin, world.patient) == await rows_of(admin, world.other) == {}
    assert "reading" in await rows_of(admin, third)
    told = await admin.fetch(
        "SELECT patients FROM audit WHERE event_code = 'destruction' AND outcome = 'allowed'"
    )
    assert {frozenset(row["patients"]) for row in told} == {frozenset({world.patient, world.other})}


async def test_a_destruction_waits_for_the_batch_in_flight_and_takes_what_it_stored(
    people: Pool, admin: Connection, world: World
) -> None:
    await end_follow_up(admin, world.patient)
    async with admin.transaction():
        await positions.claim(admin, "thuiswacht.ingest", *PLACE[:2], [Advance(PLACE[2], 100, 101)])
        destroying = asyncio.create_task(ask(people, world.as_officer, world.patient))
        await until(lambda: is_waiting(people))
        await admin.execute(
            "INSERT INTO reevaluation "
            "(patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, from_at) "
            "SELECT patient_id, organisation_id, cluster_id, topic, log_partition, 100, from_at "
            "FROM reevaluation WHERE patient_id = $1",
            world.patient,
        )
        assert not destroying.done()
    assert (await destroying).is_done
    assert await rows_of(admin, world.patient) == {}


async def is_waiting(people: Pool) -> bool:
    async with people.connection() as connection:
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database "
                "WHERE d.datname = current_database() AND NOT l.granted) "
                "OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)"
            )
        )
