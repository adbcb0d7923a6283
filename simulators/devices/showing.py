"""What the devices of all homes make of a day's measurements, wrong ones included."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US, MINUTE_US, SECOND_US
from models.labels import About, Label
from models.units import from_canonical, to_canonical
from simulators.devices.artefacts import conflicting, disturb, nothing_of, remarks, revised, voided
from simulators.devices.display import Homes, displayed, in_steps, unit_numbers
from simulators.devices.spells import (
    CLOCK_AHEAD,
    CLOCK_NOT_CHANGED,
    CLOCK_RESET,
    CLOTHED,
    FLAT_BATTERY,
    PROBE_OFF,
    UNIT_SAID,
    UNIT_SWITCHED,
    Spell,
    Spells,
    technical_labels,
)  # fmt: skip
from simulators.devices.trouble import Rates
from simulators.devices.uploads import NO_UNIT, UNIT_TEXTS, Content, Lines, joined_lines
from simulators.patients.calendar import offset_min
from simulators.patients.measurements import NO_GROUP, Measurements
from simulators.patients.population import Ints, Population
from simulators.patients.sessions import BATTERY, BATTERY_LOW, STATE, WEIGHT
from simulators.patients.streams import Purpose, stream

SWITCHED: Final[dict[str, tuple[str, float]]] = {
    "kg": ("[lb_av]", 5), "g": ("[lb_av]", 5), "[lb_av]": ("kg", 10), "Cel": ("[degF]", 10),
    "[degF]": ("Cel", 10), "mmol/L": ("mg/dL", 1), "mg/dL": ("mmol/L", 10),
}  # fmt: skip
"""What a device shows after a battery change, and in which steps, by what it showed before."""
NEARLY_EMPTY: Final = 5.0


@dataclass(frozen=True, slots=True)
class Shown:
    """Readings of a day as devices have them, and those that are told again in the next two days."""

    lines: Lines
    told_later: list[Lines]


class Showing:
    """Turns what is measured into what devices show; advances one day at a time."""

    def __init__(self, population: Population, homes: Homes, rates: Rates, start: date) -> None:
        self.population = population
        self.homes = homes
        self.rates = rates
        self.start = start
        self.spells = Spells(population, rates, start)
        self._others: list[Label] = []
        self._in_a_spell = np.zeros(len(population), np.bool_)

    def show(self, day: int, midnight_us: int, measured: Measurements) -> Shown:
        """A day's measurements as they are shown."""
        chance = stream(self.population.seed, Purpose.TROUBLE, day)
        self._in_a_spell = self.spells.begin_day(day, midnight_us, measured)
        lines = self.again(day, midnight_us, measured)
        others = disturb(lines, self.rates, chance)
        self._label_others(lines, others, midnight_us)
        follow_ups = (
            voided(lines, others, chance),
            revised(lines, self.rates, chance),
            conflicting(lines, self.rates, chance),
            remarks(lines, self.rates, chance),
        )
        return Shown(lines, [again for again in follow_ups if len(again)])

    def again(self, day: int, midnight_us: int, measured: Measurements) -> Lines:
        """More measurements of the same day, with devices as they are that day; nothing goes wrong once."""
        rows = np.flatnonzero(self._in_a_spell[measured.patient])
        if not len(rows):
            return displayed(measured, self.homes, offset_min(self.start, day))
        lines = displayed(self._clothed(measured, rows), self.homes, offset_min(self.start, day))
        return self._spoiled(lines, rows, midnight_us)

    def labels_until(self, end_us: int) -> list[Label]:
        """What began before the end."""
        others = [label for label in self._others if label.onset_us < end_us]
        return [*self.spells.labels_until(end_us), *others]

    def _clothed(self, measured: Measurements, rows: Ints) -> Measurements:
        weights = rows[measured.kind[rows] == WEIGHT]
        clothed = self.spells.hits(CLOTHED, weights, measured.patient, measured.device, measured.taken_at_us)
        value = measured.value.copy()
        value[clothed] += self.spells.amounts(CLOTHED, measured.patient[clothed])
        return replace(measured, value=value)

    def _spoiled(self, lines: Lines, rows: Ints, midnight_us: int) -> Lines:
        """What spells do to readings, in place but for those of flat batteries."""
        # By the true time: a spell does not end because its own clock is wrong.
        true_us = lines.taken_at_us.copy()

        def hits(spell: Spell) -> Ints:
            return self.spells.hits(spell, rows, lines.patient, lines.device, true_us)

        off = hits(PROBE_OFF)
        off = off[lines.content[off] == Content.VALUE]
        lines.value[off] = nothing_of(lines.kind[off])
        self._switch_units(lines, hits(UNIT_SWITCHED))
        for spell in (CLOCK_AHEAD, CLOCK_NOT_CHANGED):
            wrong = hits(spell)
            hours = self.spells.amounts(spell, lines.patient[wrong])
            lines.taken_at_us[wrong] += (hours * 3600).astype(np.int64) * SECOND_US
        reset = hits(CLOCK_RESET)
        lines.taken_at_us[reset] = true_us[reset] - self.spells.begun_us(CLOCK_RESET, lines.patient[reset])
        flat = hits(FLAT_BATTERY)
        return self._fall_silent(lines, flat, true_us, midnight_us) if len(flat) else lines

    def _switch_units(self, lines: Lines, rows: Ints) -> None:
        rows = rows[np.isin(lines.unit[rows], _SWITCHED_FROM)]
        kind, own = lines.kind[rows], lines.unit[rows]
        other = _SWITCHED_TO[own]
        value = to_canonical(lines.value[rows], kind, unit_numbers(own))
        lines.value[rows] = in_steps(from_canonical(value, kind, unit_numbers(other)), _SWITCHED_STEPS[own])
        says = self.spells.amounts(UNIT_SWITCHED, lines.patient[rows]) < UNIT_SAID
        lines.unit[rows] = np.where(says, other, own)

    def _fall_silent(self, lines: Lines, flat: Ints, true_us: Ints, midnight_us: int) -> Lines:
        """The battery is low on the first day, and the device silent from the second on."""
        first_day = self.spells.begun_us(FLAT_BATTERY, lines.patient[flat]) == midnight_us
        low = flat[first_day]
        battery = low[lines.kind[low] == BATTERY]
        lines.value[battery] = np.minimum(lines.value[battery], NEARLY_EMPTY)
        # Once for all that is measured in one go.
        keys = lines.patient[low].astype(np.int64) << 32 | true_us[low] // MINUTE_US % (1 << 32)
        said = lines.take(low[np.unique(keys, return_index=True)[1]])
        n = len(said)
        said = replace(
            said,
            kind=np.full(n, STATE, np.int16),
            # Beside what the device may have said of itself.
            taken_at_us=said.taken_at_us + SECOND_US,
            value=np.full(n, np.nan),
            unit=np.full(n, NO_UNIT, np.int16),
            code=np.full(n, BATTERY_LOW, np.int16),
            content=np.full(n, Content.CODE, np.int8),
            group=np.full(n, NO_GROUP, np.int8),
        )
        kept = np.ones(len(lines), np.bool_)
        kept[flat[~first_day]] = False
        return joined_lines([lines.take(kept), said])

    def _label_others(self, lines: Lines, others: NDArray[np.intp], midnight_us: int) -> None:
        at_us = np.clip(lines.taken_at_us[others], midnight_us, midnight_us + DAY_US)
        rows = lines.patient[others].astype(np.int64)
        self._others += technical_labels(
            self.population, rows, "someone_else", About.PERSON, at_us, at_us + MINUTE_US
        )


_SWITCHED_FROM = np.array([UNIT_TEXTS.index(text) for text in SWITCHED], np.int16)
_SWITCHED_TO = np.full(len(UNIT_TEXTS), NO_UNIT, np.int16)
_SWITCHED_STEPS = np.ones(len(UNIT_TEXTS))
for _text, (_other, _steps) in SWITCHED.items():
    _SWITCHED_TO[UNIT_TEXTS.index(_text)] = UNIT_TEXTS.index(_other)
    _SWITCHED_STEPS[UNIT_TEXTS.index(_text)] = _steps
