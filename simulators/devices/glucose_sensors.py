"""Glucose sensors that are worn: a value each five minutes, with everything that is odd about them.

**Source**: an unplanned day varies as in five recordings of people with type 2 diabetes (coefficient of
variation 22 to 34 %, 3.6 to 5.9 mg/dL from one value to the next, correlation after an hour 0.64 to 0.83);
sensors lag behind blood by some ten minutes and are off by about 9 % (M). How long they last, warm up and
fall silent is our own proposal.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.clock import MINUTE_US, SECOND_US
from models.kinds import KIND_BY_NAME
from models.labels import About, Label
from simulators.devices.spells import technical_labels
from simulators.devices.traces import ANCHOR_MIN, Numbers, Traces, between, window, within
from simulators.devices.trouble import Rates
from simulators.patients.bodies import Bodies
from simulators.patients.measurements import NO_CODE, NO_GROUP, Device, Measurements
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream

GLUCOSE_CGM: Final = KIND_BY_NAME["glucose_cgm"].number
STEP_MIN: Final = 5
SLOTS_PER_HOUR: Final = 60 // STEP_MIN
LAG_US: Final = 10 * MINUTE_US
"""What is under the skin follows the blood by so much."""
LIFE_DAYS: Final = (10, 14)
WARM_UP_MIN: Final = 60
PUT_ON_MIN: Final = 120
"""Whoever was not followed yesterday puts a sensor on at this minute of the day."""
WANDER_SHARE: Final = 0.17
"""How far glucose wanders through a day beside meals, as a share of its level: walks, stress, snacks."""
WANDER_MEMORY: Final = 0.72
"""From one hour to the next."""
WANDER_NEW: Final = 0.6939740629158989
"""What each hour adds, so that the squares of both add up to one."""
UNPLANNED_FLOOR: Final = 4.2
"""**Units**: mmol/L. A body by itself keeps above this; it takes a planted low to go below."""
FLOOR_ROOM: Final = 2.0
NOISE_SHARE: Final = 0.014
CALIBRATION_SD: Final = 0.06
SENT: Final = (38 / 18.01559, 401 / 18.01559)
"""**Units**: mmol/L. What sensors send for *low* (below 40 mg/dL) and *high* (above 400)."""
DROPOUT_MIN: Final = (30.0, 240.0)
COMPRESSION_MIN: Final = (20.0, 70.0)
COMPRESSION_DEPTH: Final = (0.3, 0.55)
COMPRESSION_UNTIL_MIN: Final = 300.0
COMPRESSION_SLOPE_MIN: Final = 10.0


class GlucoseSensors:
    """Measures everybody who wears one; advances one day at a time.

    **Shape**: each array is [n]. **Units**: mmol/L, days.
    """

    def __init__(self, population: Population, bodies: Bodies, rates: Rates) -> None:
        n = len(population)
        self.population = population
        self.rates = rates
        self.traces = Traces(bodies, ("glucose",), n)
        uniform = stream(population.seed, Purpose.GLUCOSE).random((n, 3))
        self.life_days = np.where(uniform[:, 0] < 0.5, *LIFE_DAYS).astype(np.int64)
        self.first_change = (uniform[:, 1] * self.life_days).astype(np.int64)
        self.change_min = (8 * 60 + 13 * 60 * uniform[:, 2]).astype(np.int64) // STEP_MIN * STEP_MIN
        normal = stream(population.seed, Purpose.GLUCOSE, 0).standard_normal((n, 2))
        self.factor = 1 + CALIBRATION_SD * normal[:, 0]
        self._wander = normal[:, 1]
        self._worn_until_us = np.full(n, -1, np.int64)
        self._labels: list[Label] = []

    def measure(self, day: int, midnight_us: int, until_us: int, rows: Ints) -> Measurements:
        """A day's values of those who wear a sensor, at least one."""
        chance = stream(self.population.seed, Purpose.GLUCOSE, day + 1)
        value = self._under_the_skin(rows, midnight_us, until_us, chance)
        missing = np.zeros(value.shape, np.bool_)
        self._change_sensors(rows, day, midnight_us, value, missing, chance)
        self._lie_on_some(rows, midnight_us, value, chance)
        self._silence_some(rows, midnight_us, missing, chance)
        value *= 1 + NOISE_SHARE * chance.standard_normal(value.shape)
        self._worn_until_us[rows] = until_us
        return _columns(rows, midnight_us, np.clip(value, *SENT), ~missing)

    def labels_until(self, end_us: int) -> list[Label]:
        """Sensors changed, fallen silent or lain upon before the end."""
        return [label for label in self._labels if label.onset_us < end_us]

    def _under_the_skin(
        self, rows: Ints, midnight_us: int, until_us: int, chance: np.random.Generator
    ) -> Floats:
        """What a perfect sensor would tell. **Shape**: [m, slots]."""
        anchors = self.traces.day(rows, midnight_us, until_us, LAG_US)[0]
        level = between(anchors, ANCHOR_MIN // STEP_MIN)
        hours = level.shape[1] // SLOTS_PER_HOUR
        normal = WANDER_NEW * chance.standard_normal((hours, len(rows)))
        wander = np.empty((hours + 1, len(rows)))
        wander[0] = self._wander[rows]
        for hour in range(hours):
            wander[hour + 1] = WANDER_MEMORY * wander[hour] + normal[hour]
        self._wander[rows] = wander[-1]
        room = np.clip((level - UNPLANNED_FLOOR) / FLOOR_ROOM, 0.0, 1.0)
        moved = level + WANDER_SHARE * level * room * between(wander.T, SLOTS_PER_HOUR)
        return np.maximum(moved, np.minimum(level, UNPLANNED_FLOOR))

    def _change_sensors(
        self,
        rows: Ints,
        day: int,
        midnight_us: int,
        value: Floats,
        missing: NDArray[np.bool_],
        chance: np.random.Generator,
    ) -> None:
        """Each sensor is off by its own share; a new one says nothing while it warms up."""
        fresh = self._worn_until_us[rows] != midnight_us
        due = (day - self.first_change[rows]) % self.life_days[rows] == 0
        at_min = np.where(fresh, PUT_ON_MIN, self.change_min[rows])
        other = 1 + CALIBRATION_SD * chance.standard_normal(len(rows))
        factor = np.where(fresh, other, self.factor[rows])
        value *= factor[:, None]
        new = np.flatnonzero(due & ~fresh)
        later = window(value.shape[1], STEP_MIN, at_min[new])
        value[new] *= np.where(later, (other[new] / factor[new])[:, None], 1.0)
        changed = np.flatnonzero(due | fresh)
        silent_from = np.where(fresh[changed], 0, at_min[changed])
        until_min = at_min[changed] + WARM_UP_MIN
        missing[changed] |= window(value.shape[1], STEP_MIN, silent_from, until_min)
        self.factor[rows] = np.where(due & ~fresh, other, factor)
        self._label("sensor_change", rows[changed], midnight_us, at_min[changed], until_min)

    def _lie_on_some(self, rows: Ints, midnight_us: int, value: Floats, chance: np.random.Generator) -> None:
        """A sensor that is pressed flat falls within minutes, and comes back."""
        uniform = chance.random((4, len(rows)))
        lies = np.flatnonzero(uniform[0] < self.rates.compression_low)
        from_min = np.floor(COMPRESSION_UNTIL_MIN * uniform[1, lies])
        until_min = from_min + np.floor(within(COMPRESSION_MIN, uniform[2, lies]))
        minute = STEP_MIN * np.arange(value.shape[1], dtype=np.int64)
        edge = np.minimum(minute - from_min[:, None], until_min[:, None] - minute) / COMPRESSION_SLOPE_MIN
        value[lies] *= 1 - within(COMPRESSION_DEPTH, uniform[3, lies])[:, None] * np.clip(edge, 0.0, 1.0)
        self._label("compression_low", rows[lies], midnight_us, from_min, until_min)

    def _silence_some(
        self, rows: Ints, midnight_us: int, missing: NDArray[np.bool_], chance: np.random.Generator
    ) -> None:
        uniform = chance.random((3, len(rows)))
        lost = np.flatnonzero(uniform[0] < self.rates.sensor_dropout)
        length_min = np.floor(within(DROPOUT_MIN, uniform[2, lost]))
        from_min = np.floor((missing.shape[1] * STEP_MIN - length_min) * uniform[1, lost])
        missing[lost] |= window(missing.shape[1], STEP_MIN, from_min, from_min + length_min)
        self._label("sensor_dropout", rows[lost], midnight_us, from_min, from_min + length_min)

    def _label(self, kind: str, rows: Ints, midnight_us: int, from_min: Numbers, until_min: Numbers) -> None:
        begin_us, end_us = (
            midnight_us + minute.astype(np.int64) * MINUTE_US for minute in (from_min, until_min)
        )
        self._labels += technical_labels(self.population, rows, kind, About.DEVICE, begin_us, end_us)


def _columns(rows: Ints, midnight_us: int, value: Floats, there: NDArray[np.bool_]) -> Measurements:
    slots = value.shape[1]
    slot = np.arange(slots, dtype=np.int64)
    # Each sensor at its own second of the five minutes.
    second = rows * 37 % (STEP_MIN * 60)
    taken_us = midnight_us + (slot * (STEP_MIN * 60) + second[:, None]) * SECOND_US
    n = int(there.sum())
    return Measurements(
        patient=np.repeat(rows.astype(np.int32), there.sum(axis=1)),
        device=np.full(n, Device.SENSOR, np.int8),
        kind=np.full(n, GLUCOSE_CGM, np.int16),
        taken_at_us=taken_us[there],
        value=value[there],
        code=np.full(n, NO_CODE, np.int16),
        session=np.broadcast_to((slot // SLOTS_PER_HOUR).astype(np.int16), value.shape)[there],
        group=np.full(n, NO_GROUP, np.int8),
    )
