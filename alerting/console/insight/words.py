"""Figures as people read them: numbers, bounds, stretches of time, differences; pure."""

from datetime import date, timedelta

from alerting.console.times import date_said
from alerting.explain.vocabulary import Both, Language
from alerting.insight.measures import Shown

FEW = "<10"
"""For what is of too few to be told."""
MINUTES = (
    "answered_median_min",
    "answered_p90_min",
    "resolved_median_min",
    "resolved_p90_min",
    "handling_min",
)
SHARES = ("needed_share", "adherence", "precision", "solved_in_wijk")

_HOURS, _DAYS = Both("uur", "h"), Both("dagen", "days")


def number(value: float, language: Language) -> str:
    """A number with the comma of the language, without zeros that say nothing.

    >>> number(2.5, Language.NL), number(75.0, Language.EN), number(1234.0, Language.NL)
    ('2,5', '75', '1234')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return text.replace(".", ",") if language is Language.NL else text


def said(name: str, shown: Shown | None, language: Language) -> str:
    """A figure with its unit.

    >>> said("precision", Shown(value=25, bound="<"), Language.NL), said("adherence", None, Language.NL)
    ('< 25%', '<10')
    >>> said("resolved_p90_min", Shown(value=2160), Language.EN)
    '36 h'
    """
    if shown is None:
        return FEW
    if name in MINUTES:
        text = minutes(shown.value, language)
    else:
        text = number(shown.value, language) + ("%" if name in SHARES else "")
    return f"{shown.bound} {text}" if shown.bound else text


def minutes(value: float, language: Language) -> str:
    """A stretch of minutes in a unit that fits it."""
    if value < 60:
        return f"{number(value, language)} min"
    if value < 2_880:
        return f"{number(value / 60, language)} {_HOURS.said(language)}"
    return f"{number(value / 1_440, language)} {_DAYS.said(language)}"


def days(since: date, until: date, language: Language) -> str:
    """From a first day up to the one before `until`.

    >>> days(date(2026, 11, 2), date(2026, 11, 30), Language.NL)
    '2 nov t/m 29 nov 2026'
    """
    last = until - timedelta(days=1)
    first = date_said(since, language)
    if since.year == last.year:
        first = first.removesuffix(f" {since.year}")
    return f"{first} {'t/m' if language is Language.NL else 'to'} {date_said(last, language)}"


def difference(now: Shown | None, before: Shown | None) -> str:
    """How it compares with the period before: higher, lower, same, or unknown where either is not exact."""
    if now is None or before is None or now.bound or before.bound:
        return "unknown"
    if now.value == before.value:
        return "same"
    return "higher" if now.value > before.value else "lower"
