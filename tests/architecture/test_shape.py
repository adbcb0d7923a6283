"""Files that fit a head, names that say what they hold, tests that test."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, name, python_files

LINES_PER_FILE = 450

NAMES_THAT_SAY_NOTHING = {"base", "common", "core", "helpers", "misc", "shared", "utils"}
NEVER_IN_TESTS = {"skip", "skipif", "importorskip", "xfail", "mock", "MagicMock", "AsyncMock", "mocker"}

ALL_PYTHON = [*python_files(*PACKAGES, "tests", "benchmarks", "thuiswacht.py")]
ALL_TESTS = [path for path in python_files("tests") if path.parent.name != "architecture"]


def test_files_fit_a_head() -> None:
    too_long = {
        name(path): lines
        for path in ALL_PYTHON
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES_PER_FILE
    }
    assert too_long == {}


def test_names_say_what_modules_hold() -> None:
    assert [name(path) for path in ALL_PYTHON if path.stem in NAMES_THAT_SAY_NOTHING] == []


def test_nothing_is_skipped_or_mocked() -> None:
    assert {name(path): used for path in ALL_TESTS if (used := names_used(path) & NEVER_IN_TESTS)} == {}


def names_used(path: Path) -> set[str]:
    return {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name)
    }


@pytest.mark.parametrize("package", [*PACKAGES, "tests", "benchmarks"])
def test_each_folder_says_what_lives_there(package: str) -> None:
    readme = ROOT / package / "README.md"
    assert readme.is_file()
    assert len(readme.read_text(encoding="utf-8").splitlines()) <= 60, "half a page is enough"
