"""Partitions of `reading`, one a month, made before the first reading of that month is stored."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from models.clock import to_datetime
from models.db.pool import Connection

_MONTHS_AT_ONCE = 100
"""As many as are made well within a statement's time; wild device clocks may ask for a thousand."""


def months_of(taken_at_us: NDArray[np.int64]) -> frozenset[date]:
    """The months in which readings were taken, each by its first day, in UTC.

    >>> months_of(np.array([0, 1, 2_678_400_000_000]))  == {date(1970, 1, 1), date(1970, 2, 1)}
    True
    """
    months = np.unique(taken_at_us.astype("datetime64[us]").astype("datetime64[M]"))
    return frozenset(month.astype(date) for month in months)


async def ensure_months(connection: Connection, months: Iterable[date]) -> int:
    """Make the partitions of these months where they are missing; returns how many were made.

    Cheap when all are there, but a round trip: a worker keeps in mind which months it has seen to.
    """
    asked, made = sorted(months), 0
    for first in range(0, len(asked), _MONTHS_AT_ONCE):
        some = asked[first : first + _MONTHS_AT_ONCE]
        made += await connection.fetchval("SELECT ensure_reading_partitions($1::date[])", some)
    return made


async def ensure_partitions(connection: Connection, first_us: int, last_us: int) -> int:
    """The same for every month from the one moment to the other, in microseconds since 1970."""
    first, last = to_datetime(first_us), to_datetime(last_us)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    months = [_month_after(first, number) for number in range(count)]
    return await ensure_months(connection, months)


def _month_after(first: datetime, number: int) -> date:
    years, month = divmod(first.month - 1 + number, 12)
    return datetime(first.year + years, month + 1, 1, tzinfo=UTC).date()
