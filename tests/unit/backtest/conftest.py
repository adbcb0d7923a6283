"""Compiled kernels before any test is timed or traced."""

from pathlib import Path

import pytest

from alerting.backtest.versions import Version
from alerting.engine.engine import warm_up
from tests.unit.backtest.histories import heavy, many
from tests.unit.backtest.tried import backtested


@pytest.fixture(scope="session", autouse=True)
def _compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    warm_up()
    folder: Path = tmp_path_factory.mktemp("warm-up")
    backtested(many(folder, 2), [Version("a", [heavy(100)])])
