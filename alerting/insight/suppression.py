"""Which numbers are not told, so that none below ten can be read or worked out from the others; pure.

**Source**: primary and complementary suppression of small cells, as Statistics Netherlands and health
registries do it: Hundepool et al., Statistical Disclosure Control (2012), chapter 4.
"""

from collections.abc import Collection, Mapping
from typing import TypeVar

FEW = 10
"""A figure about fewer patients than this, or a count below it, is not told."""

Cell = TypeVar("Cell")


def hidden(sizes: Mapping[Cell, int], *, also: Collection[Cell] = ()) -> frozenset[Cell]:
    """The cells of a table that are not told, where the sum of all cells is known to the reader.

    The small ones; `also`, which would tell of a small one elsewhere; and of the others the smallest, until
    what is left of the sum says nothing about any single small one but that it is small. Empty cells are
    told: nobody is in them.

    >>> sorted(hidden({"a": 3, "b": 40, "c": 60}))
    ['a', 'b']
    >>> sorted(hidden({"a": 40, "b": 60}))
    []
    """
    small = {cell for cell, size in sizes.items() if 0 < size < FEW}
    told_not = small | {cell for cell in also if sizes.get(cell, 0) > 0}
    others = [cell for cell, size in sizes.items() if size > 0 and cell not in told_not]
    # Of equal ones always the same: otherwise two reports together would tell both.
    for cell in sorted(others, key=lambda cell: (sizes[cell], str(cell))):
        if _says_nothing(sizes, small, told_not):
            break
        told_not.add(cell)
    return frozenset(told_not)


def _says_nothing(sizes: Mapping[Cell, int], small: set[Cell], told_not: set[Cell]) -> bool:
    """Whether each small cell may still be anything from one to nine, and nothing stands alone."""
    if not told_not:
        return True
    left = sum(sizes[cell] for cell in told_not)
    large = len(told_not) - len(small)
    if len(told_not) < 2 or left < FEW:
        return False
    if not small:
        return True
    may_be_nine = left >= (FEW - 1) + (len(small) - 1) + large * FEW
    # With a large one beside them, of which nobody knows how large, each may be as small as it likes.
    may_be_one = large > 0 or left <= 1 + (len(small) - 1) * (FEW - 1)
    return may_be_nine and may_be_one


def tells_of_few(part: int, whole: int) -> bool:
    """Whether either a part or what is left of its whole is of few, but not of nobody.

    >>> tells_of_few(95, 100), tells_of_few(100, 100), tells_of_few(50, 100)
    (True, False, False)
    """
    return 0 < part < FEW or 0 < whole - part < FEW
