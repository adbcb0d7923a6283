"""The chart of an example: what happened and what was told on top, the readings with their limits below."""

from collections.abc import Sequence
from itertools import pairwise

from alerting.backtest.events import Why
from alerting.backtest.examples import Example, Panel, ShownAlert
from alerting.backtest.page.drawing import Axis, Picture, digits, ticks
from alerting.backtest.page.words import Speaker
from alerting.explain.vocabulary import UNIT_WORDS, kind_name

WIDTH, LEFT, RIGHT = 720.0, 60.0, 76.0
LANE, PANEL = 26.0, 116.0
MOST_DOTS, MOST_POINTS, MOST_ODD = 150, 500, 3


def case_chart(example: Example, title: str, names: Sequence[str], t: Speaker) -> Picture:
    """An example drawn; `names` are those of the versions."""
    top = 18 + LANE * (len(names) + (1 if example.events else 0))
    height = top + PANEL * len(example.panels) + 52
    x = Axis(example.begin, max(example.end, example.begin + 0.1), LEFT, WIDTH - RIGHT)
    days = ticks(x.low, x.high, 8)
    picture = Picture(WIDTH, height, " ".join([f"{title}.", *case_says(example, names, t)]))
    bottom = height - 46
    for event in example.events:
        if event.why is Why.PATIENT:
            begin, end = x(event.onset), x(event.end)
            picture.add(
                "rect", x=begin, y=12.0, width=max(end - begin, 2.0), height=bottom - 12, class_="ground"
            )
    y = _lanes(picture, example, names, x, t)
    for panel in example.panels:
        _panel(picture, panel, x, y, t)
        y += PANEL
    picture.line(x.begin, bottom, x.end, bottom, "axis")
    for day in days:
        picture.line(x(day), bottom, x(day), bottom + 5, "axis")
        picture.text(x(day), bottom + 19, t.number(day, digits(days)), "tick", "middle")
    picture.text((x.begin + x.end) / 2, bottom + 38, t("examples.x"), "name", "middle")
    return picture


def _lanes(picture: Picture, example: Example, names: Sequence[str], x: Axis, t: Speaker) -> float:
    """A lane for what happened, one for each version; where they end."""
    y = 12.0
    if example.events:
        for event in example.events:
            begin, width = x(event.onset), max(x(event.end) - x(event.onset), 3.0)
            class_ = "happened" if event.why is Why.PATIENT else "odd"
            picture.add("rect", x=begin, y=y + 5, width=width, height=LANE - 12, class_=class_)
            if event.why is Why.PATIENT and example.begin <= event.worst <= example.end:
                at = x(event.worst)
                picture.add("path", d=f"M{at - 6:.1f} {y:.1f}h12l-6 10z", class_="worst-mark")
        # The label is drawn last, so that nothing hides it.
        picture.text(x.begin + 4, y + 17, t("examples.event"), "said lane")
        y += LANE
    for number, name in enumerate(names):
        picture.line(x.begin, y + LANE - 1, x.end, y + LANE - 1, "grid")
        for alert in example.alerts[number]:
            _alert(picture, alert, number, x, y)
        picture.mark(x.begin - 16, y + 12, number, 5)
        picture.text(x.begin + 4, y + 17, name, "said lane")
        y += LANE
    return y + 6


def _alert(picture: Picture, alert: ShownAlert, number: int, x: Axis, y: float) -> None:
    """Filled where a person saw it, outlined before that and where nobody did."""
    closed = x.high if alert.closed is None else alert.closed
    begin, end = x(alert.opened), x(closed)
    seen = x(alert.told) if alert.manual and alert.told is not None else None
    for left, right, name in ((begin, end if seen is None else seen, "unseen-alert"), (seen, end, "alert")):
        if left is not None and (right > left or name == "alert"):
            class_ = f"{name} v{number % 4}"
            picture.add(
                "rect", x=left, y=y + 5, width=max(right - left, 4.0), height=LANE - 12, class_=class_
            )


