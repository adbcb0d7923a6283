"""The reference of the language, in the folder of the programmes, is true."""

import re
from collections.abc import Sequence

import pytest

from alerting.engine.expressions import FeatureName, comparisons, parse
from alerting.engine.features import LEARN_DAYS, LONGEST_DAYS
from alerting.engine.limit_units import OF_CODED_KINDS
from alerting.engine.programme_files import PACKAGED, load_text
from models.findings import Severity

TEXT = (PACKAGED / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`\w+\(.*?) \| ", TEXT, re.MULTILINE)
EXAMPLES: Sequence[str] = [example for row in ROWS for example in re.findall(r"`([^`]+)`", row)]


def test_the_table_has_every_feature_in_order() -> None:
    named = dict.fromkeys(example.partition("(")[0] for example in EXAMPLES)
    assert sorted(named) == sorted(FeatureName)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_can_be_read(example: str) -> None:
    (comparison,) = comparisons(parse(f"{example} > x"))
    assert str(comparison.feature).startswith(example.removesuffix(")"))


def test_the_rule_that_is_shown_is_right() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    head = "programme: shown\nversion: 1\ntitle: {nl: a, en: b}\nsource: x\n"
    assert list(load_text(head + shown, "shown.yaml").rules) == ["tired"]


def test_what_is_said_in_passing_is_so() -> None:
    assert f"`learn={LEARN_DAYS}`" in TEXT
    assert f"up to {LONGEST_DAYS} whole days" in TEXT
    (answers,) = re.findall(r"\*\*Answers\*\* know `([^`]+)`", TEXT)
    assert {name for name in OF_CODED_KINDS if not name.startswith("news2")} == set(answers.split())
    assert all(severity in TEXT for severity in Severity)
