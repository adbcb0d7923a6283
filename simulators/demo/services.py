"""The services of the demo: started as a user would start them, watched, ended in order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from models.errors import Broken
from simulators.stack.children import spawn

_PROJECT = Path(__file__).parents[2]
_LINES_SHOWN = 12
_PATIENCE_S = 20.0


class Services:
    """Subprocesses by name; they end with us, also when we are killed."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        paths = [str(_PROJECT), os.environ.get("PYTHONPATH", "")]
        ours = {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self._environment: Mapping[str, str] = {**os.environ, **ours}
        self._folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, more: Mapping[str, str] | None = None) -> None:
        """Start `thuiswacht NAME` (`ingest`, `register publish`); to be called in the main thread.

        `more`: what this one has in its environment and the others have not.
        """
        self.processes[name] = spawn(
            [sys.executable, "-m", "thuiswacht", *name.split()],
            log=self._folder / f"{name}.log",
            end_with=signal.SIGTERM,
            environment={**self._environment, **(more or {})},
        )

    def require_running(self) -> None:
        """**Raises**: Broken when one has ended, with the end of its log."""
        for name, process in self.processes.items():
            code = process.poll()
            if code is not None:
                raise Broken(f"{name} ended with exit code {code}. The end of its log:\n{self._end_of(name)}")

    def stop(self) -> None:
        """End all of them in order, as an operator would.

        **Raises**: Broken when one did not end well.
        """
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE_S
        failed: list[str] = []
        for name, process in self.processes.items():
            try:
                code = process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if code != 0:
                failed.append(f"{name} ended with exit code {code}:\n{self._end_of(name)}")
        self.processes = {}
        if failed:
            raise Broken("\n".join(failed))

    def _end_of(self, name: str) -> str:
        lines = (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LINES_SHOWN:])
