"""Arithmetic that many kernels need: sets of bits, what a tag says, units, medians, searching a block."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from alerting.engine.kernel.compiling import compiled, part, small_part
from alerting.engine.kernel.layout import (
    COUNTS,
    DEVICE_BITS,
    DEVICE_SHIFT,
    HAS,
    KIND_COUNT,
    OTHER,
    REVISION_BITS,
    REVISION_SHIFT,
    UNIT_BITS,
    UNIT_COUNT,
    UNIT_SHIFT,
    Tables,
)

MULTIPLY = KIND_COUNT * UNIT_COUNT
DIVIDE = 2 * MULTIPLY
"""Where in the table of units the factors and divisors begin; before them stand the offsets."""

CACHE_LINE = 64

IS_NEVER_ZERO: Any = ir.Constant(ir.IntType(1), 1)

INSERTION = 24
"""Up to so many values are sorted by insertion."""


def _ones(_typing: Any, bits: Any) -> Any:
    def build(_context: Any, builder: Any, _typed: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(bits), build


ones: Any = intrinsic(_ones)
"""How many bits are set. In kernels only."""


def _lowest(_typing: Any, bits: Any) -> Any:
    def build(_context: Any, builder: Any, _typed: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], IS_NEVER_ZERO)

    return types.int64(bits), build


lowest: Any = intrinsic(_lowest)
"""The number of the lowest bit that is set; one is. In kernels only."""


BYTES, NUMBER = ir.IntType(8).as_pointer(), ir.IntType(32)


def _prefetch(builder: Any, at: Any) -> None:
    form = ir.FunctionType(ir.VoidType(), [BYTES, NUMBER, NUMBER, NUMBER])
    prefetch = builder.module.declare_intrinsic("llvm.prefetch", (BYTES,), form)
    builder.call(prefetch, [builder.bitcast(at, BYTES), *(ir.Constant(NUMBER, x) for x in (1, 3, 1))])


def _fetch(_typing: Any, row: Any) -> Any:
    def build(_context: Any, builder: Any, _typed: Any, arguments: Any) -> Any:
        at = builder.bitcast(arguments[0], BYTES)
        for line in range(0, row.size, CACHE_LINE):
            _prefetch(builder, builder.gep(at, [ir.Constant(NUMBER, line)]))
        return _context.get_dummy_value()

    return types.void(row), build


fetch: Any = intrinsic(_fetch)
"""Asks memory for a row that will be needed soon, and goes on meanwhile. In kernels only."""


def _fetch_word(_typing: Any, words: Any, index: Any) -> Any:
    def build(_context: Any, builder: Any, _typed: Any, arguments: Any) -> Any:
        if isinstance(words, types.CPointer):
            _prefetch(builder, builder.gep(arguments[0], [arguments[1]]))
        return _context.get_dummy_value()

    return types.void(words, index), build


fetch_word: Any = intrinsic(_fetch_word)
"""The same of an array of words; where indices are checked nothing is asked for."""


@compiled
def counts(tag: int) -> bool:
    """Whether a reading has a value that is not suspect."""
    return tag & COUNTS == HAS


@compiled
def unit_of(tag: int) -> int:
    """Number of the unit in which a reading arrived, −1 for none."""
    return ((tag >> UNIT_SHIFT) & ((1 << UNIT_BITS) - 1)) - 1


@small_part
def revision_of(tag: int) -> int:
    """Revision of a reading."""
    return (tag >> REVISION_SHIFT) & ((1 << REVISION_BITS) - 1)


@small_part
def device_of(tag: int) -> int:
    """Number of the device."""
    return (tag >> DEVICE_SHIFT) & ((1 << DEVICE_BITS) - 1)


@small_part
def is_after(one: Any, other: Any, digests: NDArray[np.uint64]) -> bool:
    """Whether a reading stands after another: by time, device, kind."""
    if one.taken_us != other.taken_us:
        return one.taken_us > other.taken_us
    mine, theirs = digests[device_of(one.tag)], digests[device_of(other.tag)]
    if mine != theirs:
        return mine > theirs
    return one.tag & OTHER > other.tag & OTHER


@small_part
def millionths(value: float) -> float:
    """As everything is compared: whole millionths, halves up."""
    return np.floor(value * 1e6 + 0.5)  # math.floor would make an integer of a NaN


@small_part
def canonical_of(row: Any, series: int, t: Tables) -> float:
    """The value of a reading in the canonical unit of its kind; of a code its number."""
    unit = unit_of(row.tag)
    if unit < 0 or unit == t.canonical[series]:  # as the table of units has it: minus 0, times 1, by 1
        return row.value
    place = series * UNIT_COUNT + unit
    return (row.value - t.units[place]) * t.units[MULTIPLY + place] / t.units[DIVIDE + place]


@small_part
def converted(canonical: float, series: int, target: int, t: Tables) -> float:
    """A canonical value in another unit of its kind."""
    if target < 0:
        return canonical
    place = series * UNIT_COUNT + target
    return canonical * t.units[DIVIDE + place] / t.units[MULTIPLY + place] + t.units[place]


@small_part
def in_unit(row: Any, series: int, target: int, t: Tables) -> float:
    """The value of a reading in a unit: as it arrived when it arrived in that one."""
    if target < 0 or unit_of(row.tag) == target or unit_of(row.tag) < 0:
        return row.value
    return converted(canonical_of(row, series, t), series, target, t)


@part
def sort(values: NDArray[np.float64], n: int) -> None:
    """Sorts the first n, by insertion: for few."""
    for i in range(1, n):
        value = values[i]
        j = i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@part
def median(values: NDArray[np.float64], n: int) -> float:
    """The median of the first n, at least one, which are put in another order."""
    upper = n // 2
    if n <= INSERTION:
        sort(values, n)
    else:
        low, high = 0, n - 1
        while low < high:  # Hoare's selection
            pivot = values[(low + high) // 2]
            i, j = low, high
            while i <= j:
                while values[i] < pivot:
                    i += 1
                while values[j] > pivot:
                    j -= 1
                if i <= j:
                    values[i], values[j] = values[j], values[i]
                    i += 1
                    j -= 1
            if upper <= j:
                high = j
            elif upper >= i:
                low = i
            else:
                break
    if n % 2 == 1:
        return values[upper]
    below = values[0]
    for i in range(1, upper):
        below = max(below, values[i])
    return (below + values[upper]) / 2
