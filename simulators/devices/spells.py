"""Stretches in which a device, or somebody at it, is wrong: begun day by day, each with its label.

A patient is in at most one spell of each sort, with one device; what it does to readings is in `showing`.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.labels import About, Label
from simulators.devices.trouble import Rates
from simulators.patients.calendar import offset_min
from simulators.patients.condition import NONE, Range
from simulators.patients.measurements import Device, Measurements
from simulators.patients.population import Floats, Ints, Population
from simulators.patients.streams import Purpose, stream


@dataclass(frozen=True, slots=True)
class Spell:
    """One way of being wrong for a while; `name` is that of its rate and of its label.

    **Units**: days, begun ones included; `amount` as said beside each. `noticeable` is the share of which
    anybody could see something.
    """

    name: str
    devices: tuple[Device, ...]
    days: Range
    amount: Range = NONE
    about: About = About.DEVICE
    noticeable: float = 1.0


_WITH_CLOCK = (
    Device.SCALE,
    Device.CUFF,
    Device.OXIMETER,
    Device.THERMOMETER,
    Device.METER,
    Device.SPIROMETER,
)
FLAT_BATTERY: Final = Spell("flat_battery", _WITH_CLOCK, days=Range(2, 7))
CLOCK_AHEAD: Final = Spell("clock_ahead", _WITH_CLOCK, days=Range(2, 9), amount=Range(1.0, 14 * 24.0))
"""**Units**: `amount` in hours."""
CLOCK_RESET: Final = Spell("clock_reset", _WITH_CLOCK, days=Range(1, 9))
CLOCK_NOT_CHANGED: Final = Spell("clock_not_changed", _WITH_CLOCK, days=Range(3, 40))
UNIT_SAID: Final = 0.5
UNIT_SWITCHED: Final = Spell(
    "unit_switched",
    (Device.SCALE, Device.THERMOMETER, Device.METER),
    days=Range(3, 30),
    amount=Range(0.0, 1.0),
    noticeable=1 - UNIT_SAID,
)
"""`amount` below UNIT_SAID: the device says which unit it shows, so nothing is wrong but what people read."""
PROBE_OFF: Final = Spell("probe_off", (Device.OXIMETER,), days=Range(1, 1))
CLOTHED: Final = Spell(
    "clothed", (Device.SCALE,), days=Range(7, 21), amount=Range(1.0, 2.0), about=About.PERSON
)
"""**Units**: `amount` in kg."""
SPELLS: Final = (
    FLAT_BATTERY, CLOCK_AHEAD, CLOCK_RESET, CLOCK_NOT_CHANGED, UNIT_SWITCHED, PROBE_OFF, CLOTHED,
)  # fmt: skip


class Spells:
    """The spells that patients are in, as columns; advances one day at a time.

    **Shape**: each array is [len(SPELLS), n]. **Units**: microseconds since 1970 UTC.
    """

    def __init__(self, population: Population, rates: Rates, start: date) -> None:
        shape = (len(SPELLS), len(population))
        self.population = population
        self.start = start
        self.rates = [getattr(rates, spell.name) for spell in SPELLS]
        self.device = np.full(shape, -1, np.int8)
        self.from_us = np.zeros(shape, np.int64)
        self.until_us = np.zeros(shape, np.int64)
        self.amount = np.zeros(shape)
        self.labels: list[Label] = []

    def begin_day(self, day: int, midnight_us: int, measured: Measurements) -> NDArray[np.bool_]:
        """Begin what begins today, with devices that are used today; gives who is in any spell."""
        draws = stream(self.population.seed, Purpose.SPELLS, day + 1)
        uniform = draws.random((2, len(self.population)))
        seen = None
        for number, (spell, rate) in enumerate(zip(SPELLS, self._rates_of(day), strict=True)):
            if rate == 0:
                continue
            # One draw serves all sorts: each looks at its own stretch of it, so that they exclude each other
            # as long as the rates leave room, and none depends on how many others there are.
            place = (uniform[0] + number / len(SPELLS)) % 1.0
            begins = np.flatnonzero((place < rate) & (self.until_us[number] <= midnight_us))
            if not len(begins):
                continue
            seen = _seen(measured, len(self.population)) if seen is None else seen
            self._begin(number, begins[seen[begins][:, spell.devices].any(axis=1)], seen, midnight_us, day)
        return np.logical_or.reduce(self.until_us > midnight_us, axis=0)

    def hits(
        self, spell: Spell, rows: Ints, patient: NDArray[np.int32], device: NDArray[np.int8], at_us: Ints
    ) -> Ints:
        """Which of the given rows fall into a spell of this sort. **Shape**: columns of all rows."""
        number = SPELLS.index(spell)
        who = patient[rows]
        at = at_us[rows]
        inside = (self.from_us[number, who] <= at) & (at < self.until_us[number, who])
        return rows[inside & (self.device[number, who] == device[rows])]

    def begun_us(self, spell: Spell, patient: NDArray[np.int32]) -> Ints:
        """Since when."""
        return self.from_us[SPELLS.index(spell), patient]

    def amounts(self, spell: Spell, patient: NDArray[np.int32]) -> Floats:
        """How much."""
        return self.amount[SPELLS.index(spell), patient]

    def labels_until(self, end_us: int) -> list[Label]:
        """Labels of what began before the end."""
        return [label for label in self.labels if label.onset_us < end_us]

    def _rates_of(self, day: int) -> list[float]:
        rates = list(self.rates)
        if not self.change_min(day):
            rates[SPELLS.index(CLOCK_NOT_CHANGED)] = 0.0
        return rates

    def change_min(self, day: int) -> int:
        """By how much the clocks at home are set forward in the night before this day."""
        return offset_min(self.start, day) - offset_min(self.start, day - 1)

    def _begin(self, number: int, rows: Ints, seen: NDArray[np.bool_], midnight_us: int, day: int) -> None:
        spell = SPELLS[number]
        draws = stream(self.population.seed, Purpose.SPELL_AMOUNTS, day).random((len(self.population), 3))
        days, amount = _between(spell.days, draws[rows, 0]), _between(spell.amount, draws[rows, 1])
        if spell is CLOCK_NOT_CHANGED:
            # A clock that stays behind when the others go forward tells an earlier hour.
            amount = np.full(len(rows), -self.change_min(day) * MINUTE_US / HOUR_US)
        self.from_us[number, rows] = midnight_us
        self.until_us[number, rows] = midnight_us + np.rint(days).astype(np.int64) * DAY_US
        self.amount[number, rows] = amount
        for row, which in zip(rows.tolist(), draws[rows, 2].tolist(), strict=True):
            own = [device for device in spell.devices if seen[row, device]]
            self.device[number, row] = own[int(which * len(own))]
        until_us = self.until_us[number, rows]
        from_us = np.full(len(rows), midnight_us)
        labels = technical_labels(self.population, rows, spell.name, spell.about, from_us, until_us)
        seen_by_nobody = (spell.noticeable < 1) & (amount < 1 - spell.noticeable)
        self.labels += [
            replace(label, detectable_at_us=None) if hidden else label
            for label, hidden in zip(labels, seen_by_nobody.tolist(), strict=True)
        ]


def technical_labels(
    population: Population, rows: Ints, kind: str, about: About, from_us: Ints, until_us: Ints
) -> list[Label]:
    """Labels of something that begins at once and is about no body, of a patient each."""
    spans: list[tuple[int, int, int]] = np.stack([rows, from_us, until_us], axis=1).tolist()
    return [
        Label(
            patient_id=population.patient_text[row],
            kind=kind,
            signals=(),
            onset_us=begin_us,
            detectable_at_us=begin_us,
            worst_us=begin_us,
            end_us=end_us,
            admitted=False,
            cut_off=False,
            about=about,
        )
        for row, begin_us, end_us in spans
    ]


def _seen(measured: Measurements, patients: int) -> NDArray[np.bool_]:
    seen = np.zeros((patients, len(Device)), np.bool_)
    seen[measured.patient, measured.device] = True
    return seen


def _between(given: Range, uniform: Floats) -> Floats:
    return given.low + (given.high - given.low) * uniform
