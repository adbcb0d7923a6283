"""On a Dask cluster comes the same as here, byte for byte."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from distributed import LocalCluster

import thuiswacht
from alerting.backtest.cluster import Cluster
from alerting.backtest.files import Given, OfFiles
from alerting.backtest.result import Backtest
from alerting.backtest.running import Threads, Tries, Workers, run
from alerting.backtest.sweeps import read_sweep
from alerting.backtest.versions import Version
from models.errors import BadInput, RefuseToStart, TryAgain
from tests.unit.backtest.histories import changes, enrol, heavy, many, write_programme
from tests.unit.backtest.tried import QUIET

VERSIONS = [Version("a", [heavy(100)]), Version("b", [heavy(104)])]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with two workers, each a process with one thread."""
    # It has no types.
    started: Any = LocalCluster
    with started(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address


def tried(given: Given, workers: Workers) -> Backtest:
    tries = Tries(VERSIONS, [read_sweep("heavy.heavy=98:102:1", VERSIONS)])
    return run(OfFiles(given, VERSIONS, QUIET), tries, workers, QUIET)


def image(result: Backtest) -> list[bytes]:
    """Everything that was found, as bytes."""
    each = [*result.versions, *(tried for swept in result.sweeps for tried in swept.tried)]
    founds = [
        getattr(one.found, name)
        for one in each
        for name in ("patient", "rule", "severity", "opened_at_us", "cleared_at_us", "quiet")
    ]
    followed, held = result.followed, result.held
    columns = [*founds, followed.from_us, followed.until_us, followed.readings, held.patient, held.from_us]
    return [np.ascontiguousarray(column).tobytes() for column in columns]


@pytest.mark.timeout(240)  # each worker reads or compiles the kernels
def test_two_workers_find_what_this_process_finds(address: str, tmp_path: Path) -> None:
    given = many(tmp_path, 2_300)
    told: list[dict[str, Any]] = [
        *(enrol(f"p{patient:05}", version=1) for patient in range(2_300)),
        enrol("p00007", limits={"heavy": {"value": 90, "unit": "kg"}}),
        {"patient_id": "p00008", "valid_from": "2026-03-01T12:00:00Z", "pause": {}},
    ]
    given = Given(given.readings, changes(tmp_path, told))
    with Threads(2) as threads:
        here = tried(given, threads)
    with Cluster(address) as cluster:
        there = tried(given, cluster)
    assert image(there) == image(here)
    assert len(here.versions[0].found) > 100
    assert there.followed.patients == here.followed.patients


def test_the_command_reports_the_same(address: str, tmp_path: Path) -> None:
    file = write_programme(tmp_path / "a.yaml", heavy(100))
    words = ["backtest", "--programme", file, "--readings", many(tmp_path, 30).readings, "--resamples", 10]
    for out, more in (("here", []), ("there", ["--dask", address])):
        typed = [str(word) for word in (*words, "--out", tmp_path / out, *more)]
        assert CliRunner().invoke(thuiswacht.thuiswacht, typed).exit_code == 0
    for name in ("report.html", "report.json"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


@pytest.mark.parametrize("wrong", ["127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://nowhere", "tcp://h:x"])
def test_an_address_that_is_none_is_bad_input(wrong: str) -> None:
    with pytest.raises(BadInput, match="--dask: expected tcp://HOST:PORT"):
        Cluster(wrong)


def test_where_nobody_answers_one_may_try_again() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(TryAgain, match="found nobody"):
            Cluster(f"tcp://127.0.0.1:{nobody.getsockname()[1]}")


def test_readings_of_real_patients_do_not_travel_in_the_clear(address: str, tmp_path: Path) -> None:
    histories = OfFiles(many(tmp_path, 3), VERSIONS, QUIET)
    histories.real = True
    with Cluster(address) as cluster, pytest.raises(RefuseToStart, match="by tls:// only"):
        run(histories, Tries(VERSIONS), cluster, QUIET)
