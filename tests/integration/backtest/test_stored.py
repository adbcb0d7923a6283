"""A backtest on what is stored: the same findings as on the same log as a file, and outcomes as labels."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerting.backtest.files import Given
from alerting.backtest.kept import Kept
from alerting.backtest.result import Backtest
from alerting.backtest.running import Threads, Tries, run
from alerting.backtest.stored import OfDatabase, Stored
from alerting.backtest.versions import Version
from alerting.offline.run import read_programmes
from models.db.pool import Pool
from models.settings import Settings
from tests.exported_log import evaluated_log, write_changes
from tests.integration.alerting.following import TOPIC, Record, store
from tests.integration.alerting.troubled_log import troubled_log
from tests.unit.backtest.tried import QUIET, evaluated, ones

Log = Sequence[Record]


@pytest.fixture
def log() -> Log:
    """Everybody in all programmes; readings late, twice, corrected, refused."""
    messages = troubled_log(7, read_programmes([]), patients=10, days=15)
    return [Record(offset, message.value) for offset, message in enumerate(messages)]


def stored(database: str) -> Stored:
    return Stored(Settings(postgres=SecretStr(database), topic=TOPIC))


def tried(database: str, versions: Sequence[Version], out: Path) -> Backtest:
    kept = Kept(out, [])
    with Threads(2) as workers, OfDatabase(stored(database), 2, kept, QUIET) as histories:
        return run(histories, Tries(versions), workers, QUIET, kept)


@pytest.mark.timeout(240)
async def test_what_is_stored_gives_what_the_file_of_the_log_gives(
    database: str, storing_pool: Pool, log: Log, tmp_path: Path
) -> None:
    made = read_programmes([])
    await store(storing_pool, log)
    result = await asyncio.to_thread(tried, database, [Version("shipped", made)], tmp_path)
    messages = [json.loads(record.value) for record in log]
    kept, _ = evaluated_log(messages, made, tmp_path, messages[-1]["now_us"])
    registrations = write_changes(kept, tmp_path / "registrations.ndjson")
    files = Given(tmp_path / "readings.ndjson", registrations, messages[-1]["now_us"], skip=True)
    alone = evaluated(files, made, tmp_path)
    assert sorted(ones(result.versions[0].found, result.followed.patients), key=str) == sorted(alone, key=str)
    assert len(alone) > 50
    assert result.followed.readings.sum() > 0
    assert result.labels is None
