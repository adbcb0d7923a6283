"""`thuiswacht load` through everything: figures only of what arrived whole, and none of what did not."""

import asyncio
import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from ingest.delivery.clients.registry import WantedClient, WantedKey, add_client
from ingest.delivery.clients.sealing import Sealing
from models.clock import wall_now_us
from models.db.migrate import migrate
from models.db.pool import connected
from models.errors import BadInput, Broken
from models.settings import Settings, gateway_key, load_settings
from simulators.load.entering import ORGANISATION
from simulators.load.ground import with_services
from simulators.load.homes import homes_of
from simulators.load.loading import Asked, measure
from simulators.load.pacing import Void
from simulators.load.schedule import Profile, Wanted
from simulators.stack import Stack

PATIENTS = 60
LOSE_SOME = """
CREATE FUNCTION lose_one() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM reading WHERE patient_id = NEW.patient_id AND taken_at = NEW.taken_at;
    RETURN NULL;
END $$;
CREATE TRIGGER lose_one AFTER INSERT ON reading FOR EACH ROW WHEN (NEW.patient_id = '{patient}')
EXECUTE FUNCTION lose_one();
"""


def asked(wanted: Wanted, folder: Path, *, lag_limit_ms: float = inf, probe_s: float | None = None) -> Asked:
    return Asked(
        wanted,
        PATIENTS,
        own_stack=True,
        through=None,
        lag_limit_ms=lag_limit_ms,
        probe_s=probe_s,
        resolution=0.5,
        json_file=folder / "load.json",
        histogram=None if probe_s else folder / "load.hlog",
    )


