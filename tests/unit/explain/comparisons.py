"""Every comparison that the grammar allows, with numbers such as the engine stores."""

from dataclasses import dataclass

from hypothesis import strategies as st

from alerting.engine import limit_units
from alerting.engine.expressions import Comparison, parse
from alerting.engine.features import BOUNDS, NEWS2_FEATURES, TAKES, FeatureName
from alerting.engine.programme import CODE_UNIT, NEWS2_KINDS, Day, Schedule, kinds_of
from alerting.explain.amounts import Amount
from alerting.explain.sentences import Compared
from alerting.explain.slots import Given
from models.kinds import KIND_BY_NAME, Kind

KINDS = [kind for kind in KIND_BY_NAME.values() if kind.name != "pulse"]
NUMBERS = st.floats(-1e7, 1e7, allow_nan=False).map(lambda x: x + 0.0) | st.integers(-500, 500).map(float)
LENGTHS = st.floats(0, 30, allow_nan=False)


@dataclass(frozen=True)
class Case:
    """A comparison and what the names in it stood for."""

    compared: Compared
    given: Given
    kind: str


@st.composite
def cases(draw: st.DrawFn, name: FeatureName) -> Case:
    """A feature with any arguments, beside a limit in any unit that it may be in."""
    possible = [kind for kind in KINDS if not kind.is_coded or name in limit_units.OF_CODED_KINDS]
    kind = draw(st.sampled_from(possible))
    comparator = draw(st.sampled_from(list(BOUNDS.values())))
    written = f"{name}({', '.join(arguments(draw, name, kind))}) {comparator} the_limit"
    comparison = parse(written)
    assert isinstance(comparison, Comparison)
    feature = comparison.feature
    kinds = [KIND_BY_NAME[k] for k in (NEWS2_KINDS if name in NEWS2_FEATURES else kinds_of(kind.name))]
    named = {
        limit: Amount(draw(values(units[0], kind)), draw(st.sampled_from(units)))
        for limit, units in limit_units.of_named(feature, kinds)
    }
    unit = draw(st.sampled_from(limit_units.of_feature(name, kinds)))
    limit_value = draw(values(unit, kind))
    near = st.sampled_from([0.0, 1e-6, -1e-6, 1e-7, 0.004, -0.004]).map(lambda by: limit_value + by)
    value = draw(st.none() | values(unit, kind) | (st.just(limit_value) if unit == CODE_UNIT else near))
    if value is not None and unit in limit_units.TIME_UNITS_US:
        value = max(value, 0.0)
    shown = draw(st.sampled_from([comparator, None]))
    compared = Compared(feature, shown, "the_limit", unit, draw(st.none() | st.just(limit_value)), value)
    return Case(compared, Given(named, {"the_schedule": draw(schedules(kind))}), kind.name)


def arguments(draw: st.DrawFn, name: FeatureName, kind: Kind) -> list[str]:
    """The arguments of a feature, as they are written."""
    takes = TAKES[name]
    written = ["the_schedule" if name is FeatureName.MISSED else kind.name] if takes.subject else []
    if takes.window:
        days = st.integers(max(takes.least_days, 1), min(takes.most_days, 300))
        lengths = {
            "seconds": st.integers(1, 86_400),
            "minutes": st.integers(1, 43_200),
            "hours": st.integers(1, 720),
        }
        unit = draw(st.sampled_from(takes.window))
        written.append(f"{unit}={draw(lengths.get(unit, days))}")
    if takes.bounds:
        lower = draw(st.sampled_from(["above=low", "at_least=low"]))
        upper = draw(st.sampled_from(["below=high", "at_most=high"]))
        sides = [[lower], [upper], [lower, upper], *([] if takes.least_bounds else [[]])]
        written += draw(st.sampled_from(sides))
    values_of = {
        "smoothing": st.sampled_from(["0.2", "0.05", "1"]),
        "slack": st.sampled_from(["0.5", "0", "2"]),
        "side": st.sampled_from(["high", "low", "both"]),
        "short": st.integers(1, 9),
        "long": st.integers(10, 60),
        "usual": st.integers(7, 60),
        "scale": st.just("the_scale"),
    }
    written += [f"{keyword}={draw(values_of[keyword])}" for keyword in takes.must]
    if "target" in takes.may and draw(st.booleans()):
        written += ["target=the_target", "spread=the_spread"]
    elif "learn" in takes.may and draw(st.booleans()):
        written.append(f"learn={draw(st.integers(2, 30))}")
    if "gap" in takes.may and draw(st.booleans()):
        written.append(f"gap={draw(st.integers(0, 30))}")
    return written


def values(unit: str, kind: Kind) -> st.SearchStrategy[float]:
    """Numbers that a value in a unit may be."""
    if unit == CODE_UNIT:
        return st.integers(0, max(len(kind.codes) - 1, 0)).map(float)
    return LENGTHS if unit in limit_units.TIME_UNITS_US else NUMBERS


def schedules(kind: Kind) -> st.SearchStrategy[Schedule]:
    days: list[tuple[Day, ...]] = [
        ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        ("mon",),
        ("tue", "sun"),
    ]
    return st.sampled_from(days).map(lambda on: Schedule(kind=kind.name, before="11:00", on=on))
