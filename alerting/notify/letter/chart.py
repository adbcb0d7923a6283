"""One kind over time as a drawing: its readings, its limits, which lie beyond, and when it was flagged.

What lies beyond a limit has another shape as well as another colour, so that it is seen in grey and by who
does not tell colours apart. The template writes the marks as SVG, and the PDF is drawn from that.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerting.engine.local_days import AMSTERDAM
from alerting.explain import figures
from alerting.explain.amounts import unit_words
from alerting.explain.sentences import capital
from alerting.explain.vocabulary import MONTHS, Language, kind_name
from alerting.notify.letter import words
from alerting.notify.letter.letter import Limit, Series
from models.clock import DAY_US, HOUR_US, to_datetime, to_us
from models.kinds import KIND_BY_NAME

WIDTH, HEIGHT = 620.0, 132.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 36.0, 532.0, 26.0, 108.0
_TEXT = 11.0
_APART = 13.0
_MOST_POINTS = 120
_LEAST_SPAN: Mapping[str, float] = {
    "body_weight": 4, "systolic": 40, "diastolic": 30, "mean_arterial": 30, "heart_rate": 40, "pulse": 40,
    "spo2": 10, "temperature": 2, "respiratory_rate": 10, "glucose": 6, "glucose_cgm": 6,
}  # fmt: skip
"""A chart shows at least so much, in the unit of the kind: small changes must not look like large ones."""

_INK, _QUIET, _FAINT, _LINE, _BEYOND = "#1a1a1a", "#5c6670", "#dde2e6", "#1f4e79", "#c1440e"


@dataclass(frozen=True, slots=True)
class Mark:
    """An element of SVG. **Units**: lengths in units of the drawing, as they are written."""

    tag: str
    attributes: Mapping[str, str]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart and what it shows in a sentence."""

    title: str
    caption: str
    marks: tuple[Mark, ...]
    width: float = WIDTH
    height: float = HEIGHT


@dataclass(frozen=True, slots=True)
class _Scale:
    from_us: int
    to_us: int
    low: float
    high: float

    def x(self, at_us: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (at_us - self.from_us) / max(self.to_us - self.from_us, 1)

    def y(self, value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (value - self.low) / (self.high - self.low)


def draw(series: Series, language: Language) -> Drawing:
    """The chart of a series that has at least one reading."""
    scale = _scale(series)
    unit = _unit(series, language)
    name = capital(kind_name(series.kind, language))
    title = f"{name}, {unit}" if unit else name
    marks = [
        *_axes(scale, language),
        *_flag(series, scale, language),
        *_limit_lines(series, scale),
        *_readings(series, scale),
        *_labels(series, scale, language),
        _text(0, 13, title, anchor="start", fill=_INK, bold=True),
    ]
    return Drawing(title, _caption(series, language), tuple(marks))


def _scale(series: Series) -> _Scale:
    values = [*(value for _, value in series.points), *(limit.level for limit in series.limits)]
    low, high = min(values), max(values)
    least = _LEAST_SPAN.get(series.kind, max(abs(high) * 0.2, 1e-6))
    span = max((high - low) * 1.16, least)
    middle = (low + high) / 2
    return _Scale(series.from_us, series.to_us, middle - span / 2, middle + span / 2)


def _axes(scale: _Scale, language: Language) -> Iterator[Mark]:
    for value in _ticks(scale.low, scale.high):
        y = scale.y(value)
        yield _line(_LEFT, y, _RIGHT, y, _FAINT, 0.8)
        decimals = max(0, -math.floor(math.log10(_step(scale.low, scale.high))))
        yield _text(_LEFT - 6, y + 4, figures.number(value, language, decimals), anchor="end", fill=_QUIET)
    for at_us in _days(scale.from_us, scale.to_us):
        x = scale.x(at_us)
        yield _line(x, _BOTTOM, x, _BOTTOM + 4, _QUIET, 0.8)
        yield _text(x, _BOTTOM + 17, _date(at_us, language), anchor="middle", fill=_QUIET)
    yield _line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, _QUIET, 0.8)


def _flag(series: Series, scale: _Scale, language: Language) -> Iterator[Mark]:
    at_us = series.flagged_at_us
    if at_us is None or not series.from_us <= at_us <= series.to_us:
        return
    x = scale.x(at_us)
    yield _line(x, _TOP - 6, x, _BOTTOM, _QUIET, 0.8, dashes="1.5 2.5")
    yield _text(min(x, _RIGHT - 4), _TOP - 10, words.FLAGGED.said(language), anchor="middle", fill=_QUIET)


def _limit_lines(series: Series, scale: _Scale) -> Iterator[Mark]:
    for limit in series.limits:
        y = scale.y(limit.level)
        yield _line(_LEFT, y, _RIGHT, y, _INK, 1.1, dashes="7 4")


def _readings(series: Series, scale: _Scale) -> Iterator[Mark]:
    bins = _bins(series)
    for low, high, at_us in ((min(values), max(values), at_us) for at_us, values in bins):
        if high > low:
            x = scale.x(at_us)
            yield _line(x, scale.y(low), x, scale.y(high), "#9db8d2", 2.0)
    middles = [(scale.x(at_us), scale.y(_median(values))) for at_us, values in bins]
    if len(middles) > 1:
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in middles)
        yield Mark("polyline", {"points": path, "fill": "none", "stroke": _LINE, "stroke-width": "1.6"})
    for at_us, values in bins:
        x, worst = scale.x(at_us), _worst(values, series.limits)
        if worst is not None:
            y, r = scale.y(worst), 5.2
            corners = ((x, y - r), (x + r, y), (x, y + r), (x - r, y))
            points = " ".join(f"{_n(cx)},{_n(cy)}" for cx, cy in corners)
            yield Mark(
                "polygon", {"points": points, "fill": _BEYOND, "stroke": "#ffffff", "stroke-width": "0.8"}
            )
        else:
            y = scale.y(_median(values))
            yield Mark("circle", {"cx": _n(x), "cy": _n(y), "r": "2.4", "fill": _LINE})


