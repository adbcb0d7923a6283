"""What fills the braces of the sentences, apart from the value: the arguments of a feature in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerting.engine.features import NEWS2_FEATURES, Comparator, Feature, FeatureName, Side
from alerting.engine.programme import Schedule
from alerting.explain import figures
from alerting.explain.amounts import Amount, amount_in_words, answers
from alerting.explain.vocabulary import (
    AND,
    USUAL_VARIATION,
    WEEKDAYS,
    Both,
    KindWords,
    Language,
    kind_words,
    listed,
)
from models.clock import DAY_US
from models.kinds import KIND_BY_NAME

_BOUNDS: Mapping[Comparator, Both] = {
    Comparator.ABOVE: Both("boven {l}", "above {l}"),
    Comparator.AT_LEAST: Both("van {l} of meer", "of {l} or more"),
    Comparator.BELOW: Both("onder {l}", "below {l}"),
    Comparator.AT_MOST: Both("van {l} of minder", "of {l} or less"),
}
_SIDES: Mapping[Side, Both] = {
    Side.HIGH: Both("naar boven", "upwards"),
    Side.LOW: Both("naar beneden", "downwards"),
    Side.BOTH: Both("naar boven of naar beneden", "upwards or downwards"),
}
_HAVING = Both(" met een waarde {l}", " with a value {l}")
_HAVING_ANSWER = Both(" ({l})", " ({l})")
_HAD_ANSWER = Both("was", "were")
_BEING = Both(" een waarde {l}", " a value {l}")
_TARGET = Both(
    "de streefwaarde van {l} (gewone schommeling: {s})", "the target of {l} (usual variation: {s})"
)
_LEARNT = Both("het begin (de eerste {l} met metingen)", "the beginning (the first {l} with readings)")
_USUAL = Both("uit {l}, tot {gap} geleden", "from {l}, up to {gap} ago")
_USUAL_TILL_NOW = Both("uit {l} tot vandaag", "from {l} up to today")
_SCHEDULE = Both("{days} vóór {before} uur", "{days} before {before}")
_EVERY_DAY, _ON = Both("elke dag", "every day"), Both("op {l}", "on {l}")
_UNKNOWN_SCHEDULE = Both("schema ‘{l}’", "schedule ‘{l}’")
_OF_SCHEDULE = Both("de meting van het schema ‘{l}’", "the measurement of the schedule ‘{l}’")
_SCALE_2 = Both(", schaal 2 voor de zuurstofsaturatie", ", scale 2 for the oxygen saturation")
_BY_NAME = Both("de grens ‘{l}’", "the limit ‘{l}’")


@dataclass(frozen=True, slots=True)
class Given:
    """What the names in conditions stood for at a moment, personal or the programme's own."""

    limits: Mapping[str, Amount] = field(default_factory=dict[str, Amount])
    schedules: Mapping[str, Schedule] = field(default_factory=dict[str, Schedule])

    def kind(self, feature: Feature) -> str:
        """The kind that a feature is about; of an unknown schedule its name, of NEWS2 none."""
        if feature.name is FeatureName.MISSED and feature.subject in self.schedules:
            return self.schedules[feature.subject].kind
        return feature.subject

    def named(self, limit: str, kind: str, language: Language) -> str:
        """A limit in words, by its name where it is not known."""
        amount = self.limits.get(limit)
        if amount is None:
            return _BY_NAME.said(language).format(l=limit)
        return amount_in_words(amount, kind, language)


def slots(feature: Feature, given: Given, language: Language) -> dict[str, str]:
    """What fills the braces of any form, but for the value."""
    words = _words(feature, given, language)
    return {
        "k": words.the,
        "article": words.article,
        "reading": words.reading,
        "a_reading": f"{'an' if words.reading[0] in 'aeiou' else 'a'} {words.reading}",
        "readings": words.readings,
        "measured": words.measured,
        "w": figures.window(feature.window_us, language),
        "before": _days(feature.usual_days, language),
        "short": _days(feature.short_days, language),
        "long": _days(feature.long_days, language),
        "smoothing": f"{figures.exact(round(100 * feature.smoothing, 9), language)} %",
        "slack": f"{figures.exact(feature.slack, language)} {USUAL_VARIATION.said(language)}",
        "side": _SIDES[feature.side].said(language),
        "reference": _reference(feature, given, language),
        "usual": _usual(feature, language),
        "schedule": _schedule(feature, given, language),
        "scale": _scale(feature, given, language),
        **_bounds(feature, given, language),
    }


def _words(feature: Feature, given: Given, language: Language) -> KindWords:
    kind = given.kind(feature)
    if kind in KIND_BY_NAME or feature.name is not FeatureName.MISSED:
        return kind_words(kind, language)
    return kind_words("", language).of(_OF_SCHEDULE.said(language).format(l=kind))


def _days(days: int, language: Language) -> str:
    return figures.window(days * DAY_US, language)


def _bounds(feature: Feature, given: Given, language: Language) -> dict[str, str]:
    if not feature.bounds:
        return {"having": "", "had": "", "being": ""}
    kind = given.kind(feature)
    known = KIND_BY_NAME.get(kind)
    amounts = [(bound.comparator, given.limits.get(bound.limit)) for bound in feature.bounds]
    values = [(comparator, amount.value) for comparator, amount in amounts if amount is not None]
    if known is not None and known.is_coded and len(values) == len(amounts):
        which = answers(kind, values, language)
        having, had, being = _HAVING_ANSWER, _HAD_ANSWER.said(language), f" {which}"
    else:
        sides = [
            _BOUNDS[bound.comparator].said(language).format(l=given.named(bound.limit, kind, language))
            for bound in feature.bounds
        ]
        which = listed(sides, AND, language)
        having, had, being = _HAVING, "had", _BEING.said(language).format(l=which)
    return {"having": having.said(language).format(l=which), "had": had, "being": being}


def _reference(feature: Feature, given: Given, language: Language) -> str:
    if not feature.target:
        return _LEARNT.said(language).format(l=_days(feature.learn_days, language))
    target, spread = (given.named(x, feature.subject, language) for x in (feature.target, feature.spread))
    return _TARGET.said(language).format(l=target, s=spread)


def _usual(feature: Feature, language: Language) -> str:
    text = _USUAL if feature.gap_days else _USUAL_TILL_NOW
    window, gap = figures.window(feature.window_us, language), _days(feature.gap_days, language)
    return text.said(language).format(l=window, gap=gap)


def _schedule(feature: Feature, given: Given, language: Language) -> str:
    schedule = given.schedules.get(feature.subject)
    return (
        _UNKNOWN_SCHEDULE.said(language).format(l=feature.subject)
        if schedule is None
        else agreed(schedule, language)
    )


def agreed(schedule: Schedule, language: Language) -> str:
    """When something is measured.

    >>> agreed(Schedule(kind="body_weight", before="11:00", on=("mon", "thu")), Language.NL)
    'op maandag en donderdag vóór 11:00 uur'
    """
    days = _EVERY_DAY.said(language)
    if len(schedule.on) < len(WEEKDAYS):
        names = [WEEKDAYS[day].said(language) for day in WEEKDAYS if day in schedule.on]
        days = _ON.said(language).format(l=listed(names, AND, language))
    return _SCHEDULE.said(language).format(days=days, before=schedule.before)


def _scale(feature: Feature, given: Given, language: Language) -> str:
    scale = given.limits.get(feature.scale)
    if feature.name not in NEWS2_FEATURES or scale is None or scale.value < 2:
        return ""
    return _SCALE_2.said(language)