def _panel(picture: Picture, panel: Panel, x: Axis, top: float, t: Speaker) -> None:
    """The readings of one kind, with the limits that lie near them."""
    least, most = min(panel.values), max(panel.values)
    room = max(most - least, 1e-6)
    levels = [level for level in panel.levels if least - room <= level <= most + room]
    low, high = min([least, *levels]), max([most, *levels])
    margin = max((high - low) * 0.12, abs(high) * 1e-3, 1e-3)
    y = Axis(low - margin, high + margin, top + PANEL - 14, top + 22)
    title = t("examples.series", kind=kind_name(panel.kind, t.language), unit=unit_of(panel, t))
    picture.text(x.begin, top + 14, title, "said")
    round_values = ticks(y.low, y.high, 3)
    for value in round_values:
        picture.line(x.begin, y(value), x.end, y(value), "grid")
        picture.text(x.begin - 8, y(value) + 4, t.number(value, digits(round_values)), "tick", "end")
    for level in levels:
        picture.line(x.begin, y(level), x.end, y(level), "limit")
    for level, at in _apart([(level, y(level)) for level in levels]):
        said = f"{t('examples.limit')} {t.number(level, digits([level]))}"
        picture.text(x.end + 5, at + 4, said, "tick limit-text")
    readings = _fewer(panel)
    points = [(x(day), y(value)) for day, value in readings]
    for begin, end in _unbroken([day for day, _ in readings]):
        picture.path(points[begin:end], "readings")
    if len(points) <= MOST_DOTS:
        for at_x, at_y in points:
            picture.add("circle", cx=at_x, cy=at_y, r=2.2, class_="reading")


def _apart(levels: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Levels with the places of their texts, from the top, none of which hides another."""
    placed: list[tuple[float, float]] = []
    for level, at in sorted(levels, key=lambda pair: pair[1]):
        placed.append((level, max(at, placed[-1][1] + 12) if placed else at))
    return placed


def _unbroken(days: Sequence[float]) -> list[tuple[int, int]]:
    """Stretches without a gap in which one would have expected more readings, as begin and end.

    >>> _unbroken([0.0, 1.0, 2.0, 9.0, 10.0])
    [(0, 3), (3, 5)]
    """
    gaps = [after - before for before, after in pairwise(days)]
    usual = sorted(gaps)[len(gaps) // 2] if gaps else 0.0
    breaks = [place + 1 for place, gap in enumerate(gaps) if gap > max(4 * usual, 0.5)]
    return list(pairwise([0, *breaks, len(days)]))


def _fewer(panel: Panel) -> list[tuple[float, float]]:
    """All readings, or of so many that a page cannot show them the lowest and highest of each stretch."""
    readings = list(zip(panel.days, panel.values, strict=True))
    if len(readings) <= MOST_POINTS:
        return readings
    size = -(-len(readings) * 2 // MOST_POINTS)
    kept: list[tuple[float, float]] = []
    for begin in range(0, len(readings), size):
        some = readings[begin : begin + size]
        kept += sorted({min(some, key=lambda r: r[1]), max(some, key=lambda r: r[1])})
    return kept


def unit_of(panel: Panel, t: Speaker) -> str:
    """The unit of a panel, in words where there are some."""
    words = UNIT_WORDS.get(panel.unit)
    return panel.unit if words is None else words[1].said(t.language)


def case_says(example: Example, names: Sequence[str], t: Speaker) -> list[str]:
    """What happened and what was told, in sentences without the rules."""
    sentences: list[str] = []
    for event in example.events:
        kind, onset = t.event_kind(event.kind), t.number(event.onset, 1)
        if event.why is Why.PATIENT:
            end, worst = t.number(event.end, 1), t.number(event.worst, 1)
            sentences.append(t("examples.event_says", kind=kind, onset=onset, end=end, worst=worst))
            if event.admitted:
                sentences.append(t("examples.admitted"))
    odd = [event for event in example.events if event.why is not Why.PATIENT]
    for event in odd[:MOST_ODD]:
        onset = t.number(event.onset, 1)
        sentences.append(t("examples.odd_says", kind=t.event_kind(event.kind), onset=onset))
    if len(odd) > MOST_ODD:
        sentences.append(t("examples.odd_more", n=len(odd) - MOST_ODD))
    for name, alerts in zip(names, example.alerts, strict=True):
        if not any(alert.manual for alert in alerts):
            sentences.append(t("examples.no_alert", name=name))
    return sentences
