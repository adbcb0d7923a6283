"""The days as duty rosters see them: weekdays, public holidays, and local times as moments."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from holidays import country_holidays

from models.clock import to_datetime, to_us

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

DayKind = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
WEEKDAYS: tuple[DayKind, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY: DayKind = "holiday"

DAY_MINUTES = 24 * 60
CHANGING_MINUTES = range(2 * 60 + 1, 3 * 60)
"""Local times that come twice, or not at all, when the clocks change."""

_FIVE_YEARS = range(2026, 2031)
"""Liberation day is a day off every fifth year."""


@cache
def holidays_of(year: int) -> Mapping[date, tuple[str, ...]]:
    """The Dutch public holidays of a year; some days have two names."""
    found = country_holidays("NL", years=year, language="nl", categories=("public",))
    return {day: tuple(found.get_list(day)) for day in found}


@cache
def holiday_names() -> tuple[str, ...]:
    """All that Dutch public holidays are called, in the order of the year."""
    days = sorted(
        (day for year in _FIVE_YEARS for day in holidays_of(year)), key=lambda day: (day.month, day.day)
    )
    return tuple(dict.fromkeys(name for day in days for name in holidays_of(day.year)[day]))


def minutes_of(time_of_day: str) -> int:
    """**Units**: minutes since local midnight.

    >>> minutes_of("07:30")
    450
    """
    hours, minutes = time_of_day.split(":")
    return int(hours) * 60 + int(minutes)


def time_of(minutes: int) -> str:
    """The same as it is written; 1440 is the end of the day.

    >>> time_of(450), time_of(1440)
    ('07:30', '24:00')
    """
    return f"{minutes // 60:02}:{minutes % 60:02}"


def moment_us(day: date, minutes: int) -> int:
    """The moment of a local time that does not lie in `CHANGING_MINUTES`.

    02:00 is, where the clocks go forward, the moment at which they do, and where they go back, the first.
    **Units**: minutes since local midnight, 1440 at most; microseconds since 1970 UTC.
    """
    day, minutes = day + timedelta(days=minutes // DAY_MINUTES), minutes % DAY_MINUTES
    return to_us(datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=AMSTERDAM))


def local(at_us: int) -> datetime:
    """A moment by the clocks of Amsterdam. **Units**: microseconds since 1970 UTC."""
    return to_datetime(at_us).astimezone(AMSTERDAM)
