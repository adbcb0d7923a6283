"""`thuiswacht alerting --shadow` as a deployment runs it, beside the real ones: killed, joined, late."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from models.clock import DAY_US
from models.db.migrate import migrate
from models.db.pool import Connection
from models.settings import Settings
from simulators.stack import Stack
from tests.acceptance.workers import ROOT, Workers
from tests.integration.alerting.small_log import START_US, Message, SmallLog
from tests.integration.killing import until
from tests.integration.live import PARTITIONS, write

REACHED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM log_position WHERE consumer_group = '{group}'"
WAITING = "SELECT -count(*) FROM shadow_reevaluation WHERE done_at IS NULL"
REAL_WAITING = "SELECT -count(*) FROM reevaluation WHERE done_at IS NULL"
COMPARED = """
SELECT patient_id, finding_id, rule, severity, opened_at, cleared_at, raised_at, opening -> 0 -> 'value'
FROM {table} WHERE NOT retracted AND programme = 'heart_failure' {more} ORDER BY patient_id, finding_id
"""
BEGUN = "SELECT DISTINCT valid_from_us, from_offset > 0 FROM shadow_start WHERE consumer_group = 'later'"
CANDIDATE = ROOT / "alerting" / "programmes" / "heart_failure.yaml"


@pytest.fixture
def live_database(empty_database: str) -> str:
    """One with real patients."""
    asyncio.run(migrate(empty_database, purpose="live"))
    return empty_database


@pytest.fixture
def workers(
    stack: Stack, live_database: str, make_topic: Callable[..., str], tmp_path: Path
) -> Iterator[Workers]:
    workers = Workers(stack.kafka, live_database, make_topic(partitions=PARTITIONS), tmp_path)
    yield workers
    workers.clean_up()


def log() -> list[Message]:
    """As small_log, of patients who exist."""
    messages = SmallLog(seed=8, patients=16, days=16).messages()
    return [replace(one, value=one.value.replace(b'"simulated"', b'"real"')) for one in messages]


@pytest.mark.timeout(300)
async def test_killed_and_shared_it_finds_what_the_real_ones_find(
    workers: Workers, live_database: str
) -> None:
    admin: Connection = await asyncpg.connect(live_database)
    settings = Settings(kafka=workers.kafka, postgres=SecretStr(live_database), topic=workers.topic)
    messages = log()
    half = len(messages) // 2
    written = await write(settings, messages[:half])
    ingest, alerting = workers.start("ingest"), workers.start("alerting")
    await until(admin, REACHED.format(group="thuiswacht.ingest"), written, workers)
    middle = datetime.fromtimestamp((START_US + 4 * DAY_US) / 1e6, UTC).isoformat()
    first = workers.start(*_shadow("tried", "earliest"))
    workers.start(*_shadow("tried", "earliest"))
    workers.start(*_shadow("later", middle))
    # In the middle of what there is.
    await until(admin, REACHED.format(group="tried"), written // 3, workers)
    workers.kill(first)
    workers.start(*_shadow("tried", "earliest"))
    written += await write(settings, messages[half:])
    for group in ("thuiswacht.ingest", "thuiswacht.alerting", "tried", "later"):
        await until(admin, REACHED.format(group=group), written, workers)
    for waiting in (WAITING, REAL_WAITING):
        await until(admin, waiting, 0, workers)
    real = await admin.fetch(COMPARED.format(table="finding", more=""))
    assert len(real) > 30
    for group in ("tried", "later"):
        more = f"AND consumer_group = '{group}'"
        assert await admin.fetch(COMPARED.format(table="shadow_finding", more=more)) == real
    begun = await admin.fetch(BEGUN)
    assert [tuple(row) for row in begun] == [(START_US + 4 * DAY_US - 1, True)]
    assert workers.end(ingest) == workers.end(alerting) == 0
    await admin.close()


def _shadow(group: str, begins: str) -> list[str]:
    return ["alerting", "--shadow", "--programme", str(CANDIDATE), "--group", group, "--from", begins]
