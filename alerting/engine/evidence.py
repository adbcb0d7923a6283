"""What a feature looked at when a finding opened or rose: how much, and the readings that tell."""

from typing import Any, NamedTuple

import numpy as np

from alerting.engine.atoms import SERIES_OF_KIND, looked_at_by
from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.expressions import Comparison
from alerting.engine.features import NEWS2_FEATURES, FeatureName
from alerting.engine.kernel import features, readings
from alerting.engine.kernel.layout import BIN_US, DAY_US, OTHER, Memory, Rows
from alerting.engine.kernel.numbers import counts, unit_of
from alerting.engine.kernel.scores import TOGETHER_US
from alerting.engine.programme import CODE_UNIT
from models.findings import EvidenceReading
from models.kinds import KIND_BY_NAME, KINDS
from models.units import UNITS

MOST_READINGS = 12
ALONE = frozenset({FeatureName.LAST, FeatureName.AGE})
PAIRED = frozenset({FeatureName.RISE, FeatureName.FALL})
LONGEST_DAYS = 400


class Looked(NamedTuple):
    """How many readings, bins or daily values a feature looked at, and the telling ones, the newest last."""

    number: int
    readings: tuple[EvidenceReading, ...]


def looked_at(memory: Memory, programmes: CompiledProgrammes, row: Any, comparison: Comparison) -> Looked:
    """What the feature of a comparison looked at in a transition, as far as memory still has it."""
    feature = comparison.feature
    programme = programmes.rules[int(row["rule"])].programme
    patient, at_us = memory.patients[int(row["patient"])], int(row["at_us"])
    numbers = sorted({SERIES_OF_KIND[KIND_BY_NAME[n].number] for n in programme.subject_kinds(feature)})
    window_us = feature.window_us
    if feature.name in NEWS2_FEATURES:
        newest = [_readings(memory, patient, n, at_us - TOGETHER_US, at_us)[-1:] for n in numbers]
        told = [_told(reading, n) for n, found in zip(numbers, newest, strict=True) for reading in found]
        return Looked(len(told), tuple(sorted(told, key=lambda reading: reading.taken_at_us)))
    (number,) = numbers
    if feature.name in ALONE:
        found = _readings(memory, patient, number, -1, at_us)[-1:]
        return Looked(len(found), tuple(_told(reading, number) for reading in found))
    by = looked_at_by(feature, number)
    if by == features.BY_DAYS:
        window_us = max(window_us, (feature.gap_days + feature.usual_days) * DAY_US) or LONGEST_DAYS * DAY_US
    found = _readings(memory, patient, number, at_us - window_us, at_us)
    count = len(found)
    if by != features.BY_READINGS:
        count = _coarse(memory, patient, number, at_us - window_us, at_us, by)
    telling = _telling(found, feature.name)
    return Looked(count, tuple(_told(reading, number) for reading in telling))


def _telling(found: Rows, name: FeatureName) -> Rows:
    """The newest ones; where extremes decide, the extreme one before them too."""
    if len(found) <= MOST_READINGS:
        return found
    newest = found[-MOST_READINGS:]
    if name in (FeatureName.MIN, FeatureName.MAX) or name in PAIRED:
        low = name in (FeatureName.MIN, FeatureName.RISE)
        earlier = found[:-1] if name in PAIRED else found
        extreme = int(earlier["value"].argmin() if low else earlier["value"].argmax())
        if extreme < len(found) - MOST_READINGS:
            return np.concatenate([found[extreme : extreme + 1], newest[1:]])
    return newest


def _series(memory: Memory, patient: Any, number: int) -> Any:
    named = int(patient["named"])
    return memory.series[int(patient["series"]) + (named & ((1 << number) - 1)).bit_count()]


def _readings(memory: Memory, patient: Any, number: int, after_us: int, until_us: int) -> Rows:
    """The readings of a series that count, in (after, until]."""
    series = _series(memory, patient, number)
    rows = readings.unpacked(memory, series)
    inside = (rows["taken_us"] > after_us) & (rows["taken_us"] <= until_us)
    rows = rows[inside]
    return rows[[counts(tag) for tag in rows["tag"].tolist()]] if len(rows) else rows


def _coarse(memory: Memory, patient: Any, number: int, after_us: int, until_us: int, by: int) -> int:
    """How many bins or daily values a window had, the one of the moment itself included."""
    history = memory.histories[int(_series(memory, patient, number)["history"])]
    if by == features.BY_BINS:
        start = int(history["bins"])
        numbers = memory.bins[start : start + int(history["bins_len"])]["number"]
        past = (numbers > after_us // BIN_US) & (numbers < until_us // BIN_US)
    else:
        start, first = int(history["days"]), int(history["days_first"])
        values = memory.days[start : start + int(history["days_len"])]
        numbers = first + np.arange(len(values))
        past = (numbers > after_us // DAY_US) & (numbers < until_us // DAY_US) & ~np.isnan(values)
    return int(past.sum()) + 1


def _told(reading: Any, number: int) -> EvidenceReading:
    tag = int(reading["tag"])
    unit = unit_of(tag)
    kind = KINDS[number + 1] if tag & OTHER else KINDS[number]
    return EvidenceReading(
        kind=kind.name,
        taken_at_us=int(reading["taken_us"]),
        value=float(reading["value"]),
        unit=UNITS[unit] if unit >= 0 else CODE_UNIT,
    )
