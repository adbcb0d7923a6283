"""What a rule at rest waits for, so that the kernel need not evaluate it at every reading.

A rule is at rest when it is closed, counts nothing, and its condition was not true at its last evaluation.

*Turning*: a comparison that was not true becomes true only by a certain reading, or only with time:
- `last` by a reading that holds itself; as it ages it can only become unknown;
- `min` below and `max` above a limit by a reading below or above it; what leaves the window only undoes it;
- `count`, `days_with`, `stretch` above a limit by a reading within their bounds;
- a `rise` over more than nothing by a reading above the one before: otherwise the rise from the lowest value
  is no larger than the one before had been. Likewise `fall`;
- `repeats` of more than one by a reading equal to the one before;
- `missed` and `age` above a limit by no reading at all, only at their deadlines.
Without a `not`, a condition turns true only where one of its comparisons does.

*Leading*: of an *and* one part is enough. While `last(spo2) < look` does not hold the rest does not matter.

*Present*: `count(weight, days=1) < 1` is not true at a reading of weight, nor for a day, whatever else is
asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from alerting.engine.atoms import PERCENT, SERIES_OF_KIND, TIMED, looked_at_by
from alerting.engine.expressions import All, AnyOf, Comparison, Condition, comparisons
from alerting.engine.features import Comparator, FeatureName
from alerting.engine.kernel import features
from alerting.engine.kernel.layout import MOST_SERIES, NAMED, NEVER, TRIGGER, Rows
from alerting.engine.kernel.triggers import BY_BOUNDS, BY_CHANGE, BY_PRESENCE, BY_REPEAT, BY_VALUE
from alerting.engine.programme import Programme, Rule
from models.kinds import KIND_BY_NAME, KINDS

UP = frozenset({Comparator.ABOVE, Comparator.AT_LEAST})
_HOW_UP = {
    FeatureName.MAX: BY_VALUE,
    FeatureName.COUNT: BY_BOUNDS,
    FeatureName.DAYS_WITH: BY_BOUNDS,
    FeatureName.STRETCH: BY_BOUNDS,
    FeatureName.RISE: BY_CHANGE,
    FeatureName.FALL: BY_CHANGE,
    FeatureName.REPEATS: BY_REPEAT,
}
_SAME = (
    "feature",
    "comparator",
    "limit",
    "unit",
    "low",
    "low_unit",
    "low_open",
    "high",
    "high_unit",
    "high_open",
)
"""What two comparisons of one series have in common when one trigger speaks for both."""


class Waiting(StrEnum):
    """In which way a rule at rest waits."""

    TURNING = "turning"
    LEADING = "leading"
    PRESENT = "present"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Watched:
    """A comparison that is watched, by its place in the condition, and by which series and how."""

    place: int
    series: int
    how: int
    window_us: int


@dataclass(frozen=True, slots=True)
class Wait:
    """What a rule waits for."""

    waiting: Waiting
    watched: tuple[Watched, ...] = ()


class _Looking:
    """Looks for what a rule's condition waits for."""

    def __init__(self, programme: Programme, rule: Rule) -> None:
        self.programme = programme
        self.rule = rule
        self.places = {id(each): place for place, each in enumerate(comparisons(rule.when))}

    def series(self, comparison: Comparison) -> int:
        kinds = self.programme.subject_kinds(comparison.feature)
        return SERIES_OF_KIND[KIND_BY_NAME[kinds[0]].number]

    def watched(self, comparison: Comparison, how: int) -> Watched:
        window_us = comparison.feature.window_us
        return Watched(self.places[id(comparison)], self.series(comparison), how, window_us)

    def turning(self, condition: Condition) -> Sequence[Watched] | None:
        """What must come for a condition without *not* to turn true; None where that is not known."""
        match condition:
            case Comparison():
                return self._turning(condition)
            case All(parts) | AnyOf(parts):
                return _together(self.turning(part) for part in parts)
            case _:
                return None

    def _turning(self, comparison: Comparison) -> Sequence[Watched] | None:
        feature, up = comparison.feature, comparison.comparator in UP
        if feature.name is FeatureName.LAST:
            return [self.watched(comparison, BY_VALUE)]
        if feature.name in TIMED:
            return [] if up else None
        if looked_at_by(feature, self.series(comparison)) != features.BY_READINGS:
            return None
        how = _HOW_UP.get(feature.name) if up else None
        if not up and feature.name is FeatureName.MIN:
            how = BY_VALUE
        if how is None or (how == BY_CHANGE and not self._is_plain_change(comparison)):
            return None
        return [self.watched(comparison, how)]

    def _is_plain_change(self, comparison: Comparison) -> bool:
        """Not in per cent, and as long as the window holds a value it is not too old."""
        max_age = self.rule.max_age
        is_fresh = max_age is None or max_age.us >= comparison.feature.window_us
        return is_fresh and self.programme.limits[comparison.limit].unit != PERCENT

    def leading(self, condition: Condition) -> Sequence[Watched] | None:
        """Comparisons of last values, one of which must hold; None where a condition has no such part."""
        match condition:
            case Comparison():
                is_last = condition.feature.name is FeatureName.LAST
                return [self.watched(condition, BY_VALUE)] if is_last else None
            case All(parts):
                return next((found for part in parts if (found := self.leading(part)) is not None), None)
            case AnyOf(parts):
                return _together(self.leading(part) for part in parts)
            case _:
                return None

    def present(self, condition: Condition) -> Iterator[Watched]:
        """Counts of everything that must all be small."""
        match condition:
            case All(parts):
                for part in parts:
                    yield from self.present(part)
            case Comparison(feature, comparator):
                if comparator not in UP and feature.name is FeatureName.COUNT and not feature.bounds:
                    yield self.watched(condition, BY_PRESENCE)
            case _:
                pass


