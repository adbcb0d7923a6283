"""The same readings in every format and spelling give the same findings."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerting.offline.arrow import arrow, parquet
from models.clock import to_datetime
from models.errors import BadInput
from tests.exported_log import iso
from tests.unit.offline.files import NOON_US, evaluated, weight, write

ROWS = [
    weight(99.5),
    weight(101.5, after_h=24, device_id="scale-1"),
    weight(224.5, after_h=25, unit="lb"),
    weight(99000, after_h=48, unit="g"),
    {"patient_id": "p", "kind": "symptom_headache", "code": "severe", "taken_at": NOON_US},
]
HOUR_US = 3_600_000_000


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_every_format_is_read(tmp_path: Path, form: str) -> None:
    findings, done = evaluated(write(tmp_path, form, ROWS))
    found = [(f["rule"], f["opened_at"], f["cleared_at"], f["values"]) for f in findings]
    assert found == [
        ("headache", iso(NOON_US), None, {"last(symptom_headache)": 3.0}),
        ("heavy", iso(NOON_US + 24 * HOUR_US), iso(NOON_US + 48 * HOUR_US), {"last(body_weight)": 101.5}),
    ]
    assert (done.rows, done.evaluated, done.findings, done.patients) == (5, 5, 2, 1)


def test_a_finding_has_what_was_asked_for(tmp_path: Path) -> None:
    [finding], _ = evaluated(write(tmp_path, "csv", [weight(taken_at=NOON_US + 1)]))
    assert finding == {
        "id": finding["id"],
        "patient_id": "p",
        "programme": "weights",
        "version": 1,
        "rule": "heavy",
        "signal": "fluid",
        "severity": "low",
        "opened_at": "2026-03-01T11:00:00.000001Z",
        "cleared_at": None,
        "raised_at": None,
        "unconfirmed": False,
        "values": {"last(body_weight)": 101.5},
        "limits": {"heavy": 100.0},
        "raised_values": {},
    }


TIMES = [
    "2026-03-01T11:00:00Z",
    "2026-03-01T12:00:00+01:00",
    "2026-03-01 12:00:00.000000+0100",
    "2026-03-01T06:00-05",
    str(NOON_US),
]


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_a_time_may_be_written_in_many_ways(tmp_path: Path, form: str) -> None:
    """All of them in one file, with one that is none among them."""
    rows = [weight(patient=f"p{n}", taken_at=text) for n, text in enumerate([*TIMES, "2026-02-30T00:00:00Z"])]
    findings, done = evaluated(write(tmp_path, form, rows), skip=True)
    assert [f["opened_at"] for f in findings] == [iso(NOON_US)] * len(TIMES)
    assert done.refused == 1


def test_times_of_json_are_numbers_or_texts(tmp_path: Path) -> None:
    rows = [weight(patient="a", taken_at=NOON_US), weight(patient="b", taken_at=iso(NOON_US))]
    findings, _ = evaluated(write(tmp_path, "ndjson", rows))
    assert [f["opened_at"] for f in findings] == [iso(NOON_US)] * 2


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_parquet_are_read(tmp_path: Path, unit: str) -> None:
    moments = [to_datetime(NOON_US).astimezone(ZoneInfo("Asia/Tokyo"))]
    column = arrow.array(moments, arrow.timestamp(unit, "Asia/Tokyo"))
    [finding], _ = evaluated(with_column(tmp_path, "taken_at", column))
    assert finding["opened_at"] == iso(NOON_US)


def test_what_is_finer_than_a_microsecond_is_refused(tmp_path: Path) -> None:
    column = arrow.array([NOON_US * 1000 + 1], arrow.timestamp("ns", "UTC"))
    with pytest.raises(BadInput, match="row 1, column taken_at: expected ISO 8601"):
        evaluated(with_column(tmp_path, "taken_at", column))


def test_a_timestamp_without_zone_is_refused(tmp_path: Path) -> None:
    column = arrow.array([datetime(2026, 3, 1, 12)], arrow.timestamp("us"))  # noqa: DTZ001 (just that)
    with pytest.raises(
        BadInput, match=r"taken_at: expected ISO 8601 with an offset .*, found timestamp\[us\]"
    ):
        evaluated(with_column(tmp_path, "taken_at", column))


def with_column(folder: Path, name: str, column: Any) -> Path:
    """A Parquet file of weights of which one column is given."""
    count = len(column)
    columns = {key: [value] * count for key, value in weight().items()} | {name: column}
    file = folder / "readings.parquet"
    parquet.write_table(arrow.table(columns), file)
    return file


@pytest.mark.parametrize(
    "column",
    [
        arrow.array([101.5], arrow.float32()),
        arrow.array(["101.5"], arrow.large_string()),
        arrow.array(["101.5"]).dictionary_encode(),
        arrow.array([102]),
        arrow.array(["101.50"]).cast(arrow.decimal128(9, 2)),
    ],
)
def test_numbers_of_parquet_may_be_of_many_types(tmp_path: Path, column: Any) -> None:
    [finding], _ = evaluated(with_column(tmp_path, "value", column))
    assert finding["values"]["last(body_weight)"] in (101.5, 102.0)


@pytest.mark.parametrize(
    "kind", [arrow.int32(), arrow.large_string(), arrow.dictionary(arrow.int8(), arrow.string())]
)
def test_ids_of_parquet_may_be_numbers_or_texts(tmp_path: Path, kind: Any) -> None:
    column = (
        arrow.array(["17"]).dictionary_encode() if kind == "dictionary" else arrow.array(["17"]).cast(kind)
    )
    [finding], _ = evaluated(with_column(tmp_path, "patient_id", column))
    assert finding["patient_id"] == "17"


@pytest.mark.parametrize(("name", "column"), [("value", [True]), ("patient_id", [1.5]), ("taken_at", [1.5])])
def test_a_column_of_another_type_is_refused(tmp_path: Path, name: str, column: list[object]) -> None:
    with pytest.raises(BadInput, match=f"column {name}: expected "):
        evaluated(with_column(tmp_path, name, arrow.array(column)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_says_in_its_header_what_divides_it(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "readings.csv"
    names = ["patient_id", "kind", "value", "unit", "taken_at", "remark"]
    fields = ['"Jan, or; Piet"', "body_weight", "101.5", "kg", "2026-03-01T11:00:00Z", ""]
    text = "\ufeff" + delimiter.join(names) + "\r\n\r\n" + delimiter.join(fields) + "\r\n"
    file.write_text(text, encoding="utf-8")
    [finding], done = evaluated(file)
    assert finding["patient_id"] == "Jan, or; Piet"
    assert done.rows == 1


def test_other_columns_are_not_looked_at(tmp_path: Path) -> None:
    rows = [weight(note={"any": ["thing"]}, mood=None), weight(after_h=1, note=5)]
    findings, _ = evaluated(write(tmp_path, "ndjson", rows))
    assert len(findings) == 1


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ("patient_id,kind,value,unit", "taken_at"),
        ("patient_id,kind,taken_at", "value or code"),
        ("patient_id,kind,taken_at,value", "unit"),
        ("patient_id,kind,taken_at,code,kind", "kind"),
        ("", "patient_id, kind, taken_at"),
    ],
)
def test_a_file_without_its_columns_is_refused(tmp_path: Path, names: str, missing: str) -> None:
    file = tmp_path / "readings.csv"
    file.write_text(names + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=f"each of these columns once: {missing}"):
        evaluated(file)


@pytest.mark.parametrize("name", ["readings.parquet", "readings.xlsx", "readings"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(BadInput, match=name):
        evaluated(file)


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_a_file_without_rows_has_no_findings(tmp_path: Path, form: str) -> None:
    file = write(tmp_path, form, [weight()])
    if form == "parquet":
        parquet.write_table(parquet.read_table(file).slice(0, 0), file)
    else:
        header = file.read_bytes().splitlines(keepends=True)[0] if form == "csv" else b"\n\n"
        file.write_bytes(header)
    assert evaluated(file)[0] == []


def test_large_files_come_in_several_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted through, findings are the same."""
    monkeypatch.setattr("alerting.offline.sources.BATCH_ROWS", 7)
    monkeypatch.setattr("alerting.offline.sources.BLOCK_BYTES", 600)
    monkeypatch.setattr("alerting.offline.cutting.MOST_ROWS", 10)
    draw = np.random.default_rng(3)
    rows = [
        weight(float(value), after_h=n, patient=f"p{n % 9}")
        for n, value in enumerate(draw.integers(95, 106, 400))
    ]
    rows[321]["value"] = 5.0
    expected = None
    for form in ("csv", "ndjson", "parquet"):
        file = write(tmp_path, form, rows)
        findings, _ = evaluated(file, skip=True)
        assert findings == (expected := expected or findings)
        with pytest.raises(BadInput, match="row 322, column value"):
            evaluated(file)
    assert expected is not None
    assert len(expected) > 50
