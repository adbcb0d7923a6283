"""Figures are counted when a day of the log is over, by one service at a time; and who sees whose."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from alerting.insight.keeping import keep_figures, look_after_figures
from alerting.insight.report import Report
from alerting.insight.wijken import load_wijken
from models.access import Action, Role, User
from models.clock import to_us
from models.db import figures
from models.db.declared import acting
from models.db.pool import Connection, Pool, connected
from models.figures import REGION
from models.settings import Settings
from tests.integration.insight.world import ORGANISATIONS, begin, draw, store

pytestmark = pytest.mark.timeout(300)
WIJKEN = load_wijken()


async def set_clock(admin: Connection, at: datetime) -> None:
    await admin.execute(
        "INSERT INTO log_position (consumer_group, cluster_id, topic, partition, clock_us) "
        "VALUES ('thuiswacht.alerting', 'c', 't', 0, $1) "
        "ON CONFLICT (consumer_group, cluster_id, topic, partition) DO UPDATE SET clock_us = $1",
        to_us(at),
    )  # fmt: skip


async def until_of(admin: Connection) -> dict[int, date]:
    rows = await admin.fetch("SELECT DISTINCT weeks, until FROM figure_report")
    return {row["weeks"]: row["until"] for row in rows}


async def test_when_a_day_is_over(admin: Connection, pool: Pool) -> None:
    await begin(admin)
    assert await look_after_figures(pool, Settings(), WIJKEN) == []
    await store(admin, draw(3, patients=60, alerts=80))
    # In The Hague it is the first of December already.
    await set_clock(admin, datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    counted = await look_after_figures(pool, Settings(), WIJKEN)
    assert [window.weeks for window in counted] == [4, 13, 52]
    assert await until_of(admin) == dict.fromkeys((4, 13, 52), date(2026, 12, 1))
    assert await look_after_figures(pool, Settings(), WIJKEN) == []
    await set_clock(admin, datetime(2026, 12, 2, 12, tzinfo=UTC))
    assert [window.weeks for window in await look_after_figures(pool, Settings(), WIJKEN)] == [4]
    await set_clock(admin, datetime(2026, 12, 8, 12, tzinfo=UTC))
    assert [window.weeks for window in await look_after_figures(pool, Settings(), WIJKEN)] == [4, 13, 52]


async def test_one_counts_at_a_time(admin: Connection, pool: Pool) -> None:
    await set_clock(admin, datetime(2026, 11, 30, tzinfo=UTC))
    async with pool.transaction() as another:
        assert await figures.is_counting_alone(another)
        assert await look_after_figures(pool, Settings(), WIJKEN) == []


async def test_who_is_to_stop_does_not_wait_for_it(pool: Pool) -> None:
    stop = asyncio.Event()
    stop.set()
    await keep_figures(pool, Settings(), WIJKEN, stop)


async def test_whose_figures_somebody_sees(admin: Connection, pool: Pool, people: Pool) -> None:
    await begin(admin)
    await store(admin, draw(5, patients=80, alerts=50))
    await set_clock(admin, datetime(2026, 11, 30, 12, tzinfo=UTC))
    await look_after_figures(pool, Settings(), WIJKEN)
    own = ORGANISATIONS[1]
    whole, ours = await stored(admin, REGION), await stored(admin, own)
    assert whole != ours
    seen = {Role.NURSE: ours, Role.COMMUNITY_NURSE: ours, Role.HUISARTS: ours, Role.SPECIALIST: ours}
    seen |= {Role.COORDINATOR: whole, Role.ADMINISTRATOR: whole, Role.ENGINEER: whole}
    for role in Role:
        async with somebody(admin, people, role, own) as connection:
            found = await figures.find_report(connection, 4, "")
            assert (None if found is None else Report.model_validate_json(found)) == seen.get(role), role
    async with somebody(admin, people, Role.NURSE, own, Action.ALERT_READ) as connection:
        assert await connection.fetch("SELECT FROM figure_report") == []


async def test_where_patients_are_real_engineers_see_none(live_admin: Connection, live_database: str) -> None:
    await begin(live_admin)
    for scope in (REGION, ORGANISATIONS[0]):
        await live_admin.execute("INSERT INTO figure_report VALUES ($1, 4, '', '2026-11-30', '{}')", scope)
    async with connected(live_database, role="thuiswacht_people", application="test") as people:
        for role, sees in ((Role.ENGINEER, 0), (Role.NURSE, 1), (Role.COORDINATOR, 1)):
            async with somebody(live_admin, people, role, ORGANISATIONS[0]) as connection:
                assert len(await connection.fetch("SELECT FROM figure_report")) == sees


async def stored(admin: Connection, scope: UUID) -> Report:
    text = await admin.fetchval(
        "SELECT report::text FROM figure_report WHERE (scope, weeks, programme) = ($1, 4, '')", scope
    )
    return Report.model_validate_json(text)


@asynccontextmanager
async def somebody(
    admin: Connection, people: Pool, role: Role, organisation_id: UUID, action: Action = Action.INSIGHT_READ
) -> AsyncGenerator[Connection]:
    """Somebody of an organisation, doing something."""
    person_id = uuid4()
    await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'somebody')", person_id)
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, $3)", person_id, organisation_id, role.value)
    async with acting(people, User(person_id, organisation_id, role), action) as connection:
        yield connection