def _labels(series: Series, scale: _Scale, language: Language) -> Iterator[Mark]:
    """Limits and last value at the right, apart from one another."""
    wanted = [
        (
            scale.y(limit.level),
            words.LIMIT.said(language).format(value=_value(series, limit.level, language)),
            _INK,
            False,
        )
        for limit in series.limits
    ]
    last = series.points[-1][1]
    beyond = _worst((last,), series.limits) is not None
    wanted.append((scale.y(last), _value(series, last, language), _BEYOND if beyond else _LINE, True))
    wanted.sort(key=lambda label: label[0])
    ys = [label[0] for label in wanted]
    for index in range(1, len(ys)):
        ys[index] = max(ys[index], ys[index - 1] + _APART)
    too_low = ys[-1] - (_BOTTOM + 2)
    if too_low > 0:
        ys[-1] -= too_low
        for index in range(len(ys) - 2, -1, -1):
            ys[index] = min(ys[index], ys[index + 1] - _APART)
    for y, (_, text, fill, bold) in zip(ys, wanted, strict=True):
        yield _text(_RIGHT + 8, y + 4, text, anchor="start", fill=fill, bold=bold)


def _caption(series: Series, language: Language) -> str:
    values = [value for _, value in series.points]
    levels = ", ".join(_with_unit(series, limit.level, language) for limit in series.limits)
    limits = words.CAPTION_LIMITS.said(language).format(levels=levels) if levels else ""
    text = words.CAPTION if len(values) > 1 else words.CAPTION_ONE
    return text.said(language).format(
        n=len(values),
        from_=_date(series.points[0][0], language),
        to=_date(series.points[-1][0], language),
        low=_value(series, min(values), language),
        high=_value(series, max(values), language),
        last=_with_unit(series, values[-1], language),
        limits=limits,
    )


def _bins(series: Series) -> list[tuple[int, list[float]]]:
    """Readings by themselves, or many of them by equal stretches of time."""
    if len(series.points) <= _MOST_POINTS:
        return [(at_us, [value]) for at_us, value in series.points]
    width_us = max((series.to_us - series.from_us) // _MOST_POINTS, HOUR_US)
    found: dict[int, list[float]] = {}
    for at_us, value in series.points:
        found.setdefault((at_us - series.from_us) // width_us, []).append(value)
    return [(series.from_us + place * width_us + width_us // 2, values) for place, values in found.items()]


def _worst(values: Sequence[float], limits: Sequence[Limit]) -> float | None:
    """The value that lies furthest beyond a limit, None where all lie within."""
    beyond = [
        (abs(value - limit.level), value)
        for value in values
        for limit in limits
        if figures.order(value, limit.level) == (1 if limit.upwards else -1)
    ]
    return max(beyond)[1] if beyond else None


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _step(low: float, high: float) -> float:
    """A round number of which two to four fit in.

    >>> _step(78.0, 84.0), _step(0.0, 0.3)
    (2.0, 0.1)
    """
    rough = (high - low) / 3
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * 0.999)
    return step * power


def _ticks(low: float, high: float) -> list[float]:
    step = _step(low, high)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]


def _days(from_us: int, to_us_: int) -> Iterator[int]:
    """Midnights in Amsterdam, not more than eight."""
    first = to_datetime(from_us).astimezone(AMSTERDAM).replace(hour=0, minute=0, second=0, microsecond=0)
    step = max(1, math.ceil((to_us_ - from_us) / DAY_US / 7))
    # Added to local time, so that each is a midnight also where the clocks change in between.
    midnights = (to_us(first + timedelta(days=1 + number * step)) for number in range(9))
    return (at_us for at_us in midnights if from_us <= at_us <= to_us_)


def _date(at_us: int, language: Language) -> str:
    local = to_datetime(at_us).astimezone(AMSTERDAM)
    return f"{local.day} {MONTHS[local.month - 1].said(language)[:3]}"


def _unit(series: Series, language: Language) -> str:
    unit = KIND_BY_NAME[series.kind].unit or ""
    return unit_words(unit, series.kind, 2, language)


def _value(series: Series, value: float, language: Language) -> str:
    unit = KIND_BY_NAME[series.kind].unit or ""
    return figures.number(value, language, figures.decimals_for(unit, value))


def _with_unit(series: Series, value: float, language: Language) -> str:
    return f"{_value(series, value, language)} {_unit(series, language)}".rstrip()


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, dashes: str = "") -> Mark:
    attributes = {
        "x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2), "stroke": stroke, "stroke-width": _n(width),
    }  # fmt: skip
    return Mark("line", attributes | ({"stroke-dasharray": dashes} if dashes else {}))


def _text(x: float, y: float, text: str, *, anchor: str, fill: str, bold: bool = False) -> Mark:
    attributes = {"x": _n(x), "y": _n(y), "text-anchor": anchor, "fill": fill, "font-size": _n(_TEXT)}
    return Mark("text", attributes | ({"font-weight": "bold"} if bold else {}), text)


def _n(number: float) -> str:
    return f"{number:.1f}"
