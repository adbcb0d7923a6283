"""Sensors for heart rate, saturation and breathing each minute, temperature each five: hospital at home.

They are off for an hour a day to be charged, and say so; steps are told once, as what they are: those of a
day. **Source**: how noisy they are, and how much a walk through the house moves, is our own proposal.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.clock import MINUTE_US, SECOND_US
from models.kinds import KIND_BY_NAME
from models.labels import About, Label
from simulators.devices.spells import technical_labels
from simulators.devices.traces import ANCHOR_MIN, Bools, Traces, between, window, within
from simulators.devices.trouble import Rates
from simulators.patients.bodies import Bodies
from simulators.patients.measurements import NO_CODE, NO_GROUP, Device, Measurements, joined
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream

KINDS_BY_MINUTE: Final = ("heart_rate", "spo2", "respiratory_rate")
UPLOAD_MIN: Final = 5
PER_UPLOAD: Final = UPLOAD_MIN * len(KINDS_BY_MINUTE) + 1
"""Each minute's values of five minutes, and one temperature."""
PUT_ON_MIN: Final = 120
"""Whoever was not followed yesterday puts it on at this minute of the day."""
BELIEVABLE: Final = {
    "heart_rate": (30.0, 220.0),
    "spo2": (60.0, 100.0),
    "respiratory_rate": (5.0, 60.0),
    "temperature": (33.0, 43.0),
}
NOISE_SD: Final = {"heart_rate": 2.0, "spo2": 0.6, "respiratory_rate": 1.2, "temperature": 0.06}
MOVES: Final = {"heart_rate": 18.0, "spo2": -0.6, "respiratory_rate": 3.0}
"""What walking about adds."""
MOVING_SHARE: Final = 0.1
"""Of the quarters of an hour of a day in which somebody is up."""
UP_MIN: Final = (420, 1350)
CHARGED_MIN: Final = 60
CHARGE_BETWEEN_MIN: Final = (1080.0, 1320.0)
BATTERY_PER_HOUR: Final = 2.8
NOT_WORN_MIN: Final = (60.0, 600.0)
LOOSE_MIN: Final = (15.0, 120.0)
_KINDS = [*(kind for kind in KINDS_BY_MINUTE for _ in range(UPLOAD_MIN)), "temperature"]
_CODES = KIND_BY_NAME["device_state"].code_numbers
_KIND_OF = np.array([KIND_BY_NAME[kind].number for kind in _KINDS], np.int16)
_SD = np.array([NOISE_SD[kind] for kind in _KINDS])
_LOW, _HIGH = np.array([BELIEVABLE[kind] for kind in _KINDS]).T
_BY_PROBE = np.array([kind in {"heart_rate", "spo2"} for kind in _KINDS])
_MINUTE_OF = np.array([*range(UPLOAD_MIN)] * len(KINDS_BY_MINUTE) + [UPLOAD_MIN - 1])


