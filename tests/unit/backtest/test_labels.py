"""Labels from files: each format, each mistake with its place."""

import json
from pathlib import Path

import pytest

from alerting.backtest.labels import BadLabels, read_labels
from models.errors import BadInput
from models.labels import About, Label, label_lines

DAY_US = 86_400_000_000
LABELS = [
    Label(
        "p1",
        "fluid_overload",
        ("fluid", "breathing"),
        10 * DAY_US,
        None,
        20 * DAY_US,
        22 * DAY_US,
        True,
        False,
    ),
    Label("p2", "clock_off", (), 3 * DAY_US, 3 * DAY_US, 5 * DAY_US, 5 * DAY_US, False, True, About.DEVICE),
]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_what_simulators_write_is_read_back(tmp_path: Path) -> None:
    lines = label_lines(LABELS)
    ndjson = written(tmp_path, "labels.ndjson", "\n".join(lines) + "\n\n")
    whole = written(tmp_path, "labels.json", json.dumps({"labels": [json.loads(line) for line in lines]}))
    bare = written(tmp_path, "bare.json", "[" + ",".join(lines) + "]")
    for path in (ndjson, whole, bare):
        assert sorted(read_labels(path).labels, key=lambda label: label.patient_id) == LABELS


def test_a_table_needs_four_columns_only(tmp_path: Path) -> None:
    text = "patient_id,kind,onset,end\np1,fever,1970-01-02T01:00:00+01:00,172800000000\n"
    (label,) = read_labels(written(tmp_path, "labels.csv", text)).labels
    assert label == Label("p1", "fever", (), DAY_US, DAY_US, 2 * DAY_US, 2 * DAY_US, False, False)


def test_a_table_with_all_columns(tmp_path: Path) -> None:
    head = "patient_id,kind,signals,onset,detectable_at,worst,end,admitted,cut_off,about"
    row = f"p1,fever,infection breathing,{DAY_US},,{2 * DAY_US},{3 * DAY_US},yes,,patient"
    (label,) = read_labels(written(tmp_path, "labels.csv", f"\ufeff{head}\n{row}\n\n")).labels
    signals = ("infection", "breathing")
    assert label == Label("p1", "fever", signals, DAY_US, None, 2 * DAY_US, 3 * DAY_US, True, False)


GOOD = {"patient_id": "p1", "kind": "fever", "onset": DAY_US, "end": 3 * DAY_US}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"patient_id": None}, "patient_id: expected a text, found nothing"),
        ({"kind": " "}, "kind: expected a text, found  "),
        ({"onset": None}, "onset: expected ISO 8601 with an offset"),
        ({"onset": "2026-11-22T08:31:20"}, "found 2026-11-22T08:31:20"),
        ({"onset": 1.5}, "onset: expected ISO 8601 with an offset"),
        ({"end": 0}, "end: expected not before onset, found 0"),
        ({"worst": 4 * DAY_US}, "worst: expected between onset and end, found 345600000000"),
        ({"detectable_at": 1}, "detectable_at: expected between onset and end, found 1"),
        ({"signals": ["fluids"]}, "signals: expected some of activity, breathing"),
        ({"signals": 3}, "signals: expected a list of signals, found 3"),
        ({"admitted": "perhaps"}, "admitted: expected true or false, found perhaps"),
        ({"about": "dog"}, "about: expected one of patient, device, person, found dog"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = written(tmp_path, "labels.ndjson", json.dumps(GOOD) + "\n" + json.dumps(GOOD | change) + "\n")
    with pytest.raises(BadLabels) as caught:
        read_labels(path)
    first = str(caught.value).splitlines()[0]
    assert first.startswith("labels.ndjson, line 2, ")
    assert said in first
    read = read_labels(path, skip=True)
    assert (len(read.labels), read.n_bad) == (1, 1)
    assert read.told == [first]


def test_ten_mistakes_are_told_at_once_and_the_rest_counted(tmp_path: Path) -> None:
    path = written(tmp_path, "labels.ndjson", "\n".join(["{", "3", *['{"kind": "x"}'] * 10]))
    with pytest.raises(BadLabels) as caught:
        read_labels(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[0].startswith("labels.ndjson, line 1: expected JSON, found ")
    assert lines[1] == (
        "labels.ndjson, line 2: expected an object with patient_id, kind, onset, end, found 3"
    )
    assert lines[10] == "… and 2 more"
    assert "--on-error skip" in lines[11]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.txt", "", "labels.txt: expected a file of labels: .ndjson, .jsonl, .json or .csv"),
        ("labels.csv", "patient_id,kind,onset\n", "labels.csv, line 1: expected a column end"),
        ("labels.json", "{}", 'labels.json: expected a list of labels, or {"labels": […]}, found {}'),
        ("labels.json", "[", "labels.json: expected JSON"),
        ("labels.json", "[" * 100_000, "labels.json: expected JSON, found maximum recursion depth"),
        ("labels.csv", "patient_id,kind,onset,end,end\n", "labels.csv, line 1: expected each column once"),
        ("labels.csv", f"patient_id,kind,onset,end\n{'k' * 200_000}\n", "labels.csv, line 2: expected a row"),
    ],
)
def test_files_that_are_none_of_ours_are_refused_as_a_whole(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read_labels(written(tmp_path, name, text), skip=True)
    assert str(caught.value).startswith(said)


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected a file that can be read"):
        read_labels(tmp_path / "labels.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="expected UTF-8"):
        read_labels(tmp_path / "binary.csv")


def test_an_event_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    line = json.dumps({"patient_id": "p1", "kind": "fever", "onset": DAY_US, "end": 2 * DAY_US})
    path = written(tmp_path, "labels.ndjson", f"{line}\n{line}\n")
    with pytest.raises(BadLabels, match=r"line 2: expected each event once, found that of lab"):
        read_labels(path)
    assert len(read_labels(path, skip=True).labels) == 1


def test_half_a_character_is_no_name(tmp_path: Path) -> None:
    line = json.dumps({"patient_id": "p1", "kind": "\ud800", "onset": DAY_US, "end": 2 * DAY_US})
    with pytest.raises(BadLabels, match=r"kind: expected a text of whole characters, found '\\ud800'"):
        read_labels(written(tmp_path, "labels.ndjson", line))


def test_rows_of_another_width_are_named(tmp_path: Path) -> None:
    text = f"patient_id,kind,onset,end\np1,fever,1\np1,fever,{DAY_US},{DAY_US}\n"
    read = read_labels(written(tmp_path, "labels.csv", text), skip=True)
    assert read.told == ["labels.csv, line 2: expected 4 columns, found 3"]
    assert len(read.labels) == 1
