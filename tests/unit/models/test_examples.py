"""What docstrings show is true."""

import doctest
import importlib
import pkgutil

import pytest

import models

MODULES = [name for _, name, _ in pkgutil.walk_packages(models.__path__, "models.")]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(module))
    assert failed == 0