def run(
    *arguments: str, seconds: float = 110.0, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "thuiswacht", "load", *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def settings_for(stack: Stack, database: str, topic: str) -> Settings:
    first, second = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    return load_settings(
        kafka=stack.kafka, postgres=database, topic=topic, identity_key=first, gateway_key=second
    )


# Both services start, and eight short runs follow each other.
@pytest.mark.timeout(240)
async def test_figures_are_of_what_arrived_whole_and_there_are_none_otherwise(
    stack: Stack, database: str, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, homes = settings_for(stack, database, topic), homes_of(7, PATIENTS)
    steady = Wanted(Profile.STEADY, 60.0, 3.0, 7, alarms_per_s=1.0)
    async with with_services(settings, homes, tmp_path, kafka=stack.kafka_kind, by_http=False) as ground:
        await measure(asked(steady, tmp_path), ground)
        _require_whole(json.loads((tmp_path / "load.json").read_text()), tmp_path / "load.hlog")
        told = capsys.readouterr().out
        assert "180 uploads with 185 readings, all stored" in told
        assert "3 alarm, each has its finding and alert" in told

        # Fresh ones behind a backlog; both are counted.
        backlog = Wanted(Profile.BACKLOG, 60.0, 2.0, 7, alarms_per_s=1.0, backlog=3_001)
        await measure(asked(backlog, tmp_path), ground)
        found = json.loads((tmp_path / "load.json").read_text())
        assert found["backlog"]["readings"] == 3_001
        assert found["backlog"]["checked_s"] is not None
        capsys.readouterr()

        # Somebody else's command, against the same servers, with patients that they do not know yet.
        servers = ("--kafka", stack.kafka, "--postgres", database, "--topic", topic)
        few = ("--patients", "20", "--seed", "8", "--rate", "20", "--seconds", "2", "--lag-limit-ms", "5000")
        done = await asyncio.to_thread(run, *servers, *few, "--profile", "herd", "--alarms", "1")
        assert done.returncode == 0, done.stderr
        assert "herd, 20 uploads a second for 2 s via log, 20 patients" in done.stdout

        # A generator that may not be late at all always is.
        void = asked(steady, tmp_path, lag_limit_ms=0.0)
        with pytest.raises(Void, match="VOID: the generator was late itself"):
            await measure(void, ground)
        said: dict[str, Any] = json.loads((tmp_path / "load.json").read_text())
        assert set(said) == {"void", "why"}
        with pytest.raises(Broken, match="No rate was held"):
            await measure(
                asked(Wanted(Profile.STEADY, 3.0, 2.0, 7), tmp_path, lag_limit_ms=0.0, probe_s=1.0), ground
            )
        assert capsys.readouterr().out == ""

        # Everybody who can alarm does; then nobody is left, which is told and not passed over.
        await measure(asked(Wanted(Profile.STEADY, 60.0, 1.0, 7, alarms_per_s=30.0), tmp_path), ground)
        with pytest.raises(BadInput, match="--patients: expected patients whose uploads can alarm"):
            await measure(asked(steady, tmp_path), ground)
        none = replace(steady, alarms_per_s=0.0)
        await measure(asked(none, tmp_path), ground)
        assert "none was to alarm, so nothing is known of alerts" in capsys.readouterr().out

        # A database that loses readings of one patient: nothing is printed, and it is told which.
        admin = await asyncpg.connect(database)
        await admin.execute(LOSE_SOME.format(patient=homes.texts[3]))
        await admin.close()
        with pytest.raises(
            Broken, match=f"readings that were sent are not stored:\n  patient {homes.texts[3]}"
        ):
            await measure(asked(none, tmp_path), ground)
        assert capsys.readouterr().out == ""


def _require_whole(found: dict[str, Any], log: Path) -> None:
    assert (found["void"], found["uploads"], found["readings"], found["alarms"]) == (False, 180, 185, 3)
    assert {stage: one["n"] for stage, one in found["latency_ms"].items()} == {
        "acknowledged": 180,
        "stored": 180,
        "checked": 180,
        "alerted": 3,
    }
    for one in found["latency_ms"].values():
        assert 0 < one["p50"] <= one["p90"] <= one["p99"] <= one["p99_9"] <= one["max"]
    # Nothing is stored before the broker has it.
    assert found["latency_ms"]["acknowledged"]["p50"] <= found["latency_ms"]["stored"]["p50"]
    assert set(found["cpu_s"]) == {"ingest", "alerting", "clock", "postgres", "kafka"}
    assert set(found["lag_messages"]) == {"thuiswacht.ingest", "thuiswacht.alerting"}
    whole: Any = HdrHistogram(1, 3_600_000_000, 3)
    reader: Any = HistogramLogReader(str(log), whole)
    by_stage: dict[str, int] = {}
    while (one := reader.get_next_interval_histogram()) is not None:
        by_stage[one.get_tag()] = by_stage.get(one.get_tag(), 0) + one.get_total_count()
    reader.input_file.close()
    assert by_stage == {"acknowledged": 180, "stored": 180, "checked": 180, "alerted": 3}


# Five services start.
@pytest.mark.timeout(180)
async def test_through_the_gate_with_keys_and_with_secrets(
    stack: Stack, database: str, topic: str, tmp_path: Path
) -> None:
    settings, homes = settings_for(stack, database, topic), homes_of(7, 40)
    wanted = Wanted(Profile.STEADY, 20.0, 3.0, 7, alarms_per_s=1.0)
    async with with_services(settings, homes, tmp_path, kafka=stack.kafka_kind, by_http=True) as ground:
        await measure(asked(wanted, tmp_path), ground)
        found = json.loads((tmp_path / "load.json").read_text())
        assert (found["via"], found["uploads"], found["alarms"]) == ("http", 60, 3)
        assert found["latency_ms"]["alerted"]["n"] == 3
        assert {"gateway", "register publish"} <= set(found["cpu_s"])

        # Somebody else's command, as a hub that signs; its patients come into the register first.
        assert ground.entrance is not None
        secret = tmp_path / "secret"
        secret.write_text(await _hub(settings))
        who = ("--client", "hub", "--secret", str(secret), "--as", await _engineer(database))
        gate = ("--via", "http", "--gate", ground.entrance.url)
        servers = ("--kafka", stack.kafka, "--postgres", database, "--topic", topic)
        few = ("--patients", "20", "--seed", "8", "--rate", "10", "--seconds", "2", "--lag-limit-ms", "5000")
        key = settings.identity_key
        assert key is not None
        environment = {"THUISWACHT_IDENTITY_KEY": key.get_secret_value()}
        done = await asyncio.to_thread(run, *gate, *servers, *who, *few, environment=environment)
        assert done.returncode == 0, done.stderr
        assert "10 uploads a second for 2 s via http, 20 patients" in done.stdout


async def _hub(settings: Settings) -> str:
    """Another client of the hospital, which signs; its secret."""
    wanted = WantedClient("hub", "Hub", ORGANISATION, WantedKey(hmac=True), per_second=1_000.0)
    async with connected(settings.postgres_dsn, role="thuiswacht_login", application="test") as pool:
        made = await add_client(pool, wanted, Sealing(gateway_key(settings)), wall_now_us())
    assert made.secret is not None
    return made.secret


async def _engineer(database: str) -> str:
    admin = await asyncpg.connect(database)
    try:
        return str(await admin.fetchval("SELECT person_id FROM person_role WHERE role = 'engineer'"))
    finally:
        await admin.close()


# Kafka, Postgres and the services of its own.
@pytest.mark.timeout(180)
def test_one_command_starts_all_it_needs() -> None:
    few = ("--patients", "20", "--rate", "10", "--seconds", "2", "--alarms", "1", "--lag-limit-ms", "5000")
    done = run("--stack", *few, seconds=170)
    assert done.returncode == 0, done.stderr
    assert "verified: 20 uploads" in done.stdout
    # Warming up has not used up those who can alarm, four of twenty.
    assert "2 alarm, each has its finding and alert" in done.stdout
    assert "load: warming up" in done.stderr


def test_a_live_database_is_refused(stack: Stack, empty_database: str, topic: str) -> None:
    asyncio.run(migrate(empty_database, purpose="live"))
    refused = run("--kafka", stack.kafka, "--postgres", empty_database, "--topic", topic)
    assert refused.returncode == 78
    assert "live database" in refused.stderr
