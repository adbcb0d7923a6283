"""`thuiswacht backtest` as somebody types it: from files to a report; killed, it goes on."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import thuiswacht
from alerting.backtest.kept import FOLDER
from models.errors import BadInput, ThuiswachtError
from tests.unit.backtest.histories import changes, enrol, heavy, many, write_programme
from tests.unit.offline.files import NOON_US, weight, write

Typed = Callable[..., Result]
DAY_US = 86_400_000_000


@pytest.fixture
def versions(tmp_path: Path) -> Sequence[str]:
    """Two versions, as arguments."""
    files = [
        write_programme(tmp_path / f"{name}.yaml", heavy(limit)) for name, limit in (("a", 100), ("b", 104))
    ]
    return [word for file in files for word in ("--programme", str(file))]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    event = {"patient_id": "p00001", "kind": "fluid_overload", "onset": NOON_US, "end": NOON_US + DAY_US}
    file = tmp_path / "labels.ndjson"
    file.write_text(json.dumps(event) + "\n", encoding="utf-8")
    return file


def typed(*words: object) -> Result:
    return CliRunner().invoke(thuiswacht.thuiswacht, ["backtest", "--resamples", "20", *map(str, words)])


def figures(out: Path) -> Any:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_two_versions_are_reported(tmp_path: Path, versions: Sequence[str], labels: Path) -> None:
    readings, out = many(tmp_path, 30).readings, tmp_path / "report"
    words = (*versions, "--readings", readings, "--labels", labels, "--sweep", "heavy.heavy=98:104:2")
    done = typed(*words, "--out", out)
    assert done.exit_code == 0, done.output
    assert "thuiswacht: version a: weights 1\n" in done.stderr
    assert [each["name"] for each in figures(out)["versions"]] == ["a", "b"]
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert sorted(file.name for file in out.iterdir()) == ["report.html", "report.json"]
    before = [(out / name).read_bytes() for name in ("report.html", "report.json")]
    again = typed(*words, "--out", out, "--threads", 1, "--quiet", "--json")
    assert json.loads(again.stdout) == figures(out)
    assert again.stderr == ""
    assert [(out / name).read_bytes() for name in ("report.html", "report.json")] == before


def test_without_labels_it_is_about_load_alone(tmp_path: Path, versions: Sequence[str]) -> None:
    readings, out = many(tmp_path, 3, "csv").readings, tmp_path / "report"
    done = typed(*versions, "--readings", readings, "--out", out)
    assert done.exit_code == 0, done.output
    assert "no labels: the report is about load, and cannot speak of sensitivity" in done.stderr
    assert figures(out)["source"]["labels"] is None


def test_days_after_the_latest_reading_are_told(tmp_path: Path, versions: Sequence[str]) -> None:
    words = (*versions, "--readings", many(tmp_path, 3).readings, "--out", tmp_path / "report")
    said = "days before the end: figures count those days, too"
    assert said not in typed(*words).stderr
    assert said in typed(*words, "--until", "2036-01-01T00:00:00Z").stderr


def test_a_folder_of_a_cohort_brings_labels_and_registrations(
    tmp_path: Path, versions: Sequence[str], labels: Path
) -> None:
    many(tmp_path, 4)
    changes(tmp_path, [enrol("p00001"), enrol("p00003")])
    (tmp_path / "cohort.toml").write_text('until = "2026-03-05T00:00:00Z"\n', encoding="utf-8")
    done = typed(*versions, "--readings", tmp_path, "--out", tmp_path / "report")
    assert done.exit_code == 0, done.output
    told = figures(tmp_path / "report")["source"]
    assert (told["labels"], told["refused"], told["until"]) == (
        labels.name,
        4,
        "2026-03-05T00:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--sweep", "heavy.heavy=0:5000:1000"), "values within 0 … 1000 kg, found 2000"),
        (("--sweep", "heavy"), "rule.limit=from:to:step"),
        (("--dask", "nobody"), "--dask: expected tcp://HOST:PORT"),
        (("--labels", "bad.ndjson"), "bad.ndjson"),
        (("--registrations", "bad.ndjson"), "bad.ndjson, line 1"),
        (("--readings", "nothing.parquet"), "nothing.parquet: expected"),
        (("--readings", "bad.ndjson"), "bad.ndjson, row 1"),
        (("--until", "tomorrow"), "--until: expected ISO 8601"),
        (("--until", "1970-01-02T00:00:00Z"), "before the end (1970-01-02T00:00:00+00:00), found none"),
        (("--readings", "empty.ndjson"), "empty.ndjson: expected patients who are in a programme"),
    ],
)
def test_what_is_wrong_is_said_with_where_expected_and_found(
    tmp_path: Path,
    versions: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    words: Sequence[str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.ndjson").touch()
    Path("bad.ndjson").write_text('{"patient_id": 7}\n', encoding="utf-8")
    readings = many(tmp_path, 3).readings
    done = typed(*versions, "--readings", readings, "--out", tmp_path / "report", *words)
    assert isinstance(done.exception, ThuiswachtError)
    assert isinstance(done.exception, BadInput)
    assert expected in str(done.exception)
    assert not (tmp_path / "report" / "report.html").exists()
    assert not (tmp_path / "report" / FOLDER).exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--readings", "postgres", "--registrations", "here.ndjson"),
        ("--readings", "postgres", "--errors", "there.ndjson"),
        ("--readings", "here.ndjson", "--reason", "a new limit"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: Sequence[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.ndjson").touch()
    done = typed("--out", "report", *words)
    assert (done.exit_code, f"{words[2]}" in done.output) == (2, True)
    assert [file.name for file in tmp_path.iterdir()] == ["here.ndjson"]


def test_rows_that_do_not_count_may_be_left_out(tmp_path: Path, versions: Sequence[str]) -> None:
    readings = write(tmp_path, "csv", [weight(), weight(0.0, after_h=1)])
    words = (*versions, "--readings", readings, "--out", tmp_path / "report")
    assert isinstance(typed(*words).exception, BadInput)
    errors = tmp_path / "errors.ndjson"
    done = typed(*words, "--on-error", "skip", "--errors", errors)
    assert done.exit_code == 0, done.output
    assert json.loads(errors.read_text(encoding="utf-8"))["row"] == 2


DYING = """
import os, signal, sys
from alerting.backtest.kept import Kept
import thuiswacht

