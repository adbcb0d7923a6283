"""Room in the arenas whose blocks grow while readings come: readings, quarters of an hour, days, snapshots.

A block that grows moves to the end of its arena; what it leaves is wasted until the arena is packed, between
two calls (`alerting.engine.arenas`). So a call that finds no room says so, and is called again.
"""

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.compiling import compiled, part
from alerting.engine.kernel.layout import Memory

READINGS, BINS, EXTREMES, DAYS, KEPT, ODD = range(6)
"""Places in `Memory.used`, `wasted` and `room`; the last is of single rows, which do not move."""


@part
def roomy(rows: int) -> int:
    """Room for some rows and a few more, so that a block does not move with each."""
    return rows + rows // 4 + 2


@part
def block(arena: int, rows: int, before: int, m: Memory) -> int:
    """Where a block of so many rows may lie that takes the place of one of `before` rows; −1 for nowhere."""
    at = m.used[arena]
    if at + rows > m.room[arena]:
        return -1
    m.used[arena] = at + rows
    m.wasted[arena] += before
    return at


@compiled
def slide(
    words: NDArray[np.int64], begins: NDArray[np.int64], lengths: NDArray[np.int64], to: NDArray[np.int64]
) -> None:
    """Blocks to places before their own. **Shape**: the others are [blocks], sorted. **Units**: words."""
    for b in range(begins.size):
        begin, at = begins[b], to[b]
        for i in range(lengths[b]):
            words[at + i] = words[begin + i]
