"""Readings of a crowd as columns, as decoding would give them: by patient, or in the order of arrival."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.rules.crowd import Crowd
from benchmarks.rules.measured import LIKE, ODD, fill_home, fill_streams
from models.clock import DAY_US, HOUR_US, SECOND_US
from models.columns import NO_OFFSET_MIN, Readings
from models.kinds import KIND_BY_NAME, KINDS
from models.units import DIVIDE, MULTIPLY, OFFSET, UNIT_BY_SPELLING, to_canonical

FIRST_DAY = 20_500
"""Days since 1970: in February 2026."""

STREAMS = {"heart_rate": 1, "spo2": 1, "respiratory_rate": 1, "glucose_cgm": 5}
"""What wearables measure, every so many minutes."""

DEVICES = 4
"""A patient has so many devices: scale, cuff, and so on."""

LATE_HOURS = 48

# Mean and spread of the population, noise, what two bad weeks add, steps per unit, bounds, an odd one adds.
_TRAITS = {
    "body_weight": (80, 12, 0.4, 4, 10, 40, 160, 25),
    "systolic": (134, 10, 6, 18, 1, 75, 230, 0),
    "diastolic": (76, 5, 4, 6, 1, 40, 110, 0),
    "heart_rate": (74, 9, 5, 25, 1, 30, 200, 0),
    "pulse": (74, 9, 5, 25, 1, 30, 200, 0),
    "spo2": (95.5, 1.2, 0.8, -5, 1, 70, 100, -10),
    "temperature": (36.8, 0.2, 0.2, 1, 10, 34, 41, 0),
    "respiratory_rate": (16, 2, 1.5, 7, 1, 6, 45, 0),
    "glucose": (8.5, 1, 1.4, 3, 10, 2, 30, 28),
    "glucose_cgm": (8.5, 1, 1.4, 3, 10, 2, 25, 0),
    "peak_flow": (350, 60, 20, -100, 1, 80, 700, 0),
    "battery": (60, 15, 8, 0, 1, 2, 100, 0),
    "steps": (4_500, 1_200, 900, -3_000, 1, 0, 20_000, 0),
}
_CODED = (0, 0.12, 0.18, 1.8, 1, 0, 3, 0)
_LIKE = {"diastolic": "systolic"}  # that it is never the higher one
_OTHER_UNITS = {
    "body_weight": "[lb_av]",
    "temperature": "[degF]",
    "glucose": "mg/dL",
    "glucose_cgm": "mg/dL",
    "peak_flow": "L/s",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """What `measured` needs of kinds and units. **Shape**: rows are kinds."""

    traits: NDArray[np.float64]
    units: NDArray[np.int16]
    conversion: NDArray[np.float64]


class Columns(NamedTuple):
    """The columns that differ from reading to reading. **Units**: `value` as received, in `unit`."""

    patient: NDArray[np.int32]
    kind: NDArray[np.int16]
    taken_at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    unit: NDArray[np.int16]

    def take(self, rows: NDArray[np.intp] | slice) -> "Columns":
        """The given rows."""
        return Columns._make(column[rows] for column in self)


def _tables() -> Tables:
    traits = np.zeros((len(KINDS), LIKE + 1))
    units = np.full((len(KINDS), 2), -1, np.int16)
    conversion = np.ones((len(KINDS), 3))
    conversion[:, 0] = 0
    for kind in KINDS:
        number = kind.number
        like = KIND_BY_NAME[_LIKE.get(kind.name, kind.name)].number
        traits[number] = *_TRAITS.get(kind.name, _CODED), like
        if kind.unit is not None:
            units[number] = UNIT_BY_SPELLING[kind.unit]
        if other := _OTHER_UNITS.get(kind.name):
            unit = units[number, 1] = UNIT_BY_SPELLING[other]
            conversion[number] = OFFSET[number, unit], MULTIPLY[number, unit], DIVIDE[number, unit]
    return Tables(traits, units, conversion)


TABLES = _tables()


def without_oddities() -> Tables:
    """Everybody measures in the canonical unit, and no reading is somebody else's."""
    traits, units = TABLES.traits.copy(), TABLES.units.copy()
    traits[:, ODD], units[:, 1] = 0.0, units[:, 0]
    return Tables(traits, units, np.tile([0.0, 1.0, 1.0], (len(KINDS), 1)))


