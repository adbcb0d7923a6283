"""A bad row is named: which, what was expected, what was found; the run stops or goes on, as asked."""

from pathlib import Path
from typing import Any

import pytest

from alerting.offline.arrow import arrow, parquet
from alerting.offline.bad_rows import BadReadings
from models.errors import BadInput
from tests.unit.offline.files import NOON_US, evaluated, lines, weight, write

DAY_US = 86_400_000_000
BAD: list[tuple[dict[str, Any], str, str, str, str]] = [
    ({"kind": "weight"}, "kind", "unknown_kind", "one of our kinds", "weight"),
    ({"kind": ""}, "kind", "missing_field", "the kind", "nothing"),
    ({"patient_id": ""}, "patient_id", "missing_field", "the patient", "nothing"),
    ({"value": "81,5"}, "value", "invalid_field", "a number, with a point where it has decimals", "81,5"),
    ({"value": "1e400"}, "value", "not_finite", "a finite number", "1e400"),
    ({"value": "NaN"}, "value", "not_finite", "a finite number", "NaN"),
    ({"value": "81.123456789012345"}, "value", "too_many_digits", "at most 15 significant digits", ""),
    ({"value": ""}, "", "not_one_content", "exactly one of value, code or void", "none, or several"),
    ({"code": "mild"}, "", "not_one_content", "exactly one of value, code or void", "none, or several"),
    ({"value": 5}, "value", "implausible", "20 to 300 kg", "5 (5 kg)"),
    ({"value": 8388607}, "value", "sentinel", "a measured value", "8388607 (8388607 kg)"),
    ({"value": 5000, "unit": "g"}, "value", "implausible", "20 to 300 kg", "5 (5000 g)"),
    ({"unit": "st"}, "unit", "unknown_unit", "kg or g or [lb_av]", "st"),
    ({"unit": "mmHg"}, "unit", "unknown_unit", "kg or g or [lb_av]", "mmHg"),
    ({"unit": ""}, "unit", "missing_field", "kg or g or [lb_av]", "nothing"),
    (
        {"kind": "symptom_headache"},
        "code",
        "unknown_code",
        "one of none, mild, moderate, severe",
        "the value 80.5",
    ),
    (
        {"kind": "symptom_headache", "value": "", "unit": "", "code": "awful"},
        *("code", "unknown_code", "one of none, mild, moderate, severe", "awful"),
    ),
    ({"taken_at": ""}, "taken_at", "missing_time", "ISO 8601", "nothing"),
    ({"taken_at": "2026-03-01T12:00:00"}, "taken_at", "invalid_field", "ISO 8601", "2026-03-01T12:00:00"),
    ({"taken_at": "yesterday"}, "taken_at", "invalid_field", "ISO 8601", "yesterday"),
    ({"taken_at": "-5"}, "taken_at", "invalid_field", "a time from 2000 to 2100", "-5"),
    ({"taken_at": "2150-01-01T00:00:00Z"}, "taken_at", "invalid_field", "a time from 2000 to 2100", "2150"),
    ({"taken_at": "1772362800"}, "received_at", "received_at_impossible", "the year 2000 or later", "1970"),
    ({"received_at": "later"}, "received_at", "invalid_field", "ISO 8601", "later"),
    (
        {"received_at": str(NOON_US - 301_000_000)},
        *("taken_at", "taken_in_future", "at most 5 minutes after it was received", "2026-03-01T11:00:00"),
    ),
    (
        {"received_at": str(NOON_US + 401 * DAY_US)},
        *("taken_at", "taken_long_ago", "at most 400 days before it was received", "2026-03-01T11:00:00"),
    ),
    ({"revision": "-1"}, "revision", "invalid_field", "a whole number from 0 to 2000000000", "-1"),
    ({"revision": "two"}, "revision", "invalid_field", "a whole number from 0 to 2000000000", "two"),
    ({"void": "perhaps"}, "void", "invalid_field", "true or false", "perhaps"),
    ({"void": "true"}, "", "not_one_content", "exactly one of value, code or void", "none, or several"),
    ({"absent": "too tired"}, "absent", "invalid_field", "one of asked-declined, ", "too tired"),
    ({"absent": "error"}, "", "not_one_content", "exactly one of value, code or void", "none, or several"),
    ({"device_id": "x" * 201}, "device_id", "invalid_field", "at most 200 characters", "xxx"),
]
SOUND = weight(80.5, code="", device_id="scale", received_at="", revision="", void="", absent="")


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_each_bad_row_is_named_and_the_others_count(tmp_path: Path, form: str) -> None:
    rows = [SOUND]
    for place, (fields, *_) in enumerate(BAD):
        rows += [
            SOUND | {"patient_id": f"bad {place}"} | fields,
            weight(after_h=place + 1, device_id="scale"),
        ]
    rows = [{name: str(value) for name, value in row.items()} for row in rows]
    file, errors = write(tmp_path, form, rows), tmp_path / "errors.ndjson"
    findings, done = evaluated(file, skip=True, errors=errors)
    told = lines(errors)
    assert [error["row"] for error in told] == list(range(2, 2 + 2 * len(BAD), 2))
    for error, (_, column, reason, expected, found) in zip(told, BAD, strict=True):
        assert (error["column"], error["reason"]) == (column, reason), error
        assert error["expected"].startswith(expected), error
        assert error["found"].startswith(found), error
    assert (done.refused, done.rows) == (len(BAD), len(rows))
    assert [f["rule"] for f in findings if f["patient_id"] == "p"] == ["heavy"]


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_the_first_of_them_end_the_run(tmp_path: Path, form: str) -> None:
    rows = [weight(1.0 if n % 3 == 2 else 80.0, after_h=n, patient=f"p{n % 5}") for n in range(60)]
    out = tmp_path / "findings.ndjson"
    with pytest.raises(BadReadings) as told:
        evaluated(write(tmp_path, form, rows))
    text = str(told.value)
    assert [row.row for row in told.value.rows] == list(range(3, 33, 3))
    assert f"readings.{form}, row 3, column value: expected 20 to 300 kg, found 1 (1 kg)" in text
    assert "… and more" in text
    assert "--on-error skip" in text
    assert list(tmp_path.glob("*findings*")) == [], "nothing is written, not even in part"
    assert not out.exists()


