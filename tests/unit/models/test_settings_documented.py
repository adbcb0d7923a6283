"""The README lists every setting as the program knows it."""

from models.settings import describe
from tests.architecture.sources import ROOT


def test_the_readme_lists_every_setting() -> None:
    assert describe().strip() in (ROOT / "models" / "README.md").read_text(encoding="utf-8")
