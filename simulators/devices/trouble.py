"""What goes wrong between a body and the log, each at its own rate."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from models.clock import HOUR_US
from models.errors import BadInput
from models.kinds import KIND_BY_NAME
from simulators.devices.uploads import ABSENT_TEXTS, REMARKS, Content, Lines
from simulators.patients.population import Floats
from simulators.patients.sessions import DIASTOLIC, SPO2, SYSTOLIC, WEIGHT

OXIMETER_WITHOUT_FINGER = 50.0
WEEKS_2 = 14 * 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Rates:
    """How often something goes wrong, as a share.

    Of weights (`someone_else`), of answers (`remark`), of uploads (from `late` on), of readings (the others).
    `late` uploads come hours to days after they were measured, a few of them after more than a week.
    """

    someone_else: float = 0.003
    sentinel: float = 0.0006
    implausible: float = 0.0006
    absent: float = 0.001
    clock_ahead: float = 0.0003
    clock_reset: float = 0.0002
    revised: float = 0.002
    conflict: float = 0.0004
    remark: float = 0.02
    late: float = 0.02
    duplicate: float = 0.01
    unknown_patient: float = 0.0003
    broken: float = 0.0003

    def times(self, factor: float) -> "Rates":
        """All of them more or less frequent."""
        return Rates(**{f.name: min(1.0, getattr(self, f.name) * factor) for f in fields(self)})

    def changed(self, given: tuple[str, ...]) -> "Rates":
        """With some rates given as NAME=SHARE.

        **Raises**: BadInput when a name is unknown or a share is not between 0 and 1.
        """
        names = [field.name for field in fields(self)]
        rates = self
        for text in given:
            name, _, share = text.partition("=")
            expected = f"NAME=SHARE with a share from 0 to 1 and NAME one of {', '.join(names)}"
            try:
                value = float(share)
            except ValueError:
                raise BadInput(where="trouble", expected=expected, found=text) from None
            if name not in names or not 0 <= value <= 1:
                raise BadInput(where="trouble", expected=expected, found=text)
            rates = replace(rates, **{name: value})
        return rates


NO_TROUBLE = Rates().times(0)


def disturb(lines: Lines, rates: Rates, chance: np.random.Generator) -> NDArray[np.intp]:
    """Put artefacts into readings, in place; gives the rows that show somebody else's weight."""
    n = len(lines)
    what, amount = chance.random(n), chance.random(n)
    numeric = lines.content == Content.VALUE
    edges = np.cumsum([rates.sentinel, rates.implausible, rates.absent, rates.clock_ahead, rates.clock_reset])
    trouble = np.searchsorted(edges, what, side="right")
    trouble[~numeric] = len(edges)

    nothing = np.flatnonzero(trouble == 0)
    lines.value[nothing] = np.where(lines.kind[nothing] == SPO2, OXIMETER_WITHOUT_FINGER, 0.0)
    # A bag instead of a person; a cuff that adds a digit. In the device's own unit, whichever it is.
    wild = np.flatnonzero(trouble == 1)
    lines.value[wild] = np.where(lines.kind[wild] == WEIGHT, lines.value[wild] / 20, lines.value[wild] * 10)
    lines.value[wild] = np.round(lines.value[wild], 1)
    missing = np.flatnonzero(trouble == 2)
    lines.content[missing] = Content.ABSENT
    lines.code[missing] = (amount[missing] * len(ABSENT_TEXTS)).astype(np.int16)
    ahead = np.flatnonzero(trouble == 3)
    lines.taken_at_us[ahead] += HOUR_US + (amount[ahead] * WEEKS_2).astype(np.int64) // 1_000_000 * 1_000_000
    reset = np.flatnonzero(trouble == 4)
    lines.taken_at_us[reset] = (amount[reset] * WEEKS_2).astype(np.int64) // 1_000_000 * 1_000_000

    weights = (trouble == len(edges)) & numeric & (lines.kind == WEIGHT)
    other = np.flatnonzero(weights & (chance.random(n) < rates.someone_else))
    lines.value[other] = np.round(lines.value[other] * _another_body(amount[other]), 1)
    return other


def revised(lines: Lines, rates: Rates, chance: np.random.Generator) -> Lines:
    """Readings that are told again, a little different, as a higher revision."""
    uniform, step = chance.random(len(lines)), chance.random(len(lines))
    rows = np.flatnonzero(_plain_numbers(lines) & (uniform < rates.revised))
    again = lines.take(rows)
    again.value[:] = np.round(again.value * (1.01 + 0.02 * step[rows]), 1)
    again.revision[:] += 1
    return again


def conflicting(lines: Lines, rates: Rates, chance: np.random.Generator) -> Lines:
    """Readings that come again under the same identity with another value."""
    uniform = chance.random(len(lines))
    again = lines.take(np.flatnonzero(_plain_numbers(lines) & (uniform < rates.conflict)))
    again.value[:] = np.round(again.value * 1.02 + 0.1, 1)
    return again


def remarks(lines: Lines, rates: Rates, chance: np.random.Generator) -> Lines:
    """What some patients write half a minute after they answered."""
    uniform, which = chance.random(len(lines)), chance.random(len(lines))
    rows = np.flatnonzero((lines.content == Content.CODE) & (uniform < rates.remark))
    written = lines.take(rows)
    written.content[:] = Content.TEXT
    written.code[:] = (which[rows] * len(REMARKS)).astype(np.int16)
    written.taken_at_us[:] += 30_000_000
    return written


def voided(lines: Lines, others: NDArray[np.intp], chance: np.random.Generator) -> Lines:
    """Somebody else's weights that are taken back once noticed: six in ten."""
    rows = others[chance.random(len(others)) < 0.6]
    back = lines.take(rows)
    back.content[:] = Content.VOID
    back.revision[:] += 1
    return back


def _plain_numbers(lines: Lines) -> NDArray[np.bool_]:
    # Both pressures of one moment stay as they were: a lone new one could end up above the other.
    pressure = (lines.kind == SYSTOLIC) | (lines.kind == DIASTOLIC)
    battery = lines.kind == KIND_BY_NAME["battery"].number
    return (lines.content == Content.VALUE) & ~pressure & ~battery & (lines.kind != SPO2)


def _another_body(uniform: Floats) -> Floats:
    """A partner is 15 to 40 % lighter or heavier."""
    lighter = 0.60 + 0.5 * uniform
    return np.where(uniform < 0.5, lighter, 0.9 + 0.5 * uniform)
