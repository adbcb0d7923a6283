"""Who may know whom: the contracts of import-linter in pyproject.toml."""

import subprocess
import sys

from tests.architecture.sources import ROOT


def test_the_import_contracts_are_kept() -> None:
    lint = "from importlinter import cli; raise SystemExit(cli.lint_imports(no_cache=True, no_logo=True))"
    linted = subprocess.run(
        [sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
