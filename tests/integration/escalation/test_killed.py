"""`thuiswacht dispatch` as a user starts it, killed at named points, Postgres restarted: each step once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from models.db.pool import Connection
from models.findings import Severity
from simulators.stack import Stack
from tests.acceptance.workers import Workers
from tests.integration.escalation.region import Region
from tests.integration.killing import another_connection, until

ALERTS = 12
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'thuiswacht-dispatch' AND wait_event_type = 'Lock' AND datname = current_database()
"""
TAKEN = "SELECT count(DISTINCT alert_id) FROM alert_event WHERE event = 'escalated'"
# The transaction stops within COMMIT: whoever waits for it cannot know what comes of it.
STOP_IN_COMMIT = """
CREATE FUNCTION stop_in_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(42);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER stop_in_commit AFTER INSERT ON escalation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stop_in_commit();
"""


@pytest.fixture
def workers(stack: Stack, database: str, topic: str, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(stack.kafka, database, topic, tmp_path)
    yield workers
    workers.clean_up()


@pytest.fixture
async def forgotten(region: Region) -> Region:
    """Alerts of which no nurse took notice: the next step of each is due."""
    for _ in range(ALERTS):
        await region.alert(await region.patient(), severity=Severity.MEDIUM)
    await region.admin.execute("UPDATE alert SET step_no = 1, stepped_at = now() - interval '2 days'")
    await region.admin.execute("UPDATE escalation_step SET due_at = now()")
    return region


async def each_was_asked_once(admin: Connection) -> None:
    counts = await admin.fetchrow(
        """
        SELECT (SELECT count(*) FROM escalation) AS escalations,
            (SELECT count(*) FROM alert_event WHERE event = 'escalated') AS events,
            (SELECT count(DISTINCT escalation_id) FROM escalation) AS told,
            (SELECT count(*) FROM message WHERE kind = 'escalation') AS messages,
            (SELECT count(*) FROM escalation_step WHERE state = 'due') AS due
        """
    )
    assert counts is not None
    assert dict(counts) == dict.fromkeys(("escalations", "events", "told", "messages", "due"), ALERTS)


@pytest.mark.timeout(400)
async def test_killed_within_the_transaction_nothing_has_happened(
    forgotten: Region, database: str, workers: Workers
) -> None:
    admin = forgotten.admin
    async with another_connection(database) as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE recipient_count IN EXCLUSIVE MODE")
        first = workers.start("dispatch")
        await until(admin, WAITING, 1, workers)
        workers.kill(first)
        assert await admin.fetchval("SELECT count(*) FROM escalation") == 0
    second = workers.start("dispatch")
    await until(admin, TAKEN, ALERTS, workers)
    assert workers.end(second) == 0, workers.last_words()
    await each_was_asked_once(admin)


@pytest.mark.timeout(400)
async def test_killed_while_it_commits_all_has_happened_once(
    forgotten: Region, database: str, workers: Workers
) -> None:
    admin = forgotten.admin
    await admin.execute(STOP_IN_COMMIT)
    async with another_connection(database) as blocker, blocker.transaction():
        await blocker.execute("SELECT pg_advisory_xact_lock(42)")
        first = workers.start("dispatch")
        await until(admin, WAITING, 1, workers)
        workers.kill(first)
    # Postgres commits for somebody who is not there any more.
    await until(admin, TAKEN, ALERTS, workers)
    second = workers.start("dispatch")
    await until(
        admin, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory%'", 0, workers
    )
    await until_it_has_looked(admin, workers)
    assert workers.end(second) == 0, workers.last_words()
    await each_was_asked_once(admin)


async def until_it_has_looked(admin: Connection, workers: Workers) -> None:
    """A dispatcher that is new has gone round once: it takes a step that is set for it."""
    await admin.execute(
        """
        UPDATE escalation_step SET due_at = now()
        WHERE state = 'due' AND alert_id = (SELECT alert_id FROM alert ORDER BY alert_id LIMIT 1)
        """
    )
    query = "SELECT count(*) FROM escalation_step WHERE state = 'done' AND outcome LIKE 'waits%'"
    await until(admin, query, 1, workers)


@pytest.mark.timeout(400)
async def test_killed_after_the_commit_nothing_happens_again(forgotten: Region, workers: Workers) -> None:
    admin = forgotten.admin
    first = workers.start("dispatch")
    await until(admin, TAKEN, ALERTS, workers)
    workers.kill(first)
    second, third = workers.start("dispatch"), workers.start("dispatch")
    await until_it_has_looked(admin, workers)
    assert [workers.end(second), workers.end(third)] == [0, 0], workers.last_words()
    await each_was_asked_once(admin)


@pytest.mark.timeout(400)
async def test_postgres_restarted_under_it_it_goes_on(
    forgotten: Region, stack: Stack, database: str, workers: Workers
) -> None:
    blocker = await asyncpg.connect(database)
    await blocker.execute("BEGIN")
    await blocker.execute("LOCK TABLE recipient_count IN EXCLUSIVE MODE")
    worker = workers.start("dispatch")
    await until(forgotten.admin, WAITING, 1, workers)
    await asyncio.to_thread(stack.restart_server, "postgres")
    blocker.terminate()
    async with another_connection(database) as admin:
        await until(admin, TAKEN, ALERTS, workers)
        assert workers.end(worker) == 0, workers.last_words()
        await each_was_asked_once(admin)