class Wearables:
    """Measures everybody who wears one; advances one day at a time.

    **Shape**: each array is [n]; within a day values are [m, uploads, PER_UPLOAD], m wear one today.
    """

    def __init__(self, population: Population, bodies: Bodies, rates: Rates) -> None:
        n = len(population)
        self.population = population
        self.rates = rates
        self.bodies = bodies
        self.traces = Traces(bodies, (*KINDS_BY_MINUTE, "temperature"), n)
        uniform = stream(population.seed, Purpose.WEARABLES).random((n, 2))
        self.charge_min = np.floor(within(CHARGE_BETWEEN_MIN, uniform[:, 0]))
        self.full = 90 + 10 * uniform[:, 1]
        self._worn_until_us = np.full(n, -1, np.int64)
        self._labels: list[Label] = []

    def measure(self, day: int, midnight_us: int, until_us: int, rows: Ints) -> tuple[Measurements, Bools]:
        """A day's values of those who wear one, at least one, and which of them a loose probe took."""
        uploads = (until_us - midnight_us) // (UPLOAD_MIN * MINUTE_US)
        chance = stream(self.population.seed, Purpose.WEARABLES, day + 1)
        value = self._values(rows, midnight_us, until_us, chance)
        on = self._on(rows, midnight_us, uploads * UPLOAD_MIN, chance)
        loose = self._loose(rows, midnight_us, uploads * UPLOAD_MIN, chance)
        at = self.bodies.at(rows, np.full(len(rows), until_us))
        second = rows * 7 % 60
        parts = (
            _by_minute(rows, midnight_us, second, value, on),
            self._states(rows, midnight_us, second, on),
            self._batteries(rows, midnight_us, second, on),
            _readings(
                rows,
                "steps",
                until_us - MINUTE_US + second * SECOND_US,
                self.bodies.level("steps", at),
                uploads - 1,
            ),
        )
        self._worn_until_us[rows] = until_us
        measured = joined(parts)
        by_probe = np.zeros(len(measured), np.bool_)
        there = on.reshape(len(rows), -1, UPLOAD_MIN)[:, :, _MINUTE_OF]
        loose_there = loose.reshape(len(rows), -1, UPLOAD_MIN)[:, :, _MINUTE_OF] & _BY_PROBE
        by_probe[: len(parts[0])] = loose_there[there]
        return measured, by_probe

    def labels_until(self, end_us: int) -> list[Label]:
        """Taken off, or sitting badly, before the end."""
        return [label for label in self._labels if label.onset_us < end_us]

    def _values(self, rows: Ints, midnight_us: int, until_us: int, chance: np.random.Generator) -> Floats:
        """**Shape**: [m, uploads, PER_UPLOAD]."""
        levels = self.traces.day(rows, midnight_us, until_us)
        anchors = levels[0].shape[1]
        hour_min = ANCHOR_MIN * np.arange(anchors, dtype=np.int64)
        up = (hour_min >= UP_MIN[0]) & (hour_min < UP_MIN[1])
        uniform = chance.random((2, len(rows), anchors))
        moving = between(np.where(up & (uniform[0] < MOVING_SHARE), uniform[1], 0.0), ANCHOR_MIN)
        shape = (len(rows), (anchors - 1) * ANCHOR_MIN // UPLOAD_MIN, UPLOAD_MIN)
        value = chance.standard_normal((*shape[:2], PER_UPLOAD)) * _SD
        for number, kind in enumerate(KINDS_BY_MINUTE):
            own = slice(UPLOAD_MIN * number, UPLOAD_MIN * (number + 1))
            by_minute = between(levels[number], ANCHOR_MIN) + MOVES[kind] * moving
            value[:, :, own] += by_minute.reshape(shape)
        value[:, :, -1] += between(levels[-1], ANCHOR_MIN // UPLOAD_MIN)
        return np.clip(value, _LOW, _HIGH, out=value)

    def _on(self, rows: Ints, midnight_us: int, minutes: int, chance: np.random.Generator) -> Bools:
        """When it is worn. **Shape**: [m, minutes]."""
        charge_min = self.charge_min[rows]
        on = ~window(minutes, 1, charge_min, charge_min + CHARGED_MIN)
        fresh = np.flatnonzero(self._worn_until_us[rows] != midnight_us)
        on[fresh, :PUT_ON_MIN] = False
        uniform = chance.random((3, len(rows)))
        off = np.flatnonzero(uniform[0] < self.rates.not_worn)
        length_min = np.floor(within(NOT_WORN_MIN, uniform[1, off]))
        from_min = PUT_ON_MIN + np.floor((minutes - PUT_ON_MIN - length_min - 1) * uniform[2, off])
        on[off] &= ~window(minutes, 1, from_min, from_min + length_min)
        self._label("not_worn", About.PERSON, rows[off], midnight_us, from_min, length_min)
        return on

    def _loose(self, rows: Ints, midnight_us: int, minutes: int, chance: np.random.Generator) -> Bools:
        uniform = chance.random((3, len(rows)))
        off = np.flatnonzero(uniform[0] < self.rates.probe_loose)
        length_min = np.floor(within(LOOSE_MIN, uniform[1, off]))
        from_min = np.floor((minutes - length_min) * uniform[2, off])
        loose = np.zeros((len(rows), minutes), np.bool_)
        loose[off] = window(minutes, 1, from_min, from_min + length_min)
        self._label("probe_loose", About.DEVICE, rows[off], midnight_us, from_min, length_min)
        return loose

    def _label(
        self, kind: str, about: About, rows: Ints, midnight_us: int, from_min: Floats, length_min: Floats
    ) -> None:
        begin_us = midnight_us + from_min.astype(np.int64) * MINUTE_US
        end_us = begin_us + length_min.astype(np.int64) * MINUTE_US
        self._labels += technical_labels(self.population, rows, kind, about, begin_us, end_us)

    def _states(self, rows: Ints, midnight_us: int, second: Ints, on: Bools) -> Measurements:
        """Said whenever it is taken off or put on; nobody does either at midnight."""
        before = on.copy()
        before[:, 1:] = on[:, :-1]
        row, minute = np.nonzero(on != before)
        at_us = midnight_us + minute * MINUTE_US + second[row] * SECOND_US
        said = _readings(rows[row], "device_state", at_us, np.full(len(row), np.nan), minute // UPLOAD_MIN)
        said.code[:] = np.where(on[row, minute], _CODES["ok"], _CODES["not_worn"])
        return said

    def _batteries(self, rows: Ints, midnight_us: int, second: Ints, on: Bools) -> Measurements:
        row, hour = np.nonzero(on[:, 30::60])
        minute = 60 * hour + 30
        hours = (minute - self.charge_min[rows[row]] - CHARGED_MIN) % (24 * 60) / 60
        left = np.rint(self.full[rows[row]] - BATTERY_PER_HOUR * hours)
        at_us = midnight_us + minute * MINUTE_US + second[row] * SECOND_US
        return _readings(rows[row], "battery", at_us, left, minute // UPLOAD_MIN)


def _by_minute(rows: Ints, midnight_us: int, second: Ints, value: Floats, on: Bools) -> Measurements:
    there = on.reshape(len(rows), -1, UPLOAD_MIN)[:, :, _MINUTE_OF]
    upload = np.arange(value.shape[1], dtype=np.int64)
    minute = UPLOAD_MIN * upload[:, None] + _MINUTE_OF
    # Each at its own second of the minute.
    taken_us = (midnight_us + second * SECOND_US)[:, None, None] + minute * MINUTE_US
    n = int(there.sum())
    return Measurements(
        patient=np.repeat(rows.astype(np.int32), there.sum(axis=(1, 2))),
        device=np.full(n, Device.WEARABLE, np.int8),
        kind=np.broadcast_to(_KIND_OF, there.shape)[there],
        taken_at_us=taken_us[there],
        value=value[there],
        code=np.full(n, NO_CODE, np.int16),
        session=np.broadcast_to(upload.astype(np.int16)[:, None], there.shape)[there],
        group=np.full(n, NO_GROUP, np.int8),
    )


def _readings(
    rows: Ints, kind: str, at_us: NDArray[np.integer], value: Floats, session: Ints | int
) -> Measurements:
    n = len(rows)
    return Measurements(
        patient=rows.astype(np.int32),
        device=np.full(n, Device.WEARABLE, np.int8),
        kind=np.full(n, KIND_BY_NAME[kind].number, np.int16),
        taken_at_us=at_us.astype(np.int64),
        value=value,
        code=np.full(n, NO_CODE, np.int16),
        session=np.broadcast_to(np.asarray(session, np.int16), n).copy(),
        group=np.full(n, NO_GROUP, np.int8),
    )
