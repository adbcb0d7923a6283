"""Nobody who reads a table and its totals learns a number below ten."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from alerting.insight.suppression import FEW, hidden, tells_of_few

SIZES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), max_size=5)


def may_be(sizes: dict[str, int], told_not: frozenset[str], cell: str) -> set[int]:
    """What a small cell may be, for who knows the sum, what is told, and which cells are small."""
    left = sum(sizes[one] for one in told_not)
    others = [one for one in told_not if one != cell]
    small = [one for one in others if sizes[one] < FEW]
    large = len(others) - len(small)
    possible: set[int] = set()
    for own in range(1, FEW):
        for guess in product(range(1, FEW), repeat=len(small)):
            rest = left - own - sum(guess)
            if (large == 0 and rest == 0) or (large > 0 and rest >= FEW * large):
                possible.add(own)
    return possible


@given(sizes=SIZES)
def test_a_small_number_is_neither_told_nor_worked_out(sizes: dict[str, int]) -> None:
    told_not = hidden(sizes)
    small = {cell for cell, size in sizes.items() if 0 < size < FEW}
    assert small <= told_not
    assert not {cell for cell in told_not if sizes[cell] == 0}
    if told_not == frozenset(cell for cell, size in sizes.items() if size):
        # Only the sum is told: there is nothing beside it, and nobody is told of how many it is made.
        return
    assert sum(sizes[cell] for cell in told_not) >= FEW or not told_not
    for cell in small:
        assert may_be(sizes, told_not, cell) == set(range(1, FEW))


@given(sizes=SIZES, also=st.sets(st.sampled_from("abcdefgh")))
def test_what_tells_of_others_never_stands_alone(sizes: dict[str, int], also: set[str]) -> None:
    told_not = hidden(sizes, also=also)
    assert {cell for cell in also if sizes.get(cell)} <= told_not
    assert len(told_not) != 1 or len([size for size in sizes.values() if size]) == 1


@given(sizes=SIZES)
def test_nothing_is_kept_back_without_need(sizes: dict[str, int]) -> None:
    if not {cell for cell, size in sizes.items() if 0 < size < FEW}:
        assert hidden(sizes) == frozenset()


@given(sizes=SIZES, data=st.data())
def test_the_order_of_cells_does_not_matter(sizes: dict[str, int], data: st.DataObject) -> None:
    order = data.draw(st.permutations(list(sizes)))
    assert hidden({cell: sizes[cell] for cell in order}) == hidden(sizes)


def test_nobody_is_no_small_number() -> None:
    assert not tells_of_few(0, 0)
    assert not tells_of_few(0, 50)
    assert tells_of_few(9, 50)
    assert tells_of_few(41, 50)
