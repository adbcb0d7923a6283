"""One comparison of a rule as the kernel takes it, and how much of a patient's past it looks back at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerting.engine.expressions import Comparison, comparisons
from alerting.engine.features import NEWS2_FEATURES, Comparator, Feature, FeatureName, Side
from alerting.engine.gates import GATES
from alerting.engine.kernel import conditions, features, usual
from alerting.engine.kernel.layout import BIN_US, BINS_A_DAY, DAY_US, HOUR_US, MINUTE_US, NEVER
from alerting.engine.programme import LONGEST_DURATION_US, PER_DAY, TIME_UNITS_US, TOGETHER, Programme, Rule
from models.kinds import KIND_BY_NAME, KINDS
from models.units import UNIT_BY_SPELLING

FEATURES: Mapping[FeatureName, int] = {
    name: number
    for number, name in enumerate(
        (
            FeatureName.LAST, FeatureName.AGE, FeatureName.COUNT, FeatureName.MEAN, FeatureName.MEDIAN,
            FeatureName.MIN, FeatureName.MAX, FeatureName.RISE, FeatureName.FALL, FeatureName.SLOPE,
            FeatureName.SHARE, FeatureName.STRETCH, FeatureName.DAYS_WITH, FeatureName.REPEATS,
            FeatureName.MISSED, FeatureName.EWMA, FeatureName.CUSUM, FeatureName.MACD, FeatureName.BASELINE,
            FeatureName.SPREAD, FeatureName.DEVIATION, FeatureName.RELATIVE, FeatureName.NEWS2,
            FeatureName.NEWS2_WORST, FeatureName.NEWS2_MISSING,
        )
    )
}  # fmt: skip
"""In the order of the numbers in `kernel.features`."""

COMPARATORS: Mapping[Comparator, int] = {
    Comparator.ABOVE: conditions.ABOVE,
    Comparator.AT_LEAST: conditions.AT_LEAST,
    Comparator.BELOW: conditions.BELOW,
    Comparator.AT_MOST: conditions.AT_MOST,
}
SIDES: Mapping[Side, int] = {Side.HIGH: usual.HIGH, Side.LOW: usual.LOW, Side.BOTH: usual.BOTH}

SERIES_OF_KIND: tuple[int, ...] = tuple(
    next((KIND_BY_NAME[first].number for first, names in TOGETHER.items() if kind.name in names), kind.number)
    for kind in KINDS
)
"""The number of each kind's series: that of the first of those that are taken together."""

_CHARTS = frozenset({FeatureName.EWMA, FeatureName.CUSUM, FeatureName.MACD})
_USUALS = frozenset({FeatureName.BASELINE, FeatureName.SPREAD, FeatureName.DEVIATION, FeatureName.RELATIVE})
_WITH_MAX_AGE = frozenset({FeatureName.LAST, FeatureName.RISE, FeatureName.FALL})
_IN_UNIT = frozenset(
    {
        FeatureName.LAST, FeatureName.MEAN, FeatureName.MEDIAN, FeatureName.MIN, FeatureName.MAX,
        FeatureName.RISE, FeatureName.FALL, FeatureName.SLOPE, FeatureName.MACD, FeatureName.BASELINE,
        FeatureName.SPREAD,
    }
)  # fmt: skip
"""Features whose values are in the unit of what was measured."""

TIMED = frozenset({FeatureName.AGE, FeatureName.MISSED})
"""Features that time alone changes."""

_EXTREMES = frozenset({FeatureName.MIN, FeatureName.MAX, FeatureName.RISE, FeatureName.FALL})

_DURATIONS = frozenset({FeatureName.AGE, FeatureName.STRETCH})
_OWN = frozenset({FeatureName.MISSED, *_CHARTS, *NEWS2_FEATURES})
"""Features that depend on the enrolment: its schedules, its beginning, its limits."""

