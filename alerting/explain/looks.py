"""Which stored readings a feature looked at: kinds and a stretch of time."""

from dataclasses import dataclass

from alerting.engine.features import (
    LONGEST_WINDOW_US,
    MOST_VALUES,
    NEWS2_FEATURES,
    Feature,
    FeatureName,
)
from alerting.engine.programme import NEWS2_KINDS, kinds_of
from alerting.explain.slots import Given
from models.clock import DAY_US, MINUTE_US

SHOWN = 12
"""So many readings are shown with a feature, as many as are kept with a finding."""

MOST = 1_000
"""So many are given to programs."""

_SCORED_US = 30 * MINUTE_US
_NEWEST_US = 400 * DAY_US
_ONE = frozenset({FeatureName.LAST, FeatureName.AGE})
_CHARTS = frozenset({FeatureName.EWMA, FeatureName.CUSUM, FeatureName.MACD})


@dataclass(frozen=True, slots=True)
class Look:
    """Readings of some kinds, `most` of the newest, taken after a moment, up to and with another.

    **Units**: microseconds since 1970 UTC.
    """

    kinds: tuple[str, ...]
    after_us: int
    to_us: int
    most: int = MOST


def look(feature: Feature, given: Given, at_us: int) -> Look:
    """What a feature looked at when it was evaluated at a moment."""
    if feature.name in NEWS2_FEATURES:
        return Look(NEWS2_KINDS, at_us - _SCORED_US, at_us)
    kinds = kinds_of(given.kind(feature))
    if feature.name in _ONE:
        return Look(kinds, at_us - _NEWEST_US, at_us, most=1)
    days = _days(feature)
    if days:
        return Look(kinds, (at_us // DAY_US - days + 1) * DAY_US - 1, at_us)
    return Look(kinds, at_us - feature.window_us, at_us)


def _days(feature: Feature) -> int:
    """How many days with today, where it looks at values of days; 0 where at single readings."""
    if feature.name in _CHARTS:
        return MOST_VALUES
    back = feature.gap_days + feature.usual_days
    if back or feature.window_us > LONGEST_WINDOW_US:
        return feature.window_us // DAY_US + back + (1 if feature.gap_days else 0)
    return 0
