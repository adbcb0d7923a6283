"""What a feature of a condition is at one time: which readings it looks at, in which unit, and its value."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerting.engine.expressions import Bound, Feature
from alerting.engine.programme import TIME_UNITS_US, TOGETHER
from models.kinds import KIND_BY_NAME
from tests.naive import features
from tests.naive.readings import Taken, canonical, converted, in_unit
from tests.naive.windows import BIN_US, DAY_US, Bin, Day, Series, is_dense

HOUR_US = 3_600_000_000
RAW_US = 48 * HOUR_US
LONGEST_US = 30 * DAY_US
TOGETHER_US = HOUR_US // 2
STEP_US = 36 * HOUR_US
DENSE_STEP_US = HOUR_US // 2
MOST_DAYS = 180
NEWS2_PARTS = (
    "respiratory_rate", "spo2", "supplemental_oxygen", "systolic", "heart_rate", "consciousness",
    "temperature",
)  # fmt: skip
IN_TIME = ("age", "stretch")
"""What is compared in microseconds."""

Piece = Taken | Bin
LimitInForce = tuple[float, str]
"""Its value, personal or not, and its unit."""


def kinds_of(subject: str) -> tuple[str, ...]:
    return TOGETHER.get(subject, (subject,))


def kinds_looked_at(feature: Feature) -> tuple[str, ...]:
    """The kinds of all series that a feature names."""
    if feature.name.startswith("news2"):
        return tuple(kind for part in NEWS2_PARTS for kind in kinds_of(part))
    return kinds_of(feature.subject)


def compared_limit(value: float, unit: str) -> tuple[int, int]:
    """A limit as it is compared, and how many of those make one of its unit."""
    per_unit = TIME_UNITS_US.get(unit, 1_000_000)
    return math.floor(value * per_unit + 0.5), per_unit


def holds(compared: int, comparator: str, limit: int) -> bool:
    return {
        ">": compared > limit,
        ">=": compared >= limit,
        "<": compared < limit,
        "<=": compared <= limit,
    }[comparator]


@dataclass(frozen=True)
class Look:
    """One feature in one enrolment at one time. `unit` is that of the limit it is compared with."""

    feature: Feature
    unit: str
    limit_of: Callable[[str], LimitInForce]
    series_of: Callable[[tuple[str, ...]], Series]
    t: int
    enrolled_us: int
    max_age_us: int | None

    @property
    def kind(self) -> str:
        return self.feature.subject

    @property
    def series(self) -> Series:
        return self.series_of(kinds_of(self.kind))

    def value(self) -> float | None:
        """The feature; None where it is unknown."""
        name = self.feature.name.value
        if name.startswith("news2"):
            return self.news2()
        if name in ("last", "age"):
            return self.newest()
        if name in ("ewma", "cusum", "macd"):
            return self.since_enrolment()
        if name in ("baseline", "spread", "deviation", "relative"):
            return self.usual()
        return self.of_window(self.pieces())

    def newest(self) -> float | None:
        newest = self.series.newest(self.t)
        if newest is None:
            return None
        if self.feature.name.value == "age":
            return self.t - newest.t
        return None if self.is_stale() else in_unit(newest, self.unit)

    def is_stale(self) -> bool:
        """Whether the newest reading is too old to stand."""
        newest = self.series.newest(self.t)
        return newest is not None and self.max_age_us is not None and self.t - newest.t > self.max_age_us

    # --- windows

    @property
    def through(self) -> str:
        """What the window is seen through: bins beyond 48 hours of a dense series, days beyond 30 days."""
        if self.feature.window_us > LONGEST_US:
            return "days"
        of_readings = self.kind in KIND_BY_NAME  # and not of a schedule
        if of_readings and self.feature.window_us > RAW_US and is_dense(kinds_of(self.kind)):
            return "bins"
        return "readings"

    def pieces(self) -> Sequence[Piece]:
        """What the window holds."""
        window_us = self.feature.window_us
        if self.through == "days":
            return self.series.days(self.t // DAY_US - window_us // DAY_US + 1, self.t)
        if self.through == "bins":
            return self.series.bins(self.t - window_us, self.t)
        return self.series.window(self.t - window_us, self.t)

    def of(self, piece: Piece, which: str, unit: str) -> float:
        """A reading, or the mean, lowest, highest or last of a bin, in a unit."""
        if isinstance(piece, Taken):
            return in_unit(piece, unit)
        return converted(float(getattr(piece, which)), self.kind, unit)

    def inside(self, piece: Piece) -> bool:
        return all(self.within(piece, bound) for bound in self.feature.bounds)

    def within(self, piece: Piece, bound: Bound) -> bool:
        value, unit = self.limit_of(bound.limit)
        compared = features.millionths(self.of(piece, "mean", unit))
        return holds(compared, bound.comparator.value, compared_limit(value, unit)[0])

    def of_window(self, pieces: Sequence[Piece]) -> float | None:
        inside = [self.inside(piece) for piece in pieces]
        weights = [piece.n if isinstance(piece, Bin) else 1 for piece in pieces]
        match self.feature.name.value:
            case "count":
                return sum(n for n, is_in in zip(weights, inside, strict=True) if is_in)
            case "share":
                return features.share(inside, weights)
            case "stretch":
                return features.stretch([piece.t for piece in pieces], inside, self.longest_step_us())
            case "days_with":
                return features.days_with([piece.t // DAY_US for piece in pieces], inside)
            case "repeats":
                return features.repeats([canonical(piece) for piece in pieces if isinstance(piece, Taken)])
            case _:
                return self.of_values(pieces)

    def of_values(self, pieces: Sequence[Piece]) -> float | None:
        match self.feature.name.value:
            case "mean" | "median":
                return self.middle(pieces)
            case "min":
                return features.lowest([self.of(piece, "lowest", self.unit) for piece in pieces])
            case "max":
                return features.highest([self.of(piece, "highest", self.unit) for piece in pieces])
            case "slope":
                return self.slope(pieces)
            case _:
                return self.change(pieces)

    def longest_step_us(self) -> int:
        if not is_dense(self.series.kinds):
            return STEP_US
        return 2 * BIN_US if self.through == "bins" else DENSE_STEP_US

    def middle(self, pieces: Sequence[Piece]) -> float | None:
        """Mean or median: of readings in the unit; of bins and days in the canonical one, then converted."""
        is_mean = self.feature.name.value == "mean"
        readings = [in_unit(piece, self.unit) for piece in pieces if isinstance(piece, Taken)]
        if readings:
            return features.mean(readings) if is_mean else features.median(readings)
        made = [piece for piece in pieces if isinstance(piece, Bin)]
        if not made:
            return None
        if is_mean:
            found = features.in_turn([each.total for each in made]) / sum(each.n for each in made)
        else:
            found = features.median([each.mean for each in made])
        return None if found is None else converted(found, self.kind, self.unit)

    def slope(self, pieces: Sequence[Piece]) -> float | None:
        if not pieces:
            return None
        unit = self.unit.removesuffix("/d")
        first, newest = pieces[0].t, pieces[-1].t
        return features.slope(
            [(piece.t - first) / DAY_US for piece in pieces],
            [self.of(piece, "mean", unit) for piece in pieces],
            long_enough=3 * (newest - first) >= self.feature.window_us,
        )

    def change(self, pieces: Sequence[Piece]) -> float | None:
        """Rise or fall of the newest reading against what came before it."""
        if not pieces or self.is_stale():
            return None
        is_rise = self.feature.name.value == "rise"
        in_percent = self.unit == "%" and KIND_BY_NAME[self.kind].unit != "%"
        unit = str(KIND_BY_NAME[self.kind].unit) if in_percent else self.unit
        *before, newest = pieces
        against = [self.of(piece, "lowest" if is_rise else "highest", unit) for piece in before]
        now = self.of(newest, "last", unit)
        if in_percent:
            return features.rise_percent(now, against) if is_rise else features.fall_percent(now, against)
        return features.rise(now, against) if is_rise else features.fall(now, against)

    # --- daily values

    def values(self, days: Sequence[Day], unit: str | None = None) -> list[float]:
        return [day.mean if unit is None else converted(day.mean, self.kind, unit) for day in days]

    def since_enrolment(self) -> float | None:
        """Of the latest 180 days, today's so far included."""
        first = max(self.enrolled_us // DAY_US, self.t // DAY_US - MOST_DAYS + 1)
        days = self.series.days(first, self.t)
        feature = self.feature
        if feature.name.value == "macd":
            return features.macd(self.values(days, self.unit), feature.short_days, feature.long_days)
        if feature.target:
            target, unit = self.limit_of(feature.target)
            units = features.against(self.values(days, unit), target, self.limit_of(feature.spread)[0])
        else:
            units = features.learnt(self.values(days), feature.learn_days)
        if feature.name.value == "ewma":
            return features.ewma(units, feature.smoothing)
        return features.cusum(units, feature.slack, feature.side.value)

    def usual(self) -> float | None:
        feature, today = self.feature, self.t // DAY_US
        days = feature.window_us // DAY_US
        if feature.name.value == "relative":
            before = self.series.days(today - days - feature.usual_days + 1, self.t)
            recent = [day for day in before if day.number > today - days]
            stable = [day for day in before if day.number <= today - days]
            return features.relative(self.values(recent), self.values(stable), days)
        seen = self.series.days(today - feature.gap_days - days, self.t)
        values = self.values([day for day in seen if day.number < today - feature.gap_days])
        baseline, spread = features.baseline(values), features.spread(values)
        if feature.name.value == "deviation":
            now = [day.mean for day in seen if day.number == today]
            return features.deviation(now[0] if now else None, values)
        if feature.name.value == "baseline":
            return None if baseline is None else converted(baseline, self.kind, self.unit)
        if baseline is None or spread is None:
            return None
        return converted(baseline + spread, self.kind, self.unit) - converted(baseline, self.kind, self.unit)

    # --- scores

    def news2(self) -> float | None:
        parts: dict[str, float | str | None] = {}
        for part in NEWS2_PARTS:
            newest = self.series_of(kinds_of(part)).window(self.t - TOGETHER_US, self.t)[-1:]
            codes = KIND_BY_NAME[part].codes
            parts[part] = None
            for taken in newest:
                parts[part] = codes[int(canonical(taken))] if codes else canonical(taken)
        score = features.news2_of(parts, 2 if self.limit_of(self.feature.scale)[0] >= 2 else 1)
        if score is None:
            return None
        if self.feature.name.value == "news2":
            return score.total
        if self.feature.name.value == "news2_missing":
            return len(score.missing)
        return max(score.points.values(), default=0)
