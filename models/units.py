"""Units as devices spell them, and their exact conversion to each kind's canonical unit.

One formula, in one order of operations, wherever a value is converted (here, kernel, twin), so that all
agree to the last bit. An unknown spelling is refused, never guessed.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.kinds import KINDS

_SPELLINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("kg", ("kilogram",)),
    ("g", ("gram",)),
    ("[lb_av]", ("lb", "lbs")),
    ("mm[Hg]", ("mmHg", "mm Hg")),
    ("kPa", ()),
    (
        "/min",
        (
            "1/min", "min-1", "{beats}/min", "{breaths}/min", "{Beats}/min", "{Breaths}/min", "bpm",
            "{beat}/min", "{breath}/min", "beats/min", "breaths/min",
        ),
    ),
    ("%", ("{percent}",)),
    ("1", ("{fraction}",)),
    ("Cel", ("°C", "degC")),
    ("[degF]", ("°F", "degF")),
    ("mmol/L", ("mmol/l",)),
    ("umol/L", ("µmol/L", "μmol/L", "umol/l", "µmol/l", "μmol/l")),  # U+00B5 micro sign, U+03BC Greek mu
    ("mg/dL", ("mg/dl",)),
    ("L/min", ("l/min",)),
    ("L/s", ("l/s",)),
    ("L", ("l",)),
    ("mL", ("ml",)),
    ("{steps}", ("steps", "{steps}/d", "steps/d", "1/d", "/d")),
    ("{score}", ("score",)),
)  # fmt: skip
"""Canonical UCUM spelling, then what else is accepted for it; new units go to the end."""

UNITS: tuple[str, ...] = tuple(canonical for canonical, _ in _SPELLINGS)
"""The distinct units; a unit's number is its index here."""

UNIT_BY_SPELLING: Mapping[str, int] = MappingProxyType(
    {
        spelling: number
        for number, (canonical, others) in enumerate(_SPELLINGS)
        for spelling in (canonical, *others)
    }
)
"""Every accepted spelling with its unit's number."""

_PRESSURE = ("systolic", "diastolic", "mean_arterial")
_GLUCOSE = ("glucose", "glucose_cgm")

# kinds, unit, offset, multiply, divide: canonical = (value - offset) * multiply / divide.
# Dividing by a whole number gives the nearest float (81400 g: 81.4 kg); multiplying by its inverse does not.
_CONVERSIONS: tuple[tuple[Sequence[str], str, float, float, float], ...] = (
    (("body_weight",), "g", 0.0, 1.0, 1000.0),
    (("body_weight",), "[lb_av]", 0.0, 0.45359237, 1.0),
    (_PRESSURE, "kPa", 0.0, 7.500616827, 1.0),
    # 1000 / 10, not 100: each fraction of up to three decimals then becomes the percentage meant (57 %).
    (("spo2",), "1", 0.0, 1000.0, 10.0),
    (("temperature",), "[degF]", 32.0, 5.0, 9.0),
    (_GLUCOSE, "mg/dL", 0.0, 1.0, 18.01559),
    (_GLUCOSE, "umol/L", 0.0, 1.0, 1000.0),
    (("peak_flow",), "L/s", 0.0, 60.0, 1.0),
    (("fev1", "fvc"), "mL", 0.0, 1.0, 1000.0),
)

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


def _tables() -> tuple[Floats, Floats, Floats]:
    offset, multiply, divide = (np.full((len(KINDS), len(UNITS)), np.nan) for _ in range(3))
    numbers = {kind.name: kind.number for kind in KINDS}
    own = (((kind.name,), kind.unit, 0.0, 1.0, 1.0) for kind in KINDS if kind.unit is not None)
    for names, unit, *terms in (*own, *_CONVERSIONS):
        for name in names:
            place = numbers[name], UNIT_BY_SPELLING[unit]
            offset[place], multiply[place], divide[place] = terms
    for table in (offset, multiply, divide):
        table.setflags(write=False)
    return offset, multiply, divide


OFFSET, MULTIPLY, DIVIDE = _tables()
"""**Shape**: float64[kinds, units]; NaN where a kind is not measured in a unit."""


def to_canonical(value: Floats, kind: Ints, unit: Ints) -> Floats:
    """Values in their kinds' canonical units; NaN where the kind is not measured in that unit.

    **Shape**: all [n]. **Units**: `unit` holds numbers of UNITS; a negative one, for no unit, gives NaN.

    >>> weight, gram = np.array([0]), np.array([UNIT_BY_SPELLING["g"]])
    >>> to_canonical(np.array([81400.0]), weight, gram)
    array([81.4])
    """
    canonical = (value - OFFSET[kind, unit]) * MULTIPLY[kind, unit] / DIVIDE[kind, unit]
    return np.where(unit < 0, np.nan, canonical)


def from_canonical(value: Floats, kind: Ints, unit: Ints) -> Floats:
    """Canonical values in the given units; the mirror of `to_canonical`, to within rounding."""
    given = value * DIVIDE[kind, unit] / MULTIPLY[kind, unit] + OFFSET[kind, unit]
    return np.where(unit < 0, np.nan, given)


def is_unit_of(kind: int, unit: int) -> bool:
    """Whether readings of this kind may come in this unit."""
    return unit >= 0 and not np.isnan(DIVIDE[kind, unit])
