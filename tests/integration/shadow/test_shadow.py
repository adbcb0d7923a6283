"""A shadow on a real Postgres: it finds what the real group would, wherever it begins; touches nothing."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from alerting.engine.programme import Programme
from alerting.shadow.candidates import Candidates
from models.clock import DAY_US
from models.db import shadows
from models.db.alerts import CHANNEL
from models.db.pool import Connection, Pool
from models.errors import NotMine, RefuseToStart
from tests.integration.alerting.following import (
    CLUSTER,
    PARTITION,
    TOPIC,
    follow,
    small_log,
    store,
    stored_findings,
)
from tests.integration.alerting.small_log import START_US
from tests.integration.shadow.shadowing import (
    GROUP,
    begin,
    candidates,
    expected,
    of_candidates,
    programme,
    shadow,
    stored,
)

REAL = ("finding", "alert", "alert_finding", "alert_event", "escalation_step", "message", "reevaluation")
REAL_TABLES = (*REAL, "measurement_request", "programme_version", "programme_catalogue")


async def test_a_candidate_that_changes_nothing_finds_what_the_real_one_finds(
    pool: Pool, storing_pool: Pool, shadow_pool: Pool, admin: Connection
) -> None:
    log = small_log()
    await store(storing_pool, log, 1)
    await follow(pool, log)
    await shadow(shadow_pool, log)
    assert len(expected(log)) > 30
    assert await stored(shadow_pool) == expected(log)
    assert await admin.fetchval("SELECT count(*) FROM alert") > 0


@pytest.mark.parametrize("begins", [0, 1, 500, 1100])
async def test_wherever_it_begins_it_finds_the_same(
    storing_pool: Pool, shadow_pool: Pool, admin: Connection, begins: int
) -> None:
    """What is before is evaluated from what is stored; and where that was is on record."""
    log = small_log()
    await store(storing_pool, log, begins or 1)
    handler, start = await begin(shadow_pool)
    assert start == (begins or 1)
    for first in range(start, len(log), 150):
        await handler.commit(handler.prepare({PARTITION: log[first : first + 150]}))
    assert await stored(shadow_pool) == expected(log)
    async with shadow_pool.connection() as connection:
        began = (await shadows.starts(connection, GROUP))[PARTITION]
    assert (began.from_offset, began.is_built) == (start, True)
    clock = "SELECT clock_us FROM log_position WHERE consumer_group = 'thuiswacht.ingest'"
    assert began.valid_from_us == await admin.fetchval(clock)


@pytest.mark.parametrize("storing_is", ["behind", "ahead"])
async def test_a_restart_changes_nothing(storing_pool: Pool, shadow_pool: Pool, storing_is: str) -> None:
    log = small_log()
    await store(storing_pool, log, 200)
    for until in (300, 301, 777, 1100, None):
        lead = -130 if storing_is == "behind" else 170
        await store(storing_pool, log, until and max(until + lead, 200))
        await shadow(shadow_pool, log, until)
    assert await stored(shadow_pool) == expected(log)


async def test_one_that_died_while_it_evaluated_the_history_does_it_again(
    storing_pool: Pool, shadow_pool: Pool, admin: Connection
) -> None:
    log = small_log()
    await store(storing_pool, log, 900)
    await begin(shadow_pool)
    # As if it had died before the end, with something half done.
    await admin.execute("UPDATE shadow_start SET built_at = NULL")
    await admin.execute("DELETE FROM shadow_finding WHERE ctid IN (SELECT ctid FROM shadow_finding LIMIT 9)")
    await store(storing_pool, log, 1200)
    _, start = await begin(shadow_pool)
    assert start == 900
    await shadow(shadow_pool, log)
    assert await stored(shadow_pool) == expected(log)


async def test_a_batch_is_done_once_and_by_one(storing_pool: Pool, shadow_pool: Pool) -> None:
    log = small_log()
    await store(storing_pool, log, 1)
    slow, start = await begin(shadow_pool)
    quick, _ = await begin(shadow_pool)
    late = slow.prepare({PARTITION: log[start:700]})
    done = quick.prepare({PARTITION: log[start:400]})
    await quick.commit(done)
    before = await stored(shadow_pool)
    await quick.commit(done)
    with pytest.raises(NotMine):
        await slow.commit(late)
    assert await stored(shadow_pool) == before


async def test_late_corrections_are_evaluated_from_the_database(
    storing_pool: Pool, shadow_pool: Pool, pool: Pool
) -> None:
    """Longer ago than the engine remembers: a stricter limit from the first day on."""
    patient_id = min(finding.patient_id for finding in expected(small_log()))
    correction: dict[str, object] = {
        "schema": 1,
        "type": "change",
        "change_id": str(uuid4()),
        "patient_id": str(patient_id),
        "valid_from_us": START_US + DAY_US // 2,
        "correction": True,
        "change": {
            "limits": {
                "programme": "heart_failure",
                "limits": {"gain_3d": {"value": 0.5, "unit": "kg", "set_by": "nurse"}},
            }
        },
    }
    log = small_log(correction)
    await store(storing_pool, log, 600)
    handler, real = await shadow(shadow_pool, log), await follow(pool, log)
    async with shadow_pool.connection() as connection:
        assert await shadows.due(connection, GROUP, CLUSTER, TOPIC, [PARTITION])
    await handler.idle()
    # Storing has not come that far: nobody is evaluated before all is there.
    async with shadow_pool.connection() as connection:
        assert await shadows.due(connection, GROUP, CLUSTER, TOPIC, [PARTITION])
    before = await stored(shadow_pool)
    await store(storing_pool, log)
    await handler.idle()
    await real.idle()
    async with shadow_pool.connection() as connection:
        assert not await shadows.due(connection, GROUP, CLUSTER, TOPIC, [PARTITION])
    after = await stored(shadow_pool)
    assert after == of_candidates(await stored_findings(pool))
    assert after != before


async def test_nothing_real_is_touched_and_nobody_is_woken(
    storing_pool: Pool, shadow_pool: Pool, admin: Connection
) -> None:
    heard: list[object] = []

    def hear(*said: object) -> None:
        heard.append(said)

    await admin.add_listener(CHANNEL, hear)
    log = small_log()
    await store(storing_pool, log, 300)
    await shadow(shadow_pool, log)
    assert await stored(shadow_pool)
    for table in REAL_TABLES:
        assert await admin.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    await admin.fetchval("SELECT 1")
    assert heard == []


async def test_its_role_cannot_write_what_is_real(pool: Pool, storing_pool: Pool, shadow_pool: Pool) -> None:
    log = small_log()
    await store(storing_pool, log, 300)
    await follow(pool, log, 300)
    async with shadow_pool.connection() as connection:
        for table in REAL_TABLES:
            for statement in (f"INSERT INTO {table} DEFAULT VALUES", f"DELETE FROM {table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE finding SET retracted = true")
        # How far others have come is there to see, and not to move.
        moved = await connection.execute("UPDATE log_position SET next_offset = next_offset + 1")
        assert moved == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO log_position (consumer_group, cluster_id, topic, partition) "
                "VALUES ('thuiswacht.new', 'c', 't', 0)"
            )


@pytest.mark.parametrize("group", ["thuiswacht.alerting", "thuiswacht.ingest"])
async def test_a_group_that_works_for_real_is_no_shadow(
    pool: Pool, storing_pool: Pool, shadow_pool: Pool, group: str
) -> None:
    log = small_log()
    await store(storing_pool, log, 300)
    await follow(pool, log, 300)
    with pytest.raises(RefuseToStart, match=f"{group} reads the log for something else"):
        await begin(shadow_pool, group=group)


async def test_another_content_under_the_same_number_is_another_shadow(
    storing_pool: Pool, shadow_pool: Pool
) -> None:
    log = small_log()
    await store(storing_pool, log, 300)
    await shadow(shadow_pool, log, 600)
    limits = programme("heart_failure").limits
    stricter = limits | {"gain_3d": limits["gain_3d"].model_copy(update={"default": 1.0})}
    other = Candidates.of([programme("heart_failure").model_copy(update={"limits": stricter})])
    assert other.group != candidates("heart_failure").group
    with pytest.raises(RefuseToStart, match="runs other candidates"):
        await begin(shadow_pool, other)
    handler, start = await begin(shadow_pool, other, group="another")
    for first in range(start, len(log), 150):
        await handler.commit(handler.prepare({PARTITION: log[first : first + 150]}))
    rule = "weight_gain_3d"
    more = {finding for finding in await stored(shadow_pool, "another") if finding.rule == rule}
    assert len(more) > sum(finding.rule == rule for finding in expected(log))


async def test_what_was_agreed_with_patients_holds_as_far_as_the_candidate_knows_it(
    storing_pool: Pool, shadow_pool: Pool, admin: Connection
) -> None:
    """Every sixth patient has an own limit that this candidate knows by another name."""
    text = programme("heart_failure").model_dump_json(by_alias=True).replace("gain_3d", "gain_in_3d")
    other = Candidates.of([Programme.model_validate_json(text)])
    log = small_log()
    await store(storing_pool, log, 1)
    await shadow(shadow_pool, log, of=other)
    rows = await admin.fetch("SELECT patient_id, field, expected FROM shadow_unfit")
    assert {row["field"] for row in rows} == {"limits.gain_3d"}
    assert len(rows) == 2
    assert all("gain_in_3d" in row["expected"] for row in rows)


async def test_forgotten_it_is_gone_and_its_worker_ends(
    storing_pool: Pool, shadow_pool: Pool, admin: Connection
) -> None:
    log = small_log()
    await store(storing_pool, log, 300)
    await shadow(shadow_pool, log, 500)
    handler = await shadow(shadow_pool, log, 600)
    await begin(shadow_pool, group="another")
    others = await admin.fetchval("SELECT count(*) FROM shadow_finding WHERE consumer_group = 'another'")
    async with shadow_pool.transaction() as connection:
        gone = await shadows.forget(connection, GROUP)
        assert await shadows.forget(connection, GROUP) is None
    assert gone is not None
    assert gone > 0
    for table in ("shadow", "shadow_start", "shadow_finding", "shadow_reevaluation", "shadow_unfit"):
        left = f"SELECT count(*) FROM {table} WHERE consumer_group = $1"
        assert await admin.fetchval(left, GROUP) == 0
    assert await admin.fetchval("SELECT count(*) FROM shadow_finding") == others > 0
    assert await admin.fetchval("SELECT count(*) FROM log_position WHERE consumer_group = $1", GROUP) == 0
    with pytest.raises(NotMine):
        await handler.commit(handler.prepare({PARTITION: log[600:700]}))
    with pytest.raises(RefuseToStart, match="was forgotten while it ran"):
        await handler.assigned(CLUSTER, [PARTITION], 1)


async def test_the_record_of_a_patient_that_is_destroyed_takes_the_shadows_along(
    storing_pool: Pool, shadow_pool: Pool, admin: Connection
) -> None:
    log = small_log()
    await store(storing_pool, log, 300)
    handler = await shadow(shadow_pool, log, 700)
    tables = {row[0] for row in await admin.fetch("SELECT t::text FROM tables_of_patients() AS t")}
    assert {"shadow_finding", "shadow_reevaluation", "shadow_unfit"} <= tables
    await admin.execute(
        "INSERT INTO destroyed (patient_id, ground, organisation_id, by) VALUES ($1, 'request', $2, $2)",
        min(finding.patient_id for finding in expected(log)), UUID(int=1),
    )  # fmt: skip
    with pytest.raises(NotMine, match="destroyed"):
        await handler.commit(handler.prepare({PARTITION: log[700:800]}))
