"""The same rules over the same readings by everybody, in one run: how fast, and whether they find the same.

Slow peers get the first patients only, and are compared on those.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.rules.peers import with_engine, with_esper, with_polars, with_twin, with_zen
from benchmarks.rules.peers.compared import RULES, Outcome, Unable, compared


@dataclass(frozen=True, slots=True)
class Size:
    """How many patients, for so many days, and how many of them slow peers get."""

    patients: int
    days: int
    twin: int
    zen: int
    esper: int


Result = Outcome | Unable


def measure(size: Size) -> Iterator[Result]:
    """Each peer, our engine first."""
    given = compared(size.patients, size.days)
    yield with_engine.replayed(given)
    yield with_engine.lived(given)
    yield with_polars.found(given)
    yield with_esper.found(given, min(size.esper, size.patients))
    yield with_zen.found(given, min(size.zen, size.patients))
    yield with_twin.found(given, min(size.twin, size.patients))


def line(x: Result, ours: Outcome) -> str:
    """One peer as text, and whether it found what our engine found."""
    if isinstance(x, Unable):
        return f"{x.peer:16} cannot run here: {x.why}"
    return (
        f"{x.peer:16} {x.per_s:>12,.0f} readings/s, {x.elapsed_s / x.readings * 1e9:>9,.0f} ns, processor "
        f"{x.cpu_s / x.readings * 1e9:>9,.0f} ns a reading; {x.readings:,} readings, {x.opened.sum():,} "
        f"findings ({difference(x, ours)}); {x.how}"
    )


def difference(x: Outcome, ours: Outcome) -> str:
    """Where a peer opens another number of findings than our engine does, rule by rule."""
    expected = ours.opened[:, : x.opened.shape[1]]
    if np.array_equal(x.opened, expected):
        return "the same"
    counts = zip(RULES, x.opened.sum(axis=1).tolist(), expected.sum(axis=1).tolist(), strict=True)
    told = [f"{rule} {found:,} instead of {wanted:,}" for rule, found, wanted in counts if found != wanted]
    return "DIFFERENT: " + (", ".join(told) or "other patients")