MOST_CODES = np.array([len(kind.codes) for kind in KINDS], np.int16)


def _room(rows: int) -> Columns:
    return Columns(
        np.empty(rows, np.int32),
        np.empty(rows, np.int16),
        np.empty(rows, np.int64),
        np.empty(rows),
        np.empty(rows, np.int16),
    )


def at_home(crowd: Crowd, patients: NDArray[np.int32], day: int, days: int, made: Tables = TABLES) -> Columns:
    """What patients measure at home on days, counted from the first one: by patient, then time."""
    lines = int((crowd.starts[patients + 1] - crowd.starts[patients]).sum())
    room = _room(lines * days)
    plan = crowd.starts, crowd.kinds, crowd.sessions
    tables = made.traits, made.units, made.conversion
    filled = fill_home(patients, FIRST_DAY + day, days, *plan, *tables, *room)
    return room.take(slice(filled))


def by_the_minute(
    patients: NDArray[np.int32], minute: int, minutes: int, *, by_patient: bool, sparse: int = 1
) -> Columns:
    """What wearables measure in minutes, counted from the first day; `sparse` times less often."""
    kinds = np.array([KIND_BY_NAME[name].number for name in STREAMS], np.int16)
    every = np.array([every * sparse for every in STREAMS.values()], np.int64)
    room = _room(len(patients) * int(np.ceil(minutes / every).sum()))
    tables = TABLES.traits, TABLES.units, TABLES.conversion
    begin = FIRST_DAY * 1_440 + minute
    filled = fill_streams(patients, begin, minutes, by_patient, kinds, every, *tables, *room)
    return room.take(slice(filled))


def arrivals(columns: Columns, late_share: float = 0.0) -> tuple[Columns, NDArray[np.int64]]:
    """Readings in the order in which they arrive, and when; a share of them hours or days late."""
    late = (columns.patient * 7_919 + columns.taken_at_us // SECOND_US) % 10_000
    hours = 1 + columns.taken_at_us // SECOND_US % LATE_HOURS
    received_us = columns.taken_at_us + np.where(late < 10_000 * late_share, hours * HOUR_US, 20 * SECOND_US)
    order = np.argsort(received_us, kind="stable")
    return columns.take(order), received_us[order]


def batched(columns: Columns, received_us: NDArray[np.int64], size: int) -> Iterator[tuple[Readings, int]]:
    """Batches in the order of arrival, each with the clock at its end."""
    for first in range(0, len(received_us), size):
        part = slice(first, first + size)
        yield readings(columns.take(part), received_us[part]), int(received_us[part][-1])


def readings(columns: Columns, received_at_us: NDArray[np.int64] | None = None) -> Readings:
    """All columns of these readings, each patient with devices of its own."""
    n = len(columns.patient)
    kind, received = columns.kind, columns.taken_at_us if received_at_us is None else received_at_us
    devices, device = np.unique(columns.patient * DEVICES + kind % DEVICES, return_inverse=True)
    coded = MOST_CODES[kind] > 0
    code = np.where(coded, np.clip(np.rint(columns.value), 0, MOST_CODES[kind] - 1), -1).astype(np.int16)
    value = np.where(coded, np.nan, columns.value)
    none = np.full(n, -1, np.int32)
    return Readings(
        partition=0,
        texts=tuple(f"device-{number}" for number in devices.tolist()),
        offset=np.arange(n, dtype=np.int64),
        position=np.zeros(n, np.int32),
        patient=columns.patient,
        patient_id=np.zeros((n, 16), np.uint8),
        organisation_id=np.zeros((n, 16), np.uint8),
        upload_id=np.zeros((n, 16), np.uint8),
        kind=kind,
        taken_at_us=columns.taken_at_us,
        device=device.astype(np.int32),
        revision=np.zeros(n, np.int32),
        void=np.zeros(n, np.bool_),
        value=to_canonical(value, kind, columns.unit),
        value_received=value,
        unit=columns.unit,
        unit_received=none,
        code=code,
        code_received=none,
        absent=none,
        text=none,
        group=none,
        source=none,
        received_at_us=received,
        sent_at_us=received,
        utc_offset_min=np.full(n, NO_OFFSET_MIN, np.int16),
        too_late=received - columns.taken_at_us > 7 * DAY_US,
    )
