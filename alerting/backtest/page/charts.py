"""The charts about versions: finding against false alarm, how much earlier, when alerts come."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from alerting.backtest.bootstrap import Figure
from alerting.backtest.counting import Name
from alerting.backtest.judged import Counted
from alerting.backtest.measures import VersionMeasures
from alerting.backtest.page.drawing import Axis, Picture, beside, digits, framed, ticks
from alerting.backtest.page.words import Speaker

WIDTH = 720.0
LEAD_DAYS = (30, 21, 14, 10, 7, 5, 3, 2, 1, 0)
"""At which days before the worst the table says how much was told."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where a version or a value of a limit stands. `text` is written beside it."""

    number: int
    text: str
    false: Figure
    found: Figure


def point(number: int, text: str, version: VersionMeasures) -> Point:
    """A version by its headline figures."""
    figures = version.of[Counted.MANUAL].figures
    nothing = Figure(None)
    return Point(
        number, text, figures.get(Name.FALSE_PER_YEAR, nothing), figures.get(Name.SENSITIVITY, nothing)
    )


def trade(points: Sequence[Point], t: Speaker, *, joined: bool = False, now: int | None = None) -> Picture:
    """Finding against false alarm, with intervals; `joined`: values of one limit, `now` the one in force."""
    height = 400.0
    known = [one for one in points if one.false.value is not None and one.found.value is not None]
    most = max((one.false.high or one.false.value or 0.0 for one in known), default=1.0)
    x, y = Axis(0, max(most * 1.12, 0.1), 60, WIDTH - 24), Axis(0, 100, height - 56, 36)
    said = "; ".join(
        f"{one.text}: {t.figure(Name.SENSITIVITY, one.found)}, {t.figure(Name.FALSE_PER_YEAR, one.false)}"
        for one in known
    )
    picture = Picture(WIDTH, height, f"{t('trade.says')} {said}")
    framed(picture, x, y, (t("trade.x"), t("trade.y")), t.number)
    places = [(x(one.false.value or 0.0), y(100 * (one.found.value or 0.0))) for one in known]
    if joined:
        picture.path(places, "curve v0")
    for place, (one, (at_x, at_y)) in enumerate(zip(known, places, strict=True)):
        _intervals(picture, one, x, y, (at_x, at_y))
        size = 8 if joined and place == now else 4.5 if joined else 7
        picture.mark(at_x, at_y, one.number, size)
    texts = [one.text for one in known]
    written = beside(places, texts, WIDTH)
    for (x_mark, y_mark), text, (at_x, at_y, anchor) in zip(places, texts, written, strict=True):
        picture.line(x_mark, y_mark, at_x, at_y - 4, "leader")
        picture.text(at_x, at_y, text, "said over", anchor)
    return picture


def _intervals(picture: Picture, one: Point, x: Axis, y: Axis, at: tuple[float, float]) -> None:
    class_ = f"interval v{one.number % 4}"
    if one.false.low is not None and one.false.high is not None:
        picture.line(x(one.false.low), at[1], x(one.false.high), at[1], class_)
    if one.found.low is not None and one.found.high is not None:
        picture.line(at[0], y(100 * one.found.low), at[0], y(100 * one.found.high), class_)


def told_by(leads: Sequence[float], events: int, days: float) -> float:
    """What share of the events had been told of so many days before the worst; `leads` ascending.

    >>> told_by([-1.0, 2.0, 8.0], 4, 2), told_by([-1.0, 2.0, 8.0], 4, -30)
    (0.5, 0.75)
    """
    return (len(leads) - bisect_left(leads, days)) / events if events else 0.0


def leads(versions: Sequence[VersionMeasures], events: int, t: Speaker) -> Picture:
    """What share had been told of, as the worst comes nearer: steps up."""
    height = 380.0
    longest = max(
        (one.of[Counted.MANUAL].leads[-1] for one in versions if one.of[Counted.MANUAL].leads), default=7
    )
    days = 14.0 if longest <= 14 else 30.0 if longest <= 30 else min(90.0, longest)
    x, y = Axis(-days, days / 6, 60, WIDTH - 24), Axis(0, 100, height - 56, 36)
    picture = Picture(WIDTH, height, t("leads.says"))
    framed(picture, x, y, (t("leads.x"), t("leads.y")), lambda value, places: t.number(abs(value), places))
    picture.line(x(0), y.begin, x(0), y.end, "worst")
    picture.text(x(0) + 5, y.end + 10, t("examples.worst"), "tick")
    for number, version in enumerate(versions):
        own = version.of[Counted.MANUAL].leads
        steps = [(x(-days), y(100 * told_by(own, events, days)))]
        for lead in sorted({lead for lead in own if -days / 6 <= lead <= days}, reverse=True):
            steps.append((x(-lead), steps[-1][1]))
            steps.append((x(-lead), y(100 * told_by(own, events, lead))))
        steps.append((x(days / 6), steps[-1][1]))
        picture.path(_thinned(steps), f"curve v{number % 4}")
        picture.mark(steps[-1][0] - 4, steps[-1][1], number, 5)
    picture.names(x.begin + 18, y.end + 16, [version.name for version in versions])
    return picture


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without points that lie where others do at the width of the page."""
    kept = list(points[:1])
    for at in points[1:]:
        if abs(at[0] - kept[-1][0]) >= 0.5 or abs(at[1] - kept[-1][1]) >= 0.5:
            kept.append(at)
    return kept


def hours(versions: Sequence[VersionMeasures], t: Speaker) -> Picture:
    """Alerts by the hour of the day: a row of bars for each version, all to one scale."""
    row = 120.0
    height = row * len(versions) + 44
    most = max((max(one.of[Counted.MANUAL].by_hour, default=0.0) for one in versions), default=0.0)
    x = Axis(0, 24, 60, WIDTH - 24)
    round_values = ticks(0, most or 1.0, 3)
    picture = Picture(WIDTH, height, t("load.says", peak=""))
    for number, version in enumerate(versions):
        top = number * row
        y = Axis(0, most or 1.0, top + row - 8, top + 34)
        picture.text(x.begin, top + 16, version.name, "said")
        picture.mark(x.begin - 16, top + 12, number, 5)
        for value in round_values:
            picture.line(x.begin, y(value), x.end, y(value), "grid")
            picture.text(x.begin - 8, y(value) + 4, t.number(value, digits(round_values)), "tick", "end")
        for hour, value in enumerate(version.of[Counted.MANUAL].by_hour):
            at = y(value)
            picture.add(
                "rect",
                x=x(hour) + 2,
                y=at,
                width=x(1) - x(0) - 4,
                height=y.begin - at,
                class_=f"bar v{number % 4}",
            )
        picture.line(x.begin, y.begin, x.end, y.begin, "axis")
        for shift in (8, 16):
            picture.line(x(shift), top + 24, x(shift), y.begin, "shift")
    for hour in (0, 4, 8, 12, 16, 20, 24):
        picture.text(x(hour), height - 26, str(hour), "tick", "middle")
    picture.text((x.begin + x.end) / 2, height - 6, t("load.x"), "name", "middle")
    return picture
