"""`thuiswacht demo` as a newcomer runs it, only smaller: everything real, and nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from simulators.stack import Stack

SMALL = ("--patients", "40", "--days", "8", "--seed", "5", "--live-seconds", "3", "--headless")


def command(stack: Stack, database: str, *arguments: str) -> list[str]:
    servers = ("--kafka", stack.kafka, "--postgres", database)
    return [sys.executable, "-m", "thuiswacht", "demo", *SMALL, *servers, *arguments]


@pytest.fixture(scope="module")
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, env=os.environ, capture_output=True, text=True, timeout=300, check=False)

    return run


# Twice the whole of it, with letters.
@pytest.mark.timeout(600)
def test_it_counts_to_the_reading_and_twice_the_same(
    stack: Stack,
    database: str,
    empty_database: str,
    run: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    reports: list[dict[str, Any]] = []
    for dsn in (database, empty_database):
        file = tmp_path / "report.json"
        done = run(*command(stack, dsn, "--report", str(file)))
        assert done.returncode == 0, done.stderr
        assert "sent = stored + duplicate + quarantined + refused" in done.stdout
        assert re.search(r"console   http://localhost:\d+/console", done.stderr)
        assert re.search(r"nurse .* code \d{6}", done.stderr)
        assert re.search(
            r"export GATE=http://localhost:\d+ DEVICE=scale-\S+ CLIENT=\S+ SECRET=whsec_", done.stderr
        )
        assert "Verantwoordelijk tot iemand dit met naam overneemt" in done.stderr, "a letter is shown"
        reports.append(json.loads(file.read_text()))
    first, second = reports
    assert first["readings_sent"] > 1_000
    kept = first["readings_stored"] + first["readings_duplicate"] + first["readings_quarantined"]
    assert first["readings_sent"] == kept + first["readings_refused"]
    by_http = first["by_http"]
    assert by_http["uploads"] == by_http["accepted"] + by_http["duplicate"] + by_http["refused"]
    assert min(by_http["uploads_by_format"][form] for form in ("fhir", "json")) > 20
    assert by_http["accepted"] > by_http["duplicate"] + by_http["refused"]
    assert first["findings"] == sum(first["findings_by_rule"].values()) > 0
    assert first["alerts_opened"] >= first["live_alerts_expected"] > 0
    latency = first["reading_to_alert_ms"]
    assert latency["count"] == first["live_alerts_expected"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"]
    for report in reports:
        handed = report["escalated"]
        assert handed["asked"] == sum(handed["asked_by_recipient"].values()) > 0
        assert sum(handed["delivered_by_channel"].values()) > 0
        assert (handed["undelivered"], handed["not_received"], handed["refused"]) == (0, 0, 0)
        # How often something was tried, and what was late for a while, depends on the machine.
        del handed["copies"], handed["troubles"]
        # Whether something was stored already when it came again, or came otherwise, does too.
        came = report["by_http"]
        came["readings"] = came.pop("readings_in_log") + came.pop("readings_duplicate")
        del came["accepted"], came["duplicate"], came["refused"], came["requests_again"]
    assert first["escalated"] == second["escalated"]
    differs = {key for key in first if first[key] != second[key]}
    assert differs <= {"reading_to_alert_ms", "flood_s", "flood_readings_per_s", "wall_s"}


def test_a_database_that_was_used_is_refused(
    stack: Stack, database: str, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert (
        run(*command(stack, database, "--live-seconds", "0", "--days", "1", "--no-receivers")).returncode == 0
    )
    again = run(*command(stack, database))
    assert again.returncode == 78
    assert "has been used" in again.stderr


def test_ctrl_c_leaves_nothing_running(stack: Stack, database: str) -> None:
    with subprocess.Popen(
        command(stack, database, "--days", "300", "--patients", "500"),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            if line.startswith("flood"):
                break
        children = psutil.Process(demo.pid).children(recursive=True)
        assert len(children) >= 2
        demo.send_signal(signal.SIGINT)
        begun_s = time.monotonic()
        demo.stderr.read()
        assert demo.wait(30) != 0
        assert time.monotonic() - begun_s < 30
        gone, alive = psutil.wait_procs(children, timeout=5)
        assert not alive
        assert len(gone) == len(children)