def test_lines_that_are_no_rows_are_counted_as_well(tmp_path: Path) -> None:
    file, errors = tmp_path / "readings.csv", tmp_path / "errors.ndjson"
    file.write_text(
        "patient_id,kind,value,unit,taken_at\n"
        f"p,body_weight,80,kg,{NOON_US}\n"
        "p,body_weight\n"
        "\n"
        f"p,body_weight,5,kg,{NOON_US}\n"
        "p,body_weight,80,kg,now,and then\n"
        f"p,body_weight,6,kg,{NOON_US}\n",
        encoding="utf-8",
    )
    _, done = evaluated(file, skip=True, errors=errors)
    assert [(error["row"], error["expected"]) for error in lines(errors)] == [
        (2, "5 fields"), (3, "20 to 300 kg"), (4, "5 fields"), (5, "20 to 300 kg"),
    ]  # fmt: skip
    assert (done.rows, done.refused, done.evaluated) == (5, 4, 1)


NO_OBJECTS = [
    b"[1]",
    b"{",
    b'{"patient_id":"p"} {"patient_id":"q"}',
    b"\xff",
    b"[" * 100_000,
    b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
    b"5",
    b'{"value":1e999',
]


@pytest.mark.parametrize("line", NO_OBJECTS)
def test_lines_that_are_no_objects_are_named(tmp_path: Path, line: bytes) -> None:
    file, errors = write(tmp_path, "ndjson", [weight(), weight(after_h=1)]), tmp_path / "errors.ndjson"
    first, second = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([first, b"", line, second]))
    findings, done = evaluated(file, skip=True, errors=errors)
    assert {error["row"] for error in lines(errors)} == {2}
    assert (len(findings), done.evaluated, done.rows) == (1, 2, 3)


def test_text_that_is_no_text_means_nothing(tmp_path: Path) -> None:
    file, errors = tmp_path / "readings.csv", tmp_path / "errors.ndjson"
    row = f",80,kg,{NOON_US}\n".encode()
    file.write_bytes(b"patient_id,kind,value,unit,taken_at\np,body\xffweight" + row + b"p,body_weight" + row)
    evaluated(file, skip=True, errors=errors)
    [error] = lines(errors)
    assert (error["row"], error["reason"], error["found"]) == (1, "unknown_kind", "body\\xffweight")


def test_too_many_digits_are_not_read_off_a_float(tmp_path: Path) -> None:
    """A float of Parquet was never written with digits."""
    file = tmp_path / "readings.parquet"
    columns = {name: [value] for name, value in weight(100.1 + 0.2).items()}
    parquet.write_table(arrow.table(columns), file)
    assert len(evaluated(file)[0]) == 1


def test_nothing_but_bad_rows_finds_nothing(tmp_path: Path) -> None:
    findings, done = evaluated(write(tmp_path, "csv", [weight("x"), weight("y")]), skip=True)
    assert (findings, done.refused) == ([], 2)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a file that can be written"):
        evaluated(write(tmp_path, "csv", [weight()]), errors=tmp_path / "nowhere" / "errors.ndjson")
