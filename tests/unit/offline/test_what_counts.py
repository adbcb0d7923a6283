"""Copies, conflicts, corrections, what is late, what lies beyond the end, and notices, as on the log."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from models.errors import BadInput
from tests.exported_log import iso
from tests.unit.offline.files import NOON_US, evaluated, lines, weight, write

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def pressure(kind: str, value: float, **fields: Any) -> dict[str, Any]:
    return weight(value, **fields) | {"kind": kind, "unit": "mmHg"}


def test_the_first_in_the_file_counts(tmp_path: Path) -> None:
    rows = [weight(101.5), weight(80.0), weight(101.5), weight(101500, unit="g"), weight(80.0, device_id="x")]
    errors = tmp_path / "errors.ndjson"
    [finding], done = evaluated(write(tmp_path, "ndjson", rows), errors=errors)
    assert finding["values"] == {"last(body_weight)": 101.5} or finding["cleared_at"] is not None
    assert (done.evaluated, done.duplicates, done.conflicts, done.refused) == (2, 2, 1, 0)
    assert [(error["row"], error["reason"]) for error in lines(errors)] == [(2, "conflict")]


def test_the_highest_revision_counts_and_a_void_takes_back(tmp_path: Path) -> None:
    taken_back = {"patient_id": "c", "kind": "body_weight", "taken_at": NOON_US, "void": True}
    rows = [
        weight(80.0, patient="a", revision=1),
        weight(101.5, patient="a"),
        weight(101.5, patient="b", revision=2),
        weight(80.0, patient="b", revision=1),
        taken_back,
        weight(101.5, patient="c"),
    ]
    findings, done = evaluated(write(tmp_path, "ndjson", rows))
    assert [f["patient_id"] for f in findings] == ["b"]
    assert done.evaluated == len(rows)


def test_what_came_too_late_does_not_count_and_nor_does_its_copy(tmp_path: Path) -> None:
    late, in_time = {"received_at": NOON_US + 7 * DAY_US + 1}, {"received_at": NOON_US + 7 * DAY_US}
    rows = [
        weight(101.5, patient="a", **late),
        weight(101.5, patient="a", **in_time),
        weight(101.5, patient="b", **in_time),
        weight(101.5, patient="b", **late),
    ]
    findings, done = evaluated(write(tmp_path, "csv", rows))
    assert [f["patient_id"] for f in findings] == ["b"]
    assert (done.too_late, done.duplicates, done.evaluated) == (1, 2, 1)


def test_refused_readings_are_heard_by_the_rules_on_devices(tmp_path: Path) -> None:
    rows = [
        weight(0, patient="sentinel"),
        weight(5, patient="implausible"),
        weight(80, patient="clock", received_at=NOON_US - HOUR_US),
        weight(80, patient="unit", unit="st"),
        weight(5, patient="late", received_at=NOON_US + 8 * DAY_US),
    ]
    findings, done = evaluated(write(tmp_path, "csv", rows), skip=True)
    assert [(f["patient_id"], f["rule"], f["opened_at"], *f["values"].values()) for f in findings] == [
        ("clock", "device", iso(NOON_US - HOUR_US), 5.0),
        ("implausible", "device", iso(NOON_US), 8.0),
        ("sentinel", "device", iso(NOON_US), 7.0),
    ]
    assert (done.rows, done.refused, done.evaluated) == (5, 5, 0)


def test_pressures_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    rows = [
        pressure("systolic", 150, patient="sound"),
        pressure("diastolic", 90, patient="sound"),
        weight(80, patient="crossed", after_h=-1),
        pressure("diastolic", 160, patient="crossed"),
        pressure("systolic", 150, patient="crossed"),
        pressure("systolic", 150, patient="crossed", after_h=1),
        pressure("systolic", 150, patient="two cuffs", device_id="left"),
        pressure("diastolic", 160, patient="two cuffs", device_id="right"),
        pressure("systolic", 150, patient="two uploads", received_at=NOON_US + 1),
        pressure("diastolic", 160, patient="two uploads"),
    ]
    file, errors = write(tmp_path, "ndjson", rows), tmp_path / "errors.ndjson"
    findings, done = evaluated(file, skip=True, errors=errors)
    assert [(error["row"], error["expected"]) for error in lines(errors)] == [
        (4, "systolic above diastolic"),
        (5, "systolic above diastolic"),
    ]
    found = [(f["patient_id"], f["rule"], f["opened_at"]) for f in findings]
    assert found == [
        ("crossed", "device", iso(NOON_US)),
        ("crossed", "pressure", iso(NOON_US + HOUR_US)),
        ("sound", "pressure", iso(NOON_US)),
        ("two cuffs", "pressure", iso(NOON_US)),
        ("two uploads", "pressure", iso(NOON_US)),
    ]
    assert (done.refused, done.evaluated) == (2, 8)
    with pytest.raises(BadInput, match="row 4, column value: expected systolic above diastolic"):
        evaluated(file)


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    draw = Random(5)
    rows = [
        weight(
            draw.choice((80.0, 99.0, 101.5, 5.0)),
            after_h=draw.randrange(200),
            patient=f"p{n % 7}",
            device_id="s",
        )
        for n in range(300)
    ]
    rows += [
        pressure(kind, draw.choice((90, 130, 150)), after_h=hour, patient=f"p{hour % 7}", device_id="cuff")
        for hour in range(200)
        for kind in ("systolic", "diastolic")
    ]
    seen: dict[tuple[object, ...], dict[str, Any]] = {}
    rows = [
        row for row in rows if seen.setdefault((row["patient_id"], row["kind"], row["taken_at"]), row) is row
    ]
    expected, done = evaluated(write(tmp_path, "csv", rows), skip=True)
    assert len(expected) > 50
    assert done.refused > 20
    for _ in range(5):
        draw.shuffle(rows)
        shuffled, again = evaluated(write(tmp_path, "csv", [*rows, *rows[:40]]), skip=True)
        assert shuffled == expected
        refused = sum(1 for row in rows[:40] if row["value"] == 5.0)
        assert again.evaluated == done.evaluated
        assert again.refused >= done.refused + refused


def test_findings_come_by_patient_then_time(tmp_path: Path) -> None:
    rows = [weight(patient=p, after_h=h) for p, h in (("b", 2), ("a", 3), ("Z", 1), ("10", 0), ("9", 0))]
    findings, _ = evaluated(write(tmp_path, "csv", rows))
    assert [f["patient_id"] for f in findings] == ["10", "9", "Z", "a", "b"]


def test_the_end_is_the_latest_reading_or_as_told(tmp_path: Path) -> None:
    rows = [
        weight(101.5),
        weight(99.0, after_h=10),
        weight(101.5, after_h=20),
        weight(101.5, after_h=1, patient="q", received_at=NOON_US + 11 * HOUR_US),
    ]
    file = write(tmp_path, "csv", rows)
    assert [f["opened_at"] for f in evaluated(file)[0]] == [
        iso(NOON_US), iso(NOON_US + 20 * HOUR_US), iso(NOON_US + HOUR_US),
    ]  # fmt: skip
    findings, done = evaluated(file, until_us=NOON_US + 10 * HOUR_US)
    assert [(f["opened_at"], f["cleared_at"]) for f in findings] == [
        (iso(NOON_US), iso(NOON_US + 10 * HOUR_US))
    ]
    assert (done.beyond, done.refused, done.evaluated) == (2, 0, 2)
