"""The worker on a real Postgres: what it stores, after restarts, and when another worker was faster."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from itertools import count
from uuid import UUID, uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY

from alerting import rebuild
from alerting.ledger import Ledger
from alerting.partition import Partition
from alerting.worker import Prepared
from models.clock import DAY_US
from models.db.history import count_readings, load_readings
from models.db.patients import load_changes
from models.db.pool import Pool
from models.errors import NotMine, RefuseToStart
from models.findings import Finding, Severity
from tests import shipped
from tests.integration.alerting.following import (
    CLUSTER,
    PARTITION,
    TOPIC,
    Record,
    findings_of,
    follow,
    small_log,
    store,
    stored_findings,
    undisturbed,
    worker,
)
from tests.integration.alerting.small_log import START_US


async def events(pool: Pool) -> Counter[str]:
    async with pool.connection() as connection:
        rows = await connection.fetch("SELECT event, count(*) AS number FROM alert_event GROUP BY event")
    return Counter({row["event"]: row["number"] for row in rows})


async def alerts(pool: Pool) -> int:
    async with pool.connection() as connection:
        number: int = await connection.fetchval("SELECT count(*) FROM alert")
    return number


async def test_what_is_stored_is_what_the_log_means(pool: Pool) -> None:
    log = small_log()
    await follow(pool, log)
    expected = undisturbed(log)
    assert await stored_findings(pool) == findings_of(expected)
    assert len(findings_of(expected)) > 30
    assert await events(pool) == Counter(event.event.value for event in expected.events)
    assert await alerts(pool) == (await events(pool))["opened"]


@pytest.mark.parametrize("storing_is", ["behind", "ahead", "absent"])
async def test_a_restart_changes_nothing(pool: Pool, storing_pool: Pool, storing_is: str) -> None:
    log = small_log()
    for until in (300, 301, 777, 1100, None):
        if storing_is == "behind":
            await store(storing_pool, log, until and until - 130)
        elif storing_is == "ahead":
            await store(storing_pool, log, until and until + 170)
        await follow(pool, log, until)
    expected = undisturbed(log)
    assert await stored_findings(pool) == findings_of(expected)
    assert (await events(pool))["opened"] == await alerts(pool)
    assert await alerts(pool) == sum(len(of_patient) for of_patient in expected.alerts.values())


async def test_a_restarted_worker_reads_only_what_is_not_stored(pool: Pool, storing_pool: Pool) -> None:
    log = small_log()
    await store(storing_pool, log, 500)
    await follow(pool, log, 600)
    _, start = await worker(pool)
    assert start == 500
    await store(storing_pool, log, 900)
    _, start = await worker(pool)
    assert start == 600


async def test_a_worker_that_takes_another_group_for_the_storing_one_refuses_to_start(
    pool: Pool, storing_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = small_log()
    await worker(pool)
    await store(storing_pool, log, 500, group="stores.elsewhere")
    with pytest.raises(RefuseToStart, match=r"partitions 0 .* THUISWACHT_STORING_GROUP .* stores.elsewhere"):
        await worker(pool)
    monkeypatch.setenv("THUISWACHT_STORING_GROUP", "stores.elsewhere")
    await follow(pool, log, 600)
    _, start = await worker(pool)
    assert start == 500


async def test_a_batch_of_which_nobody_knows_whether_it_was_committed_is_done_once(pool: Pool) -> None:
    log = small_log()
    handler, _ = await worker(pool)
    prepared = handler.prepare({PARTITION: log})
    await handler.commit(prepared)
    before = await events(pool)
    await handler.commit(prepared)
    assert await events(pool) == before


async def test_who_lost_the_partition_writes_nothing(pool: Pool) -> None:
    log = small_log()
    slow, _ = await worker(pool)
    quick, _ = await worker(pool)
    late: Prepared = slow.prepare({PARTITION: log[:700]})
    await quick.commit(quick.prepare({PARTITION: log[:400]}))
    before = await events(pool)
    with pytest.raises(NotMine):
        await slow.commit(late)
    assert await events(pool) == before


async def test_a_correction_of_the_far_past_is_evaluated_from_the_database(
    pool: Pool, storing_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer ago than the engine remembers: a stricter limit for two patients, from their first day on."""
    monkeypatch.setattr("alerting.worker.COUNT_EVERY_S", 0.0)
    log = small_log()
    patients = sorted({finding.patient_id for finding in findings_of(undisturbed(log))})[:2]
    limit = {"gain_3d": {"value": 0.5, "unit": "kg", "set_by": "nurse"}}
    corrections: list[dict[str, object]] = [
        {
            "schema": 1,
            "type": "change",
            "change_id": str(uuid4()),
            "patient_id": str(patient_id),
            "valid_from_us": START_US + DAY_US // 2,
            "correction": True,
            "change": {"limits": {"programme": "heart_failure", "limits": limit}},
        }
        for patient_id in patients
    ]
    log = small_log(*corrections)
    handler = await follow(pool, log)
    before = await stored_findings(pool)
    await handler.idle()
    assert await stored_findings(pool) == before, "storing is not that far yet"
    assert waited_s() > 0
    await store(storing_pool, log)
    await handler.idle()
    after = await stored_findings(pool)
    assert {f for f in after if f.patient_id not in patients} == {
        f for f in before if f.patient_id not in patients
    }
    assert {f for f in after if f.patient_id in patients} == await from_scratch(pool, log, patients)
    assert after != before
    assert waited_s() == 0
    async with pool.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reevaluation WHERE done_at IS NULL") == 0


