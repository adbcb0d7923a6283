"""Time: the one place that reads the wall clock, and exact conversions between microseconds and datetimes."""

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def wall_now_us() -> int:
    """The time by this machine's clock. **Units**: microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def to_datetime(at_us: int) -> datetime:
    """The moment as an aware datetime, to the microsecond.

    >>> to_datetime(1795332680000001)
    datetime.datetime(2026, 11, 22, 7, 31, 20, 1, tzinfo=datetime.timezone.utc)
    """
    # Not fromtimestamp(): it goes through a float, which has no room for microseconds.
    return _EPOCH + at_us * _MICROSECOND


def to_datetime_or_none(at_us: int | None) -> datetime | None:
    """The same; None for none."""
    return None if at_us is None else to_datetime(at_us)


def to_us(at: datetime) -> int:
    """The moment in microseconds since 1970 UTC, of an aware datetime in any zone.

    **Raises**: TypeError for a datetime without zone.

    >>> to_us(to_datetime(1795332680000001))
    1795332680000001
    """
    return (at - _EPOCH) // _MICROSECOND


def to_us_or_none(at: datetime | None) -> int | None:
    """The same; None for none."""
    return None if at is None else to_us(at)
