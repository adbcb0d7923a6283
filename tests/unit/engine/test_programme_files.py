"""Programme files: the packaged ones are right, wrong ones are refused with line and field."""

from pathlib import Path

import pytest

from alerting.engine.expressions import comparisons
from alerting.engine.programme_files import load_file, load_folder, load_text
from alerting.yaml_files import BadFile

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


EVERY_FEATURE = """\
programme: every_feature
version: 1
title: {nl: Voorbeeld, en: Sample}
source: none
limits:
  kilos: {default: 2, unit: kg, low: 1, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  pounds: {default: 3, unit: "[lb_av]", low: 1, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  daily_kilos: {default: 0.5, unit: kg/d, low: 0.1, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  part: {default: 20, unit: "%", low: 1, high: 100, mark: P, source: x, text: {nl: a, en: b}}
  low_oxygen: {default: 88, unit: "%", low: 70, high: 100, mark: P, source: x, text: {nl: a, en: b}}
  times: {default: 2, unit: "1", low: 1, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  hour: {default: 1, unit: h, low: 1, high: 5, mark: P, source: x, text: {nl: a, en: b}}
  severe: {default: 3, unit: "{code}", low: 1, high: 3, mark: P, source: x, text: {nl: a, en: b}}
  points: {default: 5, unit: "{score}", low: 1, high: 20, mark: P, source: x, text: {nl: a, en: b}}
  scale: {default: 1, unit: "1", low: 1, high: 2, mark: P, source: x, text: {nl: a, en: b}}
schedule:
  daily: {kind: body_weight, before: "11:00"}
rules:
  sample:
    signal: fluid
    severity: medium
    when: WHEN
    clear: slope(body_weight, days=90) < daily_kilos
    text: {nl: a, en: b}
    source: x
    mark: P
"""


def with_condition(when: str) -> str:
    """The sample above with a condition, without the limits that then no rule uses."""
    lines = EVERY_FEATURE.replace("WHEN", when).splitlines(keepends=True)
    used = (
        f"{when} daily_kilos".replace("(", " ").replace(")", " ").replace(",", " ").replace("=", " ").split()
    )
    if "last(" in when:
        lines.insert(-4, "    max_age: {days: 1}\n")
    inside = [line for line in lines if not line.startswith("  ") or line.startswith("    ")]
    names = {line: line.strip().partition(":")[0] for line in lines if line not in inside}
    kept = [line for line in lines if line in inside or names[line] in (*used, "sample")]
    if "missed" not in when:
        kept = [line for line in kept if "schedule" not in line]
    return "".join(kept)


@pytest.mark.parametrize(
    "when",
    [
        "last(body_weight) > kilos",
        "last(symptom_cough) >= severe",
        "max(symptom_cough, days=3) >= severe",
        "min(body_weight, days=400) > pounds",
        "median(body_weight, days=60) > kilos",
        "age(symptom_cough) > hour",
        "count(body_weight, hours=6) >= times",
        "count(symptom_cough, at_least=severe, days=7) >= times",
        "days_with(symptom_cough, at_least=severe, days=3) >= times",
        "share(spo2, below=low_oxygen, days=14) > part",
        "share(symptom_cough, at_least=severe, days=14) > part",
        "stretch(spo2, at_most=low_oxygen, minutes=30) >= hour",
        "repeats(heart_rate, hours=48) >= times",
        "repeats(body_weight, days=14) >= times",
        "missed(daily, days=3) >= times",
        "fall(body_weight, days=180) >= part",
        "rise(body_weight, days=3) > kilos",
        "rise(spo2, days=3) > part",
        "ewma(body_weight, smoothing=0.2) > times",
        "ewma(body_weight, smoothing=0.2, target=pounds, spread=pounds) > times",
        "cusum(body_weight, slack=0.5, side=both) > times",
        "macd(body_weight, short=5, long=20) > kilos",
        "baseline(body_weight, days=28) > kilos",
        "spread(body_weight, days=28) > pounds",
        "deviation(heart_rate, days=14) > times",
        "relative(steps, days=7, usual=28) < part",
        "news2(scale=scale) >= points",
        "news2_worst(scale=scale) >= points",
        "news2_missing(scale=scale) >= times",
    ],
)
def test_every_feature_has_its_units(when: str) -> None:
    programme = load_text(with_condition(when), "sample.yaml")
    assert str(programme.rules["sample"].when).startswith(when.partition(",")[0].rstrip(")"))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("last(body_weight) > part", "a limit in one of kg, g, [lb_av]"),
        ("last(symptom_cough) >= times", "a limit in {code}"),
        ("last(symptom_vision) >= severe", "the place of an answer in no, yes"),
        ("last(body_weight) >= severe", "a limit in one of kg"),
        ("last(pulse) > times", "heart_rate, which takes both"),
        ("median(symptom_cough, days=3) >= severe", "for answers such as symptom_cough"),
        ("slope(body_weight, days=90) > kilos", "a limit in one of kg/d, g/d, [lb_av]/d"),
        ("rise(spo2, days=3) > kilos", "a limit in one of %, 1"),
        ("stretch(spo2, below=low_oxygen, hours=2) > times", "a limit in one of s, min, h, d"),
        ("stretch(spo2, below=kilos, hours=2) > hour", "a limit in one of %, 1"),
        ("share(spo2, below=low_oxygen, hours=2) > times", "a limit in %"),
        ("share(spo2, below=gone, hours=2) > part", "one of the limits"),
        ("share(spo2, above=low_oxygen, below=part, hours=2) > part", "bounds that some reading"),
        ("share(body_weight, above=kilos, below=pounds, hours=2) > part", "bounds that some reading"),
        ("share(spo2, at_least=part, below=part, hours=2) > part", "bounds that some reading"),
        ("repeats(heart_rate, hours=49) >= times", "at most 48 hours"),
        ("max(symptom_cough, days=31) >= severe", "at most 30 days for answers"),
        (
            "ewma(body_weight, smoothing=0.2, target=kilos, spread=pounds) > times",
            "in the unit of the target",
        ),
        ("ewma(body_weight, smoothing=0.2, target=part, spread=part) > times", "a limit in one of kg"),
        ("ewma(body_weight, smoothing=0.2) > kilos", "a limit in 1"),
        ("relative(steps, days=7, usual=28) < times", "a limit in %"),
        ("news2(scale=scale) >= times", "a limit in {score}"),
        ("news2(scale=times) >= points", "low 1 and high 2"),
        ("news2(scale=points) >= points", "a limit in 1"),
        ("news2_missing(scale=scale) >= points", "a limit in 1"),
        ("baseline(weight, days=28) > kilos", "a kind of models.kinds"),
    ],
)
def test_a_feature_beside_its_units_is_refused(when: str, expected: str) -> None:
    with pytest.raises(BadFile) as refused:
        load_text(with_condition(when), "sample.yaml")
    assert any(expected in error.expected for error in refused.value.errors), str(refused.value)
    assert all(", line " in error.where and error.found for error in refused.value.errors)


