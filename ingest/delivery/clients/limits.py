"""How many requests a client may send: a bucket that fills steadily, from which each request takes.

Of each instance of the gate by itself: several let a client through as many times as often.
"""

from dataclasses import dataclass
from math import ceil

from models.clock import SECOND_US


@dataclass(frozen=True, slots=True)
class Limit:
    """So many a second in the long run, and so many at once after a pause."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left, at a moment. **Units**: requests; microseconds since 1970 UTC."""

    left: float
    at_us: int


def taken(bucket: Bucket | None, limit: Limit, now_us: int) -> tuple[Bucket, int]:
    """The bucket after one more request, and for how many microseconds it is too early; 0: it may pass.

    Who is too early takes nothing. A clock that goes back fills nothing.

    >>> bucket, wait_us = taken(None, Limit(per_second=2, burst=1), 0)
    >>> wait_us, taken(bucket, Limit(per_second=2, burst=1), 0)[1]
    (0, 500000)
    """
    if bucket is None:
        bucket = Bucket(limit.burst, now_us)
    passed_us = max(0, now_us - bucket.at_us)
    left = min(float(limit.burst), bucket.left + passed_us * limit.per_second / SECOND_US)
    if left >= 1:
        return Bucket(left - 1, now_us), 0
    return Bucket(left, now_us), ceil((1 - left) / limit.per_second * SECOND_US)
