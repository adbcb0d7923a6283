"""The report in a few sentences, made of its figures."""

from alerting.backtest.bootstrap import Figure
from alerting.backtest.counting import Name
from alerting.backtest.judged import Counted
from alerting.backtest.measures import Figures, Measured, VersionMeasures
from alerting.backtest.page.words import Speaker


def short(version: VersionMeasures, first: str, measured: Measured, t: Speaker) -> list[str]:
    """What a version found, what it costs, and how it differs from the first."""
    manual = version.of[Counted.MANUAL]
    figures = manual.figures
    alerts = t.figure(Name.ALERTS_PER_100_DAYS, figures[Name.ALERTS_PER_100_DAYS])
    beyond = version.beyond_first[Counted.MANUAL]
    sentences: list[str] = []
    if measured.events is None or not measured.events.counted:
        sentences.append(t("short.load", name=version.name, alerts=alerts))
        if version.name != first and (difference := _amount(beyond, Name.ALERTS_PER_100_DAYS, "amount", t)):
            sentences.append(t("short.against_load", first=first, alerts=difference))
        return sentences
    sentences.append(
        t(
            "short.found",
            name=version.name,
            events=t.number(measured.events.counted, 0),
            found=t.number(manual.found or 0, 0),
            share=t.figure(Name.SENSITIVITY, figures[Name.SENSITIVITY]),
        )
    )
    median = figures[Name.LEAD_MEDIAN].value
    if median is not None:
        sentences.append(t("short.lead" if median >= 0 else "short.lead_late", lead=t.length(median)))
    false = t.figure(Name.FALSE_PER_YEAR, figures[Name.FALSE_PER_YEAR])
    sentences.append(t("short.cost", alerts=alerts, false=false))
    if version.name != first:
        found = _amount(beyond, Name.SENSITIVITY, "points", t)
        less = _amount(beyond, Name.FALSE_PER_YEAR, "per_year", t)
        if found and less:
            sentences.append(t("short.against", first=first, found=found, false=less))
    return sentences


def is_sure(figure: Figure) -> bool:
    """Whether a difference is more than chance: its interval has no zero in it."""
    return figure.low is not None and figure.high is not None and (figure.low > 0 or figure.high < 0)


def _amount(figures: Figures, name: Name, form: str, t: Speaker) -> str | None:
    """A difference in words; None where there is none to tell."""
    figure = figures.get(name)
    if figure is None or figure.value is None or figure.low is None or figure.high is None:
        return None
    factor, digits = (100.0, 1) if form == "points" else (1.0, None)
    value, low, high = (t.signed(factor * one, digits) for one in (figure.value, figure.low, figure.high))
    sure = t("short.sure" if is_sure(figure) else "short.unsure")
    return t(f"short.{form}", value=value, low=low, high=high, sure=sure)
