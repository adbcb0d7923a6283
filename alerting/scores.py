"""Composite scores, as their publishers define them: from measured parts to points, no part filled in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from types import MappingProxyType

from models.errors import BadInput
from models.kinds import KIND_BY_NAME

_Bands = Sequence[tuple[str, int]]
"""Upper ends of bands, each with its points; what is above the last has the points of the one after it."""


class Band(StrEnum):
    """The clinical response that a NEWS2 total calls for."""

    LOW = "low"
    LOW_MEDIUM = "low-medium"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class News2:
    """A NEWS2 score. With parts `missing` it is partial: the true total is this or more."""

    total: int
    band: Band
    points: Mapping[str, int]
    missing: tuple[str, ...]

    @property
    def is_partial(self) -> bool:
        """Whether a part was not measured, or cannot be scored without another that was not."""
        return bool(self.missing)


# The highest value of each band with its points, in steps of a tenth of a degree and of whole numbers.
_RESPIRATORY_RATE: _Bands = (("8", 3), ("11", 1), ("20", 0), ("24", 2), ("Infinity", 3))
_SPO2_SCALE_1: _Bands = (("91", 3), ("93", 2), ("95", 1), ("Infinity", 0))
_SPO2_SCALE_2: _Bands = (("83", 3), ("85", 2), ("87", 1), ("92", 0))
_SPO2_SCALE_2_ON_OXYGEN: _Bands = (("94", 1), ("96", 2), ("Infinity", 3))
_SYSTOLIC: _Bands = (("90", 3), ("100", 2), ("110", 1), ("219", 0), ("Infinity", 3))
_PULSE: _Bands = (("40", 3), ("50", 1), ("90", 0), ("110", 1), ("130", 2), ("Infinity", 3))
_TEMPERATURE: _Bands = (("35.0", 3), ("36.0", 1), ("38.0", 0), ("39.0", 1), ("Infinity", 2))

_WHOLE, _TENTH = Decimal(1), Decimal("0.1")
_WORST = 3
_HIGH_FROM, _MEDIUM_FROM = 7, 5


def news2(
    *,
    respiratory_rate: float | None,
    spo2: float | None,
    spo2_scale: int,
    supplemental_oxygen: bool | None,
    systolic: float | None,
    pulse: float | None,
    consciousness: str | None,
    temperature: float | None,
) -> News2:
    """The National Early Warning Score 2 of parts measured within 30 minutes of each other; any may be None.

    Temperature is rounded to 0.1 °C and the others to whole numbers, half away from zero. Scale 2 of the
    saturation is for a documented decision for this patient only. Not under 16 years, not in pregnancy.

    **Units**: /min, %, mmHg, /min, °C; `consciousness` is one of A, C, V, P, U.
    **Raises**: BadInput for what cannot be.
    **Source**: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, charts 1 and 2.

    >>> score = news2(respiratory_rate=22, spo2=93, spo2_scale=1, supplemental_oxygen=False,
    ...               systolic=105, pulse=95, consciousness="A", temperature=38.4)
    >>> score.total, str(score.band)
    (7, 'high')
    """
    _check_scale(spo2_scale)
    points = {
        "respiratory_rate": _points("respiratory_rate", respiratory_rate, _RESPIRATORY_RATE),
        "spo2": _spo2_points(spo2, spo2_scale, supplemental_oxygen),
        "supplemental_oxygen": _oxygen_points(supplemental_oxygen),
        "systolic": _points("systolic", systolic, _SYSTOLIC),
        "pulse": _points("pulse", pulse, _PULSE),
        "consciousness": _consciousness_points(consciousness),
        "temperature": _points("temperature", temperature, _TEMPERATURE, step=_TENTH),
    }
    known = {name: scored for name, scored in points.items() if scored is not None}
    return News2(
        total=sum(known.values()),
        band=_band(known),
        points=MappingProxyType(known),
        missing=tuple(name for name in points if name not in known),
    )


def _band(points: Mapping[str, int]) -> Band:
    total = sum(points.values())
    if total >= _HIGH_FROM:
        return Band.HIGH
    if total >= _MEDIUM_FROM:
        return Band.MEDIUM
    return Band.LOW_MEDIUM if _WORST in points.values() else Band.LOW


def _points(name: str, value: float | None, bands: _Bands, *, step: Decimal = _WHOLE) -> int | None:
    if value is None:
        return None
    rounded = _rounded(name, value, step)
    return next(points for highest, points in bands if rounded <= Decimal(highest))


def _spo2_points(spo2: float | None, scale: int, on_oxygen: bool | None) -> int | None:
    """None also where scale 2 needs to know about oxygen and nobody said."""
    if scale == 1 or spo2 is None:
        return _points("spo2", spo2, _SPO2_SCALE_1)
    if _rounded("spo2", spo2, _WHOLE) <= Decimal(_SPO2_SCALE_2[-1][0]):
        return _points("spo2", spo2, _SPO2_SCALE_2)
    if on_oxygen is None:
        return None
    return _points("spo2", spo2, _SPO2_SCALE_2_ON_OXYGEN) if on_oxygen else 0


def _oxygen_points(on_oxygen: bool | None) -> int | None:
    if on_oxygen is None:
        return None
    if not isinstance(on_oxygen, bool):  # pyright: ignore[reportUnnecessaryIsInstance]  (callers may be wrong)
        raise BadInput(where="supplemental_oxygen", expected="True, False or None", found=repr(on_oxygen))
    return 2 if on_oxygen else 0


def _consciousness_points(consciousness: str | None) -> int | None:
    if consciousness is None:
        return None
    codes = KIND_BY_NAME["consciousness"].codes
    if consciousness not in codes:
        expected = f"one of {', '.join(codes)}"
        raise BadInput(where="consciousness", expected=expected, found=repr(consciousness))
    return 0 if consciousness == "A" else _WORST


def _check_scale(scale: int) -> None:
    if type(scale) is not int or scale not in (1, 2):
        raise BadInput(where="spo2_scale", expected="1 or 2", found=repr(scale))


def _rounded(name: str, value: float, step: Decimal) -> Decimal:
    """Half away from zero, of the number as written: 38.05 is a half, though no float is exactly that."""
    highest = KIND_BY_NAME[name].high
    if isinstance(value, bool) or not math.isfinite(value) or not 0 <= value <= highest:
        raise BadInput(where=name, expected=f"a number from 0 to {highest:g}", found=repr(value))
    return Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP)
