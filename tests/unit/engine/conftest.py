"""Compiled kernels before any test is timed or traced."""

import pytest

from alerting.engine.engine import warm_up


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    warm_up()
