"""Random programmes of all features: every way to say each of them, with limits that values lie at."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, product
from typing import Any

from hypothesis import strategies as st

from alerting.engine.programme import Programme

TEXT = {"nl": "tekst", "en": "text"}

LIMITS: dict[str, tuple[float, str]] = {
    "gain": (2.0, "kg"),
    "small": (1.0, "kg"),
    "tiny": (0.1, "kg"),
    "weight": (81.0, "kg"),
    "light": (80.0, "kg"),
    "pounds": (3.0, "[lb_av]"),
    "heavy": (178.0, "[lb_av]"),
    "grams": (81_000.0, "g"),
    "a_day": (0.1, "kg/d"),
    "pounds_a_day": (0.2, "[lb_av]/d"),
    "pressure": (135.0, "mm[Hg]"),
    "step": (5.0, "mm[Hg]"),
    "kilopascals": (18.0, "kPa"),
    "pressure_a_day": (0.5, "mm[Hg]/d"),
    "beats": (100.0, "/min"),
    "slow": (90.0, "/min"),
    "more_beats": (5.0, "/min"),
    "beats_a_day": (2.0, "/min/d"),
    "saturation": (92.0, "%"),
    "points_lost": (2.0, "%"),
    "points_a_day": (0.5, "%/d"),
    "low_glucose": (3.9, "mmol/L"),
    "low_milligrams": (70.0, "mg/dL"),
    "high_glucose": (10.0, "mmol/L"),
    "swing": (1.0, "mmol/L"),
    "glucose_a_day": (0.5, "mmol/L/d"),
    "walked": (4_000.0, "{steps}"),
    "mild": (1.0, "{code}"),
    "once": (1.0, "1"),
    "twice": (2.0, "1"),
    "often": (10.0, "1"),
    "few_percent": (5.0, "%"),
    "half": (50.0, "%"),
    "all_of_it": (100.0, "%"),
    "hours": (6.0, "h"),
    "day": (1.0, "d"),
    "quarter": (15.0, "min"),
    "moment": (0.5, "min"),
    "sigma": (1.0, "1"),
    "three_sigma": (3.0, "1"),
    "score": (5.0, "{score}"),
    "worst": (3.0, "{score}"),
    "scale_1": (1.0, "1"),
    "scale_2": (2.0, "1"),
}
SCALES = ("scale_1", "scale_2")
SCHEDULES = {
    "morning": {"kind": "body_weight", "before": "11:00"},
    "night": {"kind": "systolic", "before": "02:30"},
    "weekly": {"kind": "heart_rate", "before": "00:00", "on": ["sun", "mon"]},
}
COMPARATORS = (">", ">=", "<", "<=")
CODED = "symptom_dyspnoea"

LEVELS = {
    "body_weight": ("weight", "heavy", "grams", "light"),
    "systolic": ("pressure", "kilopascals"),
    "heart_rate": ("beats", "slow"),
    "spo2": ("saturation",),
    "glucose": ("low_glucose", "high_glucose", "low_milligrams"),
    "glucose_cgm": ("low_glucose", "low_milligrams", "high_glucose"),
    "steps": ("walked",),
}
"""Limits that a value of a kind is compared with."""

CHANGES = {
    "body_weight": ("gain", "small", "pounds", "tiny", "few_percent"),
    "systolic": ("step", "few_percent"),
    "heart_rate": ("more_beats", "few_percent"),
    "spo2": ("points_lost",),
    "glucose_cgm": ("swing", "half"),
    "steps": ("half",),
}
"""Limits that a difference of two values of a kind is compared with."""

SLOPES = {
    "body_weight": ("a_day", "pounds_a_day"),
    "systolic": ("pressure_a_day",),
    "heart_rate": ("beats_a_day",),
    "spo2": ("points_a_day",),
    "glucose_cgm": ("glucose_a_day",),
}
TARGETS = {
    "body_weight": (("weight", "small"), ("heavy", "pounds")),
    "systolic": (("pressure", "step"),),
    "heart_rate": (("slow", "more_beats"),),
}
"""Targets with the spreads around them."""

SPREADS = tuple(spread for pairs in TARGETS.values() for _, spread in pairs)
DENSE = ("heart_rate", "spo2", "glucose_cgm")
SHORT = ("minutes=15", "minutes=90", "hours=6", "hours=25", "hours=48")
DAYS = ("days=1", "days=3", "days=9", "days=30")
WINDOWS = (*SHORT, "hours=49", *DAYS)
LONG = ("days=31", "days=60", "days=200")
BOUNDS = ("above={0}", "at_least={0}", "below={0}", "at_most={0}", "at_least={0}, at_most={1}")


def _of_level(name: str) -> Iterator[str]:
    windows = (*WINDOWS, *LONG)
    for kind, limits in LEVELS.items():
        for window, limit in product(windows, limits):
            yield f"{name}({kind}, {window}) ? {limit}"
    if name in ("min", "max"):
        yield from (f"{name}({CODED}, {window}) ? mild" for window in WINDOWS)


def _of_change(name: str) -> Iterator[str]:
    limits_of = SLOPES if name == "slope" else CHANGES
    for kind, limits in limits_of.items():
        for window, limit in product((*WINDOWS[1:], *LONG), limits):
            yield f"{name}({kind}, {window}) ? {limit}"


def _bounded(name: str, windows: Sequence[str], limits: Sequence[str]) -> Iterator[str]:
    """The bounds of a kind, also in different units."""
    within = {kind: (own[-1], own[0]) for kind, own in LEVELS.items()} | {CODED: ("mild", "mild")}
    for kind, both in within.items():
        for bound, window, limit in product(BOUNDS, windows, limits):
            if "{1}" in bound and kind not in ("body_weight", "heart_rate"):
                continue
            yield f"{name}({kind}, {bound.format(*both)}, {window}) ? {limit}"


def _charts(name: str, own: Sequence[str]) -> Iterator[str]:
    for kind in ("body_weight", "systolic", "heart_rate", "steps"):
        targets = [f", target={target}, spread={spread}" for target, spread in TARGETS.get(kind, ())]
        for how, target in product(own, ("", ", learn=5", *targets)):
            yield f"{name}({kind}, {how}{target}) ? sigma"
            yield f"{name}({kind}, {how}{target}) ? three_sigma"


def _usual(name: str) -> Iterator[str]:
    lengths = ("days=7", "days=28", "days=90", "days=365, gap=0", "days=14, gap=7")
    for kind in ("body_weight", "systolic", "heart_rate", "steps"):
        limits = ("sigma", "three_sigma")
        if name != "deviation":
            limits = LEVELS[kind] if name == "baseline" else CHANGES.get(kind, ("walked",))
        for length, limit in product(lengths, limits):
            if not (name == "spread" and limit in ("few_percent", "half")):
                yield f"{name}({kind}, {length}) ? {limit}"


def _ways(name: str) -> Iterator[str]:
    """Every way to say a comparison of a feature, with ? in the place of the comparator."""
    match name:
        case "last":
            yield from (f"last({kind}) ? {limit}" for kind, own in LEVELS.items() for limit in own)
            yield f"last({CODED}) ? mild"
        case "age":
            kinds = (*LEVELS, CODED)
            limits = ("hours", "day", "moment", "quarter")
            yield from (f"age({kind}) ? {limit}" for kind, limit in product(kinds, limits))
        case "count":
            ways = product((*LEVELS, CODED), WINDOWS, ("once", "twice", "often"))
            yield from (f"count({kind}, {window}) ? {limit}" for kind, window, limit in ways)
            yield from _bounded(name, WINDOWS, ("once", "often"))
        case "mean" | "median" | "min" | "max":
            yield from _of_level(name)
        case "rise" | "fall" | "slope":
            yield from _of_change(name)
        case _:
            yield from _ways_of_windows(name)


def _ways_of_windows(name: str) -> Iterator[str]:
    match name:
        case "share":
            yield from _bounded(name, WINDOWS, ("half", "all_of_it"))
        case "stretch":
            yield from _bounded(name, WINDOWS, ("quarter", "hours", "moment", "day"))
        case "days_with":
            yield from _bounded(name, DAYS, ("once", "twice"))
        case "repeats":
            ways = product(LEVELS, WINDOWS, ("twice", "once"))
            yield from (
                f"repeats({kind}, {window}) ? {limit}"
                for kind, window, limit in ways
                if kind not in DENSE or window in SHORT
            )
        case "missed":
            ways = product(SCHEDULES, ("days=1", "days=3", "hours=25", "days=9"), ("once", "twice"))
            yield from (f"missed({schedule}, {window}) ? {limit}" for schedule, window, limit in ways)
        case _:
            yield from _slow_ways(name)


def _slow_ways(name: str) -> Iterator[str]:
    match name:
        case "ewma":
            yield from _charts(name, ("smoothing=0.2", "smoothing=0.05", "smoothing=1"))
        case "cusum":
            slacks, sides = ("0.5", "0", "1.25"), ("high", "low", "both")
            own = [f"slack={slack}, side={side}" for slack, side in product(slacks, sides)]
            yield from _charts(name, own)
        case "macd":
            lengths = ("short=5, long=20", "short=1, long=2", "short=3, long=60")
            for kind, how in product(CHANGES, lengths):
                limits = [limit for limit in CHANGES[kind] if limit not in ("few_percent", "half")]
                yield from (f"macd({kind}, {how}) ? {limit}" for limit in limits)
            yield "macd(steps, short=2, long=9) ? walked"
        case "baseline" | "spread" | "deviation":
            yield from _usual(name)
        case "relative":
            for kind, days, usual in product(("body_weight", "steps", "heart_rate"), (7, 1, 30), (28, 9, 90)):
                yield f"relative({kind}, days={days}, usual={usual}) ? all_of_it"
                yield f"relative({kind}, days={days}, usual={usual}) ? half"
        case "news2":
            yield from (f"news2(scale={scale}) ? score" for scale in SCALES)
        case "news2_worst":
            yield from (f"news2_worst(scale={scale}) ? worst" for scale in SCALES)
        case _:
            assert name == "news2_missing"
            yield from (f"{name}(scale={scale}) ? {limit}" for scale in SCALES for limit in ("twice", "once"))


FEATURES = (
    "last", "rise", "fall", "mean", "min", "max", "count", "age", "missed", "median", "slope", "share",
    "stretch", "days_with", "repeats", "ewma", "cusum", "macd", "baseline", "spread", "deviation",
    "relative", "news2", "news2_worst", "news2_missing",
)  # fmt: skip
WAYS: dict[str, tuple[str, ...]] = {name: tuple(_ways(name)) for name in FEATURES}


def _through(way: str) -> str:
    """What a window is seen through: daily values, bins, or readings."""
    if any(window in way for window in LONG):
        return "days"
    return "bins" if any(kind in way for kind in DENSE) and not any(w in way for w in SHORT) else "readings"


THROUGH: dict[str, tuple[tuple[str, ...], ...]] = {
    name: tuple(tuple(group) for _, group in groupby(sorted(ways, key=_through), key=_through))
    for name, ways in WAYS.items()
}
"""The same in groups, so that each is drawn often enough."""


@cache
def pick(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """One of some values; kept, because making a strategy costs more than drawing from it."""
    return st.sampled_from(values)


@st.composite
def a_comparison(draw: st.DrawFn) -> str:
    way = draw(pick(draw(pick(THROUGH[draw(pick(FEATURES))]))))
    return way.replace("?", draw(pick(COMPARATORS)))


OF_JUMPS = (
    "last(body_weight) > weight",
    "rise(body_weight, days=3) > gain",
    "fall(body_weight, days=30) > few_percent",
    "max(body_weight, days=1) > grams",
    "count(body_weight, below=light, days=3) >= once",
    "last(glucose) > high_glucose",
    "max(glucose, hours=6) > high_glucose",
)
"""What a value in doubt opens: few of the others would."""


@st.composite
def a_condition(draw: st.DrawFn) -> str:
    match draw(pick(("plain", "plain", "plain", "jumps", "not", "and", "or", "both"))):
        case "jumps":
            return draw(pick(OF_JUMPS))
        case "plain":
            return draw(a_comparison())
        case "not":
            return f"not {draw(a_comparison())}"
        case "both":
            return f"({draw(a_comparison())} or not {draw(a_comparison())}) and {draw(a_comparison())}"
        case joined:
            return f"{draw(a_comparison())} {joined} {draw(a_comparison())}"


def opposite(condition: str) -> str:
    """A condition that clears what another one opened: drawn alone, few would ever clear."""
    return f"not ({condition})"


@st.composite
def a_rule(draw: st.DrawFn) -> dict[str, Any]:
    when = draw(a_condition())
    rule: dict[str, Any] = {
        "signal": draw(pick(("fluid", "silence"))),
        "severity": "low",
        "when": when,
        "clear": opposite(when) if draw(st.booleans()) else draw(a_condition()),
        "max_age": draw(st.sampled_from(({"hours": 6}, {"days": 1}, {"days": 3}))),
        "text": TEXT,
        "source": "random",
        "mark": "P",
    }
    if draw(st.booleans()):
        rule["raise"] = {"severity": "high", "when": draw(a_condition())}
    match draw(st.integers(0, 4)):
        case 3:
            rule["held_for"] = draw(st.sampled_from(({"hours": 6}, {"seconds": 30}, {"days": 1})))
        case 4:
            n = draw(st.integers(1, 4))
            rule["k_of_n"] = {"k": draw(st.integers(1, n)), "n": n}
        case _:
            pass
    return rule


def a_limit(name: str, value: float, unit: str) -> dict[str, Any]:
    low, high = (1.0, 2.0) if name in SCALES else (1e-6 if name in SPREADS else 0.0, value * 2 + 1)
    return {
        "default": value, "unit": unit, "low": low, "high": high, "mark": "P", "source": "random",
        "text": TEXT,
    }  # fmt: skip


@st.composite
def a_version(draw: st.DrawFn, name: str, version: int) -> Programme:
    nudge = draw(pick((0.0, 0.0, 1e-6, -1e-6, 0.5)))
    limits = {
        key: (value + nudge if unit in ("kg", "d") else value, unit) for key, (value, unit) in LIMITS.items()
    }
    rules = {f"rule_{i}": draw(a_rule()) for i in range(3) if i == 0 or draw(st.booleans())}
    schedule = dict(SCHEDULES)
    if draw(st.booleans()):
        schedule["morning"] = {"kind": "body_weight", "before": "08:00"}
    return Programme.model_validate(
        {
            "programme": name,
            "version": version,
            "title": TEXT,
            "source": "random",
            "limits": {key: a_limit(key, *content) for key, content in limits.items()},
            "schedule": schedule,
            "rules": rules,
        }
    )


@st.composite
def programmes(draw: st.DrawFn) -> list[Programme]:
    made = [draw(a_version("one", 1))]
    match draw(st.integers(0, 3)):
        case 2:
            made.append(draw(a_version("one", 2)))
        case 3:
            made.append(draw(a_version("two", 1)))
        case _:
            pass
    return made
