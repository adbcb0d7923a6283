"""What Postgres counts is what the naive twin counts, of any patients and alerts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.insight.keeping import beginning
from models.db import figures
from models.db.pool import Connection
from models.figures import Count, Window
from tests.examples import TIME_LIMIT_S, TIMES
from tests.integration.insight.world import begin, draw, store
from tests.naive.insight import counted

pytestmark = pytest.mark.timeout(TIME_LIMIT_S)
UNTIL = date(2026, 11, 30)


@asynccontextmanager
async def undone(connection: Connection) -> AsyncGenerator[None]:
    """As alerting, in a transaction that is rolled back, so that examples do not meet each other."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def gathered(connection: Connection, window: Window) -> dict[object, set[Count]]:
    given_ = figures.gather(connection, window, beginning(window.since), beginning(window.until))
    return {scope: set(counts) async for scope, counts in given_}


@settings(
    max_examples=25 * TIMES, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(seed=st.integers(0, 2**32), weeks=st.sampled_from([4, 13, 52]))
async def test_counts_equal_the_twins(admin: Connection, seed: int, weeks: int) -> None:
    world, window = draw(seed), Window(UNTIL, weeks)
    async with undone(admin):
        await begin(admin)
        await store(admin, world)
        await admin.execute("SET LOCAL ROLE thuiswacht_alerting")
        found = await gathered(admin, window)
    assert found == counted(world, window)


async def test_simulated_patients_never_count_where_patients_are_real(live_admin: Connection) -> None:
    world, window = draw(7, patients=30, alerts=60), Window(UNTIL, 4)
    await begin(live_admin)
    await store(live_admin, world)
    async with undone(live_admin):
        found = await gathered(live_admin, window)
    assert found == counted(world, window, is_trial=False)
    assert any(found.values())