keep = Kept.keep

def keep_and_die(self, piece):
    keep(self, piece)
    if self.done == 2:
        os.kill(os.getpid(), signal.SIGKILL)

Kept.keep = keep_and_die
thuiswacht.main(sys.argv[1:])
"""


@pytest.mark.timeout(240)
def test_killed_it_goes_on_and_ends_as_if_nothing_had_been(
    tmp_path: Path, versions: Sequence[str], labels: Path
) -> None:
    readings, out = many(tmp_path, 4_200).readings, tmp_path / "report"
    words = [*versions, "--readings", str(readings), "--labels", str(labels)]
    killed = subprocess.run(
        [sys.executable, "-c", DYING, "backtest", *words, "--out", str(out), "--resamples", "20"], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert sorted(file.name for file in out.iterdir()) == [FOLDER]
    done = typed(*words, "--out", out)
    assert done.exit_code == 0, done.output
    assert "goes on where a run was cut off: 2 pieces are done" in done.stderr
    assert typed(*words, "--out", tmp_path / "whole").exit_code == 0
    for name in ("report.html", "report.json"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_something_else_begins_anew_and_says_so(tmp_path: Path, versions: Sequence[str]) -> None:
    readings, out = many(tmp_path, 3).readings, tmp_path / "report"
    (out / FOLDER / "of_another_run").mkdir(parents=True)
    done = typed(*versions, "--readings", readings, "--out", out)
    assert done.exit_code == 0, done.output
    assert "begins anew" in done.stderr
