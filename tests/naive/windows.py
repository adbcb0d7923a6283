"""What longer windows look at instead of readings: bins of a quarter of an hour, and daily values."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from models.kinds import KIND_BY_NAME
from tests.naive.features import in_turn, median
from tests.naive.readings import Taken, canonical

BIN_US = 900_000_000
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Bin:
    """The readings of one quarter of an hour, in canonical units."""

    number: int
    n: int
    total: float
    lowest: float
    highest: float
    last: float

    @property
    def t(self) -> int:
        """When it begins."""
        return self.number * BIN_US

    @property
    def mean(self) -> float:
        return self.total / self.n


@dataclass(frozen=True)
class Day(Bin):
    """A day with its one daily value, in canonical units."""

    @property
    def t(self) -> int:
        return self.number * DAY_US


def is_dense(kinds: Sequence[str]) -> bool:
    """Whether a series is measured by the minute."""
    return all(KIND_BY_NAME[kind].dense for kind in kinds)


def bins(readings: Sequence[Taken]) -> list[Bin]:
    """The bins of one series that hold readings, in order; sums are formed in order of time.

    >>> [made.mean for made in bins([Taken(t, "d", "spo2", v, "%") for t, v in ((0, 92.0), (1, 94.0))])]
    [93.0]
    """
    values: dict[int, list[float]] = {}
    for taken in readings:
        values.setdefault(taken.t // BIN_US, []).append(canonical(taken))
    return [
        Bin(number, len(own), in_turn(own), min(own), max(own), own[-1]) for number, own in values.items()
    ]


def daily_value(readings: Sequence[Taken]) -> float | None:
    """Of the readings of one day the median, of a dense series that of the means of its bins; canonical.

    >>> daily_value([Taken(t, "d", "body_weight", v, "kg") for t, v in ((0, 80.0), (1, 81.0))])
    80.5
    """
    if is_dense([taken.kind for taken in readings]):
        return median([made.mean for made in bins(readings)])
    return median([canonical(taken) for taken in readings])


class Series:
    """The readings of one series that count, in order."""

    def __init__(self, kinds: Sequence[str], readings: Sequence[Taken]) -> None:
        self.kinds = kinds
        self.readings = [taken for taken in readings if taken.kind in kinds]
        self.times = [taken.t for taken in self.readings]
        self.whole_days: dict[int, float | None] = {}

    def window(self, after_us: int, t: int) -> list[Taken]:
        """The readings in (after, t]."""
        return self.readings[bisect_right(self.times, after_us) : bisect_right(self.times, t)]

    def newest(self, t: int) -> Taken | None:
        """The last reading up to t."""
        place = bisect_right(self.times, t)
        return self.readings[place - 1] if place else None

    def bins(self, after_us: int, t: int) -> list[Bin]:
        """The bins after the one in which the window begins, of the readings up to t."""
        first = after_us // BIN_US + 1
        return bins(self.window(first * BIN_US - 1, t))

    def days(self, first: int, t: int) -> list[Day]:
        """The daily values from a day on, today's of the readings up to t."""
        today = t // DAY_US
        days = sorted({time // DAY_US for time in self.times if first <= time // DAY_US < today})
        for day in set(days) - set(self.whole_days):
            self.whole_days[day] = daily_value(self.window(day * DAY_US - 1, (day + 1) * DAY_US - 1))
        values = {day: self.whole_days[day] for day in days}
        if first <= today:
            values[today] = daily_value(self.window(today * DAY_US - 1, t))
        return [Day(day, 1, v, v, v, v) for day, v in values.items() if v is not None]
