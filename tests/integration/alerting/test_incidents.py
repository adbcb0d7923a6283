"""A silent vendor in a real Postgres: one incident, what it holds back, for how long, and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from alerting.duties import on_duty
from alerting.holding_back import look_after_incidents
from models.alerts import Alert, AlertState, HeldBack
from models.clock import DAY_US, HOUR_US, MINUTE_US, to_datetime
from models.db.alerts import load_alerts, write_alerts
from models.db.partitions import ensure_partitions
from models.db.pool import Connection, Pool, connect
from models.db.readings import copy_readings
from models.db.sources import note_activity
from models.findings import Severity, Signal
from models.messages import Origin
from models.settings import Settings
from models.sources import Activity
from tests.integration.alerting.following import small_log, store
from tests.rows import Row, readings

GROUP, CLUSTER, TOPIC = "thuiswacht.ingest", "cluster", "topic"
NINE_US = 20_600 * DAY_US + 9 * HOUR_US
VENDOR, OTHER = "vendor-a", "vendor-b"
SETTINGS = Settings(topic=TOPIC, postgres=SecretStr("postgresql://nobody@127.0.0.1/none"))


@dataclass
class Region:
    """What ingest and alerting have written of some patients; moves the clock."""

    admin: Connection
    alerting: Connection
    now_us: int = NINE_US

    async def goes_on(self, until_us: int) -> None:
        """The other vendor goes on sending."""
        self.now_us = until_us
        await self.hears(OTHER, until_us)
        await self.admin.execute("UPDATE log_position SET clock_us = $1", until_us)
        await look_after_incidents(self.alerting, SETTINGS)

    async def hears(self, source: str, at_us: int, patients: int = 40) -> None:
        activity = Activity(source, at_us // HOUR_US, patients, at_us)
        await note_activity(self.admin, CLUSTER, TOPIC, [(0, activity)])

    async def silent(
        self,
        source: str,
        signal: Signal = Signal.SILENCE,
        *,
        opened_at_us: int | None = None,
        owner: UUID | None = None,
    ) -> Alert:
        """A new patient of a source, with an alert that opens now."""
        patient_id = uuid4()
        measured = [
            Row(0, patient_id=patient_id, taken_at_us=NINE_US - 2 * DAY_US, source=OTHER),
            Row(1, patient_id=patient_id, taken_at_us=NINE_US - DAY_US, source=source, kind=4),
        ]
        await copy_readings(self.admin, [readings(measured)])
        at_us = opened_at_us or self.now_us
        alert = Alert(uuid4(), patient_id, UUID(int=2), signal, Severity.LOW, at_us, Origin.SIMULATED)
        if owner is not None:
            state = AlertState.ACKNOWLEDGED
            alert = replace(alert, state=state, owner=owner, resolve_by_us=at_us + DAY_US)
        await write_alerts(self.admin, [alert], [], [])
        return alert

    async def now(self, alert: Alert) -> Alert:
        (found,) = await load_alerts(self.alerting, {alert.patient_id: 0})
        return found

    async def held(self, *alerts: Alert) -> list[bool]:
        return [(await self.now(alert)).held_back is HeldBack.INCIDENT for alert in alerts]

    async def events(self, alert: Alert) -> list[tuple[str, str | None]]:
        rows = await self.admin.fetch(
            "SELECT event, why->>'because' FROM alert_event WHERE alert_id = $1 ORDER BY event_no",
            alert.alert_id,
        )
        return [(row[0], row[1]) for row in rows]

    async def incidents(self) -> Sequence[asyncpg.Record]:
        return await self.admin.fetch("SELECT * FROM incident ORDER BY noticed_at")


@pytest.fixture
async def region(database: str, pool: Pool) -> AsyncIterator[Region]:
    """A week in which both vendors sent from many patients every hour, up to nine this morning."""
    admin = await asyncpg.connect(database)
    await admin.execute(
        "INSERT INTO log_position (consumer_group, cluster_id, topic, partition) VALUES ($1, $2, $3, 0)",
        GROUP, CLUSTER, TOPIC,
    )  # fmt: skip
    await ensure_partitions(admin, NINE_US - 40 * DAY_US, NINE_US)
    async with pool.connection() as alerting:
        region = Region(admin, alerting)
        for hour in range(7 * 24 + 1):
            for source in (VENDOR, OTHER):
                await region.hears(source, NINE_US - hour * HOUR_US)
        yield region
    await admin.close()


async def test_a_silent_vendor_is_one_incident_that_holds_back_what_is_missing_since(region: Region) -> None:
    before = await region.silent(VENDOR, opened_at_us=NINE_US - 1)
    first = await region.silent(VENDOR)
    another = await region.silent(OTHER)
    fluid = await region.silent(VENDOR, Signal.FLUID)
    claimed = await region.silent(VENDOR, owner=UUID(int=7))
    await region.goes_on(NINE_US + HOUR_US)
    assert await region.incidents() == []
    await region.goes_on(NINE_US + HOUR_US + MINUTE_US)
    later = await region.silent(VENDOR)
    await region.goes_on(NINE_US + HOUR_US + 2 * MINUTE_US)
    (incident,) = await region.incidents()
    assert (incident["source"], incident["began_at"]) == (VENDOR, to_datetime(NINE_US))
    assert (incident["patients"], incident["held_back"], incident["ended_at"]) == (40, 2, None)
    assert await region.held(first, later) == [True, True]
    assert await region.held(before, another, fluid, claimed) == [False] * 4
    assert await region.events(first) == [("held_back", None)]
    assert (await region.now(first)).version == 2


async def test_never_longer_than_the_longest_time_and_never_twice(region: Region) -> None:
    alert = await region.silent(VENDOR)
    await region.goes_on(NINE_US + 2 * HOUR_US)
    await region.goes_on(NINE_US + 6 * HOUR_US - 1)
    assert await region.held(alert) == [True]
    await region.goes_on(NINE_US + 6 * HOUR_US)
    assert await region.held(alert) == [False]
    await region.goes_on(NINE_US + 7 * HOUR_US)
    assert await region.events(alert) == [("held_back", None), ("released", "longest_time")]
    assert [row["ended_at"] for row in await region.incidents()] == [None]


async def test_where_the_clock_of_the_log_stands_still_the_clock_on_the_wall_counts(region: Region) -> None:
    alert = await region.silent(VENDOR)
    await region.goes_on(NINE_US + 2 * HOUR_US)
    await region.admin.execute("UPDATE incident_alert SET written_at = written_at - interval '4 hours'")
    await look_after_incidents(region.alerting, SETTINGS)
    assert await region.events(alert) == [("held_back", None), ("released", "longest_time")]


async def test_when_it_sends_again_what_still_holds_is_released_after_a_while(region: Region) -> None:
    due, mended = await region.silent(VENDOR), await region.silent(VENDOR)
    await region.goes_on(NINE_US + 2 * HOUR_US)
    await region.hears(VENDOR, NINE_US + 3 * HOUR_US)
    await region.goes_on(NINE_US + 3 * HOUR_US)
    (incident,) = await region.incidents()
    assert incident["ended_at"] == to_datetime(NINE_US + 3 * HOUR_US)
    late = await region.silent(VENDOR)
    # Its readings came in: as the worker closes an alert about silence.
    await region.admin.execute(
        "UPDATE alert SET state = 'resolved', resolved_at = now(), outcome = 'by_itself' WHERE alert_id = $1",
        mended.alert_id,
    )
    await region.goes_on(NINE_US + 3 * HOUR_US + 29 * MINUTE_US)
    assert await region.held(due, late) == [True, False]
    await region.goes_on(NINE_US + 3 * HOUR_US + 30 * MINUTE_US)
    assert await region.held(due) == [False]
    assert await region.events(due) == [("held_back", None), ("released", "incident_over")]
    assert await region.events(mended) == [("held_back", None)]
    held = await region.admin.fetchval("SELECT count(*) FROM alert WHERE held_back IS NOT NULL")
    assert held == 0


async def test_a_vendor_that_falls_silent_again_is_another_incident(region: Region) -> None:
    alert = await region.silent(VENDOR)
    await region.goes_on(NINE_US + 2 * HOUR_US)
    await region.hears(VENDOR, NINE_US + 2 * HOUR_US + 1)
    await region.goes_on(NINE_US + 2 * HOUR_US + 1)
    new = await region.silent(VENDOR)
    await region.goes_on(NINE_US + 4 * HOUR_US)
    assert [row["held_back"] for row in await region.incidents()] == [1, 1]
    assert await region.held(alert, new) == [False, True]


async def test_while_storing_is_behind_nobody_is_silent(region: Region) -> None:
    await region.admin.execute(
        "INSERT INTO log_position (consumer_group, cluster_id, topic, partition, clock_us) "
        "VALUES ($1, $2, $3, 1, $4)",
        GROUP, CLUSTER, TOPIC, NINE_US,
    )  # fmt: skip
    await region.admin.execute("UPDATE log_position SET clock_us = $1 WHERE partition = 0", NINE_US + DAY_US)
    await look_after_incidents(region.alerting, SETTINGS)
    assert await region.incidents() == []


async def test_of_two_services_one_holds_back_and_the_other_goes_on_when_it_is_gone(
    database: str, region: Region
) -> None:
    settings = SETTINGS.model_copy(update={"requests_topic": "none"})
    await region.goes_on(NINE_US + HOUR_US)
    await region.admin.execute("UPDATE log_position SET clock_us = $1", NINE_US + 2 * HOUR_US)
    stop = asyncio.Event()
    pools = [
        await connect(database, role="thuiswacht_alerting", application=f"duty-{n}", max_size=2)
        for n in range(2)
    ]
    tasks = [asyncio.create_task(on_duty(pool, settings, stop=stop)) for pool in pools]
    try:
        first = await region.silent(VENDOR)
        await until_held(region, 1)
        await region.admin.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'advisory' AND application_name LIKE 'duty-%'
            """
        )
        second = await region.silent(VENDOR)
        await until_held(region, 2)
        assert await region.held(first, second) == [True, True]
        assert [len(await region.events(alert)) for alert in (first, second)] == [1, 1]
        assert len(await region.incidents()) == 1
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        for pool in pools:
            await pool.close()


