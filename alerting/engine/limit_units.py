"""In which units a limit may be: one that a feature is compared with, or one named inside a feature.

A slope is per day (`kg/d`); the place of an answer in its kind's closed list, counted from 0, is `{code}`.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from alerting.engine.features import NEWS2_FEATURES, TAKES, Comparator, Feature, FeatureName
from alerting.engine.programme import CODE_UNIT, COUNT_UNIT, PER_DAY, TIME_UNITS_US, Limit
from models.kinds import Kind
from models.units import UNIT_BY_SPELLING, UNITS, is_unit_of, to_canonical

DURATIONS = frozenset({FeatureName.AGE, FeatureName.STRETCH})
NUMBERS = frozenset(
    {
        FeatureName.COUNT,
        FeatureName.DAYS_WITH,
        FeatureName.REPEATS,
        FeatureName.MISSED,
        FeatureName.EWMA,
        FeatureName.CUSUM,
        FeatureName.DEVIATION,
        FeatureName.NEWS2_MISSING,
    }
)
PARTS_OF_HUNDRED = frozenset({FeatureName.SHARE, FeatureName.RELATIVE})
SCORES = frozenset({FeatureName.NEWS2, FeatureName.NEWS2_WORST})
CHANGES = frozenset({FeatureName.RISE, FeatureName.FALL})
OF_CODED_KINDS = NEWS2_FEATURES | {
    FeatureName.LAST,
    FeatureName.AGE,
    FeatureName.COUNT,
    FeatureName.MIN,
    FeatureName.MAX,
    FeatureName.SHARE,
    FeatureName.STRETCH,
    FeatureName.DAYS_WITH,
    FeatureName.MISSED,
}
"""What can be said of answers; all else needs numbers."""


def of_readings(kinds: Sequence[Kind]) -> tuple[str, ...]:
    """The units that readings of all these kinds may come in.

    >>> from models.kinds import KIND_BY_NAME
    >>> of_readings([KIND_BY_NAME["body_weight"]])
    ('kg', 'g', '[lb_av]')
    """
    if any(kind.is_coded for kind in kinds):
        return (CODE_UNIT,)
    return tuple(unit for i, unit in enumerate(UNITS) if all(is_unit_of(kind.number, i) for kind in kinds))


def of_feature(name: FeatureName, kinds: Sequence[Kind]) -> tuple[str, ...]:
    """The units of a limit that a feature of these kinds may be compared with.

    >>> from models.kinds import KIND_BY_NAME
    >>> of_feature(FeatureName.SLOPE, [KIND_BY_NAME["body_weight"]])
    ('kg/d', 'g/d', '[lb_av]/d')
    """
    units = of_readings(kinds)
    if name in DURATIONS:
        return tuple(TIME_UNITS_US)
    if name in NUMBERS:
        return (COUNT_UNIT,)
    if name in PARTS_OF_HUNDRED:
        return ("%",)
    if name in SCORES:
        return ("{score}",)
    if name is FeatureName.SLOPE:
        return tuple(unit + PER_DAY for unit in units)
    return (*units, "%") if name in CHANGES and "%" not in units else units


def of_named(feature: Feature, kinds: Sequence[Kind]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every limit named inside a feature, with the units that it may be in."""
    for bound in feature.bounds:
        yield bound.limit, of_readings(kinds)
    for name in (feature.target, feature.spread):
        if name:
            yield name, of_readings(kinds)
    if TAKES[feature.name].must == ("scale",):
        yield feature.scale, (COUNT_UNIT,)


def exclude_each_other(feature: Feature, limits: Sequence[Limit], kinds: Sequence[Kind]) -> bool:
    """Whether no reading can lie within all bounds, by the defaults of their limits in order."""
    values = [_canonical(limit, kinds[0]) for limit in limits]
    closed = all(bound.comparator in (Comparator.AT_LEAST, Comparator.AT_MOST) for bound in feature.bounds)
    return any(low > high or (low == high and not closed) for low, high in pairwise(values))


def _canonical(limit: Limit, kind: Kind) -> float:
    if kind.is_coded:
        return limit.default
    unit = UNIT_BY_SPELLING[limit.unit]
    return float(to_canonical(np.array([limit.default]), np.array([kind.number]), np.array([unit]))[0])
