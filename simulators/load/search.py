"""The highest rate that is held: which one to try next, from what became of those before. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.errors import Broken

RESOLUTION = 0.05
LOWEST_PER_S = 1.0


class Outcome(StrEnum):
    """What became of a rate."""

    HELD = "held"
    NOT_HELD = "not held"
    VOID = "void"
    """The generator was the bottleneck: nobody knows what would have become of it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A rate that was tried for so long. **Units**: uploads a second; seconds."""

    rate: float
    seconds: float
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """What to try next."""

    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest rate that was held for all of the time, and the lowest that was not, or was void.

    The true one lies between them: they are apart by the resolution at most.
    """

    rate: float
    not_held: float
    is_the_generators: bool
    """Above it nothing could be measured: the true one may be higher."""


def next_step(
    tried: Sequence[Tried], start: float, probe_s: float, hold_s: float, resolution: float = RESOLUTION
) -> Next | Highest:
    """Doubling until a rate is not held, halving the gap with short probes, then holding the best for long.

    What is held for a short while may not be for long: then only what is held for long counts any more, from
    a little below on, further down each time.
    **Raises**: Broken when nothing is held, down to one upload a second.
    """
    lost = [one for one in tried if one.outcome is not Outcome.HELD]
    ceiling = min((one.rate for one in lost), default=None)
    held = [one for one in tried if one.outcome is Outcome.HELD]
    if ceiling is None:
        return Next(2 * max(one.rate for one in held) if held else start, probe_s)
    lost_late = sum(one.seconds >= hold_s for one in lost)
    seconds = hold_s if lost_late else probe_s
    floor = max((one.rate for one in held if one.rate < ceiling and one.seconds >= seconds), default=None)
    if floor is None:
        rate = ceiling * (1 - min(0.5, resolution * 2 ** (lost_late - 1) if lost_late else 0.5))
        if rate < LOWEST_PER_S:
            raise Broken(f"No rate was held, down to {ceiling:g} uploads a second: {lost[-1].why}")
        return Next(rate, seconds)
    if ceiling - floor > resolution * ceiling:
        return Next((floor + ceiling) / 2, seconds)
    if any(one.rate == floor and one.seconds >= hold_s for one in held):
        # Of several that ended at this rate, one that was not void says more.
        return Highest(
            floor, ceiling, all(one.outcome is Outcome.VOID for one in lost if one.rate == ceiling)
        )
    return Next(floor, hold_s)


def is_bounded(lag: Sequence[tuple[int, int]], rate: float, begin_us: int, end_us: int) -> bool:
    """Whether what waits does not grow: not above what came in a second, or not above that of the first half.

    `lag`: moments and messages that wait. **Units**: microseconds.

    >>> is_bounded([(0, 10), (1, 500), (2, 900), (3, 1400)], rate=1000, begin_us=0, end_us=4)
    False
    >>> is_bounded([(0, 10), (1, 1500), (2, 900), (3, 1400)], rate=1000, begin_us=0, end_us=4)
    True
    """
    half_us = (begin_us + end_us) // 2
    first = max((messages for at_us, messages in lag if begin_us <= at_us < half_us), default=0)
    second = max((messages for at_us, messages in lag if half_us <= at_us <= end_us), default=0)
    return second <= max(first, rate)