def waited_s() -> float:
    waited = REGISTRY.get_sample_value("thuiswacht_alerting_rebuilds_wait_seconds")
    assert waited is not None
    return waited


async def from_scratch(pool: Pool, log: Sequence[Record], patients: Sequence[UUID]) -> set[Finding]:
    """The findings of patients, from everything that was stored of them."""
    partition, ledger = Partition(PARTITION, shipped.compiled(), "trial", 1), Ledger.of((), (), ())
    ids = (UUID(int=number) for number in count(1))
    clock_us = Partition(PARTITION, shipped.compiled(), "trial", 1).advance(log, "nonce").clock_us
    async with pool.transaction() as connection:
        changes = await load_changes(connection, CLUSTER, TOPIC, PARTITION)
        partition.know(changes, clock_us)
        for patient_id in patients:
            row = partition.rows()[patient_id]
            readings = await load_readings(
                connection, {patient_id: row}, partition=PARTITION, below_offset=len(log)
            )
            partition.build([row], readings)
            stretch = partition.evaluate_again(patient_id, readings)
            assert stretch is not None
            ledger.take(stretch, ids)
    return findings_of(ledger)


async def test_what_is_open_is_counted_for_the_dashboard(pool: Pool, storing_pool: Pool) -> None:
    log = small_log()
    await store(storing_pool, log)
    handler = await follow(pool, log)
    await handler.idle()
    ledger = undisturbed(log)
    holding = sum(finding.holds for finding in findings_of(ledger))
    assert REGISTRY.get_sample_value("thuiswacht_alerting_findings_open", {"partition": "0"}) == holding
    unresolved = [a for of in ledger.alerts.values() for a in of.values() if a.state != "resolved"]
    for severity in Severity:
        labels = {"partition": "0", "severity": severity.value}
        number = REGISTRY.get_sample_value("thuiswacht_alerting_alerts_open", labels)
        assert number == sum(alert.severity is severity for alert in unresolved)
    await handler.dropped([PARTITION])
    assert REGISTRY.get_sample_value("thuiswacht_alerting_findings_open", {"partition": "0"}) is None


def late_copies(log: Sequence[Record]) -> list[dict[str, object]]:
    """A weight of each patient, received too late, then a copy of each in time."""
    uploads = [message for record in log if "sent_at_us" in (message := json.loads(record.value))]
    at_us = max(upload["received_at_us"] for upload in uploads) + DAY_US
    patients = sorted({upload["patient_id"] for upload in uploads})
    return [
        {**uploads[0], "patient_id": patient_id, "received_at_us": received_at_us, "readings": [weight]}
        for received_at_us in (at_us + 8 * DAY_US, at_us + 60_000_000)
        for number, patient_id in enumerate(patients)
        if (weight := {"kind": "body_weight", "value": 99.0, "unit": "kg", "taken_at_us": at_us + number})
    ]


async def test_a_copy_of_what_came_too_late_counts_neither_live_nor_after_a_restart(
    pool: Pool, storing_pool: Pool
) -> None:
    log = small_log(*late_copies(small_log()))
    until = len(log) - 12
    await store(storing_pool, log, until)
    await follow(pool, log, until)
    await store(storing_pool, log)
    await follow(pool, log)
    assert await stored_findings(pool) == findings_of(undisturbed(log))
    patients = sorted({finding.patient_id for finding in await stored_findings(pool)})
    assert await stored_findings(pool) == await from_scratch(pool, log, patients)


async def test_a_large_partition_is_restored_in_parts(
    pool: Pool, storing_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "PATIENTS_AT_ONCE", 5)
    monkeypatch.setattr(rebuild, "READINGS_AT_ONCE", 150)
    log = small_log()
    for until in (777, None):
        await store(storing_pool, log, until)
        await follow(pool, log, until)
    assert await stored_findings(pool) == findings_of(undisturbed(log))


async def test_reading_back_is_not_cut_off_by_the_time_limit_of_batches(
    database: str, storing_pool: Pool
) -> None:
    await store(storing_pool, small_log(), 200)
    limited = {"statement_timeout": "200"}
    reader = await asyncpg.connect(database, server_settings=limited, command_timeout=0.2)
    other, watcher = await asyncpg.connect(database), await asyncpg.connect(database)
    try:
        patient_id = await other.fetchval("SELECT patient_id FROM reading LIMIT 1")
        async with reader.transaction():
            async with other.transaction():
                await other.execute("LOCK TABLE reading")
                counting = asyncio.create_task(count_readings(reader, [patient_id]))
                while not counting.done() and not await watcher.fetchval(WAITS):
                    await watcher.execute("SELECT pg_sleep(0.02)")
            numbers = await counting
            readings = await load_readings(reader, {patient_id: 0}, partition=PARTITION, below_offset=200)
            assert numbers[patient_id] == len(readings) > 10
            assert await reader.fetchval("SHOW statement_timeout") == "200ms"
    finally:
        for connection in (reader, other, watcher):
            await connection.close()


WAITS = """
SELECT count(*) > 0 FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '0.5 s'
"""
