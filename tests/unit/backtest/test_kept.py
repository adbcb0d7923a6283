"""A run that was cut off goes on where it was, and comes to the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from alerting.backtest.evaluating import Evaluating, Piece
from alerting.backtest.files import Given, OfFiles
from alerting.backtest.history import Histories, Members
from alerting.backtest.kept import FOLDER, Kept
from alerting.backtest.result import Backtest
from alerting.backtest.running import Threads, Tries, run
from alerting.backtest.versions import Version
from alerting.offline.evaluation import Begun
from models.errors import BadInput
from tests.unit.backtest.histories import heavy, many
from tests.unit.backtest.tried import QUIET, ones
from tests.unit.offline.files import weight, write

VERSIONS = [Version("a", [heavy(100)]), Version("b", [heavy(104)])]


class CutOffError(Exception):
    """Stands for anything that ends a run."""


@dataclass(slots=True)
class Counting:
    """Workers that are cut off after so many pieces."""

    workers: Threads
    most: int = 1_000
    begun: list[Sequence[str]] = field(default_factory=list[Sequence[str]])
    ahead: int = 0

    def begin(self, evaluate: Evaluating, histories: Histories, members: Members) -> Begun[Piece]:
        if len(self.begun) == self.most:
            raise CutOffError
        self.begun.append(histories.names(members))
        return self.workers.begin(evaluate, histories, members)


def tried(given: Given, out: Path, most: int = 1_000) -> tuple[Backtest, Counting]:
    with Threads(2) as threads:
        workers = Counting(threads, most)
        kept = Kept(out, [*given.depends_on(), *(version.hash for version in VERSIONS)])
        return run(OfFiles(given, VERSIONS, QUIET), Tries(VERSIONS), workers, QUIET, kept), workers


def same(one: Backtest, other: Backtest) -> bool:
    columns = [(a.found, b.found) for a, b in zip(one.versions, other.versions, strict=True)]
    patients = one.followed.patients == other.followed.patients
    spans = all(
        np.array_equal(getattr(one.followed, name), getattr(other.followed, name))
        for name in ("from_us", "until_us", "readings")
    )
    return (
        patients
        and spans
        and all(ones(a, one.followed.patients) == ones(b, one.followed.patients) for a, b in columns)
    )


def test_pieces_that_are_done_are_not_done_again(tmp_path: Path) -> None:
    given = many(tmp_path, 2_500)
    whole, workers = tried(given, tmp_path / "whole")
    assert [len(names) for names in workers.begun] == [1_000, 1_000, 500]
    assert len(whole.versions[0].found) > len(whole.versions[1].found) > 0
    with pytest.raises(CutOffError):
        tried(given, tmp_path / "cut", most=2)
    resumed, workers = tried(given, tmp_path / "cut")
    assert [len(names) for names in workers.begun] == [500]
    assert same(whole, resumed)


def test_a_piece_that_the_disk_lost_is_done_again(tmp_path: Path) -> None:
    given = many(tmp_path, 1_500)
    whole, _ = tried(given, tmp_path / "out")
    first, second = sorted((tmp_path / "out" / FOLDER).glob("*/*.npz"))
    first.write_bytes(b"")
    second.write_bytes(second.read_bytes()[:-200])
    again, workers = tried(given, tmp_path / "out")
    assert len(workers.begun) == 2
    assert same(whole, again)
    assert tried(given, tmp_path / "out")[1].begun == []


def test_a_piece_that_finds_no_room_is_no_mistake_of_the_program(tmp_path: Path) -> None:
    given = many(tmp_path, 3)
    piece, _ = tried(given, tmp_path / "out")
    (kept,) = (tmp_path / "out" / FOLDER).glob("*/*.npz")
    kept.unlink()
    kept.mkdir()
    with pytest.raises(BadInput, match=r"expected a file that can be written to its end, found "):
        tried(given, tmp_path / "out")
    assert [file.name for file in kept.parent.iterdir()] == [kept.name]
    assert len(piece.followed.patients) == 3


def test_what_is_told_of_rows_is_told_again(tmp_path: Path) -> None:
    """Copies, conflicts and crossed pressures are known from pieces, wherever these were evaluated."""
    pressures = [
        weight(value, kind=kind, unit="mm[Hg]", after_h=at, device_id="cuff")
        for at, kind, value in ((0, "systolic", 80.0), (0.0, "diastolic", 120.0))
    ]
    rows = [weight(), weight(), weight(90.0), *pressures]
    given = Given(write(tmp_path, "csv", rows), skip=True)
    for _ in range(2):
        result, _ = tried(given, tmp_path / "out")
        assert (result.rows, result.refused) == (5, 2)


def test_another_file_other_versions_other_options_begin_anew(tmp_path: Path) -> None:
    given = many(tmp_path, 3)
    out = tmp_path / "out"
    tried(given, out)
    depends_on = [*given.depends_on(), *(version.hash for version in VERSIONS)]
    assert (Kept(out, depends_on).done, Kept(out, depends_on).of_another) == (1, False)
    changed = Given(write(tmp_path, "parquet", [weight(patient="somebody")]))
    for others in (
        [*changed.depends_on(), *(version.hash for version in VERSIONS)],
        [*changed.depends_on(), VERSIONS[0].hash],
        [*Given(changed.readings, skip=True).depends_on(), VERSIONS[0].hash],
        [*Given(changed.readings, until_us=1).depends_on(), VERSIONS[0].hash],
        [*Given(changed.readings, write(tmp_path, "csv", [weight()])).depends_on(), VERSIONS[0].hash],
    ):
        kept = Kept(out, others)
        assert (kept.done, kept.of_another) == (0, True)
        assert not (out / FOLDER).exists()
        kept.anew("{}")


def test_nothing_that_names_patients_stays(tmp_path: Path) -> None:
    given = many(tmp_path, 3)
    tried(given, tmp_path)
    kept = Kept(tmp_path, [*given.depends_on(), *(version.hash for version in VERSIONS)])
    assert (tmp_path / FOLDER).exists()
    assert (tmp_path / FOLDER / kept.key).stat().st_mode & 0o077 == 0
    kept.forget()
    assert not (tmp_path / FOLDER).exists()
