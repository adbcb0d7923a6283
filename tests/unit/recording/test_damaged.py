"""A recording that is not as it was written says so: where, what was expected, what was found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.offline.arrow import arrow, parquet
from alerting.recording.layout import HEADER
from alerting.recording.opened import open_recording
from alerting.recording.reading import RecordingFile, is_recording
from models.errors import BadInput
from simulators.recording.messages import Messages, patients_of
from tests.unit.recording.small_recording import (
    PATIENTS,
    change,
    home_of,
    recorded,
    replayed,
    tick,
    upload,
    weight,
)

PATIENT = next(patient for patient in PATIENTS if home_of(patient) == 0)
LOG = [
    message for n in range(40) for message in (upload(PATIENT, weight(80 + n / 10, n), number=n), tick(n + 1))
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recording") / "log.parquet"
    end = recorded(file, {0: LOG}, segment_rows=10)
    assert len(end.segments) == 8
    assert replayed(file) == LOG
    return file


def with_bytes(file: Path, content: bytes) -> Path:
    other = file.with_name("changed.parquet")
    other.write_bytes(content)
    return other


@given(st.data())
def test_of_one_that_was_cut_off_what_is_whole_is_there(whole: Path, data: st.DataObject) -> None:
    content = whole.read_bytes()
    length = data.draw(st.integers(0, len(content) - 1))
    file = with_bytes(whole, content[:length])
    with pytest.raises(BadInput, match=r"changed\.parquet"):
        replayed(file)
    try:
        found = replayed(file, lenient=True)
    except BadInput:
        assert length < len(content) / 4, "one segment of eight is whole"
        return
    assert found == LOG[: len(found)]
    assert len(found) / len(LOG) >= length / len(content) - 0.4
    assert is_recording(file)


def test_cut_off_tells_where(whole: Path) -> None:
    content = whole.read_bytes()
    file = with_bytes(whole, content[: len(content) // 2])
    told = rf"byte {len(content) // 2}: expected the end of the recording, found .* cut off, \d+ messages"
    with pytest.raises(BadInput, match=told):
        RecordingFile(file)
    with pytest.raises(BadInput, match="cut off"):
        open_recording(file)
    assert open_recording(file, skip=True).until_us is not None


def rewritten(file: Path, order: Any, metadata: dict[bytes, bytes] | None = None) -> Path:
    """As another tool writes it: the same rows in another order."""
    table: Any = parquet.read_table(file)
    other = file.with_name("rewritten.parquet")
    said = table.schema.metadata | (metadata or {})
    parquet.write_table(table.take(arrow.array(order)).replace_schema_metadata(said), other)
    return other


def test_out_of_order_tells_where_and_is_left_out(whole: Path) -> None:
    order = np.arange(len(LOG))
    order[[20, 21, 30]] = order[[21, 20, 5]]
    file = rewritten(whole, order)
    with pytest.raises(BadInput, match=r"row 21: expected message 19 or 20, found message 21: out of order"):
        replayed(file)
    found = replayed(file, lenient=True)
    assert found == [message for n, message in enumerate(LOG) if n not in (20, 30)]


def test_what_is_left_out_is_counted_once_however_often_it_was_read(whole: Path) -> None:
    order = np.arange(len(LOG))
    order[[20, 21, 30]] = order[[21, 20, 5]]
    recording = RecordingFile(rewritten(whole, order), skip=True)
    messages = Messages(recording, patients_of(recording))
    assert len(list(messages)) == len(LOG) - 2
    assert recording.left_out == 2


def with_cell(file: Path, row: int, column: str, value: object) -> Path:
    """As another tool writes it: one cell says something else."""
    table: Any = parquet.read_table(file)
    place = table.schema.get_field_index(column)
    of = table.schema.field(place).type
    of = of.value_type if arrow.types.is_dictionary(of) else of
    cells = table[column].cast(of).to_pylist()
    cells[row] = value
    other = file.with_name("rewritten.parquet")
    parquet.write_table(table.set_column(place, column, arrow.array(cells, of)), other)
    return other


MEAN_NOTHING = (
    (4, "type", "mystery", "expected a type, one of upload, change, clock, refused, found mystery"),
    (4, "type", None, "expected a type, one of upload, change, clock, refused, found null"),
    (4, "type", "change", "expected content of a row of type change, found nothing"),
    (4, "upload_id", None, "expected upload_id of a row of type upload, found nothing"),
    (4, "received_at", None, "expected received_at of a row of type upload, found nothing"),
    (5, "now", None, "expected now of a row of type clock, found nothing"),
    (4, "message", None, "expected message 3 or 4, found message -2: out of order"),
)


@pytest.mark.parametrize(("row", "column", "value", "expected"), MEAN_NOTHING)
def test_a_row_that_means_nothing_is_told_and_left_out(
    whole: Path, capsys: pytest.CaptureFixture[str], row: int, column: str, value: object, expected: str
) -> None:
    file = with_cell(whole, row, column, value)
    with pytest.raises(BadInput, match="rewritten"):
        replayed(file)
    assert replayed(file, lenient=True) == [*LOG[:row], *LOG[row + 1 :]]
    assert f"rewritten.parquet, row {row + 1}: {expected}" in capsys.readouterr().out
    opened = open_recording(file, skip=True)
    assert sum(batch.rows for batch in opened.source.batches()) == 0, "nobody is registered"


def test_a_change_that_is_none_is_told_where_rules_are_tried(tmp_path: Path) -> None:
    file = tmp_path / "log.parquet"
    recorded(file, {0: [tick(0), change(PATIENT, {"admit": {}}), tick(1)]})
    torn = with_cell(file, 1, "content", "{")
    told: list[str] = []
    open_recording(torn, skip=True, tell=told.append)
    assert "rewritten.parquet, row 2: expected a change, found something else" in told


def test_columns_of_another_type_are_told(whole: Path) -> None:
    table: Any = parquet.read_table(whole)
    other = whole.with_name("rewritten.parquet")
    parquet.write_table(table.set_column(0, "message", table["message"].cast(arrow.string())), other)
    for lenient in (False, True):
        with pytest.raises(BadInput, match="column message: expected int64, found string"):
            RecordingFile(other, skip=lenient)


def test_another_schema_is_told(whole: Path) -> None:
    header = parquet.read_metadata(whole).metadata[HEADER].replace(b'"schema":1', b'"schema":7')
    file = rewritten(whole, np.arange(len(LOG)), {HEADER: header})
    with pytest.raises(BadInput, match="expected a recording of schema version 1, found version 7"):
        replayed(file)
    assert replayed(file, lenient=True) == LOG


def test_rows_that_were_changed_are_noticed(whole: Path) -> None:
    file = rewritten(whole, np.arange(len(LOG)))
    with pytest.raises(BadInput, match="segment 1: expected a segment as it was recorded, found one that an"):
        replayed(file)
    assert replayed(file, lenient=True) == LOG


def test_a_byte_that_was_turned_is_noticed_and_its_segment_left_out(whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    file = with_bytes(whole, bytes(content))
    with pytest.raises(BadInput):
        replayed(file)


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    file = tmp_path / "readings.parquet"
    parquet.write_table(arrow.table({"patient_id": ["a"]}), file)
    assert not is_recording(file)
    with pytest.raises(BadInput, match=r"expected a recording .*found another Parquet file"):
        RecordingFile(file)
    (tmp_path / "text.parquet").write_text("nothing")
    with pytest.raises(BadInput, match=r"expected a recording .*found no Parquet file"):
        RecordingFile(tmp_path / "text.parquet", skip=True)


def test_an_interrupted_recording_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "log.parquet"
    with pytest.raises(BadInput, match="at least one tick"):
        recorded(file, {0: [upload(PATIENT, weight())]})
    assert list(tmp_path.iterdir()) == []
    recorded(file, {0: LOG})
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(BadInput, match="a file that is not there yet"):
        recorded(file, {0: LOG})
