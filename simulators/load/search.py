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

    What is not held for long is not held; the search goes on below it.
    **Raises**: Broken when nothing is held, down to one upload a second.
    """
    lost = [one for one in tried if one.outcome is not Outcome.HELD]
    ceiling = min((one.rate for one in lost), default=None)
    held = [one for one in tried if one.outcome is Outcome.HELD and (ceiling is None or one.rate < ceiling)]
    floor = max((one.rate for one in held), default=None)
    if ceiling is None:
        return Next(start if floor is None else 2 * floor, probe_s)
    if floor is None:
        if ceiling / 2 < LOWEST_PER_S:
            raise Broken(f"No rate was held, down to {ceiling:g} uploads a second: {lost[-1].why}")
        return Next(ceiling / 2, probe_s)
    if ceiling - floor > resolution * ceiling:
        return Next((floor + ceiling) / 2, probe_s)
    if any(one.rate == floor and one.seconds >= hold_s for one in held):
        # Of several that ended at this rate, one that was not void says more.
        at = [one.outcome for one in lost if one.rate == ceiling]
        return Highest(floor, ceiling, Outcome.NOT_HELD not in at)
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
