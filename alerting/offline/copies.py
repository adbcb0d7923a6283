"""What only shows beside other rows: of those of one identity the first counts; pressures that are crossed.

Rows come by patient and time here, so that those of one moment lie together.
"""

from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alerting.offline.table import Columns
from models.kinds import KIND_BY_NAME
from models.messages import LATE_LIMIT_US

SYSTOLIC, DIASTOLIC = KIND_BY_NAME["systolic"].number, KIND_BY_NAME["diastolic"].number


class Copy(IntEnum):
    """What a row is among those of its identity: patient, kind, time, device, revision, and whether void."""

    FIRST = 0
    TOO_LATE = 1
    """The first one, received too late to be evaluated; then the others are not evaluated either."""
    DUPLICATE = 2
    CONFLICT = 3


def copies(rows: Columns, value: NDArray[np.float64]) -> NDArray[np.int8]:
    """What each row is. **Shape**: [n]. **Units**: `value` in the canonical ones."""
    n = len(rows)
    return _copies(
        rows.patient,
        rows.taken_at_us,
        rows.kind,
        rows.devices,
        np.zeros(n, np.int32) if rows.revision is None else rows.revision,
        np.zeros(n, np.bool_) if rows.void is None else rows.void,
        value,
        rows.code,
        rows.received,
        LATE_LIMIT_US,
    )


def may_be_crossed(rows: Columns, value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The pressures of moments at which a systolic one is not above a diastolic one. **Shape**: [n].

    **Units**: `value` in the canonical ones.
    """
    return _may_be_crossed(rows.patient, rows.taken_at_us, rows.kind, value, SYSTOLIC, DIASTOLIC)


@njit(cache=True, nogil=True)
def _copies(
    patient: NDArray[np.int32], taken_at_us: NDArray[np.int64], kind: NDArray[np.int16],
    device: NDArray[np.int32], revision: NDArray[np.int32], void: NDArray[np.bool_],
    value: NDArray[np.float64], code: NDArray[np.int16], received_at_us: NDArray[np.int64], late_us: int,
) -> NDArray[np.int8]:  # fmt: skip
    found = np.zeros(len(patient), np.int8)
    for row in range(len(patient)):
        if received_at_us[row] - taken_at_us[row] > late_us:
            found[row] = Copy.TOO_LATE
        other = row - 1
        while other >= 0 and taken_at_us[other] == taken_at_us[row] and patient[other] == patient[row]:
            if (
                found[other] < Copy.DUPLICATE
                and kind[other] == kind[row]
                and device[other] == device[row]
                and revision[other] == revision[row]
                and void[other] == void[row]
            ):
                same_value = value[other] == value[row] or (np.isnan(value[other]) and np.isnan(value[row]))
                same = same_value and code[other] == code[row]
                found[row] = Copy.DUPLICATE if same else Copy.CONFLICT
                break
            other -= 1
    return found


@njit(cache=True, nogil=True)
def _may_be_crossed(
    patient: NDArray[np.int32], taken_at_us: NDArray[np.int64], kind: NDArray[np.int16],
    value: NDArray[np.float64], systolic: int, diastolic: int,
) -> NDArray[np.bool_]:  # fmt: skip
    found = np.zeros(len(patient), np.bool_)
    first = 0
    while first < len(patient):
        lowest, highest = np.inf, -np.inf
        end = first
        while (
            end < len(patient) and taken_at_us[end] == taken_at_us[first] and patient[end] == patient[first]
        ):
            # Written out, for a value that is none must change nothing.
            if kind[end] == systolic and value[end] < lowest:
                lowest = value[end]
            if kind[end] == diastolic and value[end] > highest:
                highest = value[end]
            end += 1
        if lowest <= highest:
            for row in range(first, end):
                found[row] = kind[row] in (systolic, diastolic)
        first = end
    return found
