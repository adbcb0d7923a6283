"""Programme files: the packaged ones are right, wrong ones are refused with line and field."""

from pathlib import Path

import pytest

from alerting.engine.programme_files import BadProgramme, load_file, load_folder, load_text

RIGHT = """\
programme: sample
version: 1
title: {nl: Voorbeeld, en: Sample}
source: none
limits:
  gain: {default: 2, unit: kg, low: 1, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  gain_over: {default: 1, unit: kg, low: 0, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  gain_lb: {default: 9, unit: "[lb_av]", low: 1, high: 15, mark: P, source: x, text: {nl: a, en: b}}
  often: {default: 2, unit: "1", low: 1, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  long: {default: 36, unit: h, low: 1, high: 48, mark: P, source: x, text: {nl: a, en: b}}
schedule:
  daily: {kind: body_weight, before: "11:00", on: [mon, tue]}
rules:
  gains:
    signal: fluid
    severity: medium
    when: rise(body_weight, days=3) > gain
    raise: {severity: high, when: "rise(body_weight, days=3) > gain_lb"}
    clear: rise(body_weight, days=3) <= gain_over
    k_of_n: {k: 2, n: 3}
    text: {nl: a, en: b}
    source: x
    mark: S
  silent:
    signal: silence
    severity: low
    when: missed(daily, days=7) >= often or age(body_weight) > long
    clear: age(body_weight) < long
    text: {nl: a, en: b}
    source: x
    mark: P
"""


def test_the_packaged_programmes_are_right() -> None:
    assert [(p.programme, p.version) for p in load_folder()] == [("heart_failure", 1), ("hypertension", 1)]


