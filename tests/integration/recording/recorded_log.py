"""A simulated log in which everything goes wrong that can, and the command line beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from alerting.engine.programme import Programme
from alerting.offline.run import read_programmes
from simulators.devices.trouble import Rates
from simulators.scenarios.scenario import Scenario
from simulators.simulate import newest_programmes
from simulators.stack import Stack
from simulators.wire import TICK, Encoder
from tests.exported_log import Told, as_told
from tests.integration.alerting.small_log import Message

START = date(2026, 3, 16)
"""The clocks go forward in its second week."""
TICK_US = 900_000_000


def simulated_log(patients: int, days: int, troubles: float = 5.0) -> list[Message]:
    """The messages in the order of the log, with a tick behind all of them."""
    scenario = Scenario(
        seed=5,
        patients=patients,
        days=days,
        start=START,
        programmes=newest_programmes(None),
        rates=Rates().times(troubles),
        deteriorations=4.0,
    )
    encoder = Encoder(scenario, TICK_US)
    ids = [UUID(text) for text in scenario.patient_texts]
    log = [
        Message(one.at_us, 0, None if one.patient == TICK else ids[one.patient], one.value)
        for day in scenario
        for one in encoder.day(day)
    ]
    end = json.dumps({"schema": 1, "type": "clock", "now_us": scenario.end_us}, separators=(",", ":"))
    return [*log, Message(scenario.end_us, 0, None, end.encode())]


def run(
    *command: str, stack: Stack, database: str, topic: str, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """A command, with the log and the database that it is about."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("THUISWACHT_")}
    settings = {"KAFKA": stack.kafka, "POSTGRES": database, "TOPIC": topic}
    done = subprocess.run(
        [sys.executable, "-m", "thuiswacht", *command],
        env=inherited | {f"THUISWACHT_{name}": value for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def evaluated(recording: Path, stack: Stack, database: str, topic: str, *more: str) -> list[Told]:
    """What `evaluate` finds in a recording."""
    out = recording.with_suffix(".findings")
    run(
        "evaluate", "--readings", str(recording), "--out", str(out), "--quiet", *more,
        stack=stack, database=database, topic=topic,
    )  # fmt: skip
    return told(out, read_programmes([]))


def told(findings: Path, made: Sequence[Programme]) -> list[Told]:
    """The findings of a file."""
    by_version: Mapping[Any, Programme] = {(one.programme, one.version): one for one in made}
    lines = findings.read_text(encoding="utf-8").splitlines()
    return sorted((as_told(json.loads(line), by_version) for line in lines), key=str)


def at(text: str) -> datetime:
    """A moment as a finding of a file has it."""
    return datetime.fromisoformat(text)
