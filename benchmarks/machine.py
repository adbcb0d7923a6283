"""What the benchmarks run on, and how much processor time each process takes."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import psutil


def describe() -> str:
    """Processor, cores, memory, Python."""
    cores = len(os.sched_getaffinity(0))
    memory_gb = psutil.virtual_memory().total / 2**30
    return f"{_processor()}, {cores} cores, {memory_gb:.0f} GB, Python {platform.python_version()}"


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


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
