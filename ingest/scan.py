"""Looks at raw bytes for what a JSON parser does not tell: numbers too long to keep, and ids."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_IN_NUMBER = np.zeros(256, dtype=np.bool_)
_IN_NUMBER[list(b"0123456789.")] = True
_NOT_HEX = np.uint8(16)
_NIBBLE = np.full(256, _NOT_HEX, dtype=np.uint8)
_NIBBLE[list(b"0123456789abcdef")] = np.arange(16)
_NIBBLE[list(b"ABCDEF")] = np.arange(10, 16)

_SHORTEST_LONG = 17
"""Sixteen significant digits and their point; a time in microseconds has sixteen digits and none."""


@njit(cache=True, nogil=True)
def long_numbers(raw: Bytes) -> NDArray[np.int64]:
    """Where in `raw` something begins that may be a number of more than 15 significant digits.

    A cheap test that misses none: whole numbers of sixteen digits (times are) are passed over, since as a
    value they are far out of every plausible range. What it finds may still be harmless, or no number at all.

    **Shape**: uint8[n] in, positions out, ascending.
    """
    found = [np.int64(0) for _ in range(0)]
    length = len(raw)
    at = 15
    while at < length:
        if not _IN_NUMBER[raw[at]]:
            at += 16
            continue
        start = at
        while start > 0 and _IN_NUMBER[raw[start - 1]]:
            start -= 1
        end = at + 1
        while end < length and _IN_NUMBER[raw[end]]:
            end += 1
        run = end - start
        exponent = run == _SHORTEST_LONG - 1 and end < length and raw[end] in (69, 101)
        # Behind a quotation mark it is text: no number of JSON stands there.
        if (run >= _SHORTEST_LONG or exponent) and (start == 0 or raw[start - 1] != 34):
            found.append(np.int64(start))
        at = max(end, at + 16)
    return np.array(found, dtype=np.int64)


@njit(cache=True, nogil=True)
def nesting(raw: Bytes) -> int:
    """How deep the objects and lists of a JSON text lie in one another, brackets within texts left out.

    **Shape**: uint8[n] in.
    """
    depth = deepest = 0
    in_text = escaped = False
    for byte in raw:
        if in_text:
            if escaped:
                escaped = False
            elif byte == 92:
                escaped = True
            elif byte == 34:
                in_text = False
        elif byte == 34:
            in_text = True
        elif byte in (91, 123):
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (93, 125):
            depth -= 1
    return deepest


@njit(cache=True, nogil=True)
def parse_uuids(raw: Bytes) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Ids from their canonical text of 36 characters, one behind the other, and which of them were none.

    **Shape**: uint8[36 * n] in; uint8[n, 16] and bool[n] out.
    """
    count = len(raw) // 36
    ids = np.zeros((count, 16), dtype=np.uint8)
    wrong = np.zeros(count, dtype=np.bool_)
    for row in range(count):
        at = row * 36
        seen = np.uint8(0)
        for byte in range(16):
            if byte in (4, 6, 8, 10):
                if raw[at] != 45:
                    wrong[row] = True
                at += 1
            high = _NIBBLE[raw[at]]
            low = _NIBBLE[raw[at + 1]]
            seen |= high | low
            ids[row, byte] = (high << 4) | low
            at += 2
        if seen >= _NOT_HEX:
            wrong[row] = True
    return ids, wrong


def as_bytes(raw: bytes) -> NDArray[Any]:
    """The same memory as an array. **Shape**: uint8[len(raw)], read-only."""
    return np.frombuffer(raw, dtype=np.uint8)