def test_a_version_has_64_rules_at_most() -> None:
    head, _, rule = with_condition("rise(body_weight, days=3) > kilos").partition("  sample:\n")
    rules = [f"  sample_{n}:\n{rule}" for n in range(65)]
    assert len(load_text(head + "".join(rules[:64]), "x").rules) == 64
    with pytest.raises(BadFile, match="at most 64"):
        load_text(head + "".join(rules), "x")


def test_what_a_rule_looks_at() -> None:
    programme = load_text(with_condition("news2(scale=scale) >= points"), "x")
    (comparison,) = comparisons(programme.rules["sample"].when)
    assert set(programme.subject_kinds(comparison.feature)) == {
        "respiratory_rate", "spo2", "supplemental_oxygen", "systolic", "heart_rate", "pulse",
        "consciousness", "temperature",
    }  # fmt: skip
    programme = load_text(with_condition("repeats(heart_rate, hours=1) >= times"), "x")
    (comparison,) = comparisons(programme.rules["sample"].when)
    assert programme.subject_kinds(comparison.feature) == ("heart_rate", "pulse")


def test_the_packaged_programmes_are_right() -> None:
    """A version that patients may be in stays when the next one comes."""
    versions: dict[str, list[int]] = {}
    for programme in load_folder():
        versions.setdefault(programme.programme, []).append(programme.version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


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
            "a limit in {code}",
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
        (
            "rise(body_weight, days=3) > gain_lb",
            "rise(body_weight, days=3) > gain",
            18,
            "rules.gains.raise.when",
            "beyond",
        ),
        ("kind: body_weight", "kind: pulse", 12, "schedule.daily.kind", "heart_rate, which takes both"),
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
    with pytest.raises(BadFile) as refused:
        load_text(RIGHT.replace(old, new, 1), "sample.yaml")
    places = [error.where for error in refused.value.errors]
    where = f"sample.yaml, line {line}" + (f", {field}" if field else "")
    assert where in places, str(refused.value)
    assert any(expected in error.expected for error in refused.value.errors), str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "- 1", "just words", "\t", "a: &a [*a]", "a: b: c", "!!python/name:os.system x"]
)
def test_what_is_no_programme_at_all_is_refused(text: str) -> None:
    with pytest.raises(BadFile, match=r"sample\.yaml, line 1\b") as refused:
        load_text(text, "sample.yaml")
    assert all(error.found for error in refused.value.errors)


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = RIGHT.replace("version: 1", "version: x").replace("signal: fluid", "signal: water")
    with pytest.raises(BadFile) as refused:
        load_text(wrong, "sample.yaml")
    assert len(refused.value.errors) == 2
    assert str(refused.value).count("sample.yaml, line") == 2


def test_a_folder_has_each_version_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(RIGHT, encoding="utf-8")
    assert len(load_folder(tmp_path)) == 1
    (tmp_path / "two.yaml").write_text(RIGHT, encoding="utf-8")
    with pytest.raises(BadFile, match="one file per programme and version"):
        load_folder(tmp_path)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="at least one"):
        load_folder(tmp_path)
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile, match="UTF-8"):
        load_file(tmp_path / "bad.yaml")
