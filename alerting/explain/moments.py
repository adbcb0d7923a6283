"""Moments as they are said in Europe/Amsterdam: weekday, date, time."""

from datetime import datetime

from alerting.engine.local_days import AMSTERDAM
from alerting.explain.vocabulary import MONTHS, WEEKDAYS, Both, Language
from models.clock import to_datetime

_TIME = Both("om {time} uur", "at {time}")
_SUMMER, _WINTER = Both("zomertijd", "summer time"), Both("wintertijd", "winter time")
_DAYS = tuple(WEEKDAYS)


def moment(at_us: int, language: Language) -> str:
    """**Units**: microseconds since 1970 UTC.

    >>> moment(1_795_332_660_000_000, Language.NL)
    'zondag 22 november 2026 om 08:31 uur'
    """
    local = to_datetime(at_us).astimezone(AMSTERDAM)
    date = f"{_weekday(local, language)} {local.day} {MONTHS[local.month - 1].said(language)} {local.year}"
    return f"{date} {_TIME.said(language).format(time=f'{local:%H:%M}')}{_which(local, language)}"


def short_moment(at_us: int, language: Language) -> str:
    """The same in a column: of the same width for every moment.

    >>> short_moment(1_795_332_660_000_000, Language.NL)
    'zo 22-11-2026 08:31'
    """
    local = to_datetime(at_us).astimezone(AMSTERDAM)
    letters = 2 if language is Language.NL else 3
    return f"{_weekday(local, language)[:letters]} {local:%d-%m-%Y %H:%M}{_which(local, language)}"


def iso(at_us: int) -> str:
    """For programs: ISO 8601 in UTC, to the microsecond."""
    return to_datetime(at_us).isoformat().replace("+00:00", "Z")


def _weekday(local: datetime, language: Language) -> str:
    return WEEKDAYS[_DAYS[local.weekday()]].said(language)


def _which(local: datetime, language: Language) -> str:
    """Which of the two, in the hour that comes twice when the clocks go back."""
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return ""
    return f" ({(_WINTER if local.fold else _SUMMER).said(language)})"
