"""Pictures as SVG inside the page: axes, lines and marks that can be told apart without colour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10

SHAPES = ("circle", "square", "diamond", "triangle")
"""How versions are told apart: by shape, dashes and a text, not by colour alone."""
DASHES = ("", "7 4", "2 3", "9 3 2 3")


@dataclass(slots=True)
class Picture:
    """An SVG that grows; what it shows is said by `label`. **Units**: pixels at its full width."""

    width: float
    height: float
    label: str
    parts: list[str] = field(default_factory=list[str])

    def add(self, tag: str, text: str | None = None, **given: object) -> None:
        """An element; `class_` and `stroke_width` are written as SVG does."""
        attributes = "".join(
            f' {name.rstrip("_").replace("_", "-")}="{escape(_written(value))}"'
            for name, value in given.items()
        )
        self.parts.append(
            f"<{tag}{attributes}/>" if text is None else f"<{tag}{attributes}>{escape(text)}</{tag}>"
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, class_: str) -> None:
        """A straight line."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)

    def text(self, x: float, y: float, said: str, class_: str = "", anchor: str = "start") -> None:
        """A text; `anchor` as SVG has it."""
        self.add("text", said, x=x, y=y, class_=class_, text_anchor=anchor)

    def path(self, points: Sequence[tuple[float, float]], class_: str) -> None:
        """A line through points."""
        if points:
            joined = " L".join(f"{_written(x)} {_written(y)}" for x, y in points)
            self.add("path", d=f"M{joined}", class_=class_)

    def mark(self, x: float, y: float, number: int, size: float = 6) -> None:
        """The mark of a version."""
        class_ = f"mark v{number % len(SHAPES)}"
        match SHAPES[number % len(SHAPES)]:
            case "circle":
                self.add("circle", cx=x, cy=y, r=size, class_=class_)
            case "square":
                self.add("rect", x=x - size, y=y - size, width=2 * size, height=2 * size, class_=class_)
            case "diamond":
                far = 1.4 * size
                self._closed([(x, y - far), (x + far, y), (x, y + far), (x - far, y)], class_)
            case _:
                far = 1.3 * size
                self._closed([(x, y - far), (x + far, y + size), (x - far, y + size)], class_)

    def _closed(self, points: Sequence[tuple[float, float]], class_: str) -> None:
        joined = " L".join(f"{_written(x)} {_written(y)}" for x, y in points)
        self.add("path", d=f"M{joined}Z", class_=class_)

    def names(self, x: float, y: float, said: Sequence[str]) -> None:
        """What the marks stand for, one below the other."""
        for number, name in enumerate(said):
            self.mark(x, y + 24 * number - 5, number, 5)
            self.text(x + 12, y + 24 * number, name, "said")

    def __html__(self) -> str:
        """As it stands in a page; all texts in it were escaped."""
        size = f'viewBox="0 0 {_written(self.width)} {_written(self.height)}"'
        return f'<svg {size} role="img" aria-label="{escape(self.label)}">{"".join(self.parts)}</svg>'


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places in a picture, between two pixels."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value; of one beyond the ends, the end."""
        share = (value - self.low) / (self.high - self.low)
        return self.begin + (self.end - self.begin) * min(1.0, max(0.0, share))

    @property
    def ticks(self) -> list[float]:
        """Some round values."""
        return ticks(self.low, self.high)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values from low to high, about so many.

    >>> ticks(0, 1.05), ticks(80.2, 84.1)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [81.0, 82.0, 83.0, 84.0])
    """
    raw = (high - low) / about
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.9)
    first = ceil(low / step - 1e-9)
    return [round(place * step, 10) for place in range(first, floor(high / step + 1e-9) + 1)]


def digits(values: Sequence[float]) -> int:
    """So many digits tell the values of an axis apart.

    >>> digits([0.0, 0.5, 1.0]), digits([0.0, 20.0]), digits([0.1, 0.15])
    (1, 0, 2)
    """
    return next((n for n in range(4) if all(abs(round(v, n) - v) < 1e-9 for v in values)), 4)


def beside(
    places: Sequence[tuple[float, float]], said: Sequence[str], width: float
) -> list[tuple[float, float, str]]:
    """Where to write texts beside marks so that none hides another: x, y and anchor.

    >>> beside([(100.0, 100.0), (104.0, 100.0)], ["one", "two"], 700)
    [(112.0, 94.0, 'start'), (116.0, 116.0, 'start')]
    """
    taken: list[tuple[float, float, float, float]] = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    written: list[tuple[float, float, str]] = []
    for (x, y), text in zip(places, said, strict=True):
        wide = 11 * len(text)
        tries = [
            (x + side * 12, y + down, "start" if side > 0 else "end")
            for down in (-6, 16, -28, 38, -50, 60, -72, 82)
            for side in (1, -1)
        ]
        boxes = [
            (at if a == "start" else at - wide, b - 15, at + wide if a == "start" else at, b + 4)
            for at, b, a in tries
        ]
        free = [
            place
            for place, box in enumerate(boxes)
            if box[0] > 60 and box[2] < width and not any(_meet(box, other) for other in taken)
        ]
        best = free[0] if free else 0
        taken.append(boxes[best])
        written.append(tries[best])
    return written


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def framed(
    picture: Picture, x: Axis, y: Axis, names: tuple[str, str], number: Callable[[float, int], str]
) -> None:
    """The axes of a picture with lines at round values, and what they are called."""
    of_x, of_y = digits(x.ticks), digits(y.ticks)
    for value in y.ticks:
        picture.line(x.begin, y(value), x.end, y(value), "grid")
        picture.text(x.begin - 8, y(value) + 4, number(value, of_y), "tick", "end")
    for value in x.ticks:
        picture.line(x(value), y.begin, x(value), y.begin + 5, "axis")
        picture.text(x(value), y.begin + 19, number(value, of_x), "tick", "middle")
    picture.line(x.begin, y.begin, x.end, y.begin, "axis")
    picture.text((x.begin + x.end) / 2, y.begin + 38, names[0], "name", "middle")
    picture.text(8, y.end - 12, names[1], "name")


def _written(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
