"""Features of a condition: which there are, what each takes, and how it is written.

What is written about a feature stands in one order, whatever the order in which it was given:

>>> import ast
>>> written = "share(glucose_cgm, days=14, at_most=high, at_least=low)"
>>> str(feature(ast.parse(written, mode="eval").body))
'share(glucose_cgm, at_least=low, at_most=high, days=14)'
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

SECOND_US = 1_000_000
UNITS_OF_TIME_US = {
    "seconds": SECOND_US,
    "minutes": 60 * SECOND_US,
    "hours": 3_600 * SECOND_US,
    "days": 86_400 * SECOND_US,
}
LONGEST_WINDOW_US = 30 * UNITS_OF_TIME_US["days"]
LONGEST_DAYS = 400
MOST_VALUES = 180
LEARN_DAYS = 14
GAP_DAYS = 3


class FeatureName(StrEnum):
    """What can be computed from a patient's readings; programmes/README.md says what each means."""

    LAST = "last"
    AGE = "age"
    COUNT = "count"
    MEAN = "mean"
    MEDIAN = "median"
    MIN = "min"
    MAX = "max"
    RISE = "rise"
    FALL = "fall"
    SLOPE = "slope"
    SHARE = "share"
    STRETCH = "stretch"
    DAYS_WITH = "days_with"
    REPEATS = "repeats"
    MISSED = "missed"
    EWMA = "ewma"
    MACD = "macd"
    CUSUM = "cusum"
    BASELINE = "baseline"
    SPREAD = "spread"
    DEVIATION = "deviation"
    RELATIVE = "relative"
    NEWS2 = "news2"
    NEWS2_WORST = "news2_worst"
    NEWS2_MISSING = "news2_missing"


NEWS2_FEATURES = frozenset({FeatureName.NEWS2, FeatureName.NEWS2_WORST, FeatureName.NEWS2_MISSING})


class Side(StrEnum):
    """Which drift a cusum adds up; both: the larger of the two."""

    HIGH = "high"
    LOW = "low"
    BOTH = "both"


