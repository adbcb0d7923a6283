"""Where the limits of a patient's programmes lie for what is measured, and whose they are; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from alerting.engine.expressions import All, AnyOf, Comparison, Condition, Not, comparisons
from alerting.engine.features import Comparator, FeatureName
from alerting.engine.programme import Programme, Rule, kinds_of
from alerting.explain.personal import Held, Personal, given
from alerting.explain.sentences import Compared, capital, criterion
from alerting.explain.slots import Given
from alerting.explain.vocabulary import Both, Language
from alerting.notify.letter.levels import canonical
from ingest.register.state import Enrolment
from models.findings import EvidenceReading
from models.messages import Enrol, PersonalLimit, SetLimits

_LEVELS = frozenset({
    FeatureName.LAST, FeatureName.MEAN, FeatureName.MEDIAN, FeatureName.MIN, FeatureName.MAX,
})  # fmt: skip
_CHANGES = frozenset({FeatureName.RISE, FeatureName.FALL})
_UPWARDS = frozenset({Comparator.ABOVE, Comparator.AT_LEAST})
_USUAL = frozenset({FeatureName.BASELINE, FeatureName.SPREAD, FeatureName.DEVIATION})


@dataclass(frozen=True, slots=True)
class Own:
    """What is a patient's own in a programme. `decided`: since when each personal limit holds, by whom.

    **Units**: microseconds since 1970 UTC.
    """

    programme: Programme
    limits: Mapping[str, PersonalLimit]
    enrolment: Enrolment
    decided: Mapping[str, tuple[int, str | None]]

    @property
    def given(self) -> Given:
        """What the names in the programme's conditions stand for."""
        held = {
            name: Held(limit, self.decided.get(name, (0, None))[0]) for name, limit in self.limits.items()
        }
        return given(self.programme, Personal(held, dict(self.enrolment.schedule)))


@dataclass(frozen=True, slots=True)
class Level:
    """A limit as a line in a chart. **Units**: `value` canonical, `until_us` microseconds since 1970 UTC.

    `by` is who set it, where it is personal; its name, or None where nobody is on record.
    """

    kind: str
    value: float
    upwards: bool
    text: Both
    personal: bool = False
    by: str | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Usual:
    """From which days the engine learns what is usual for this patient."""

    days: int
    gap_days: int


def own_of(
    programme: Programme,
    enrolment: Enrolment,
    decided: Sequence[tuple[int, object, str | None]],
    now_us: int,
) -> Own:
    """What holds now of what is a patient's own. `decided`: all changes in order, since when and by whom."""
    limits = enrolment.limits_at(now_us)
    found: dict[str, tuple[int, str | None]] = {}
    for at_us, change, by in decided:
        if isinstance(change, SetLimits | Enrol) and change.programme == programme.programme:
            for name, limit in change.limits.items():
                if limit is not None and limits.get(name) == limit:
                    found[name] = at_us, by
    return Own(programme, limits, enrolment, found)


def levels(own: Sequence[Own], kinds: Sequence[str]) -> tuple[Level, ...]:
    """The limits that a value alone can reach, highest first; of the same level the personal one."""
    found: dict[tuple[str, float, bool], Level] = {}
    for one in own:
        for rule in one.programme.rules.values():
            for level in _of_rule(one, rule, kinds):
                key = level.kind, level.value, level.upwards
                if key not in found or level.personal:
                    found[key] = level
    return tuple(sorted(found.values(), key=lambda level: (-level.value, level.kind)))


def change_wanted(own: Sequence[Own], kind: str, language: Language) -> str | None:
    """The first limit on a rise or fall of a kind, in words: the one that an alert would come of."""
    for one in own:
        for rule in one.programme.rules.values():
            for comparison in _alone(rule.when):
                if comparison.feature.name in _CHANGES and kind in kinds_of(comparison.feature.subject):
                    return " ".join(criterion(_compared(one, comparison), one.given, language))
    return None


def rules_about(own: Sequence[Own], kinds: Sequence[str], language: Language) -> list[tuple[str, str]]:
    """Every comparison about some kinds by which a finding opens: what it means, and what it compares."""
    found: dict[str, str] = {}
    for one in own:
        for rule in one.programme.rules.values():
            for comparison in comparisons(rule.when):
                if set(kinds) & set(kinds_of(one.given.kind(comparison.feature))):
                    phrase, wanted = criterion(_compared(one, comparison), one.given, language)
                    found.setdefault(capital(f"{phrase}: {wanted}"), _said(rule, language))
    return [(text, compared) for compared, text in found.items()]


def usual_of(own: Sequence[Own], kind: str) -> Usual | None:
    """From which days the engine learns what is usual, where a rule of the patient's compares with that."""
    for one in own:
        for rule in one.programme.rules.values():
            for _, condition in rule.conditions():
                for comparison in comparisons(condition):
                    feature = comparison.feature
                    if feature.name in _USUAL and kind in kinds_of(feature.subject):
                        return Usual(feature.window_us // 86_400_000_000, feature.gap_days)
    return None


def _of_rule(own: Own, rule: Rule, kinds: Sequence[str]) -> Iterator[Level]:
    conditions = [rule.when, *([] if rule.raise_ is None else [rule.raise_.when])]
    for comparison in (one for condition in conditions for one in _alone(condition)):
        for kind in kinds_of(comparison.feature.subject):
            if kind in kinds:
                named = _named(comparison)
                found = (_level(own, kind, limit, comparator) for limit, comparator in named)
                yield from (level for level in found if level is not None)


def _named(comparison: Comparison) -> Iterator[tuple[str, Comparator]]:
    """The limits that single readings are held against: by the comparison itself, or within its feature."""
    if comparison.feature.name in _LEVELS:
        yield comparison.limit, comparison.comparator
    for bound in comparison.feature.bounds:
        yield bound.limit, bound.comparator


def _level(own: Own, kind: str, name: str, comparator: Comparator) -> Level | None:
    limit, personal = own.programme.limits.get(name), own.limits.get(name)
    if limit is None:
        return None
    value, unit = (limit.default, limit.unit) if personal is None else (personal.value, personal.unit)
    level = canonical(EvidenceReading(kind, 0, value, unit))
    if level is None:
        return None
    return Level(
        kind=kind,
        value=level,
        upwards=comparator in _UPWARDS,
        text=Both(limit.text.nl, limit.text.en),
        personal=personal is not None,
        by=own.decided.get(name, (0, None))[1],
        until_us=None if personal is None else personal.until_us,
    )


def _alone(condition: Condition) -> Iterator[Comparison]:
    """The comparisons that by themselves make a condition true, or together all say the same limit."""
    match condition:
        case Comparison():
            yield condition
        case AnyOf(parts):
            for part in parts:
                yield from _alone(part)
        case All(parts):
            every = [*comparisons(condition)]
            named = [{limit for limit, _ in _named(one)} for one in every]
            if len(every) == len(parts) and all(named) and len({*chain.from_iterable(named)}) == 1:
                yield from every
        case Not():
            return


def _compared(own: Own, comparison: Comparison) -> Compared:
    amount = own.given.limits.get(comparison.limit)
    return Compared(
        feature=comparison.feature,
        comparator=comparison.comparator,
        limit=comparison.limit,
        unit="1" if amount is None else amount.unit,
        limit_value=None if amount is None else amount.value,
    )


def _said(rule: Rule, language: Language) -> str:
    return Both(rule.text.nl, rule.text.en).said(language).strip()
