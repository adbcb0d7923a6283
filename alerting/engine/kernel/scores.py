"""NEWS2 from the newest parts of half an hour, as `alerting.scores` has it for single calls.

**Source**: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, charts 1 and 2.
"""

from typing import Any

import numpy as np

from alerting.engine.kernel.compiling import part
from alerting.engine.kernel.features import NEWS2, NEWS2_WORST, last_row
from alerting.engine.kernel.layout import MINUTE_US, Memory, Scratch, Tables
from alerting.engine.kernel.numbers import canonical_of, millionths, ones
from alerting.engine.kernel.readings import reading_at
from models.kinds import KIND_BY_NAME

TOGETHER_US = 30 * MINUTE_US
RESPIRATORY_RATE = KIND_BY_NAME["respiratory_rate"].number
SPO2 = KIND_BY_NAME["spo2"].number
OXYGEN = KIND_BY_NAME["supplemental_oxygen"].number
SYSTOLIC = KIND_BY_NAME["systolic"].number
HEART_RATE = KIND_BY_NAME["heart_rate"].number
CONSCIOUSNESS = KIND_BY_NAME["consciousness"].number
TEMPERATURE = KIND_BY_NAME["temperature"].number
PARTS = (RESPIRATORY_RATE, SPO2, OXYGEN, SYSTOLIC, HEART_RATE, CONSCIOUSNESS, TEMPERATURE)
MILLION = 1_000_000
UNSCORED = -1


@part
def _rounded(value: float, step: int) -> int:
    """A value in whole steps of so many millionths, halves up."""
    return int((millionths(value) + step // 2) // step)


@part
def _respiratory_rate(value: float) -> int:
    rate = _rounded(value, MILLION)
    if rate <= 8 or rate >= 25:
        return 3
    if rate <= 11:
        return 1
    return 0 if rate <= 20 else 2


@part
def _spo2(value: float, scale: int, oxygen: int) -> int:
    """Of the saturation; on scale 2 it may take knowing about oxygen (1: yes, 0: air, −1: nobody said)."""
    percent = _rounded(value, MILLION)
    if scale == 1:
        if percent <= 91:
            return 3
        if percent <= 93:
            return 2
        return 1 if percent <= 95 else 0
    if percent <= 83:
        return 3
    if percent <= 85:
        return 2
    if percent <= 87:
        return 1
    if percent <= 92 or oxygen == 0:
        return 0
    if oxygen < 0:
        return UNSCORED
    if percent <= 94:
        return 1
    return 2 if percent <= 96 else 3


@part
def _systolic(value: float) -> int:
    pressure = _rounded(value, MILLION)
    if pressure <= 90 or pressure >= 220:
        return 3
    if pressure <= 100:
        return 2
    return 1 if pressure <= 110 else 0


@part
def _pulse(value: float) -> int:
    rate = _rounded(value, MILLION)
    if rate <= 40 or rate >= 131:
        return 3
    if rate <= 50:
        return 1
    if rate <= 90:
        return 0
    return 1 if rate <= 110 else 2


@part
def _temperature(value: float) -> int:
    tenths = _rounded(value, MILLION // 10)
    if tenths <= 350:
        return 3
    if tenths <= 360:
        return 1
    if tenths <= 380:
        return 0
    return 1 if tenths <= 390 else 2


@part
def _points(part: int, value: float, scale: int, oxygen: int) -> int:
    if part == RESPIRATORY_RATE:
        return _respiratory_rate(value)
    if part == SPO2:
        return _spo2(value, scale, oxygen)
    if part == OXYGEN:
        return 2 if value > 0 else 0
    if part == SYSTOLIC:
        return _systolic(value)
    if part == HEART_RATE:
        return _pulse(value)
    if part == CONSCIOUSNESS:
        return 3 if value > 0 else 0
    return _temperature(value)


@part
def _newest(part: int, series: int, named: int, at_us: int, m: Memory, t: Tables, scratch: Scratch) -> float:
    """The newest value of a part within half an hour; NaN for none."""
    k = ones(named & ((1 << part) - 1))
    own = m.series[series + k]
    i = last_row(m, own.readings, scratch.ends[k], at_us - TOGETHER_US + 1)
    return np.nan if i < 0 else canonical_of(reading_at(own, i, m), part, t)


@part
def news2(
    atom: Any, series: int, named: int, at_us: int, limits_at: int, m: Memory, t: Tables, scratch: Scratch
) -> float:
    """Total, highest points of one part, or number of missing parts; NaN when there is no part at all."""
    scale = 2 if m.limits[limits_at + atom.target].value >= 2.0 else 1
    oxygen_value = _newest(OXYGEN, series, named, at_us, m, t, scratch)
    oxygen = -1 if np.isnan(oxygen_value) else int(oxygen_value)
    total = worst = known = measured = 0
    for name in PARTS:
        value = _newest(name, series, named, at_us, m, t, scratch)
        if np.isnan(value):
            continue
        measured += 1
        points = _points(name, value, scale, oxygen)
        if points == UNSCORED:
            continue
        known += 1
        total += points
        worst = max(worst, points)
    if measured == 0:
        return np.nan
    if atom.feature == NEWS2:
        return float(total)
    return float(worst) if atom.feature == NEWS2_WORST else float(len(PARTS) - known)
