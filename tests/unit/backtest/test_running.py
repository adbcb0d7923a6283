"""One pass over a history: sweeps, who was followed, what is told of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerting.backtest.files import Given, OfFiles, of_folder
from alerting.backtest.found import NEVER_US
from alerting.backtest.running import Threads, Tries, run
from alerting.backtest.sweeps import read_sweep
from alerting.backtest.versions import Version
from alerting.offline.bad_rows import BadReadings
from alerting.offline.evaluation import in_order
from models.errors import BadInput
from tests.unit.backtest.histories import changes, enrol, heavy, many
from tests.unit.backtest.tried import QUIET, backtested, evaluated, ones
from tests.unit.offline.files import NOON_US, lines, weight, write

HOUR_US = 3_600_000_000


def test_each_value_of_a_sweep_finds_what_the_edited_file_finds(tmp_path: Path) -> None:
    given = many(tmp_path, 40)
    registrations = changes(
        tmp_path,
        [
            *(enrol(f"p{patient:05}") for patient in range(40)),
            enrol("p00003", limits={"heavy": {"value": 96, "unit": "kg"}}),
        ],
    )
    given = Given(given.readings, registrations)
    versions = [Version("a", [heavy(100), heavy(101, name="other")]), Version("b", [heavy(105)])]
    sweep = read_sweep("weights/heavy.heavy=97:107:2.5", versions)
    result = backtested(given, versions, tries=Tries(versions, [sweep]))
    (swept,) = result.sweeps
    assert (swept.programme, swept.rule, swept.limit, swept.unit, swept.base) == (
        "weights",
        "heavy",
        "heavy",
        "kg",
        0,
    )
    assert (swept.default, swept.values) == (100, [97, 99.5, 102, 104.5, 107])
    sizes = [len(each.found) for each in swept.tried]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1] > 0
    for value, each in zip(swept.values, swept.tried, strict=True):
        alone = evaluated(given, [heavy(value)], tmp_path)
        assert ones(each.found, result.followed.patients) == alone


def test_who_was_followed_and_when_alerts_are_held_back(tmp_path: Path) -> None:
    rows = [weight(patient=patient, after_h=hour) for patient in "ab" for hour in (0, 24, 48)]
    told: list[dict[str, Any]] = [
        {**enrol("a"), "valid_from": NOON_US + 12 * HOUR_US},
        {"patient_id": "a", "valid_from": NOON_US + 20 * HOUR_US, "admit": {}},
        {"patient_id": "a", "valid_from": NOON_US + 30 * HOUR_US, "discharge": {}},
        enrol("b"),
        {"patient_id": "b", "valid_from": NOON_US + 24 * HOUR_US, "pause": {}},
        {"patient_id": "b", "valid_from": NOON_US + 36 * HOUR_US, "end": {"reason": "died"}},
        enrol("never measured"),
    ]
    given = Given(write(tmp_path, "csv", rows), changes(tmp_path, told))
    result = backtested(given, [Version("a", [heavy(100)])])
    followed, held = result.followed, result.held
    assert followed.patients == ["a", "b", "never measured"]
    assert ((followed.from_us - NOON_US) // HOUR_US).tolist() == [12, 0, 0]
    assert ((followed.until_us - NOON_US) // HOUR_US).tolist() == [48, 36, 48]
    assert followed.readings.tolist() == [3, 3, 0]
    assert (held.patient.tolist(), held.admission.tolist()) == ([0, 1], [True, False])
    assert ((held.from_us - NOON_US) // HOUR_US).tolist() == [20, 24]
    assert held.until_us.tolist() == [NOON_US + 30 * HOUR_US, NEVER_US]
    assert (result.from_us, result.until_us) == (NOON_US, NOON_US + 48 * HOUR_US)
    assert (result.rows, result.refused, result.real, result.labels) == (6, 0, False, None)


def test_readings_of_an_example_are_those_that_count(tmp_path: Path) -> None:
    rows = [
        weight(after_h=1),
        weight(220.462, unit="lb"),
        {
            **weight(),
            "kind": "symptom_headache",
            "value": None,
            "unit": None,
            "code": "mild",
            "taken_at": NOON_US + 5,
        },
        weight(101.5, after_h=1),
        weight(0.0, after_h=3),
    ]
    given = Given(write(tmp_path, "ndjson", rows), skip=True)
    (series,) = backtested(given, [Version("a", [heavy(100)])]).series([0]).values()
    assert list(series.kind) == ["body_weight", "symptom_headache", "body_weight", "device_state"]
    assert np.round(series.value[[0, 2]], 3).tolist() == [100.0, 101.5]
    assert np.isnan(series.value[[1, 3]]).all()
    assert list(series.unit) == ["kg", "", "kg", ""]
    assert list(series.code) == [None, "mild", None, "nothing_measured"]


def test_rows_that_do_not_count_end_it_or_are_counted_and_kept(tmp_path: Path) -> None:
    file = write(tmp_path, "csv", [weight(), weight(0.0, after_h=1), weight(after_h=2, unit="furlong")])
    versions = [Version("a", [heavy(100)])]
    with pytest.raises(BadReadings) as stopped:
        OfFiles(Given(file), versions, QUIET)
    assert [row.row for row in stopped.value.rows] == [2, 3]
    errors = tmp_path / "errors.ndjson"
    with errors.open("wb") as opened, Threads(1) as workers:
        histories = OfFiles(Given(file, skip=True), versions, QUIET, opened)
        result = run(histories, Tries(versions), workers, QUIET)
    assert (result.rows, result.refused) == (3, 2)
    assert [line["row"] for line in lines(errors)] == [2, 3]


def test_a_folder_is_a_cohort(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a folder with readings\.parquet"):
        of_folder(Given(tmp_path))
    readings = write(tmp_path, "parquet", [weight()])
    assert of_folder(Given(tmp_path)) == (Given(readings, skip=False), None)
    registrations = changes(tmp_path, [enrol("p")])
    labels = tmp_path / "labels.ndjson"
    labels.touch()
    (tmp_path / "cohort.toml").write_text('until = "2026-03-02T12:00:00+01:00"\n')
    end_us = NOON_US + 24 * HOUR_US
    assert of_folder(Given(tmp_path)) == (Given(readings, registrations, end_us, skip=True), labels)
    mine = Given(tmp_path, tmp_path / "mine.yaml", until_us=7, skip=False)
    assert of_folder(mine)[0] == Given(readings, mine.registrations, 7, skip=False)
    (tmp_path / "cohort.toml").write_text("until = tomorrow\n")
    with pytest.raises(BadInput, match=r"cohort\.toml: expected TOML"):
        of_folder(Given(tmp_path))


def test_no_more_is_under_way_than_was_asked_for() -> None:
    begun: list[int] = []

    class Begun:
        def __init__(self, item: int) -> None:
            begun.append(item)
            self.item = item

        def result(self) -> int:
            return self.item

        def cancel(self) -> None:
            begun.remove(self.item)

    coming: Any = in_order(Begun, range(10), ahead=3)
    for expected in range(4):
        assert next(coming) == expected
        assert len(begun) - expected <= 4
    coming.close()
    assert begun == [0, 1, 2, 3], "what was not asked for is called off"
