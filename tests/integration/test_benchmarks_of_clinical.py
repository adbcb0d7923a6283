"""The clinical figures count what they say; how good the programmes are is nobody's business here."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from alerting.backtest.alerts import as_alerts
from alerting.backtest.events import Events, Why
from alerting.backtest.found import NEVER_US, Followed, Found
from alerting.backtest.result import Series
from alerting.engine.programme_files import load_file
from benchmarks.clinical import burden, table, windows
from benchmarks.clinical.__main__ import main
from benchmarks.clinical.median_gain import RULE, median_gain
from benchmarks.clinical.published import ROWS
from benchmarks.clinical.trial import BEFORE, REPORTED_ON, SHIPPED, TUNED_ON, Lives, Trial
from models.clock import DAY_US

pytestmark = pytest.mark.timeout(300)  # where nothing is compiled yet
FEW = Lives("heart_failure", patients=20, days=60, seeds=(1, 2))
DUTCH = Lives("hypertension_fixed", patients=20, days=60, seeds=(1, 2))


def silent(_: str) -> None:
    """Tells nobody."""


@pytest.fixture(scope="module")
def tabled() -> Trial:
    return table.try_table(FEW, silent)


@pytest.fixture(scope="module")
def pressures() -> Trial:
    return burden.try_pressures(DUTCH, silent)


def test_no_seed_is_for_both_tuning_and_reporting() -> None:
    assert not set(TUNED_ON) & set(REPORTED_ON)
    assert (min(TUNED_ON), max(TUNED_ON), min(REPORTED_ON), max(REPORTED_ON)) == (1, 20, 101, 120)


def test_every_rule_of_the_table_is_tried(tabled: Trial) -> None:
    rows = table.tried(tabled, draws=20)
    assert [row.version for row in rows] == list(dict.fromkeys(row.version for row in ROWS))
    thumb, macd = (
        next(row for row in rows if row.version == name) for name in ("gain_3lb_1d", "weight_macd")
    )
    assert (thumb.event_free.value or 0) > (macd.event_free.value or 0)
    assert all(row.event_free.value is not None and 0 <= row.event_free.value <= 1 for row in rows)
    lines = list(table.lines(rows, table.orderings(rows)))
    assert sum(line.startswith("| ") for line in lines) == len(rows) + 1
    assert sum("holds: " in line or "NOT hold" in line for line in lines) == len(table.orderings(rows))


def test_programmes_of_the_table_name_what_they_compare() -> None:
    files = sorted(table.HERE.glob("*.yaml"))
    named = {row.version for row in ROWS} - table.OF_OURS | {"hypertension_fixed"}
    assert {file.stem for file in files} == named
    assert all(load_file(file).title.nl.startswith("Vergelijking") for file in files)


def test_the_same_seeds_make_the_same_figures(tabled: Trial) -> None:
    again = table.try_table(FEW, silent)
    assert [asdict(one) for one in again.cohorts] == [asdict(one) for one in tabled.cohorts]
    assert table.tried(again, draws=20) == table.tried(tabled, draws=20)


def test_cohorts_do_not_change_with_what_is_tried(pressures: Trial) -> None:
    alone = burden.try_pressures(replace(DUTCH, seeds=(2,)), silent)
    assert alone.cohorts == pressures.cohorts[1:]


def test_each_measurement_beyond_the_limit_is_an_alert(pressures: Trial) -> None:
    load = burden.reproduced(pressures, draws=20)
    measurements, alerts, manual = load.measurements.value, load.alerts.value, load.manual.value
    assert measurements is not None
    assert alerts is not None
    assert manual is not None
    assert 0.6 < measurements < 1.0
    assert manual < alerts < measurements


def test_shipped_limits_ask_less_of_people_than_fixed_ones(pressures: Trial) -> None:
    loads = burden.loads(pressures, draws=20)
    fixed, shipped = loads[burden.FIXED], loads[SHIPPED]
    assert (shipped.clinical.value or 0) < (fixed.clinical.value or 0) / 2
    assert set(loads) == {burden.FIXED, SHIPPED, BEFORE}


def test_the_command_says_seeds_and_digests(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = ["--quick", "--draws", "20", "--json", str(file), "burden", "--seeds", "101-102"]
    assert main(arguments) == 0
    found = json.loads(file.read_text())
    lives = found["hypertension"]["lives"]
    assert lives["seeds"] == [101, 102] == [cohort["seed"] for cohort in lives["cohorts"]]
    assert all(len(cohort["digest"]) == 64 for cohort in lives["cohorts"])
    assert found["heart_failure"]["versions"].keys() == {SHIPPED, BEFORE}


def test_a_gain_above_the_median_of_the_week() -> None:
    at_us = np.arange(8, dtype=np.int64) * DAY_US
    weights = np.array([80.0, 80.2, 79.9, 80.1, 81.5, 81.6, 80.3, 80.2])
    series = Series(["body_weight"] * 8, at_us, weights, ["kg"] * 8, [None] * 8)
    found = median_gain({0: series}, Followed(["a"], at_us[:1], at_us[-1:], np.array([8], np.int64)))
    assert found.rules == [RULE]
    assert (found.opened_at_us // DAY_US).tolist() == [4]
    assert (found.cleared_at_us // DAY_US).tolist() == [6]


def test_windows_that_touch_an_event_are_left_out() -> None:
    followed = Followed(
        ["a", "b"], np.zeros(2, np.int64), np.array([70, 30], np.int64) * DAY_US, np.zeros(2, np.int64)
    )
    one = np.array([20 * DAY_US], np.int64)
    events = Events(
        kinds=["x"], patient=np.zeros(1, np.int32), kind=np.zeros(1, np.int16), signals=np.ones(1, np.int64),
        why=np.array([Why.PATIENT], np.int8), onset_us=one, detectable_us=one, worst_us=one + DAY_US,
        end_us=one + 2 * DAY_US, admitted=np.zeros(1, np.bool_), counts=np.ones(1, np.bool_),
    )  # fmt: skip
    patient, from_us = windows.event_free(events, followed)
    # The second and third touch the event or the week after it.
    assert list(zip(patient.tolist(), (from_us // DAY_US).tolist(), strict=True)) == [
        (0, 0), (0, 42), (0, 56), (1, 0), (1, 14),
    ]  # fmt: skip
    opened = np.array([44 * DAY_US], np.int64)
    alerts = as_alerts(
        Found([RULE], np.zeros(1, np.int32), np.zeros(1, np.int16), np.ones(1, np.int8), opened,
              np.array([NEVER_US], np.int64), np.zeros(1, np.bool_))
    )  # fmt: skip
    held = windows.held_within(alerts, patient, from_us, from_us + windows.WINDOW_US)
    assert held.tolist() == [False, True, True, False, False]
