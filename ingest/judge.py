"""What is wrong with each reading of a batch, if anything: the first fault, in one pass over the columns."""
# ruff: noqa: C901, PLR0912 (a kernel takes its columns, and reads as the list of what is refused)

from enum import IntEnum
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ingest.sent import NONE, Sent
from models.kinds import KIND_BY_NAME, KINDS
from models.messages import FUTURE_TOLERANCE_US, OLDEST_READING_US
from models.units import DIVIDE

Floats = NDArray[np.float64]


class Fault(IntEnum):
    """Why a reading does not count, in the order in which it is looked for."""

    NOTHING = 0
    UPLOAD = 1
    KIND = 2
    CONTENT = 3
    FUTURE = 4
    LONG_AGO = 5
    NEEDS_CODE = 6
    NEEDS_UNIT = 7
    UNIT = 8
    SENTINEL = 9
    IMPLAUSIBLE = 10
    CODE = 11
    CROSSED = 12


_SENTINELS = np.full((len(KINDS), max(len(kind.sentinels) for kind in KINDS)), np.nan)
for _kind in KINDS:
    _SENTINELS[_kind.number, : len(_kind.sentinels)] = _kind.sentinels
_CODED = np.array([kind.is_coded for kind in KINDS])
_LOW = np.array([kind.low for kind in KINDS])
_HIGH = np.array([kind.high for kind in KINDS])
# "Above 50" is "from the next float after 50 on".
_LOWEST = np.where([kind.low_excluded for kind in KINDS], np.nextafter(_LOW, np.inf), _LOW)


def judge(sent: Sent, value: Floats) -> NDArray[np.int8]:
    """The first fault of each reading, 0 for none.

    **Shape**: [n]. **Units**: `value` in the canonical unit of each kind, NaN where there is none.
    """
    faults = _judge(
        sent.kind, sent.taken_at_us, sent.upload_received_at_us[sent.upload],
        sent.value, value, sent.unit, sent.code, sent.text, sent.absent, sent.void,
        _LOWEST, _HIGH, _CODED, _SENTINELS, DIVIDE, FUTURE_TOLERANCE_US, OLDEST_READING_US,
    )  # fmt: skip
    pressures = np.array([KIND_BY_NAME["systolic"].number, KIND_BY_NAME["diastolic"].number])
    crossed = _crossed(faults, sent.upload, sent.taken_at_us, sent.group, sent.kind, value, *pressures)
    faults[crossed] = Fault.CROSSED
    return faults


@njit(cache=True, nogil=True)
def _judge(
    kind: NDArray[np.int16], taken_at_us: NDArray[np.int64], received_at_us: NDArray[np.int64],
    received: Floats, value: Floats, unit: NDArray[np.int16], code: NDArray[np.int16],
    text: NDArray[np.int32], absent: NDArray[np.int32], void: NDArray[np.bool_],
    lowest: Floats, highest: Floats, coded: NDArray[np.bool_], sentinels: Floats, divide: Floats,
    future_us: int, oldest_us: int,
) -> NDArray[Any]:  # fmt: skip
    faults = np.zeros(len(kind), dtype=np.int8)
    for row in range(len(kind)):
        of = kind[row]
        if of < 0:
            faults[row] = Fault.KIND
            continue
        has_value = not np.isnan(received[row])
        has_code = code[row] != NONE
        contents = (
            int(has_value) + int(has_code) + int(text[row] >= 0) + int(absent[row] >= 0) + int(void[row])
        )
        if contents != 1:
            faults[row] = Fault.CONTENT
        elif taken_at_us[row] - received_at_us[row] > future_us:
            faults[row] = Fault.FUTURE
        elif received_at_us[row] - taken_at_us[row] > oldest_us:
            faults[row] = Fault.LONG_AGO
        elif has_code:
            if code[row] < 0:
                faults[row] = Fault.CODE
        elif has_value:
            if coded[of]:
                faults[row] = Fault.NEEDS_CODE
            elif unit[row] == NONE:
                faults[row] = Fault.NEEDS_UNIT
            elif unit[row] < 0 or np.isnan(divide[of, unit[row]]):
                faults[row] = Fault.UNIT
            else:
                for sentinel in sentinels[of]:
                    if received[row] == sentinel or value[row] == sentinel:
                        faults[row] = Fault.SENTINEL
                if not faults[row] and not (lowest[of] <= value[row] <= highest[of]):
                    faults[row] = Fault.IMPLAUSIBLE
    return faults


@njit(cache=True, nogil=True)
def _crossed(
    faults: NDArray[np.int8], upload: NDArray[np.int64], taken_at_us: NDArray[np.int64],
    group: NDArray[np.int32], kind: NDArray[np.int16], value: Floats, systolic: int, diastolic: int,
) -> NDArray[np.bool_]:  # fmt: skip
    """Both pressures of a measurement whose systolic one is not above its diastolic one."""
    count = len(kind)
    crossed = np.zeros(count, dtype=np.bool_)
    first = 0
    while first < count:
        end = first + 1
        while end < count and upload[end] == upload[first]:
            end += 1
        for high in range(first, end):
            if kind[high] != systolic or np.isnan(value[high]) or faults[high]:
                continue
            for low in range(first, end):
                if (
                    kind[low] == diastolic
                    and taken_at_us[low] == taken_at_us[high]
                    and group[low] == group[high]
                    and not faults[low]
                    and value[high] <= value[low]
                ):
                    crossed[high] = True
                    crossed[low] = True
        first = end
    return crossed
