"""What spells do to readings is what somebody would do who takes them one by one."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kinds import KIND_BY_NAME, KINDS
from models.units import UNIT_BY_SPELLING, from_canonical, to_canonical
from simulators.devices.display import displayed
from simulators.devices.showing import SWITCHED
from simulators.devices.spells import (
    CLOCK_AHEAD,
    CLOCK_NOT_CHANGED,
    CLOCK_RESET,
    CLOTHED,
    FLAT_BATTERY,
    PROBE_OFF,
    SPELLS,
    UNIT_SAID,
    UNIT_SWITCHED,
    Spell,
    Spells,
)
from simulators.devices.uploads import UNIT_TEXTS, Lines
from simulators.patients.calendar import midnight_us, offset_min
from simulators.patients.measurements import Measurements
from simulators.scenarios.scenario import Scenario
from tests.unit.simulators.homes import BEFORE_THE_CLOCKS_CHANGE, EVERYBODY, PROGRAMMES, only

START, DAYS, PATIENTS = BEFORE_THE_CLOCKS_CHANGE - timedelta(days=1), 6, 24
STATE, WEIGHT = KIND_BY_NAME["device_state"].number, KIND_BY_NAME["body_weight"].number
LOW = KIND_BY_NAME["device_state"].code_numbers["battery_low"]
Row = tuple[int, int, int, int, float, int, int]
"""Patient, device, kind, when, value, unit, code."""


class Twin:
    """One reading after the other; knows the spells of today, and nothing of columns."""

    def __init__(self, spells: Spells, midnight: int) -> None:
        self.spells = spells
        self.midnight_us = midnight

    def amount(self, spell: Spell, patient: int, device: int, at_us: int) -> float | None:
        number = SPELLS.index(spell)
        began_us, over_us = (int(of[number, patient]) for of in (self.spells.from_us, self.spells.until_us))
        mine = int(self.spells.device[number, patient]) == device and began_us <= at_us < over_us
        return float(self.spells.amount[number, patient]) if mine else None

    def weighed(self, measured: Measurements) -> Measurements:
        """Clothes weigh."""
        value = measured.value.copy()
        for row in range(len(measured)):
            where = int(measured.patient[row]), int(measured.device[row]), int(measured.taken_at_us[row])
            clothes = self.amount(CLOTHED, *where)
            if clothes is not None and measured.kind[row] == WEIGHT:
                value[row] += clothes
        return replace(measured, value=value)

    def shown(self, row: Row) -> tuple[Row | None, Row | None]:
        """What becomes of one reading, and what the device may say of its battery beside it."""
        patient, device, kind, at_us, value, unit, code = row
        where = patient, device, at_us
        if self.amount(PROBE_OFF, *where) is not None and code < 0:
            value = 50.0 if KINDS[kind].name == "spo2" else 0.0 if 0.0 in KINDS[kind].sentinels else -100.0
        switched = self.amount(UNIT_SWITCHED, *where)
        if switched is not None and unit >= 0 and UNIT_TEXTS[unit] in SWITCHED:
            other, steps = SWITCHED[UNIT_TEXTS[unit]]
            value = round(_converted(value, kind, UNIT_TEXTS[unit], other) * steps) / steps
            unit = UNIT_TEXTS.index(other) if switched < UNIT_SAID else unit
        flat = self.amount(FLAT_BATTERY, *where)
        began_us = int(self.spells.from_us[SPELLS.index(FLAT_BATTERY), patient])
        if flat is not None and began_us != self.midnight_us:
            return None, None
        if flat is not None and KINDS[kind].name == "battery":
            value = min(value, 5.0)
        told_us = at_us
        for spell in (CLOCK_AHEAD, CLOCK_NOT_CHANGED):
            told_us += int((self.amount(spell, *where) or 0.0) * 3600) * 1_000_000
        if self.amount(CLOCK_RESET, *where) is not None:
            told_us = at_us - int(self.spells.from_us[SPELLS.index(CLOCK_RESET), patient])
        kept = (patient, device, kind, told_us, value, unit, code)
        said = (patient, device, STATE, told_us + 1_000_000, -1.0, -1, LOW)
        return kept, said if flat is not None else None


def _converted(value: float, kind: int, unit: str, other: str) -> float:
    numbers = [np.array([UNIT_BY_SPELLING[one]]) for one in (unit, other)]
    canonical = to_canonical(np.array([value]), np.array([kind]), numbers[0])
    return float(from_canonical(canonical, np.array([kind]), numbers[1])[0])


def rows_of(lines: Lines, names: tuple[str, ...]) -> list[Row]:
    columns = [np.nan_to_num(getattr(lines, name), nan=-1.0).tolist() for name in names]
    return list(zip(*columns, strict=True))


NAMES = ("patient", "device", "kind", "taken_at_us", "value", "unit", "code")


@settings(max_examples=10, deadline=None)
@given(
    rates=st.fixed_dictionaries({spell.name: st.sampled_from([0.0, 0.3, 1.0]) for spell in SPELLS}),
    seed=st.integers(0, 1000),
)
def test_spells_do_what_somebody_would_do_by_hand(rates: dict[str, float], seed: int) -> None:
    scenario = Scenario(
        seed=seed, patients=PATIENTS, days=DAYS, start=START, programmes=PROGRAMMES, rates=only(**rates),
        said=EVERYBODY,
    )  # fmt: skip
    everybody, showing = np.ones(PATIENTS, np.bool_), scenario.showing
    for day in range(DAYS):
        midnight = midnight_us(START, day)
        scenario.bodies.next_day(day, midnight)
        measured = scenario.sessions.measure(day, midnight, everybody)
        found = rows_of(showing.show(day, midnight, measured).lines, NAMES)
        twin = Twin(showing.spells, midnight)
        plain = rows_of(displayed(twin.weighed(measured), scenario.homes, offset_min(START, day)), NAMES)
        shown = [twin.shown(row) for row in plain]
        kept, beside = ([one for one in of if one is not None] for of in zip(*shown, strict=True))
        # What is said of batteries comes last, once for all that a device measures in one go.
        assert found[: len(kept)] == kept
        said = found[len(kept) :]
        assert set(said) <= set(beside)
        assert {row[:2] for row in said} == {row[:2] for row in beside}
        assert len(set(said)) == len(said)
