"""Guessing is slowed down: after how many failures somebody has to wait, and how long.

Failures are counted for an address, for an account at an address, and for an account from browsers that are
not known. A browser from which the account logged in before is counted by itself: whoever guesses from
elsewhere makes nobody wait who works at their usual place. Every wait has an upper bound, attempts during a
wait count for nothing and lengthen nothing, so that nobody is locked out for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.clock import DAY_US, MINUTE_US, SECOND_US


class Counted(StrEnum):
    """What failures are counted for."""

    ADDRESS = "address"
    PAIR = "pair"
    """An account at an address."""
    ACCOUNT = "account"
    """An account from any browser that is not known for it."""
    BROWSER = "browser"
    """An account from one browser that is known for it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures are free; each further one doubles the wait, from the first up to the longest."""

    free: int
    first_us: int
    longest_us: int


LIMITS = {
    # A hospital may come from one address: its nurses mistype together.
    Counted.ADDRESS: Limit(free=30, first_us=30 * SECOND_US, longest_us=15 * MINUTE_US),
    Counted.PAIR: Limit(free=5, first_us=MINUTE_US, longest_us=15 * MINUTE_US),
    # Anybody can bring this one about for anybody else, so it is short.
    Counted.ACCOUNT: Limit(free=10, first_us=30 * SECOND_US, longest_us=5 * MINUTE_US),
    Counted.BROWSER: Limit(free=5, first_us=MINUTE_US, longest_us=15 * MINUTE_US),
}
FORGOTTEN_AFTER_US = DAY_US


@dataclass(frozen=True, slots=True)
class Failures:
    """What is stored of failures. **Units**: microseconds since 1970 UTC."""

    count: int
    failed_us: int
    blocked_until_us: int | None = None


NONE = Failures(0, 0)


def after_success(counted: Counted, after: Failures) -> Failures | None:
    """What is left of failures when the attempt that was counted as one turns out to be right; None: nothing.

    Whoever has one account may not wipe out with it what they guessed of others.
    """
    if counted in (Counted.PAIR, Counted.BROWSER) or after.count <= 1:
        return None
    is_free = after.count - 1 <= LIMITS[counted].free
    return Failures(after.count - 1, after.failed_us, None if is_free else after.blocked_until_us)


def after_failure(counted: Counted, before: Failures, now_us: int) -> Failures:
    """The failures with one more at this moment.

    >>> after_failure(Counted.PAIR, Failures(5, 0), 1).blocked_until_us == 1 + MINUTE_US
    True
    """
    limit = LIMITS[counted]
    known = 0 if now_us - before.failed_us >= FORGOTTEN_AFTER_US else before.count
    count = known + 1
    if count <= limit.free:
        return Failures(count, now_us)
    # The exponent is bounded so that the wait is, whatever the count.
    doubled_us = limit.first_us * 2 ** min(count - limit.free - 1, 20)
    return Failures(count, now_us, now_us + min(doubled_us, limit.longest_us))


def wait_us(failures: Iterable[Failures], now_us: int) -> int:
    """How long to wait before the next attempt, 0 for not at all."""
    return max(0, *(one.blocked_until_us - now_us for one in failures if one.blocked_until_us), 0)


def counted_for(*, known_browser: bool) -> Sequence[Counted]:
    """What an attempt with an account counts for.

    >>> counted_for(known_browser=True)
    (<Counted.BROWSER: 'browser'>,)
    """
    if known_browser:
        return (Counted.BROWSER,)
    return (Counted.ADDRESS, Counted.PAIR, Counted.ACCOUNT)
