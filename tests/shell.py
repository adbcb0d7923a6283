"""What a page says, as somebody copies it: its blocks, and a shell to paste them into."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.workers import ROOT

BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks_of(text: str) -> list[tuple[str, str]]:
    """The blocks of a page, each with its language."""
    return BLOCK.findall(text)


class Shell:
    """A shell somebody copies into, in a folder: what one block exports the next one has."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = os.environ | environment
        command = folder / "bin" / "thuiswacht"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m thuiswacht "$@"\n')
        command.chmod(0o755)
        (folder / "exported").touch()
        self._environment |= {
            "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        }  # fmt: skip

    def paste(self, block: str) -> str:
        """Runs a block; what it prints."""
        script = f"set -eo pipefail; . ./exported; {block}\nexport -p > exported\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def python(self, program: str) -> str:
        """Runs a program; what it prints."""
        (self._folder / "deliver.py").write_text(program)
        return self.paste(f'"{sys.executable}" deliver.py')
