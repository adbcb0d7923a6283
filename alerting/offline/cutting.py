"""Rows in any order, cut into pieces of whole patients, each patient's rows in the order of time.

Where two rows have the same time, the one that comes first in the file comes first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.offline.table import Columns

MOST_PATIENTS = 1_000
MOST_ROWS = 1 << 19
"""Of a piece, if its patients are more than one: enough to be quick, few enough to stay in the caches."""


@dataclass(frozen=True, slots=True)
class Sheaf:
    """The rows that count, by patient: those of patient p are `order[ends[p − 1]:ends[p]]`.

    **Shape**: `order` [rows that count], `ends` [patients].
    """

    order: NDArray[np.uint32]
    ends: NDArray[np.int64]

    def bounds(self, patient: int) -> tuple[int, int]:
        """Where a patient's rows begin and end in `order`."""
        return (int(self.ends[patient - 1]) if patient else 0), int(self.ends[patient])


def by_patient(rows: Columns, patients: int) -> Sheaf:
    """All rows that count, by patient, in their order in the file."""
    return Sheaf(*_by_patient(rows.patient, rows.counts, patients))


def pieces(sheaf: Sheaf, patients: Sequence[int]) -> Iterator[Sequence[int]]:
    """The patients in their order, in pieces of a good size."""
    first = rows = 0
    for place, patient in enumerate(patients):
        begin, end = sheaf.bounds(patient)
        if place > first and (place - first == MOST_PATIENTS or rows + end - begin > MOST_ROWS):
            yield patients[first:place]
            first, rows = place, 0
        rows += end - begin
    if first < len(patients):
        yield patients[first:]


def piece(sheaf: Sheaf, patients: Sequence[int], taken_at_us: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The places of the rows of some patients, patient after patient, in the order of time."""
    bounds = [sheaf.bounds(patient) for patient in patients]
    for begin, end in bounds:
        _sort(sheaf.order[begin:end], taken_at_us)
    parts = [sheaf.order[begin:end] for begin, end in bounds]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint32)


@njit(cache=True, nogil=True)
def _by_patient(
    patient: NDArray[np.int32], counts: NDArray[np.bool_], patients: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    ends = np.zeros(patients + 1, np.int64)
    for row in range(len(patient)):
        if counts[row]:
            ends[patient[row] + 1] += 1
    for number in range(patients):
        ends[number + 1] += ends[number]
    order = np.empty(ends[patients], np.uint32)
    for row in range(len(patient)):
        if counts[row]:
            order[ends[patient[row]]] = row
            ends[patient[row]] += 1
    # What was the begin of each is its end now.
    return order, ends[:patients].copy()


@njit(cache=True, nogil=True)
def _sort(places: NDArray[np.uint32], taken_at_us: NDArray[np.int64]) -> None:
    """One patient's places by time, in place; they are nearly always in order."""
    for at in range(1, len(places)):
        if taken_at_us[places[at]] < taken_at_us[places[at - 1]]:
            by_time = np.argsort(taken_at_us[places], kind="mergesort")
            places[:] = places[by_time]
            return