async def until_held(region: Region, count: int) -> None:
    while await region.admin.fetchval("SELECT count(*) FROM alert WHERE held_back = 'incident'") < count:
        await region.admin.execute("SELECT pg_sleep(0.05)")


async def test_what_ingest_notes_is_what_came(pool: Pool, storing_pool: Pool) -> None:
    log = small_log()
    # Afterwards nothing tells what time it is, and what is received later counts as then.
    ticks = [n for n, record in enumerate(log) if b'"clock"' in record.value]
    await store(storing_pool, log, ticks[-1] + 1)
    async with pool.connection() as connection:
        noted = await connection.fetch("SELECT source, last_received_at FROM source_activity")
        newest = await connection.fetch("SELECT source, max(received_at) FROM reading GROUP BY source")
        assert [tuple(row) for row in noted] == [tuple(row) for row in newest]
        hours = await connection.fetch("SELECT hour, patients FROM source_hour")
        came = await connection.fetch(
            """
            SELECT floor(extract(epoch FROM received_at) / 3600)::bigint, count(DISTINCT patient_id)
            FROM reading
            WHERE received_at > (SELECT max(received_at) FROM reading) - interval '7 days'
            GROUP BY 1 HAVING count(DISTINCT patient_id) > 1
            """
        )
    found = {row[0]: row[1] for row in hours}
    assert came
    # What was sent twice came too, and is stored once.
    assert all(row[1] <= found[row[0]] <= 12 for row in came)
    assert sum(found[row[0]] for row in came) <= 1.2 * sum(row[1] for row in came)


async def test_somebody_who_knows_better_lets_them_through(region: Region) -> None:
    alert = await region.silent(VENDOR)
    await region.goes_on(NINE_US + HOUR_US + MINUTE_US)
    assert await region.held(alert) == [True]
    ((incident_id, *_),) = await region.incidents()
    # What the console does: tests/browser/test_technical.py; here what comes of it.
    await region.admin.execute(
        "UPDATE incident SET let_through_at = now(), let_through_by = $2 WHERE incident_id = $1",
        incident_id, UUID(int=7),
    )  # fmt: skip
    another = await region.silent(VENDOR)
    await region.goes_on(NINE_US + HOUR_US + 2 * MINUTE_US)
    assert await region.held(alert, another) == [False, False]
    assert await region.events(alert) == [("held_back", None), ("released", "let_through")]
    assert len(await region.incidents()) == 1, "it lasts, and no other of the same source begins"
