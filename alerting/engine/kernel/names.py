"""Numbers for names, by their hashes, in a table with open addressing: a look-up waits for memory once."""

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.compiling import compiled, part
from alerting.engine.kernel.layout import Rows
from alerting.engine.kernel.numbers import fetch

NAME = np.dtype([("hash", "i8"), ("number", "i4")])
"""`number` is one more than the number, 0 where a row is free. A table has a power of two of them."""

AHEAD = 8


@part
def _slot(table: Rows, hash_: int) -> int:
    """The row of a hash, or the free one where it would be."""
    mask = table.size - 1
    slot = hash_ & mask
    while table[slot].number != 0 and table[slot].hash != hash_:
        slot = (slot + 1) & mask
    return slot


@compiled
def number(table: Rows, known: int, hashes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each hash, those that are new from `known` on. There must be room for all."""
    numbers = np.empty(hashes.size, np.int64)
    for i in range(hashes.size):
        if i + AHEAD < hashes.size:
            fetch(table[hashes[i + AHEAD] & (table.size - 1)])
        row = table[_slot(table, hashes[i])]
        if row.number == 0:
            known += 1
            row.hash = hashes[i]
            row.number = known
        numbers[i] = row.number - 1
    return numbers


@compiled
def move(table: Rows, larger: Rows) -> None:
    """All rows into a larger table."""
    for i in range(table.size):
        if table[i].number != 0:
            row = larger[_slot(larger, table[i].hash)]
            row.hash = table[i].hash
            row.number = table[i].number
