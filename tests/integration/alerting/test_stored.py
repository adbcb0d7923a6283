"""Findings, alerts and the readings to rebuild from, on a real Postgres."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from uuid import UUID, uuid4

import asyncpg
import pytest

from models.alerts import Alert, AlertEvent, AlertHappening, AlertState
from models.clock import DAY_US
from models.db.alerts import CHANNEL, Reason, load_alerts, load_reasons, write_alerts
from models.db.findings import load_findings, write_findings
from models.db.migrate import migrate
from models.db.pool import Connection, Pool
from models.errors import TryAgain
from models.findings import CODE_UNIT, Evidence, EvidenceReading, Finding, Severity, Signal, finding_id
from models.messages import Origin

NOON_US = 1_795_332_660_000_001
EVIDENCE = (Evidence("rise(body_weight, days=3)", 0.1 + 0.2, "kg", "gain_3d", 2.0),)


def finding(patient_id: UUID, opened_at_us: int = NOON_US, rule: str = "gain") -> Finding:
    return Finding(
        finding_id=finding_id(patient_id, "heart_failure", rule, opened_at_us),
        patient_id=patient_id,
        organisation_id=UUID(int=2),
        log_partition=1,
        programme="heart_failure",
        version=1,
        rule=rule,
        signal=Signal.FLUID,
        severity=Severity.MEDIUM,
        opened_at_us=opened_at_us,
        opening=EVIDENCE,
        programme_hash="hash",
    )


def alert(patient_id: UUID, signal: Signal = Signal.FLUID) -> Alert:
    return Alert(uuid4(), patient_id, UUID(int=2), signal, Severity.MEDIUM, NOON_US, Origin.SIMULATED)


def happening(of: Alert, event: AlertEvent = AlertEvent.OPENED) -> AlertHappening:
    return AlertHappening(
        of.alert_id, of.patient_id, of.organisation_id, NOON_US, event, None, "medium", why={"late": False}
    )


async def store(connection: Connection, of: Alert, *findings: Finding) -> None:
    await write_findings(connection, findings)
    reasons = [
        Reason(of.patient_id, of.alert_id, finding.finding_id, NOON_US + place)
        for place, finding in enumerate(findings)
    ]
    await write_alerts(connection, [of], reasons, [happening(of)])


async def test_findings_come_back_as_they_were_written(pool: Pool) -> None:
    patient_id = uuid4()
    first = finding(patient_id)
    risen = replace(
        finding(patient_id, NOON_US + 1),
        severity=Severity.HIGH,
        raised_at_us=NOON_US + 2,
        raised=(*EVIDENCE, Evidence("last(spo2)", None, "%", "low", 90.0)),
        cleared_at_us=NOON_US + 3,
        quiet=True,
    )
    async with pool.transaction() as connection:
        await write_findings(connection, [first, risen])
        assert await load_findings(connection, {patient_id: NOON_US}) == [first, risen]
        retracted = replace(risen, retracted=True, cleared_at_us=None, raised_at_us=None, raised=())
        await write_findings(connection, [retracted])
        assert await load_findings(connection, {patient_id: NOON_US}) == [first, retracted]


async def test_what_a_feature_looked_at_comes_back_exactly(pool: Pool) -> None:
    readings = (
        EvidenceReading("body_weight", NOON_US - DAY_US, 176.4, "[lb_av]"),
        EvidenceReading("symptom_dyspnoea", NOON_US, 2.0, CODE_UNIT),
    )
    part = replace(EVIDENCE[0], comparator=">", holds=True, window_us=3 * DAY_US, count=41, readings=readings)
    stored = replace(finding(uuid4()), opening=(part, *EVIDENCE))
    async with pool.transaction() as connection:
        await write_findings(connection, [stored])
        assert await load_findings(connection, {stored.patient_id: NOON_US}) == [stored]


async def test_findings_from_before_readings_were_kept_still_load(pool: Pool) -> None:
    stored = finding(uuid4())
    old = '[{"feature": "age(spo2)", "value": 2.4, "unit": "d", "limit": "x", "limit_value": 2.0}]'
    async with pool.transaction() as connection:
        await write_findings(connection, [stored])
        await connection.execute("UPDATE finding SET opening = $1::jsonb", old)
        (loaded,) = await load_findings(connection, {stored.patient_id: NOON_US})
    assert loaded.opening == (Evidence("age(spo2)", 2.4, "d", "x", 2.0),)


async def test_only_findings_that_may_matter_are_loaded(pool: Pool) -> None:
    patient_id = uuid4()
    old = replace(finding(patient_id, NOON_US - 9 * DAY_US), cleared_at_us=NOON_US - 8 * DAY_US)
    still_open = finding(patient_id, NOON_US - 20 * DAY_US, "mean")
    async with pool.transaction() as connection:
        await write_findings(connection, [old, still_open])
        assert await load_findings(connection, {patient_id: NOON_US}) == [still_open]
        assert await load_findings(connection, {patient_id: NOON_US - 8 * DAY_US}) == [still_open, old]
        named = [(patient_id, old.finding_id)]
        assert await load_findings(connection, {patient_id: NOON_US}, named) == [still_open, old]


async def test_alerts_come_back_with_their_reasons(pool: Pool) -> None:
    patient_id = uuid4()
    reason, other = finding(patient_id), finding(patient_id, NOON_US + 5)
    opened = alert(patient_id)
    async with pool.transaction() as connection:
        await store(connection, opened, other, reason)
        assert await load_alerts(connection, {patient_id: NOON_US}) == [opened]
        reasons = await load_reasons(connection, [opened])
        assert [r.finding_id for r in reasons] == [other.finding_id, reason.finding_id]
        whose = await connection.fetch("SELECT DISTINCT organisation_id FROM alert_finding")
        assert [row["organisation_id"] for row in whose] == [opened.organisation_id]
        resolved = replace(
            opened,
            state=AlertState.RESOLVED,
            resolved_at_us=NOON_US + 9,
            outcome="by_itself",
            cleared_at_us=NOON_US + 8,
            version=2,
        )
        following = replace(alert(patient_id), follows=opened.alert_id)
        await write_alerts(connection, [following, resolved], [], [])
        assert await load_alerts(connection, {patient_id: NOON_US}) == [resolved, following]


async def test_reasons_from_before_the_migration_get_the_organisation_of_their_alert(
    pool: Pool, database: str
) -> None:
    opened = alert(uuid4())
    async with pool.transaction() as connection:
        await store(connection, opened, finding(opened.patient_id))
    owner = await asyncpg.connect(database)
    try:
        # When that migration ran, the fences of a later one did not stand yet.
        for table in ("alert", "alert_finding"):
            await owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        await owner.execute("ALTER TABLE alert_finding DROP COLUMN organisation_id")
        await owner.execute("DELETE FROM migration WHERE number = 5")
        await migrate(database, purpose="trial")
        assert await owner.fetchval("SELECT organisation_id FROM alert_finding") == opened.organisation_id
    finally:
        await owner.close()


async def test_a_resolved_alert_is_loaded_only_with_a_finding_that_may_change(pool: Pool) -> None:
    patient_id = uuid4()
    cleared = replace(finding(patient_id), cleared_at_us=NOON_US + 1)
    resolved = replace(
        alert(patient_id), state=AlertState.RESOLVED, resolved_at_us=NOON_US + 1, outcome="by_itself"
    )
    async with pool.transaction() as connection:
        await store(connection, resolved, cleared)
        assert await load_alerts(connection, {patient_id: NOON_US + 2}) == []
        assert await load_alerts(connection, {patient_id: NOON_US + 1}) == [resolved]


async def test_a_second_open_alert_of_a_signal_is_refused(pool: Pool) -> None:
    patient_id = uuid4()
    with pytest.raises(asyncpg.UniqueViolationError, match="alert_one_open_per_signal"):
        async with pool.transaction() as connection:
            await write_alerts(connection, [alert(patient_id), alert(patient_id)], [], [])


async def test_who_listens_hears_of_an_alert_when_it_is_committed(pool: Pool, database: str) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(database)
    try:
        await listener.add_listener(CHANNEL, lambda _c, _p, _ch, payload: heard.append(str(payload)))
        opened = alert(uuid4())
        async with pool.transaction() as connection:
            await store(connection, opened, finding(opened.patient_id))
            await connection.execute("SELECT 1")
            assert heard == []
        await listener.execute("SELECT 1")
        assert heard == [str(opened.alert_id)]
    finally:
        await listener.close()


async def test_events_are_numbered_in_their_order(pool: Pool) -> None:
    opened = alert(uuid4())
    events = [AlertEvent.OPENED, AlertEvent.QUIETED, AlertEvent.CLEARED, AlertEvent.RESOLVED]
    async with pool.transaction() as connection:
        await write_alerts(connection, [opened], [], [happening(opened, event) for event in events])
        rows = await connection.fetch("SELECT event, event_no, why FROM alert_event ORDER BY event_no")
    assert [row["event"] for row in rows] == events
    assert all(earlier["event_no"] < later["event_no"] for earlier, later in pairwise(rows))
    assert rows[0]["why"] == '{"late": false}'


async def test_of_two_who_open_one_for_a_signal_at_once_the_second_looks_again(pool: Pool) -> None:
    patient_id = uuid4()
    first, second = alert(patient_id), alert(patient_id)
    opened, goes_on = asyncio.Event(), asyncio.Event()

    async def opens_first() -> None:
        async with pool.transaction() as connection:
            await store(connection, first)
            opened.set()
            await goes_on.wait()

    async def opens_second() -> None:
        await opened.wait()
        async with pool.transaction() as connection:
            # Waits for the first one's key until that commits.
            asyncio.get_running_loop().call_later(0.2, goes_on.set)
            await store(connection, second)

    _, outcome = await asyncio.gather(opens_first(), opens_second(), return_exceptions=True)
    assert isinstance(outcome, TryAgain)
    async with pool.transaction() as connection:
        assert await load_alerts(connection, {patient_id: NOON_US}) == [first]
