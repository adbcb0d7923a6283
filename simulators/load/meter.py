"""How much processor time each of our processes takes."""

from collections.abc import Mapping

import psutil


class Meter:
    """Processor time by what a process is: the workers by name, the servers by their programs.

    Looks at the children of this process alone, and at those that are there from its first look on.
    """

    def __init__(self, workers: Mapping[str, int]) -> None:
        self._workers = {pid: name for name, pid in workers.items()}

    def seconds(self) -> dict[str, float]:
        """Processor seconds so far, user and system. **Units**: seconds."""
        found = dict.fromkeys([*self._workers.values(), "postgres", "kafka"], 0.0)
        for process in psutil.Process().children(recursive=True):
            try:
                name = self._workers.get(process.pid) or _server(process.name())
                if name is not None:
                    times = process.cpu_times()
                    found[name] += times.user + times.system
            except psutil.NoSuchProcess:
                continue
        return found


def _server(program: str) -> str | None:
    return {"postgres": "postgres", "java": "kafka"}.get(program)
