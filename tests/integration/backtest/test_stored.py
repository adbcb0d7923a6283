"""A backtest on what is stored: the same findings as on the same log as a file, and outcomes as labels."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

import thuiswacht
from alerting.backtest.files import Given
from alerting.backtest.kept import Kept
from alerting.backtest.result import Backtest
from alerting.backtest.running import Threads, Tries, run
from alerting.backtest.stored import OfDatabase, Stored
from alerting.backtest.versions import Version
from ingest.on_command import Who
from models.access import Role
from models.db.migrate import migrate
from models.db.pool import Connection, Pool
from models.errors import BadInput, NotAllowed, TryAgain
from models.labels import About
from models.settings import Settings
from tests import shipped
from tests.exported_log import evaluated_log, write_changes
from tests.integration.alerting.following import TOPIC, Record, store
from tests.integration.alerting.troubled_log import troubled_log
from tests.integration.rights.conftest import person
from tests.unit.backtest.tried import QUIET, evaluated, ones

Log = Sequence[Record]


@pytest.fixture
def log() -> Log:
    """Everybody in all programmes; readings late, twice, corrected, refused."""
    messages = troubled_log(7, shipped.newest(), patients=10, days=15)
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
    made = shipped.newest()
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


async def test_the_command_reads_what_is_stored(
    database: str, storing_pool: Pool, log: Log, tmp_path: Path
) -> None:
    await store(storing_pool, log)
    words = ["backtest", "--readings", "postgres", "--postgres", database, "--resamples", "10"]
    typed = [*words, "--out", str(tmp_path / "report")]
    done = await asyncio.to_thread(CliRunner().invoke, thuiswacht.thuiswacht, typed)
    assert done.exit_code == 0, done.output
    assert "no labels: the report is about load" in done.stderr
    told = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert told["source"]["readings"] == "postgres"
    assert told["source"]["patients"] == 10


async def test_a_log_without_a_clock_has_no_end(
    database: str, storing_pool: Pool, log: Log, tmp_path: Path
) -> None:
    await store(storing_pool, log, until=1)

    def refused() -> None:
        with pytest.raises(TryAgain, match="clock message"):
            OfDatabase(stored(database), 1, Kept(tmp_path, []), QUIET)

    await asyncio.to_thread(refused)


async def test_days_of_which_nothing_is_stored_are_no_days_without_alerts(
    database: str, storing_pool: Pool, log: Log, tmp_path: Path
) -> None:
    await store(storing_pool, log)
    clock_us = json.loads(log[-1].value)["now_us"]

    def asked(until_us: int) -> int:
        with OfDatabase(replace(stored(database), until_us=until_us), 1, Kept(tmp_path, []), QUIET) as found:
            return found.stretch.until_us

    assert await asyncio.to_thread(asked, clock_us - 1) == clock_us - 1
    with pytest.raises(BadInput, match="--until: expected a moment up to which is stored, at most 20"):
        await asyncio.to_thread(asked, clock_us + 1)


async def test_what_nurses_concluded_serves_as_labels(
    database: str, admin: Connection, storing_pool: Pool, log: Log, tmp_path: Path
) -> None:
    await store(storing_pool, log)
    patients = [row["patient_id"] for row in await admin.fetch("SELECT patient_id FROM patient LIMIT 2")]
    outcomes = ("true_acted_on", "measuring_technique", "expected", "by_itself")
    for hour, outcome in enumerate(outcomes):
        await admin.execute(
            "INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, state, "
            "opened_at, resolved_at, outcome) SELECT patient_id, gen_random_uuid(), organisation_id, origin, "
            "'fluid', 'medium', 'resolved', registered_at + make_interval(hours => $2), "
            "registered_at + make_interval(hours => $2 + 5), $3 FROM patient WHERE patient_id = $1",
            patients[hour % 2], hour, outcome,
        )  # fmt: skip
    with OfDatabase(stored(database), 1, Kept(tmp_path, []), QUIET) as histories:
        told = await asyncio.to_thread(histories.labels)
    assert told is not None
    about = {label.about: label for label in told}
    assert len(told) == 2
    event, odd = about[About.PATIENT], about[About.DEVICE]
    assert (event.patient_id, event.kind, event.signals) == (str(patients[0]), "fluid", ("fluid",))
    assert event.end_us - event.onset_us == 5 * 3_600_000_000
    assert odd.patient_id == str(patients[1])


async def test_somebody_sees_their_patients_and_it_is_on_record(
    database: str, admin: Connection, storing_pool: Pool, log: Log, tmp_path: Path
) -> None:
    await store(storing_pool, log)
    most: Any = await admin.fetchrow(
        "SELECT organisation_id, count(*) FROM patient GROUP BY organisation_id ORDER BY 2 DESC LIMIT 1"
    )
    organisation: UUID = most["organisation_id"]
    await admin.execute(
        "INSERT INTO registration (patient_id, organisation_id, origin, entered_at) "
        "SELECT patient_id, organisation_id, origin, registered_at FROM patient ON CONFLICT DO NOTHING"
    )
    objects = await admin.fetchval("SELECT patient_id FROM patient WHERE organisation_id = $1", organisation)
    await admin.execute(
        "INSERT INTO objection (patient_id, organisation_id, from_at, by) VALUES ($1, $2, '2020-01-01Z', $3)",
        objects, organisation, uuid4(),
    )  # fmt: skip
    officer = await person(admin, "F. Kuipers", Role.PRIVACY_OFFICER, organisation)
    nurse = await person(admin, "M. Jansen", Role.NURSE, organisation)
    asked = replace(stored(database), who=Who(officer), reason="trying a candidate for heart failure")

    def names() -> list[str]:
        with OfDatabase(asked, 1, Kept(tmp_path, []), QUIET) as histories:
            return [
                name for members in histories.pieces() for name in histories.prepare(members).prepared.names
            ]

    seen = await asyncio.to_thread(names)
    own = await admin.fetch(
        "SELECT patient_id FROM patient WHERE organisation_id = $1 AND patient_id <> $2",
        organisation, objects,
    )  # fmt: skip
    assert sorted(seen) == sorted(str(row["patient_id"]) for row in own)
    assert len(seen) == most["count"] - 1, "who objected is left out"
    rows = await admin.fetch(
        "SELECT event_code, reason, patients FROM audit WHERE user_id = $1", str(officer)
    )
    assert {row["event_code"] for row in rows} == {"recording.make"}
    assert {row["reason"] for row in rows} == {"trying a candidate for heart failure"}
    assert {str(one) for row in rows for one in row["patients"]} == set(seen)
    asked = replace(asked, who=Who(nurse))
    with pytest.raises(NotAllowed):
        await asyncio.to_thread(names)


async def test_a_live_database_asks_who_looks_and_why(empty_database: str, tmp_path: Path) -> None:
    await migrate(empty_database, purpose="live")

    def refused(asked: Stored) -> str:
        with pytest.raises(BadInput) as told:
            OfDatabase(asked, 1, Kept(tmp_path, []), QUIET)
        return str(told.value)

    asked = stored(empty_database)
    assert "--as: expected who looks" in await asyncio.to_thread(refused, asked)
    somebody = replace(asked, who=Who(uuid4()), reason="why")
    assert "reason" in await asyncio.to_thread(refused, somebody)


async def test_a_run_that_was_cut_off_goes_on_with_what_was_stored_then(
    database: str, storing_pool: Pool, log: Log, tmp_path: Path
) -> None:
    """New messages meanwhile are not for this run, but for the next."""
    versions = [Version("shipped", shipped.newest())]
    half = len(log) // 2
    await store(storing_pool, log, until=half)
    before = await asyncio.to_thread(tried, database, versions, tmp_path)
    await store(storing_pool, log)
    after = await asyncio.to_thread(tried, database, versions, tmp_path)
    assert after.until_us == before.until_us
    assert ones(after.versions[0].found, after.followed.patients) == ones(
        before.versions[0].found, before.followed.patients
    )
    anew = await asyncio.to_thread(tried, database, versions, tmp_path / "anew")
    assert anew.until_us > before.until_us
