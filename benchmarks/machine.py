"""What the benchmarks run on."""

import os
import platform
from pathlib import Path

import psutil


def describe() -> str:
    """Processor, cores, memory, Python."""
    cores = len(os.sched_getaffinity(0))
    memory_gb = psutil.virtual_memory().total / 2**30
    return f"{_processor()}, {cores} cores, {memory_gb:.0f} GB, Python {platform.python_version()}"


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
