"""What two versions say otherwise: nothing is missed, and it is said in words of both languages."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from alerting.engine.programme import Programme
from alerting.explain.vocabulary import Language
from alerting.programmes.commands import programme as command
from alerting.programmes.differences import About, Change, differences
from alerting.programmes.differences_in_words import page
from tests import shipped

FILES = Path("alerting/programmes")
BY_NAME = {one.programme: shipped.programme(one.programme) for one in shipped.programmes()}


def changed(of: Programme, path: tuple[str, ...], value: object) -> Programme:
    content = of.model_dump(mode="json", by_alias=True)
    place: Any = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return Programme.model_validate(content)


CASES: dict[tuple[str, ...], object] = {
    ("rules", "weight_gain_3d", "severity"): "high",
    ("rules", "weight_gain_3d", "signal"): "deterioration",
    ("rules", "weight_gain_3d", "when"): "rise(body_weight, days=4) > gain_3d",
    ("rules", "weight_gain_3d", "clear"): "rise(body_weight, days=2) < gain_3d",
    ("rules", "weight_gain_3d", "raise"): {"severity": "high", "when": "rise(body_weight, days=1) > gain_3d"},
    ("rules", "weight_gain_3d", "cooldown"): {"days": 9},
    ("rules", "weight_gain_3d", "held_for"): {"hours": 9},
    ("rules", "weight_gain_3d", "k_of_n"): {"k": 2, "n": 3},
    ("rules", "weight_gain_3d", "max_age"): {"hours": 36},
    ("rules", "weight_gain_3d", "text", "nl"): "Iets anders.",
    ("rules", "weight_gain_3d", "source"): "another",
    ("rules", "weight_gain_3d", "mark"): "M",
    ("limits", "gain_3d", "default"): 1.999999,
    ("limits", "gain_3d", "low"): 0.25,
    ("limits", "gain_3d", "high"): 9.0,
    ("limits", "gain_3d", "text", "en"): "Something else",
    ("version",): 2,
    ("title", "en"): "Another",
    ("source",): "another",
}


@pytest.mark.parametrize("path", CASES, ids="/".join)
def test_each_field_is_compared_and_said(path: tuple[str, ...]) -> None:
    was = BY_NAME["heart_failure"]
    now = changed(was, path, CASES[path])
    found = differences(was, now)
    assert found
    assert {one.name for one in found} <= {path[1] if len(path) > 2 else "", ""}
    assert [(one.was, one.now) for one in differences(now, was)] == [(one.now, one.was) for one in found]
    for language in Language:
        assert len(list(page(was, now, found, language))) > 2


@given(st.sampled_from(sorted(BY_NAME)), st.data())
def test_whenever_something_is_gone_there_is_a_difference(name: str, data: st.DataObject) -> None:
    """Whatever part of a version is left out: the hash is another, and so is what is said."""
    was = BY_NAME[name]
    content = was.model_dump(mode="json", by_alias=True)
    rule = data.draw(st.sampled_from(sorted(content["rules"])))
    part = data.draw(st.sampled_from(["rule", "cooldown", "raise", "k_of_n", "held_for"]))
    less = deepcopy(content)
    if part == "rule" and len(less["rules"]) > 1:
        del less["rules"][rule]
    else:
        less["rules"][rule][part if part != "rule" else "cooldown"] = None
    now = Programme.model_validate(less)
    found = differences(was, now)
    assert bool(found) == (was.hash != now.hash)
    assert all((one.about, one.name) == (About.RULE, rule) for one in found)
    if part == "rule" and len(content["rules"]) > 1:
        assert {one.change for one in found} == {Change.REMOVED}


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_rule_and_limit_can_be_said_in_both_languages(name: str) -> None:
    other = next(one for one in shipped.programmes() if one.programme != name)
    found = differences(BY_NAME[name], other)
    for language in Language:
        said = "\n".join(page(BY_NAME[name], other, found, language))
        assert "{" not in said.replace("{code}", "")
        assert "None" not in said


def test_the_command_answers_as_diff_does(tmp_path: Path) -> None:
    file, other = FILES / "hypertension.yaml", tmp_path / "other.yaml"
    text = file.read_text(encoding="utf-8")
    other.write_text("# another layout\n" + text, encoding="utf-8")
    same = CliRunner().invoke(command, ["diff", str(file), str(other)])
    assert (same.exit_code, "hetzelfde" in same.output) == (0, True)
    other.write_text(text.replace('default: 135, unit: "mm[Hg]"', 'default: 140, unit: "mm[Hg]"'), "utf-8")
    said = CliRunner().invoke(command, ["diff", str(file), str(other)])
    assert said.exit_code == 1
    assert "135 mmHg → 140 mmHg" in said.output
    told = json.loads(CliRunner().invoke(command, ["diff", str(file), str(other), "--json"]).output)
    (one,) = told["differences"]
    assert (one["about"], one["name"], one["field"]) == ("limit", "mean_systolic", "default")
    assert one["rules"] == ["mean_high", "mean_high_month"]
    assert (told["equal"], one["to"]["en"]) == (False, "140 mmHg")
    in_shell = {"THUISWACHT_PERSON": "11111111-0000-4000-8000-000000000001"}
    assert CliRunner(env=in_shell).invoke(command, ["diff", str(file), str(other)]).exit_code == 1
    assert CliRunner().invoke(command, ["diff", str(file)]).exit_code == 2
    assert CliRunner().invoke(command, ["diff", str(file), str(other), "--shadow", "x"]).exit_code == 2