def _together(parts: Iterator[Sequence[Watched] | None]) -> Sequence[Watched] | None:
    together: list[Watched] = []
    for part in parts:
        if part is None:
            return None
        together += part
    return together


def wait_of(programme: Programme, rule: Rule) -> Wait:
    """What a rule at rest waits for."""
    looking = _Looking(programme, rule)
    leading = looking.leading(rule.when) if isinstance(rule.when, All) else None
    turning = looking.turning(rule.when)
    if leading is not None and (turning is None or len({watched.series for watched in leading}) == 1):
        return Wait(Waiting.LEADING, tuple(leading))
    if turning is not None:
        return Wait(Waiting.TURNING, tuple(turning))
    present = tuple(looking.present(rule.when))
    return Wait(Waiting.PRESENT if present else Waiting.ALWAYS, present)


def bits_of(which: Iterable[bool]) -> int:
    """A set of up to 64 as a signed number."""
    bits = sum(1 << place for place, is_in in enumerate(which) if is_in)
    return bits - (1 << 64) if bits >> 63 else bits


def asleep_bits(rules: Sequence[Rule], waits: Sequence[Wait]) -> tuple[int, int, int]:
    """Of a version's rules: those always evaluated, the led ones, those whose deadline a reading puts off."""
    always = bits_of(wait.waiting in (Waiting.ALWAYS, Waiting.PRESENT) for wait in waits)
    leading = bits_of(wait.waiting is Waiting.LEADING for wait in waits)
    waking = bits_of(_is_put_off(rule, wait) for rule, wait in zip(rules, waits, strict=True))
    return always, leading, waking


def _is_put_off(rule: Rule, wait: Wait) -> bool:
    """Whether the next deadline of a rule at rest moves when something is measured."""
    conditions = [condition for _, condition in rule.conditions()]
    match wait.waiting:
        case Waiting.PRESENT:
            return any(_names(condition, TIMED) for condition in conditions)
        case Waiting.TURNING:
            return _names(rule.when, {FeatureName.AGE})
        case _:
            return False


def _names(condition: Condition, features_: AbstractSet[FeatureName]) -> bool:
    return any(comparison.feature.name in features_ for comparison in comparisons(condition))


def named_by_series(
    versions: Sequence[tuple[int, ...]], rules: Rows, atoms: Rows, waits: Sequence[Wait]
) -> tuple[Rows, Rows]:
    """What each series is to each version, and the triggers of all. **Shape**: [versions, series], [any]."""
    named = np.zeros((len(versions), MOST_SERIES), NAMED)
    triggers: list[tuple[int, int, int]] = []
    for number, (first, length, *_) in enumerate(versions):
        own = range(first, first + length)
        for series in range(len(KINDS)):
            found: dict[tuple[Any, ...], tuple[int, list[bool]]] = {}
            for rule in own:
                for watched in waits[rule].watched:
                    if watched.series == series:
                        atom = int(rules[rule]["atoms"]) + watched.place
                        key = watched.how, *(atoms[atom][name].item() for name in _SAME)
                        _, of = found.setdefault(key, (atom, [False] * length))
                        of[rule - first] = True
            row = named[number, series]
            row["rules"] = bits_of(bool(int(rules[rule]["series"]) >> series & 1) for rule in own)
            row["spared"] = bits_of(_is_present(waits[rule], series) for rule in own)
            row["spared_us"] = min((_present_us(waits[rule], series) for rule in own), default=NEVER)
            row["settled"] = bits_of(_is_settled(waits[rule], series) for rule in own)
            row["triggers"], row["triggers_len"] = len(triggers), len(found)
            triggers += [(bits_of(of), atom, key[0]) for key, (atom, of) in found.items()]
    return named, np.array(triggers, TRIGGER)


def _is_present(wait: Wait, series: int) -> bool:
    return wait.waiting is Waiting.PRESENT and any(watched.series == series for watched in wait.watched)


def _present_us(wait: Wait, series: int) -> int:
    """How long a reading keeps a rule from becoming true; NEVER where it does not."""
    if wait.waiting is not Waiting.PRESENT:
        return NEVER
    return max((watched.window_us for watched in wait.watched if watched.series == series), default=NEVER)


def _is_settled(wait: Wait, series: int) -> bool:
    return wait.waiting is Waiting.LEADING and all(watched.series == series for watched in wait.watched)