def test_the_sample_is_right_and_its_hash_ignores_the_layout() -> None:
    sample = load_text(RIGHT, "sample.yaml")
    assert sample.rules["gains"].k_of_n is not None
    assert sample.schedule["daily"].on == ("mon", "tue")
    assert load_text("# a comment\n" + RIGHT.replace("default: 2,", "default: 2.0,"), "x").hash == sample.hash
    assert load_text(RIGHT.replace("default: 2,", "default: 2.5,"), "x").hash != sample.hash


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "expected"),
    [
        ("gain: {default: 2", "gain: {default: 9", 6, "limits.gain.default", "within low 1.0 … high 5.0"),
        ("gain: {default: 2", "gain: {default: .nan", 6, "limits.gain.default", "finite"),
        ("gain: {default: 2", "gain: {default: two", 6, "limits.gain.default", "valid number"),
        ("unit: kg, low: 1", "unit: stone, low: 1", 6, "limits.gain.unit", "one of s, min"),
        ("unit: h, low: 1, high: 48", "unit: h, low: 1, high: 999", 10, "limits.long.high", "30 days"),
        ("source: none\n", "", 1, "source", "the field"),
        ("version: 1", "version: one", 2, "version", "valid integer"),
        ("version: 1", "version: 1\nversion: 2", 3, "", "YAML"),
        ("version: 1", "version: [", 4, "", "YAML"),
        ("version: 1", "version: 1\nother: 3", 3, "other", "no such field"),
        ("kind: body_weight", "kind: weight", 12, "schedule.daily.kind", "a kind of models.kinds"),
        ("[mon, tue]", "[mon, mon]", 12, "schedule.daily", "each day once"),
        ("[mon, tue]", "[mon, moon]", 12, "schedule.daily.on.1", "'mon'"),
        ('"11:00"', '"25:00"', 12, "schedule.daily.before", "match pattern"),
        ("signal: fluid", "signal: water", 15, "rules.gains.signal", "'fluid'"),
        ("severity: medium", "severity: bad", 16, "rules.gains.severity", "'low'"),
        ("severity: medium", "severity: high", 18, "rules.gains.raise.severity", "more than high"),
        ("days=3) > gain\n", "days=3) > gein\n", 17, "rules.gains.when", "one of the limits"),
        ("days=3) > gain\n", "days=3) > long\n", 17, "rules.gains.when", "one of kg, g, [lb_av]"),
        ("days=3) > gain\n", "days=401) > gain\n", 17, "rules.gains.when", "400 days"),
        ("days=3) > gain\n", "days=3) > 2\n", 17, "rules.gains.when", "the name of a limit"),
        (
            "rise(body_weight, days=3) > gain\n",
            "rise(weight, days=3) > gain\n",
            17,
            "rules.gains.when",
            "a kind",
        ),
        (
            "rise(body_weight, days=3) > gain\n",
            "last(body_weight) > gain\n",
            14,
            "rules.gains.max_age",
            "how long",
        ),
        (
            "rise(body_weight, days=3) > gain\n",
            "last(symptom_cough) > gain\n",
            17,
            "rules.gains.when",
            "for answers such as symptom_cough",
        ),
        ("<= gain_over", ">= gain_over", 19, "rules.gains.clear", "cannot hold while"),
        (
            "gain_over: {default: 1,",
            "gain_over: {default: 3,",
            19,
            "rules.gains.clear",
            "cannot hold while",
        ),
        ("days=3) > gain_lb", "days=3) < gain_lb", 18, "rules.gains.raise.when", "beyond"),
        ("{k: 2, n: 3}", "{k: 4, n: 3}", 20, "rules.gains.k_of_n.k", "at most n = 3"),
        ("{k: 2, n: 3}", "{k: 2, n: 17}", 20, "rules.gains.k_of_n.n", "less than or equal to 16"),
        ("{k: 2, n: 3}", "{k: 2, n: 3}\n    held_for: {days: 1}", 20, "rules.gains.k_of_n", "not both"),
        ("{k: 2, n: 3}", "{k: 2, n: 3}\n    max_age: {weeks: 1}", 21, "rules.gains.max_age.weeks", "no such"),
        ("missed(daily,", "missed(weekly,", 27, "rules.silent.when", "one of the schedules"),
        (">= often", ">= gain", 27, "rules.silent.when", "a limit in 1"),
        (
            "age(body_weight) > long",
            "age(body_weight) > gain",
            27,
            "rules.silent.when",
            "a limit in one of s",
        ),
        ("> gain_lb", "> gain", 8, "limits.gain_lb", "some rule uses"),
        (
            "    text: {nl: a, en: b}\n    source: x\n    mark: S",
            "    source: x\n    mark: S",
            14,
            "rules.gains.text",
            "the field",
        ),
        ("    source: x\n    mark: S", "    mark: S", 14, "rules.gains.source", "the field"),
        ("    mark: S", "    mark: Q", 23, "rules.gains.mark", "'S', 'M' or 'P'"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_field(
    old: str, new: str, line: int, field: str, expected: str
) -> None:
    assert old in RIGHT
    with pytest.raises(BadProgramme) as refused:
        load_text(RIGHT.replace(old, new, 1), "sample.yaml")
    places = [error.where for error in refused.value.errors]
    where = f"sample.yaml, line {line}" + (f", {field}" if field else "")
    assert where in places, str(refused.value)
    assert any(expected in error.expected for error in refused.value.errors), str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "- 1", "just words", "\t", "a: &a [*a]", "a: b: c", "!!python/name:os.system x"]
)
def test_what_is_no_programme_at_all_is_refused(text: str) -> None:
    with pytest.raises(BadProgramme):
        load_text(text, "sample.yaml")


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = RIGHT.replace("version: 1", "version: x").replace("signal: fluid", "signal: water")
    with pytest.raises(BadProgramme) as refused:
        load_text(wrong, "sample.yaml")
    assert len(refused.value.errors) == 2
    assert str(refused.value).count("sample.yaml, line") == 2


def test_a_folder_has_each_version_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(RIGHT, encoding="utf-8")
    assert len(load_folder(tmp_path)) == 1
    (tmp_path / "two.yaml").write_text(RIGHT, encoding="utf-8")
    with pytest.raises(BadProgramme, match="one file per programme and version"):
        load_folder(tmp_path)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadProgramme, match="at least one"):
        load_folder(tmp_path)
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadProgramme, match="UTF-8"):
        load_file(tmp_path / "bad.yaml")
