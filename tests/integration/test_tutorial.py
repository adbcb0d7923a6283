"""The simulators' tutorial, as somebody copies it: from nothing to a changed limit that was tried."""

import json
from pathlib import Path

import pytest

from models.labels import About
from simulators.cohorts.cohort import read_cohort
from tests.acceptance.workers import ROOT
from tests.shell import Shell, blocks_of


@pytest.mark.timeout(300)
def test_what_the_tutorial_says_can_be_copied(tmp_path: Path) -> None:
    blocks = blocks_of((ROOT / "simulators" / "TUTORIAL.md").read_text("utf-8"))
    assert [kind for kind, _ in blocks] == ["bash"] * 7
    first, own, wrong, changed, tried, swept, others = (block for _, block in blocks)
    shell = Shell(tmp_path, {})
    assert "heart_failure  " in shell.paste(first)
    assert read_cohort(tmp_path / "first").patients == 20

    assert int(shell.paste(own)) > 50
    labels = [json.loads(line) for line in (tmp_path / "dinners/labels.ndjson").read_text().splitlines()]
    dinners = [label for label in labels if label["kind"] == "salty_dinner"]
    assert {label["about"] for label in dinners} == {About.PERSON}

    assert shell.paste(wrong) == "exit 65\n"
    assert "default: 1.5" in shell.paste(changed)

    shell.paste(tried)
    report = json.loads((tmp_path / "report/report.json").read_text("utf-8"))
    shipped, candidate = (version["manual"]["alerts"] for version in report["versions"])
    assert candidate < shipped
    shell.paste(swept)
    shell.paste(others)
    for name in ("curve", "report-others", "report-milder"):
        assert (tmp_path / name / "report.html").is_file()
    digests = {read_cohort(tmp_path / name).digest for name in ("dinners", "others", "milder")}
    assert len(digests) == 3
