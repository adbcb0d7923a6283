"""`thuiswacht programme check` and `list`: what they print, and what they refuse."""

from pathlib import Path

import pytest

import thuiswacht
from alerting.engine.programme_files import PACKAGED, load_folder

RIGHT = """\
programme: sample
version: 3
title: {nl: Voorbeeld, en: Sample}
source: none
limits:
  gain: {default: 2, unit: kg, low: 1, high: 5, mark: S, source: x, text: {nl: a, en: b}}
  gain_over: {default: 1, unit: kg, low: 0, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  gain_severe: {default: 3, unit: kg, low: 1, high: 9, mark: P, source: x, text: {nl: a, en: b}}
rules:
  gains:
    signal: fluid
    severity: medium
    when: rise(body_weight, days=3) > gain
    raise: {severity: high, when: "rise(body_weight, days=3) > gain_severe"}
    clear: rise(body_weight, days=3) <= gain_over
    text: {nl: a, en: b}
    source: x
    mark: M
"""


def said(*arguments: str) -> int:
    """The exit code of the command line."""
    with pytest.raises(SystemExit) as ended:
        thuiswacht.main(["programme", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_right_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sample.yaml"
    file.write_text(RIGHT, encoding="utf-8")
    assert said("check", str(file)) == 0
    told = capsys.readouterr()
    (sample,) = load_folder(tmp_path)
    assert told.out == f"sample.yaml: sample 3, 1 rule, {sample.hash}\n"
    assert told.err == ""


def test_one_that_comes_with_thuiswacht_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said("show", "copd") == 0
    file = tmp_path / "mine.yaml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert said("check", str(file)) == 0
    assert said("show", "gout") == 65
    assert "programme: expected one of copd, " in capsys.readouterr().err


def test_the_newest_version_is_shown_unless_another_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, version in (((), 2), (("--version", "1"), 1)):
        assert said("show", "heart_failure", *arguments) == 0
        assert f"programme: heart_failure\nversion: {version}\n" in capsys.readouterr().out
    assert said("show", "heart_failure", "--version", "9") == 65
    assert "--version: expected a version of heart_failure: 1, 2, found 9" in capsys.readouterr().err


def test_all_that_is_wrong_with_all_files_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {
        "a.yaml": RIGHT.replace("signal: fluid", "signal: water").replace("mark: M", "mark: Q"),
        "b.yaml": RIGHT,
        "c.yaml": RIGHT.replace("> gain\n", "> gein\n"),
        "d.yaml": "a: b: c",
        "e.yaml": RIGHT.replace("rise(body_weight, days=3) > gain\n", "climb(body_weight, days=3) > gain\n"),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = [str(tmp_path / name) for name in (*texts, "gone.yaml")]
    assert said("check", *files) == 65
    told = capsys.readouterr()
    assert told.out.startswith("b.yaml: sample 3, ")
    lines = told.err.removeprefix("thuiswacht: ").splitlines()
    assert all(", expected " in line or ": expected " in line for line in lines), told.err
    assert all(", found " in line for line in lines), told.err
    places = [line.partition(":")[0] for line in lines]
    assert places == [
        "a.yaml, line 11, rules.gains.signal",
        "a.yaml, line 18, rules.gains.mark",
        "c.yaml, line 6, limits.gain",
        "c.yaml, line 13, rules.gains.when",
        "d.yaml, line 1",
        "e.yaml, line 13, rules.gains.when",
        "gone.yaml",
    ]


def test_a_check_of_nothing_is_wrong_usage() -> None:
    assert said("check") == 2


def test_the_list_counts_how_far_numbers_can_be_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sample.yaml").write_text(RIGHT, encoding="utf-8")
    assert said("list", "--programmes", str(tmp_path)) == 0
    head, line = (row.split() for row in capsys.readouterr().out.splitlines())
    assert head == ["programme", "version", "title", "titel", "rules", "S", "M", "P"]
    assert line == ["sample", "3", "Sample", "Voorbeeld", "1", "1", "0", "2"]


def test_rules_are_listed_with_signal_severity_and_mark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sample.yaml").write_text(RIGHT, encoding="utf-8")
    assert said("list", "--rules", "--programmes", str(tmp_path)) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()]
    assert rows[-3:] == [
        ["sample", "3"],
        ["rule", "signal", "severity", "mark"],
        ["gains", "fluid", "medium", "→", "high", "M"],
    ]


def test_what_comes_with_thuiswacht_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert said("list") == 0
    listed = [tuple(row.split()[:2]) for row in capsys.readouterr().out.splitlines()[1:]]
    assert listed == [(one.programme, str(one.version)) for one in load_folder()]
    assert len(listed) == len(list(PACKAGED.glob("*.yaml")))
