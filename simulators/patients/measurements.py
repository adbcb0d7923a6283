"""What is measured, before any device or vendor touches it: columns, one row per reading."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Device(IntEnum):
    """The devices in a home; a device's number is patient × len(Device) + this."""

    SCALE = 0
    CUFF = 1
    OXIMETER = 2
    APP = 3
    THERMOMETER = 4
    METER = 5
    """For glucose, by fingerstick."""
    SPIROMETER = 6
    SENSOR = 7
    """For glucose, worn: a value each five minutes."""
    WEARABLE = 8
    """Heart rate, saturation, breathing each minute."""


WORN = (Device.SENSOR, Device.WEARABLE)
"""Devices that measure by themselves, at their own cadence."""
NO_CODE = -1
NO_GROUP = -1


@dataclass(frozen=True, slots=True)
class Measurements:
    """True values of one day.

    **Shape**: each array is [n]. **Units**: `value` in the kind's canonical unit, NaN where `code` holds the
    answer; `session` numbers what was measured in one go at one home within the day; `group` says which
    values belong together, −1 for none.
    """

    patient: NDArray[np.int32]
    device: NDArray[np.int8]
    kind: NDArray[np.int16]
    taken_at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    code: NDArray[np.int16]
    session: NDArray[np.int16]
    group: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.patient)

    def take(self, rows: NDArray[Any]) -> "Measurements":
        """The given rows (indexes or mask), in the given order."""
        return Measurements(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def joined(parts: Sequence[Measurements]) -> Measurements:
    """One after the other; at least one part."""
    return Measurements(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Measurements)
        }
    )
