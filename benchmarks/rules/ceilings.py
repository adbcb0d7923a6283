"""What memory alone allows: walking through the same columns, and visiting patients as the engine must.

The engine cannot be faster than these: they read what it reads, touch a row for each patient, and do nothing
with it. Each is measured on the very batches that the engine gets.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.columns import Readings

LINE_BYTES = 64
"""Of a cache line."""

CHASES = 1_000_000
Rows = NDArray[np.int64]


class Seen(NamedTuple):
    """The columns that the engine reads."""

    patient: NDArray[np.int32]
    kind: NDArray[np.int16]
    taken_at_us: NDArray[np.int64]
    device: NDArray[np.int32]
    revision: NDArray[np.int32]
    void: NDArray[np.bool_]
    value: NDArray[np.float64]
    value_received: NDArray[np.float64]
    unit: NDArray[np.int16]
    code: NDArray[np.int16]
    too_late: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _walk(c: Seen) -> float:
    total = 0.0
    for i in range(c.patient.size):
        total += float(c.patient[i] + c.kind[i] + c.taken_at_us[i] + c.device[i] + c.revision[i])
        total += c.value[i] + c.value_received[i] + float(c.unit[i] + c.code[i])
        total += 1.0 if c.void[i] | c.too_late[i] else 0.0
    return total


@njit(cache=True, nogil=True)
def _walk_and_visit(c: Seen, rows: Rows) -> float:
    total = 0.0
    for i in range(c.patient.size):
        total += float(c.patient[i] + c.kind[i] + c.taken_at_us[i] + c.device[i] + c.revision[i])
        total += c.value[i] + c.value_received[i] + float(c.unit[i] + c.code[i])
        total += 1.0 if c.void[i] | c.too_late[i] else 0.0
        rows[c.patient[i], 0] += 1
    return total


@njit(cache=True, nogil=True)
def _visit(patient: NDArray[np.int32], rows: Rows) -> None:
    """A line of each reading's patient, each by itself: the processor may look ahead."""
    for i in range(patient.size):
        rows[patient[i], 0] += 1


@njit(cache=True, nogil=True)
def _chase(rows: Rows, steps: int) -> np.uint64:
    """Lines at random, where each depends on the one before: the processor must wait."""
    at = np.uint64(1)
    size = np.uint64(rows.shape[0])
    for _ in range(steps):
        at = at * np.uint64(6_364_136_223_846_793_005) + np.uint64(1_442_695_040_888_963_407)
        at += np.uint64(rows[np.int64((at >> np.uint64(33)) % size), 0])
    return at


class Ceilings:
    """Time spent on batches by who does nothing but walk, and by who also visits each reading's patient."""

    def __init__(self, patients: int) -> None:
        self._rows = rows_of(patients)
        self.walked_s = self.visited_s = 0.0
        self._compiled = False

    def measure(self, batch: Readings) -> None:
        """Walks through one batch, once each way."""
        seen = Seen(*(getattr(batch, name) for name in Seen._fields))
        if not self._compiled:
            self._compiled = True
            self._walk_both(seen)
        walked_s, visited_s = self._walk_both(seen)
        self.walked_s += walked_s
        self.visited_s += visited_s

    def _walk_both(self, seen: Seen) -> tuple[float, float]:
        begun_s = time.perf_counter()
        _walk(seen)
        between_s = time.perf_counter()
        _walk_and_visit(seen, self._rows)
        return between_s - begun_s, time.perf_counter() - between_s


def rows_of(patients: int, bytes_each: float = LINE_BYTES) -> Rows:
    """Whole cache lines for each patient, there and not only promised. **Shape**: [patients, n]."""
    lines = max(1, round(bytes_each / LINE_BYTES))
    return np.full((patients, lines * LINE_BYTES // 8), 1, np.int64)


def visit_ns(batches: Sequence[NDArray[np.int32]], rows: Rows) -> float:
    """Nanoseconds to touch a line of each reading's patient, in the order of these batches."""
    _visit(batches[0][:1], rows)
    begun_s = time.perf_counter()
    for patient in batches:
        _visit(patient, rows)
    return (time.perf_counter() - begun_s) / sum(map(len, batches)) * 1e9


def chase_ns(rows: Rows) -> float:
    """Nanoseconds of one access at random that the next one waits for."""
    lines = rows.reshape(-1, LINE_BYTES // 8)
    _chase(lines, 1)
    begun_s = time.perf_counter()
    _chase(lines, CHASES)
    return (time.perf_counter() - begun_s) / CHASES * 1e9