LONGEST_RAW_US = 48 * HOUR_US
LONGEST_WINDOW_US = 30 * DAY_US
NEWS2_US = 30 * MINUTE_US
PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Need:
    """How much of a series is looked back at: reading by reading, by quarters of an hour, by days.

    `extremes`: of the quarters also the lowest, the highest and the last value.
    """

    kept_us: int = 0
    bins: int = 0
    days: int = 0
    extremes: bool = False

    def __or__(self, other: "Need") -> "Need":
        return Need(
            max(self.kept_us, other.kept_us),
            max(self.bins, other.bins),
            max(self.days, other.days),
            extremes=self.extremes or other.extremes,
        )

    @property
    def kept_hours(self) -> int:
        """As a series has it."""
        return -(-self.kept_us // HOUR_US)

    def covers(self, other: "Need") -> bool:
        """Whether what is kept for this is enough for the other."""
        return self | other == self


def series_bits(kinds: Sequence[str]) -> int:
    """The series of some kinds as bits."""
    bits = 0
    for name in kinds:
        bits |= 1 << SERIES_OF_KIND[KIND_BY_NAME[name].number]
    return bits


def is_dense(series: int) -> bool:
    """Whether a series is measured by the minute."""
    return any(kind.dense for kind in KINDS if SERIES_OF_KIND[kind.number] == series)


def looked_at_by(feature: Feature, series: int) -> int:
    """By what the window of a feature is looked at: readings, bins or days."""
    if feature.name in _CHARTS | _USUALS or feature.window_us > LONGEST_WINDOW_US:
        return features.BY_DAYS
    if is_dense(series) and feature.window_us > LONGEST_RAW_US and feature.name is not FeatureName.MISSED:
        return features.BY_BINS
    return features.BY_READINGS


def needs_of(programme: Programme) -> Mapping[int, Need]:
    """What the rules of a programme look back at, by series."""
    needs: dict[int, Need] = {}
    for rule in programme.rules.values():
        for _, condition in rule.conditions():
            for comparison in comparisons(condition):
                for name in programme.subject_kinds(comparison.feature):
                    series = SERIES_OF_KIND[KIND_BY_NAME[name].number]
                    needs[series] = needs.get(series, Need()) | _need(comparison.feature, series)
    return needs


def _need(feature: Feature, series: int) -> Need:
    """The newest of what is older stays anyway.

    So an age, a last value, what a jump is compared with need no more; nor does the first due moment of a
    window: whether something was measured since the moment before it, the newest of what is older says.
    """
    gate = GATES.get(KINDS[series].name)
    kept_us = max(HOUR_US, 0 if gate is None else gate.wait_us)
    days = _days_back(feature)
    if feature.name in NEWS2_FEATURES:
        return Need(max(kept_us, NEWS2_US))
    if feature.name is FeatureName.MISSED:
        return Need(max(kept_us, feature.window_us))
    if days:
        if is_dense(series):
            return Need(kept_us, bins=2 * BINS_A_DAY, days=days + 1)
        return Need(max(kept_us, DAY_US), days=days + 1)
    if looked_at_by(feature, series) == features.BY_BINS:
        extremes = feature.name in _EXTREMES
        return Need(kept_us, bins=feature.window_us // BIN_US + 1, extremes=extremes)
    return Need(max(kept_us, feature.window_us))


def _days_back(feature: Feature) -> int:
    """How many days a feature looks back at by their values; 0 where it does not."""
    days = feature.window_us // DAY_US
    if feature.name in _CHARTS:
        return usual.LATEST_DAYS
    if feature.name in _USUALS:
        return days + feature.gap_days + feature.usual_days
    return days if feature.window_us > LONGEST_WINDOW_US else 0


def _days_and_more(feature: Feature) -> tuple[int, int]:
    """The two lengths of a feature in days, as the kernel takes them."""
    if feature.name is FeatureName.MACD:
        return feature.long_days, feature.short_days
    days = feature.window_us // DAY_US
    if feature.name is FeatureName.RELATIVE:
        return days, feature.usual_days
    return days, feature.learn_days if feature.name in _CHARTS else feature.gap_days


def _unit_number(unit: str) -> int:
    return UNIT_BY_SPELLING.get(unit, -1)


def _bound(programme: Programme, feature: Feature, comparators: Sequence[Comparator]) -> tuple[int, int, int]:
    """A bound as limit, unit, and whether the limit itself lies outside; −1, −1, 0 for none."""
    for bound in feature.bounds:
        if bound.comparator in comparators:
            unit = _unit_number(programme.limits[bound.limit].unit)
            is_open = bound.comparator in (Comparator.ABOVE, Comparator.BELOW)
            return list(programme.limits).index(bound.limit), unit, int(is_open)
    return -1, -1, 0


def _is_timer(comparison: Comparison, timers: set[str]) -> bool:
    """Whether a rule is due because of a comparison, and of none before; a schedule is due once for all."""
    feature = comparison.feature
    if feature.name not in TIMED:
        return False
    due_for = str(comparison) if feature.name is FeatureName.AGE else feature.subject
    if due_for in timers:
        return False
    timers.add(due_for)
    return True


def atom_of(
    programme: Programme,
    rule: Rule,
    comparison: Comparison,
    place: int,
    slots: dict[tuple[Any, ...], int],
    timers: set[str],
) -> tuple[Any, ...]:
    """The row of a comparison; `slots` gets a number for its feature where others may ask for the same.

    `timers` gets what the rule is due for although nothing is measured, each once.
    """
    feature = comparison.feature
    limit = programme.limits[comparison.limit]
    names = list(programme.limits)
    kinds = programme.subject_kinds(feature)
    series = SERIES_OF_KIND[KIND_BY_NAME[kinds[0]].number]
    relative = limit.unit == PERCENT and KINDS[series].unit != PERCENT
    relative = relative and feature.name in (FeatureName.RISE, FeatureName.FALL)
    unit = -1
    if feature.name in _IN_UNIT and not relative:
        unit = _unit_number(limit.unit.removesuffix(PER_DAY))
    max_age_us = NEVER if feature.name is not FeatureName.LAST else LONGEST_DURATION_US
    if rule.max_age is not None and feature.name in _WITH_MAX_AGE:
        max_age_us = rule.max_age.us
    slot = -1
    if feature.name not in _OWN and not feature.bounds:
        key = str(feature), series, unit, max_age_us, relative
        slot = slots.setdefault(key, len(slots))
    low = _bound(programme, feature, (Comparator.ABOVE, Comparator.AT_LEAST))
    high = _bound(programme, feature, (Comparator.BELOW, Comparator.AT_MOST))
    target = feature.target or feature.scale
    return (
        feature.window_us,
        max_age_us,
        float(TIME_UNITS_US.get(limit.unit, 1)),
        feature.smoothing if feature.name is FeatureName.EWMA else feature.slack,
        FEATURES[feature.name],
        series,
        COMPARATORS[comparison.comparator],
        names.index(comparison.limit),
        unit,
        place,
        slot,
        list(programme.schedule).index(feature.subject) if feature.name is FeatureName.MISSED else -1,
        looked_at_by(feature, series),
        *low,
        *high,
        names.index(target) if target else -1,
        _unit_number(programme.limits[target].unit) if target else -1,
        names.index(feature.spread) if feature.spread else -1,
        *_days_and_more(feature),
        SIDES[feature.side],
        int(relative),
        int(feature.name in _DURATIONS),
        int(_is_timer(comparison, timers)),
        2 * BIN_US if is_dense(series) else 36 * HOUR_US,
    )
