"""A line over time as places in a small picture: the server draws it, without a script; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 260, 64, 6


@dataclass(frozen=True, slots=True)
class Line:
    """Unbroken stretches as `parts`, written as SVG does; each point as `dots`.

    `now_x`: where the period begins. **Units**: pixels of a picture of WIDTH by HEIGHT.
    """

    parts: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    now_x: float
    width: int = WIDTH
    height: int = HEIGHT


def line_of(values: Sequence[float | None], highest: float | None = None) -> Line | None:
    """The line of values from the oldest to the newest, from zero up; broken where there is none.

    `highest`: the top of the picture, else the largest value. None for fewer than two values.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    top = highest or max(known) or 1.0
    between = (WIDTH - 2 * MARGIN) / (len(values) - 1)

    def place(at: int, value: float) -> tuple[float, float]:
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * min(value, top) / top
        return round(MARGIN + at * between, 1), round(y, 1)

    parts: list[list[str]] = [[]]
    dots: list[tuple[float, float]] = []
    for at, value in enumerate(values):
        if value is None:
            parts.append([])
            continue
        x, y = place(at, value)
        dots.append((x, y))
        parts[-1].append(f"{x},{y}")
    unbroken = tuple(" ".join(part) for part in parts if len(part) > 1)
    # Between the last of the period before and the first of this one.
    now_x = MARGIN + (len(values) / 2 - 0.5) * between
    return Line(unbroken, tuple(dots), round(now_x, 1))
