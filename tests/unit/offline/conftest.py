"""Compiled kernels before any test is timed or traced."""

from pathlib import Path

import pytest

from alerting.engine.engine import warm_up
from tests.unit.offline.files import evaluated, weight, write


@pytest.fixture(scope="session", autouse=True)
def _compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    warm_up()
    folder: Path = tmp_path_factory.mktemp("warm-up")
    evaluated(write(folder, "csv", [weight(), weight(after_h=1), weight(after_h=-1)]))
