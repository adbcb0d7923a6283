"""Moments and stretches of time as people read them at a glance, in Europe/Amsterdam; pure."""

from datetime import date, datetime

from alerting.engine.local_days import AMSTERDAM
from alerting.explain.moments import moment
from alerting.explain.vocabulary import MONTHS, Both, Language
from models.clock import DAY_US, HOUR_US, MINUTE_US, to_datetime, to_us

_NOW = Both("zojuist", "just now")
_MINUTES = Both("{n} min", "{n} min")
_HOURS = Both("{n} uur", "{n} h")
_DAYS = Both("{n} d", "{n} d")


def at_us_of(at: datetime | int) -> int:
    """A moment in microseconds since 1970 UTC, however it came."""
    return at if isinstance(at, int) else to_us(at)


def clock(at: datetime | int) -> str:
    """The time of the day.

    >>> clock(1_795_332_660_000_000)
    '08:31'
    """
    return f"{_local(at):%H:%M}"


def day(at: datetime | int, language: Language) -> str:
    """The date, short.

    >>> day(1_795_332_660_000_000, Language.NL)
    '22 nov 2026'
    >>> day(1_772_500_000_000_000, Language.NL)
    '3 mrt 2026'
    """
    return date_said(_local(at).date(), language)


def date_said(on: date | str, language: Language) -> str:
    """The same, of a date or its ISO form.

    >>> date_said(date(1948, 3, 1), Language.NL)
    '1 mrt 1948'
    """
    found = date.fromisoformat(on) if isinstance(on, str) else on
    return f"{found.day} {_month(found, language)} {found.year}"


def when(at: datetime | int, now_us: int, language: Language) -> str:
    """Today the time alone, else with the date.

    >>> when(1_795_332_660_000_000, 1_795_340_000_000_000, Language.NL)
    '08:31'
    >>> when(1_795_332_660_000_000, 1_795_440_000_000_000, Language.EN)
    '22 Nov 08:31'
    """
    local, now = _local(at), _local(now_us)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    month = _month(local, language)
    year = "" if local.year == now.year else f" {local.year}"
    return f"{local.day} {month}{year} {local:%H:%M}"


def stretch(length_us: int, language: Language) -> str:
    """How long something has lasted or will last, in its largest unit.

    >>> stretch(90 * MINUTE_US, Language.NL), stretch(49 * HOUR_US, Language.EN)
    ('1 uur', '2 d')
    """
    length_us = abs(length_us)
    if length_us < MINUTE_US:
        return _NOW.said(language)
    for unit_us, words in ((DAY_US, _DAYS), (HOUR_US, _HOURS), (MINUTE_US, _MINUTES)):
        if length_us >= unit_us * (2 if unit_us is DAY_US else 1):
            return words.said(language).format(n=length_us // unit_us)
    raise AssertionError(length_us)


def length(length_us: int, language: Language) -> str:
    """Exactly how long something lasts, to the minute.

    >>> length(90 * MINUTE_US, Language.NL), length(49 * HOUR_US, Language.EN)
    ('1 uur 30 min', '2 d 1 h')
    """
    parts: list[str] = []
    for unit_us, words in ((DAY_US, _DAYS), (HOUR_US, _HOURS), (MINUTE_US, _MINUTES)):
        number, length_us = divmod(length_us, unit_us)
        if number:
            parts.append(words.said(language).format(n=number))
    return " ".join(parts) or _MINUTES.said(language).format(n=0)


def full(at: datetime | int, language: Language) -> str:
    """Weekday, date and time in words, for who points at a short one."""
    return moment(at_us_of(at), language)


def _month(on: date, language: Language) -> str:
    # March alone is not shortened by its first letters in Dutch.
    if on.month == 3 and language is Language.NL:
        return "mrt"
    return MONTHS[on.month - 1].said(language)[:3]


def _local(at: datetime | int) -> datetime:
    return (to_datetime(at) if isinstance(at, int) else at).astimezone(AMSTERDAM)
