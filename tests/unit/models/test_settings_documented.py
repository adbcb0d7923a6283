"""SETTINGS.md lists every setting as the program knows it."""

from models.settings import describe
from tests.architecture.sources import ROOT


def test_every_setting_is_listed() -> None:
    assert describe().strip() in (ROOT / "models" / "SETTINGS.md").read_text(encoding="utf-8")
