"""What goes wrong with single readings: nothing measured, impossible values, told again, taken back."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.kinds import KIND_BY_NAME, KINDS
from simulators.devices.trouble import Rates
from simulators.devices.uploads import ABSENT_TEXTS, REMARKS, Content, Lines
from simulators.patients.population import Floats
from simulators.patients.sessions import WEIGHT

OXIMETER_WITHOUT_FINGER: Final = 50.0
COUNTED_NOTHING: Final = -100.0
REMARK_AFTER_US: Final = 30_000_000
TAKEN_BACK: Final = 0.6
"""Share of somebody else's weights that are taken back once noticed."""
RETOLD: Final = ("body_weight", "pulse", "glucose", "peak_flow", "steps")
"""Kinds whose values somebody corrects; a lone new pressure could end up above or below the other one."""

_NOTHING = np.array([0.0 if 0.0 in kind.sentinels else COUNTED_NOTHING for kind in KINDS])
"""What each kind's device sends when it measured nothing."""
_NOTHING[KIND_BY_NAME["spo2"].number] = OXIMETER_WITHOUT_FINGER
# A digit too many is wild for most kinds, two for those whose range is wide.
_WILD = np.array([100.0 if kind.unit in {"mmol/L", "L", "{steps}"} else 10.0 for kind in KINDS])
_WILD[WEIGHT] = 1 / 20  # a bag instead of a person
_RETOLD = np.array([kind.name in RETOLD for kind in KINDS])


def nothing_of(kind: NDArray[np.int16]) -> Floats:
    """What a device sends that has measured nothing, in whichever unit: all of it is refused as such.

    >>> float(nothing_of(np.array([KIND_BY_NAME["spo2"].number]))[0])
    50.0
    """
    return _NOTHING[kind]


def disturb(lines: Lines, rates: Rates, chance: np.random.Generator) -> NDArray[np.intp]:
    """Put artefacts into readings, in place; gives the rows that show somebody else's weight."""
    n = len(lines)
    what, amount = chance.random(n), chance.random(n)
    numeric = lines.content == Content.VALUE
    edges = np.cumsum([rates.sentinel, rates.implausible, rates.absent])
    trouble = np.searchsorted(edges, what, side="right")
    trouble[~numeric] = len(edges)

    nothing = np.flatnonzero(trouble == 0)
    lines.value[nothing] = nothing_of(lines.kind[nothing])
    # In the device's own unit, whichever it is.
    wild = np.flatnonzero(trouble == 1)
    lines.value[wild] = np.round(lines.value[wild] * _WILD[lines.kind[wild]], 1)
    missing = np.flatnonzero(trouble == 2)
    lines.content[missing] = Content.ABSENT
    lines.code[missing] = (amount[missing] * len(ABSENT_TEXTS)).astype(np.int16)

    weights = (trouble == len(edges)) & numeric & (lines.kind == WEIGHT)
    other = np.flatnonzero(weights & (chance.random(n) < rates.someone_else))
    lines.value[other] = np.round(lines.value[other] * _another_body(amount[other]), 1)
    return other


def revised(lines: Lines, rates: Rates, chance: np.random.Generator) -> Lines:
    """Readings that are told again, a little different, as a higher revision."""
    uniform, step = chance.random(len(lines)), chance.random(len(lines))
    rows = np.flatnonzero(_may_be_retold(lines) & (uniform < rates.revised))
    again = lines.take(rows)
    again.value[:] = np.round(again.value * (1.01 + 0.02 * step[rows]), 1)
    again.revision[:] += 1
    return again


def conflicting(lines: Lines, rates: Rates, chance: np.random.Generator) -> Lines:
    """Readings that come again under the same identity with another value."""
    uniform = chance.random(len(lines))
    again = lines.take(np.flatnonzero(_may_be_retold(lines) & (uniform < rates.conflict)))
    again.value[:] = np.round(again.value * 1.02 + 0.1, 1)
    return again


def remarks(lines: Lines, rates: Rates, chance: np.random.Generator) -> Lines:
    """What some patients write half a minute after they answered."""
    uniform, which = chance.random(len(lines)), chance.random(len(lines))
    rows = np.flatnonzero((lines.content == Content.CODE) & (uniform < rates.remark))
    written = lines.take(rows)
    written.content[:] = Content.TEXT
    written.code[:] = (which[rows] * len(REMARKS)).astype(np.int16)
    written.taken_at_us[:] += REMARK_AFTER_US
    return written


def voided(lines: Lines, others: NDArray[np.intp], chance: np.random.Generator) -> Lines:
    """Somebody else's weights that are taken back once noticed."""
    back = lines.take(others[chance.random(len(others)) < TAKEN_BACK])
    back.content[:] = Content.VOID
    back.revision[:] += 1
    return back


def _may_be_retold(lines: Lines) -> NDArray[np.bool_]:
    return (lines.content == Content.VALUE) & _RETOLD[lines.kind]


def _another_body(uniform: Floats) -> Floats:
    """A partner is 15 to 40 % lighter or heavier."""
    lighter = 0.60 + 0.5 * uniform
    return np.where(uniform < 0.5, lighter, 0.9 + 0.5 * uniform)
