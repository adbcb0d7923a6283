"""The dashboard shows metrics that exist, by labels they have; and each metric is shown somewhere."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from models import metrics

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "models" / "dashboards"

# Prometheus adds these to whatever it scrapes; `le` is the upper bound of a histogram's bucket.
LABELS_OF_PROMETHEUS = {"instance", "job", "le"}
SUFFIXES = {"Counter": [""], "Gauge": [""], "Histogram": ["_bucket", "_count", "_sum"]}


def defined() -> dict[str, set[str]]:
    """Each series that models/metrics.py makes, with its labels."""
    series: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(Path(metrics.__file__).read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), _, *more]) if (
                kind in SUFFIXES
            ):
                labels = set(ast.literal_eval(more[0])) if more else set[str]()
                series |= {name + suffix: labels for suffix in SUFFIXES[kind]}
            case _:
                pass
    return series


@pytest.fixture(scope="module")
def panels() -> list[dict[str, Any]]:
    dashboard = json.loads((DASHBOARDS / "grafana" / "thuiswacht.json").read_text(encoding="utf-8"))
    return dashboard["panels"]


@pytest.fixture(scope="module")
def expressions(panels: list[dict[str, Any]]) -> list[str]:
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def test_each_metric_on_the_dashboard_exists_and_each_that_exists_is_shown(expressions: list[str]) -> None:
    shown = {name for expression in expressions for name in re.findall(r"\bthuiswacht_\w+", expression)}
    series = defined()
    assert shown - set(series) == set()
    stems = {re.sub(r"_(bucket|count|sum)$", "", name) for name in series}
    assert stems - {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown} == set()


def test_metrics_are_split_by_labels_they_have(expressions: list[str]) -> None:
    series = defined()
    for expression in expressions:
        names = [name for name in re.findall(r"\bthuiswacht_\w+", expression) if name in series]
        known = LABELS_OF_PROMETHEUS.union(*(series[name] for name in names))
        for labels in re.findall(r"\bby \(([^)]*)\)", expression):
            assert {label.strip() for label in labels.split(",")} <= known, expression


def test_each_panel_says_what_it_means_in_a_sentence(panels: list[dict[str, Any]]) -> None:
    for panel in panels:
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"].endswith(".")
            assert panel["datasource"]["uid"] == "prometheus"
    ids = [panel["id"] for panel in panels]
    assert len(ids) == len(set(ids))


def test_panels_do_not_lie_over_each_other(panels: list[dict[str, Any]]) -> None:
    taken: set[tuple[int, int]] = set()
    for at in (panel["gridPos"] for panel in panels):
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        taken |= cells


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    def provisioned(file: str) -> dict[str, Any]:
        path = DASHBOARDS / "grafana" / "provisioning" / file
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))

    [source] = provisioned("datasources/prometheus.yml")["datasources"]
    assert source["uid"] == "prometheus"
    [provider] = provisioned("dashboards/thuiswacht.yml")["providers"]
    mounted = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert (
        f"./models/dashboards/grafana/thuiswacht.json:{provider['options']['path']}/thuiswacht.json"
        in mounted
    )