class Comparator(StrEnum):
    """How a feature is compared with a limit."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


BOUNDS: Mapping[str, Comparator] = {
    "above": Comparator.ABOVE,
    "at_least": Comparator.AT_LEAST,
    "below": Comparator.BELOW,
    "at_most": Comparator.AT_MOST,
}
"""The keywords that bound the readings of a feature; one of the first two and one of the last two at most."""


class ExpressionError(Exception):
    """A condition cannot be read. **Units**: `column` counts characters from 1."""

    def __init__(self, *, column: int, expected: str, found: str) -> None:
        super().__init__(f"column {column}: expected {expected}, found {found}")
        self.column = column
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class Bound:
    """One side of the range in which readings lie, by the name of a limit."""

    comparator: Comparator
    limit: str


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of one kind, of one schedule for `missed`, of no subject for NEWS2.

    **Units**: `window_us` in microseconds, 0 for no window; days and lengths of averages in days. What a
    feature does not take is 0 or empty. `target`, `spread` and `scale` are names of limits.
    """

    name: FeatureName
    subject: str
    window_us: int
    column: int = field(compare=False)
    bounds: tuple[Bound, ...] = ()
    smoothing: float = 0.0
    slack: float = 0.0
    side: Side = Side.HIGH
    short_days: int = 0
    long_days: int = 0
    learn_days: int = 0
    gap_days: int = 0
    usual_days: int = 0
    target: str = ""
    spread: str = ""
    scale: str = ""

    def limits(self) -> tuple[str, ...]:
        """Every limit named inside the feature: bounds, target, spread, scale."""
        named = (*(bound.limit for bound in self.bounds), self.target, self.spread, self.scale)
        return tuple(name for name in named if name)

    def __str__(self) -> str:
        takes = TAKES[self.name]
        keywords = {str(_KEYWORD_OF[bound.comparator]): bound.limit for bound in self.bounds}
        if self.window_us:
            unit = next(u for u in reversed(UNITS_OF_TIME_US) if self.window_us % UNITS_OF_TIME_US[u] == 0)
            keywords[unit] = str(self.window_us // UNITS_OF_TIME_US[unit])
        for keyword in (*takes.must, *takes.may):
            value = getattr(self, _FIELDS[keyword])
            if value or keyword in takes.must or keyword == "gap":
                keywords[keyword] = str(value)
        subject = [self.subject] if self.subject else []
        return f"{self.name}({', '.join([*subject, *(f'{k}={v}' for k, v in keywords.items())])})"


@dataclass(frozen=True, slots=True)
class Takes:
    """What a feature takes: units of its window, how long that may be, bounds, other keywords.

    **Units**: `least_days` and `most_days` bound a window in days; beyond 30 days it is in whole days.
    """

    window: tuple[str, ...] = ()
    least_days: int = 0
    most_days: int = 30
    bounds: bool = False
    least_bounds: int = 0
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    subject: bool = True

    def __str__(self) -> str:
        words = ["kind"] if self.subject else []
        words += ["/".join(self.window) + "=…"] if self.window else []
        words += [f"{keyword}=…" for keyword in self.must]
        words += [f"[{keyword}=…]" for keyword in (*(BOUNDS if self.bounds else ()), *self.may)]
        return ", ".join(words)

    @property
    def keywords(self) -> tuple[str, ...]:
        """Every keyword that it takes."""
        return (*(BOUNDS if self.bounds else ()), *self.window, *self.must, *self.may)


_ANY, _DAYS = tuple(UNITS_OF_TIME_US), ("days",)
_WINDOW = Takes(window=_ANY)
_LONG = Takes(window=_ANY, most_days=LONGEST_DAYS)
_WITHIN = Takes(window=_ANY, bounds=True, least_bounds=1)
_CHART = ("target", "spread", "learn")
_USUAL = Takes(window=_DAYS, least_days=7, most_days=365, may=("gap",))
_SCORE = Takes(must=("scale",), subject=False)

TAKES: Mapping[FeatureName, Takes] = {
    FeatureName.LAST: Takes(),
    FeatureName.AGE: Takes(),
    FeatureName.COUNT: Takes(window=_ANY, bounds=True),
    FeatureName.MEAN: _LONG,
    FeatureName.MEDIAN: _LONG,
    FeatureName.MIN: _LONG,
    FeatureName.MAX: _LONG,
    FeatureName.RISE: _LONG,
    FeatureName.FALL: _LONG,
    FeatureName.SLOPE: _LONG,
    FeatureName.SHARE: _WITHIN,
    FeatureName.STRETCH: _WITHIN,
    FeatureName.DAYS_WITH: Takes(window=_DAYS, bounds=True, least_bounds=1),
    FeatureName.REPEATS: _WINDOW,
    FeatureName.MISSED: _WINDOW,
    FeatureName.EWMA: Takes(must=("smoothing",), may=_CHART),
    FeatureName.MACD: Takes(must=("short", "long")),
    FeatureName.CUSUM: Takes(must=("slack", "side"), may=_CHART),
    FeatureName.BASELINE: _USUAL,
    FeatureName.SPREAD: _USUAL,
    FeatureName.DEVIATION: _USUAL,
    FeatureName.RELATIVE: Takes(window=_DAYS, least_days=1, most_days=365, must=("usual",)),
    FeatureName.NEWS2: _SCORE,
    FeatureName.NEWS2_WORST: _SCORE,
    FeatureName.NEWS2_MISSING: _SCORE,
}
_KEYWORD_OF = {comparator: keyword for keyword, comparator in BOUNDS.items()}
_NUMBERS: Mapping[str, tuple[float, float]] = {"smoothing": (1e-6, 1.0), "slack": (0.0, 10.0)}
_DAYS_OF: Mapping[str, tuple[int, int, int]] = {
    "short": (1, MOST_VALUES, 0),
    "long": (1, MOST_VALUES, 0),
    "learn": (2, MOST_VALUES - 1, LEARN_DAYS),
    "gap": (0, LONGEST_DAYS, GAP_DAYS),
    "usual": (7, 365, 0),
}
"""The least, the most, and what is taken where nothing is given."""

_FIELDS = {
    name: f"{name}_days" if name in _DAYS_OF else name
    for takes in TAKES.values()
    for name in (*takes.must, *takes.may)
}


def refusal(node: ast.AST, expected: str) -> ExpressionError:
    """What was expected instead of a part of a condition."""
    column = int(getattr(node, "col_offset", 0)) + 1
    return ExpressionError(column=column, expected=expected, found=ast.unparse(node))


def feature(node: ast.expr) -> Feature:
    """The feature that a call stands for. **Raises**: ExpressionError."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=subjects, keywords=keywords) if name in set(FeatureName):
            return _read(node, FeatureName(name), subjects, keywords)
        case ast.Call(func=ast.Name()):
            raise refusal(node, f"one of the features {', '.join(FeatureName)}")
        case _:
            raise refusal(
                node, "a feature such as last(body_weight) or rise(body_weight, days=3) on the left"
            )


def _read(
    node: ast.expr, name: FeatureName, subjects: Sequence[ast.expr], keywords: Sequence[ast.keyword]
) -> Feature:
    takes = TAKES[name]
    given: dict[str, ast.keyword] = {}
    for keyword in keywords:
        if keyword.arg not in takes.keywords or keyword.arg in given:
            raise refusal(keyword, f"{name}({takes}), each once")
        given[keyword.arg] = keyword
    missing = [keyword for keyword in takes.must if keyword not in given]
    if missing:
        raise refusal(node, f"{name}({takes}), with {missing[0]}")
    read = Feature(
        name,
        _subject(node, name, subjects),
        _window(node, name, given),
        node.col_offset + 1,
        _bounds(node, name, given),
        smoothing=_number(given, "smoothing"),
        slack=_number(given, "slack"),
        side=_side(given),
        target=_name(given, "target"),
        spread=_name(given, "spread"),
        scale=_name(given, "scale"),
        **{_FIELDS[name]: _days(given, name, takes) for name in _DAYS_OF},
    )
    _fits_together(node, read, given)
    return read


def _subject(node: ast.expr, name: FeatureName, subjects: Sequence[ast.expr]) -> str:
    match subjects:
        case [] if not TAKES[name].subject:
            return ""
        case [ast.Name(id=subject)] if TAKES[name].subject:
            return subject
        case _:
            raise refusal(node, f"{name}({TAKES[name]})")


def _window(node: ast.expr, name: FeatureName, given: Mapping[str, ast.keyword]) -> int:
    takes = TAKES[name]
    match [(unit, given[unit]) for unit in takes.window if unit in given]:
        case [] if not takes.window:
            return 0
        case [(unit, ast.keyword(value=ast.Constant(value=int(number))))] if not isinstance(number, bool):
            window_us = number * UNITS_OF_TIME_US[unit]
        case _:
            raise refusal(node, f"{name}(…) with one window in whole {', '.join(takes.window)}")
    day_us = UNITS_OF_TIME_US["days"]
    if not max(takes.least_days * day_us, 1) <= window_us <= takes.most_days * day_us:
        least = f"of at least {takes.least_days} days" if takes.least_days else "above 0"
        raise refusal(given[unit], f"a window {least} and of at most {takes.most_days} days")
    if window_us > LONGEST_WINDOW_US and unit != "days":
        raise refusal(given[unit], "a window of more than 30 days in days")
    return window_us


def _bounds(node: ast.expr, name: FeatureName, given: Mapping[str, ast.keyword]) -> tuple[Bound, ...]:
    named = [keyword for keyword in BOUNDS if keyword in given]
    if (
        len(named) < TAKES[name].least_bounds
        or {"above", "at_least"} <= set(named)
        or {"below", "at_most"} <= set(named)
    ):
        raise refusal(
            node, f"{name}(…) with one of above=, at_least= or one of below=, at_most=, or one of each"
        )
    return tuple(Bound(BOUNDS[keyword], _name(given, keyword)) for keyword in named)


def _name(given: Mapping[str, ast.keyword], keyword: str) -> str:
    match given.get(keyword):
        case None:
            return ""
        case ast.keyword(value=ast.Name(id=name)):
            return name
        case node:
            raise refusal(node, f"{keyword}= with the name of a limit")


def _side(given: Mapping[str, ast.keyword]) -> Side:
    match given.get("side"):
        case None:
            return Side.HIGH
        case ast.keyword(value=ast.Name(id=name)) if name in set(Side):
            return Side(name)
        case node:
            raise refusal(node, f"side= with one of {', '.join(Side)}")


def _number(given: Mapping[str, ast.keyword], keyword: str) -> float:
    low, high = _NUMBERS[keyword]
    match given.get(keyword):
        case None:
            return 0.0
        case ast.keyword(value=ast.Constant(value=int() | float() as number)) if (
            not isinstance(number, bool) and low <= number <= high
        ):
            return float(number)
        case node:
            raise refusal(node, f"{keyword}= with a number from {low:g} to {high:g}")


def _days(given: Mapping[str, ast.keyword], keyword: str, takes: Takes) -> int:
    low, high, usually = _DAYS_OF[keyword]
    match given.get(keyword):
        case None:
            return usually if keyword in takes.may and "target" not in given else 0
        case ast.keyword(value=ast.Constant(value=int(number))) if (
            not isinstance(number, bool) and low <= number <= high
        ):
            return number
        case node:
            raise refusal(node, f"{keyword}= with a whole number of days from {low} to {high}")


def _fits_together(node: ast.expr, read: Feature, given: Mapping[str, ast.keyword]) -> None:
    """What the arguments of a feature must be to each other. **Raises**: ExpressionError."""
    if bool(read.target) != bool(read.spread):
        raise refusal(node, "target= and spread=, or neither")
    if read.target and "learn" in given:
        raise refusal(given["learn"], "learn=, or target= and spread=")
    if read.long_days and read.short_days >= read.long_days:
        raise refusal(given["short"], f"short= below long={read.long_days}")
    days = read.window_us // UNITS_OF_TIME_US["days"] + read.gap_days + read.usual_days
    if (read.gap_days or read.usual_days) and days > LONGEST_DAYS:
        raise refusal(node, f"at most {LONGEST_DAYS} days looked back")
