"""The alert rules speak of metrics and values that exist, and each says what it means and what to do."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from alerting.watch.heart import Wrong
from models.escalations import Trouble
from tests.unit.test_dashboard import DASHBOARDS, LABELS_OF_PROMETHEUS, ROOT, defined

OF_PROMETHEUS = {"up", "process_start_time_seconds"}
FUNCTIONS = {
    "sum", "max", "min", "by", "le", "and", "or", "unless", "absent", "changes", "increase", "rate",
    "histogram_quantile", "time",
}  # fmt: skip
"""Words of the language that the rules use; whatever else stands outside of braces has to be a metric."""

README = (DASHBOARDS / "README.md").read_text(encoding="utf-8")


def _rules() -> list[dict[str, Any]]:
    content: Any = YAML(typ="safe").load(DASHBOARDS / "alerts.yml")
    return [rule for group in content["groups"] for rule in group["rules"]]


RULES = _rules()
NAMES = [rule["alert"] for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_each_names_series_that_exist_and_splits_by_labels_they_have(rule: dict[str, Any]) -> None:
    series = defined()
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", rule["expr"])
    without_labels = re.sub(r"\b(by|on) \([^)]*\)", " ", bare)
    names = set(re.findall(r"[a-z_]\w*", without_labels)) - FUNCTIONS
    assert names, "it looks at nothing"
    assert names - OF_PROMETHEUS <= set(series)
    labels = {label for name in names - OF_PROMETHEUS for label in series[name]} | LABELS_OF_PROMETHEUS
    split = {
        part.strip() for found in re.findall(r"\b(?:by|on) \(([^)]*)\)", bare) for part in found.split(",")
    }
    selected = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", rule["expr"]))
    assert split | selected <= labels
    assert bare.count("(") == bare.count(")")


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_each_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "look")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    for text in rule["annotations"].values():
        assert text.endswith("."), text
    assert len(rule["annotations"]["runbook"]) > 40, "what to do, not that something is to be done"


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_each_sentence_names_labels_that_are_there(rule: dict[str, Any]) -> None:
    """A label that an aggregation drops would leave a gap in the sentence."""
    kept = {
        part.strip() for found in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for part in found.split(",")
    }
    kept |= {"job", "instance"} if not re.search(r"\b(sum|max|min)\b", rule["expr"]) else set()
    said = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert said <= kept


def test_all_that_may_go_wrong_is_looked_at() -> None:
    expressions = "\n".join(rule["expr"] for rule in RULES)
    chosen = set(re.findall(r"[a-z_]+", " ".join(re.findall(r'trouble=~?"([^"]*)"', expressions))))
    assert chosen | {Trouble.CANARY_LATE} == set(Trouble), "of a late canary its own metric tells"
    (held_back,) = [rule for rule in RULES if rule["alert"] == "HeartbeatHeldBack"]
    assert all(f"{wrong}:" in held_back["annotations"]["description"] for wrong in Wrong)
    assert len(NAMES) == len(set(NAMES))


def test_one_rule_refers_to_another_that_is_there() -> None:
    for rule in RULES:
        named = re.findall(
            r"(?:[Ss]ee|for|\() ?([A-Z][a-z]+(?:[A-Z][a-z]+)+)", rule["annotations"]["runbook"]
        )
        assert set(named) <= set(NAMES)


def test_prometheus_reads_them() -> None:
    prometheus: Any = YAML(typ="safe").load(DASHBOARDS / "prometheus.yml")
    assert prometheus["rule_files"] == ["alerts.yml"]
    compose: Any = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    folders = {Path(volume.split(":")[1]) for volume in compose["services"]["prometheus"]["volumes"]}
    assert {Path("/etc/prometheus/prometheus.yml"), Path("/etc/prometheus/alerts.yml")} <= folders
    assert "alerts.yml" in README
