"""`thuiswacht simulate`: to a file, to a real log, and never near real patients."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from ingest.keys import partition_of
from models.db.migrate import migrate
from simulators.cohorts.cohort import read_cohort
from simulators.scenarios.scenario import Scenario
from simulators.simulate import newest_programmes
from simulators.stack import Stack
from simulators.wire import TICK, Encoder

ARGUMENTS = ("--patients", "60", "--days", "5", "--seed", "3", "--start", "2026-03-02", "--tick", "3600")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "thuiswacht", "simulate", *ARGUMENTS, *arguments],
        env=os.environ | environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def expected() -> tuple[Scenario, list[tuple[int, bytes]]]:
    """The scenario of ARGUMENTS, and its messages with their patients."""
    scenario = Scenario(
        seed=3, patients=60, days=5, start=date(2026, 3, 2), programmes=newest_programmes(None)
    )
    encoder = Encoder(scenario, 3_600_000_000)
    return scenario, [(m.patient, m.value) for day in scenario for m in encoder.day(day)]


def test_to_a_file_and_to_standard_output(
    expected: tuple[Scenario, list[tuple[int, bytes]]], tmp_path: Path
) -> None:
    scenario, messages = expected
    lines = b"".join(value + b"\n" for _, value in messages)
    log, labels = tmp_path / "log.ndjson", tmp_path / "labels.ndjson"
    written = run("--out", str(log), "--labels", str(labels), "--json")
    assert written.returncode == 0, written.stderr
    assert log.read_bytes() == lines
    assert len(labels.read_text().splitlines()) == len(scenario.labels())
    assert json.loads(written.stderr)["messages"] == len(messages)
    assert run().stdout == lines


async def test_to_the_log_each_partition_in_order(
    expected: tuple[Scenario, list[tuple[int, bytes]]], stack: Stack, database: str, topic: str
) -> None:
    scenario, messages = expected
    sent = await asyncio.to_thread(
        run, "--out", "kafka", "--kafka", stack.kafka, "--topic", topic, "--postgres", database
    )
    assert sent.returncode == 0, sent.stderr
    partition = [partition_of(text, 4) for text in scenario.patient_texts]
    for number in range(4):
        wanted = [value for patient, value in messages if patient == TICK or partition[patient] == number]
        assert await read(stack.kafka, topic, number, len(wanted)) == wanted


async def read(bootstrap: str, topic: str, partition: int, count: int) -> list[bytes | None]:
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        found: list[bytes | None] = []
        while len(found) < count:
            for records in (await consumer.getmany(place, timeout_ms=5_000)).values():
                found += [record.value for record in records]
        assert (await consumer.end_offsets([place]))[place] == count
        return found
    finally:
        await consumer.stop()


def test_a_live_database_is_refused(stack: Stack, empty_database: str, topic: str) -> None:
    asyncio.run(migrate(empty_database, purpose="live"))
    refused = run("--out", "kafka", "--kafka", stack.kafka, "--topic", topic, "--postgres", empty_database)
    assert refused.returncode == 78
    assert b"live database" in refused.stderr


def test_without_a_database_nothing_is_sent(stack: Stack, topic: str) -> None:
    refused = run("--out", "kafka", "--kafka", stack.kafka, "--topic", topic)
    assert refused.returncode == 78
    assert b"THUISWACHT_POSTGRES" in refused.stderr


def test_a_topic_is_made_on_request(stack: Stack, database: str, make_topic: Callable[..., str]) -> None:
    name = make_topic() + ".new"
    where = ("--out", "kafka", "--kafka", stack.kafka, "--topic", name, "--postgres", database)
    assert run(*where).returncode == 75
    assert run(*where, "--partitions", "2").returncode == 0


def test_wrong_wishes_are_told() -> None:
    refused = run("--trouble", "lateness=0.1")
    assert refused.returncode == 65
    assert b"lateness=0.1" in refused.stderr
    assert b"duplicate" in refused.stderr


def test_a_scenario_by_name_into_a_folder_that_evaluate_reads(tmp_path: Path) -> None:
    folder = tmp_path / "cohort"
    written = run("--scenario", "copd", "--out", f"{folder}/", "--json")
    assert written.returncode == 0, written.stderr
    told = json.loads(written.stderr)
    cohort = read_cohort(folder)
    assert (told["patients"], told["days"], told["readings"]) == (60, 5, cohort.readings)
    assert told["digest"] == cohort.digest
    findings = tmp_path / "findings.ndjson"
    read = subprocess.run(
        [
            sys.executable, "-m", "thuiswacht", "evaluate", "--readings", str(cohort.readings_file),
            "--registrations", str(cohort.registrations_file), "--on-error", "skip", "--out", str(findings),
        ],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert read.returncode == 0, read.stderr
    assert b"copd" in findings.read_bytes()


def test_a_scenario_of_ones_own_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('about = "Mine."\npatients = 9\n[conditions]\ncopd = 1.0\n')
    alone = run("--scenario", str(mine), "--out", str(tmp_path / "readings.parquet"))
    assert alone.returncode == 0, alone.stderr
    assert b"readings of 60 patients in" in alone.stderr
    mine.write_text('about = "Mine."\npatients = 9\ndays = 0\n[conditions]\ngout = 1.0\n')
    refused = run("--scenario", str(mine))
    assert refused.returncode == 65
    assert b"mine.toml, line 3, days: expected" in refused.stderr
    refused = run("--scenario", "nobody")
    assert refused.returncode == 65
    assert b"expected a file, or one of home, " in refused.stderr
    refused = run("--out", f"{tmp_path}/", "--labels", str(tmp_path / "labels.ndjson"))
    assert refused.returncode == 65


def test_scenarios_are_listed_each_with_a_sentence() -> None:
    listed = run("--list-scenarios")
    assert listed.returncode == 0
    lines = listed.stdout.decode().splitlines()
    assert lines[0].startswith("home ")
    assert all(line.endswith(".") for line in lines)
    assert {"region", "storm", "quiet"} <= {line.split()[0] for line in lines}
