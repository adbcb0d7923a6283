"""Single readings, packed into a word each: most come from one of a few devices, in a unit, with few digits.

From the highest bit: the time in milliseconds since 2020 (40 bits, until 2054), the digits of the value as a
whole number (17) and how many of them are decimals (2), what came of a jump (3), the number of the source (2)
in its series. Nothing is rounded: what does not come out again bit by bit is *odd*. It lies whole in an arena
of its own, and the word says where: a correction, a void, a fourth source, another time, another value.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.blocks import ODD
from alerting.engine.kernel.compiling import part, small_part
from alerting.engine.kernel.layout import (
    COUNTS,
    DEVICE_SHIFT,
    GATE,
    HAS,
    READING,
    REVISION_SHIFT,
    SOURCES,
    SUSPECT,
    VOID,
    Memory,
    Rows,
)
from alerting.engine.kernel.numbers import device_of

EPOCH_US = 1_577_836_800_000_000
TIME_SHIFT, TIME_MASK, TICK_US = 24, (1 << 40) - 1, 1_000
DIGITS_SHIFT, DIGITS_MASK = 7, (1 << 17) - 1
DECIMALS_SHIFT, DECIMALS_MASK = 5, 3
STATUS = GATE | SUSPECT
SOURCE_MASK = 3
IS_ODD = 3
"""Instead of the number of a source."""

ALIKE = SOURCE_MASK | DECIMALS_MASK << DECIMALS_SHIFT | SUSPECT
"""Where these bits of packed readings are equal, the one with more digits is the larger one."""

ODD_SHIFT = 2
TAG_MASK = (1 << 10) - 1
"""Of a source the lower bits are those of a tag: kind and unit. Above stands the device."""

DEVICE_OF_SOURCE = 10
PLAIN = ((1 << DEVICE_SHIFT) - (1 << REVISION_SHIFT)) | VOID | HAS
"""Of these bits of a tag only the last is set where it can be packed: no revision, no void."""


class Reading(NamedTuple):
    """As `layout.READING`, wherever it lies."""

    taken_us: Any
    value: Any
    tag: Any


@small_part
def taken_at(i: int, m: Memory) -> int:
    """When the reading of a row was taken. **Units**: microseconds since 1970."""
    word = m.readings[i]
    if word & SOURCE_MASK == IS_ODD:
        return m.odd[word >> ODD_SHIFT].taken_us
    return EPOCH_US + (word >> TIME_SHIFT & TIME_MASK) * TICK_US


@small_part
def counts_at(i: int, m: Memory) -> bool:
    """Whether the reading of a row has a value that is not suspect."""
    word = m.readings[i]
    if word & SOURCE_MASK == IS_ODD:
        return m.odd[word >> ODD_SHIFT].tag & COUNTS == HAS
    return word & SUSPECT == 0


@small_part
def digits_of(word: int) -> int:
    """The digits of a reading that is not odd."""
    return word >> DIGITS_SHIFT & DIGITS_MASK


@small_part
def value_of(word: int) -> float:
    """The value of a reading that is not odd."""
    decimals = word >> DECIMALS_SHIFT & DECIMALS_MASK
    digits = float(digits_of(word))
    if decimals == 0:
        return digits
    return digits / (10.0 if decimals == 1 else 100.0 if decimals == 2 else 1000.0)


@small_part
def tag_of(source: Any) -> Any:
    """The tag of readings from a source."""
    return (source & TAG_MASK) | (source >> DEVICE_OF_SOURCE) << DEVICE_SHIFT


@small_part
def reading_at(series: Any, i: int, m: Memory) -> Reading:
    """The reading of a row of a series."""
    word = m.readings[i]
    if word & SOURCE_MASK == IS_ODD:
        row = m.odd[word >> ODD_SHIFT]
        return Reading(row.taken_us, row.value, row.tag)
    taken_us = EPOCH_US + (word >> TIME_SHIFT & TIME_MASK) * TICK_US
    return Reading(
        taken_us, value_of(word), tag_of(np.int64(series.sources[word & SOURCE_MASK])) | word & STATUS
    )


@small_part
def first_from(m: Memory, low: int, high: int, at_us: int) -> int:
    """The first of the rows low…high that is not before a time."""
    while low < high:
        middle = (low + high) // 2
        if taken_at(middle, m) < at_us:
            low = middle + 1
        else:
            high = middle
    return low


@part
def window_start(m: Memory, first: int, end: int, after_us: int) -> int:
    """The first of the rows first…end after a time, looked for from the end in longer and longer steps."""
    step = 1
    while end - step > first and taken_at(end - step, m) > after_us:
        end -= step
        step *= 2
    return first_from(m, max(first, end - step), end, after_us + 1)


@small_part
def _source_of(series: Any, tag: int) -> int:
    """The number of a source, a new one where there is room for it; IS_ODD for none."""
    source = (tag & TAG_MASK & ~STATUS) | device_of(tag) << DEVICE_OF_SOURCE
    for number in range(SOURCES):
        if series.sources[number] == source:
            return number
    for number in range(SOURCES):
        if series.sources[number] == 0:
            series.sources[number] = source
            return number
    return IS_ODD


@small_part
def _packed(series: Any, row: Reading) -> Any:
    """A reading as a word; IS_ODD where it does not fit."""
    since_us = row.taken_us - EPOCH_US
    time = since_us // TICK_US
    if row.tag & PLAIN != HAS or time * TICK_US != since_us or not 0 <= time <= TIME_MASK:
        return IS_ODD
    if not 0.0 <= row.value <= DIGITS_MASK or math.copysign(1.0, row.value) < 0.0:
        return IS_ODD
    scale = 1.0
    for decimals in range(DECIMALS_MASK + 1):
        digits = np.floor(row.value * scale + 0.5)
        if digits <= DIGITS_MASK and digits / scale == row.value:
            source = _source_of(series, row.tag)
            if source == IS_ODD:
                return IS_ODD
            low = np.int64(digits) << DIGITS_SHIFT | decimals << DECIMALS_SHIFT | row.tag & STATUS | source
            return time << TIME_SHIFT | low
        scale *= 10.0
    return IS_ODD


@small_part
def has_room(m: Memory) -> bool:
    """Whether there is room for one odd reading more."""
    return m.free[0] >= 0 or m.used[ODD] < m.room[ODD]


@part
def _set_aside(row: Reading, m: Memory) -> int:
    """An odd reading into a row of its own; gives the word that says where."""
    at = m.free[0]
    if at >= 0:
        m.free[0] = m.odd[at].taken_us
        m.wasted[ODD] -= 1
    else:
        at = m.used[ODD]
        m.used[ODD] = at + 1
    _copy(m.odd[at], row)
    return at << ODD_SHIFT | IS_ODD


@small_part
def _copy(to: Any, row: Reading) -> None:
    to.taken_us = row.taken_us
    to.value = row.value
    to.tag = row.tag


@small_part
def put(series: Any, i: int, row: Reading, m: Memory) -> None:
    """A reading into a row that holds none. There is room."""
    word = _packed(series, row)
    m.readings[i] = _set_aside(row, m) if word == IS_ODD else word


@part
def replace(series: Any, i: int, row: Reading, m: Memory) -> None:
    """A reading in the place of another one. There is room."""
    word = m.readings[i]
    if word & SOURCE_MASK == IS_ODD:
        _copy(m.odd[word >> ODD_SHIFT], row)
    else:
        put(series, i, row, m)


@small_part
def mark(i: int, status: int, m: Memory) -> None:
    """What came of a jump, as bits of a tag."""
    word = m.readings[i]
    if word & SOURCE_MASK == IS_ODD:
        row = m.odd[word >> ODD_SHIFT]
        row.tag = row.tag & ~STATUS | status
    else:
        m.readings[i] = word & ~STATUS | status


@small_part
def give_up(i: int, m: Memory) -> None:
    """Frees what the reading of a row, which goes, has beside it."""
    word = m.readings[i]
    if word & SOURCE_MASK == IS_ODD:
        m.odd[word >> ODD_SHIFT].taken_us = m.free[0]
        m.free[0] = word >> ODD_SHIFT
        m.wasted[ODD] += 1


@part
def forget_sources(series: Any, m: Memory) -> None:
    """Gives up the numbers of sources that no reading is from any more, once all are taken."""
    if series.sources[SOURCES - 1] == 0:
        return
    seen = 0
    for i in range(series.readings, series.readings + series.readings_len):
        seen |= 1 << (m.readings[i] & SOURCE_MASK)
    for number in range(SOURCES):
        if seen >> number & 1 == 0:
            series.sources[number] = 0


def odd_rows(words: NDArray[np.int64]) -> list[int]:
    """Where the odd ones of some readings lie."""
    return (words[(words & SOURCE_MASK) == IS_ODD] >> ODD_SHIFT).tolist()


def unpacked(memory: Memory, series: Any) -> Rows:
    """All readings of a series. **Shape**: [n] of `layout.READING`."""
    start = int(series["readings"])
    words: NDArray[np.int64] = memory.readings[start : start + int(series["readings_len"])]
    rows = np.zeros(len(words), READING)
    odd = (words & SOURCE_MASK) == IS_ODD
    sources = np.append(series["sources"], 0).astype(np.int64)[words & SOURCE_MASK]
    scale = np.array([1.0, 10.0, 100.0, 1000.0])[words >> DECIMALS_SHIFT & DECIMALS_MASK]
    rows["taken_us"] = EPOCH_US + (words >> TIME_SHIFT & TIME_MASK) * TICK_US
    rows["value"] = (words >> DIGITS_SHIFT & DIGITS_MASK) / scale
    rows["tag"] = (sources & TAG_MASK) | (sources >> DEVICE_OF_SOURCE) << DEVICE_SHIFT | (words & STATUS)
    rows[odd] = memory.odd[words[odd] >> ODD_SHIFT]
    return rows
