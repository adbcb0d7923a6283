"""One comparison of a condition as a sentence: what was found, beside the limit it was compared with."""

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.engine.features import Comparator, Feature, FeatureName
from alerting.engine.programme import TIME_UNITS_US
from alerting.explain import figures
from alerting.explain.amounts import Amount, amount_in_words, answer, answers, order, satisfied, unit_words
from alerting.explain.forms import FORMS, OF_CODES, OF_PERCENTAGES, Form
from alerting.explain.slots import Given, slots
from alerting.explain.vocabulary import DAY, PERCENTAGE_POINT, USUAL_VARIATION, Both, Language
from models.findings import CODE_UNIT
from models.kinds import KIND_BY_NAME

_IN_SPREADS = frozenset({FeatureName.EWMA, FeatureName.CUSUM, FeatureName.DEVIATION})
_SIGNED = frozenset({FeatureName.SLOPE, FeatureName.EWMA, FeatureName.MACD, FeatureName.DEVIATION})
_DIFFERENCES = frozenset({FeatureName.RISE, FeatureName.FALL})

_CRITERIA: Mapping[Comparator, Both] = {
    Comparator.ABOVE: Both("meer dan {l}", "more than {l}"),
    Comparator.AT_LEAST: Both("{l} of meer", "{l} or more"),
    Comparator.BELOW: Both("minder dan {l}", "less than {l}"),
    Comparator.AT_MOST: Both("{l} of minder", "{l} or less"),
}
_REACHED: Mapping[int, Both] = {
    1: Both("dat is meer dan de grens van {l}", "that is more than the limit of {l}"),
    0: Both("dat is precies de grens van {l}", "that is exactly the limit of {l}"),
    -1: Both("dat is minder dan de grens van {l}", "that is less than the limit of {l}"),
}
_NOT_REACHED = Both("de grens van {l} is niet bereikt", "the limit of {l} is not reached")
_ANSWERED: Mapping[bool, Both] = {
    True: Both("de grens is bereikt: {l}", "the limit is reached: {l}"),
    False: Both("de grens is niet bereikt: {l}", "the limit is not reached: {l}"),
}
_LIMIT_IS = Both("de grens is {l}", "the limit is {l}")
_NO_LIMIT = Both("de grens ‘{l}’ is niet bekend", "the limit ‘{l}’ is not known")
_NO_VALUE = Both("{l} is niet bekend", "{l} is not known")


@dataclass(frozen=True, slots=True)
class Compared:
    """A feature beside its limit; `comparator` is None where nothing tells it any more.

    **Units**: `value` and `limit_value` in `unit`; None where unknown.
    """

    feature: Feature
    comparator: Comparator | None
    limit: str
    unit: str
    limit_value: float | None
    value: float | None = None
    holds: bool | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the comparison holds: as stored with the finding, else from its numbers."""
        if self.value is None or self.limit_value is None or self.comparator is None:
            return None
        if self.holds is not None:
            return self.holds
        return satisfied(self.comparator, order(self.value, self.limit_value, self.unit))


def sentence(compared: Compared, given: Given, language: Language) -> str:
    """What was found beside its limit.

    >>> from alerting.engine.expressions import parse
    >>> rise = parse("rise(body_weight, days=3) > gain")
    >>> found = Compared(rise.feature, rise.comparator, "gain", "kg", limit_value=2.0, value=2.4)
    >>> sentence(found, Given(), Language.NL)
    'Het gewicht steeg 2,4 kg in 3 dagen; dat is meer dan de grens van 2,0 kg.'
    """
    statement, judgement = _statement(compared, given, language), _judgement(compared, given, language)
    return f"{capital(statement)}; {judgement}."


def criterion(compared: Compared, given: Given, language: Language) -> tuple[str, str]:
    """A comparison without its value: what is compared, and what it has to be."""
    return _phrase(compared, given, language), _wanted(compared, given, language)


def capital(text: str) -> str:
    """As the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _statement(compared: Compared, given: Given, language: Language) -> str:
    value = compared.value
    if value is None:
        return _NO_VALUE.said(language).format(l=_phrase(compared, given, language))
    form = _form(compared, given)
    text = form.statement
    if form.one is not None and value == 1:
        text = form.one
    elif form.negative is not None and value < 0:
        text = form.negative
    v = _value(compared, given, language, value)
    return text.said(language).format_map({**slots(compared.feature, given, language), "v": v})


def _phrase(compared: Compared, given: Given, language: Language) -> str:
    text = _form(compared, given).phrase.said(language)
    return text.format_map(slots(compared.feature, given, language))


def _judgement(compared: Compared, given: Given, language: Language) -> str:
    value, limit, reached = compared.value, compared.limit_value, compared.reached
    if limit is None:
        return _NO_LIMIT.said(language).format(l=compared.limit)
    wanted = _wanted(compared, given, language)
    if value is None or reached is None:
        return _LIMIT_IS.said(language).format(l=wanted)
    if compared.unit == CODE_UNIT:
        return _ANSWERED[reached].said(language).format(l=wanted)
    if not reached:
        return _NOT_REACHED.said(language).format(l=wanted)
    amount = _limit(compared, given, language, limit)
    return _REACHED[order(value, limit, compared.unit)].said(language).format(l=amount)


def _wanted(compared: Compared, given: Given, language: Language) -> str:
    """What the value has to be: more than 2 kg, moderate or severe."""
    limit, comparator = compared.limit_value, compared.comparator
    if limit is not None and comparator is not None and compared.unit == CODE_UNIT:
        return answers(given.kind(compared.feature), [(comparator, limit)], language)
    if limit is None:
        amount = given.named(compared.limit, given.kind(compared.feature), language)
    else:
        amount = _limit(compared, given, language, limit)
    return amount if comparator is None else _CRITERIA[comparator].said(language).format(l=amount)


def _form(compared: Compared, given: Given) -> Form:
    name = compared.feature.name
    if compared.unit == CODE_UNIT and name in OF_CODES:
        return OF_CODES[name]
    if name in _DIFFERENCES and compared.unit == "%" and not _is_percentage(given.kind(compared.feature)):
        return OF_PERCENTAGES[name]
    return FORMS[name]


def _value(compared: Compared, given: Given, language: Language, value: float) -> str:
    """A value in words: rounded, but on its own side of the limit."""
    unit, limit = compared.unit, compared.limit_value
    if unit in TIME_UNITS_US:
        limit_us = None if limit is None else figures.in_us(limit, unit)
        return figures.length(figures.in_us(value, unit), language, limit_us)
    if unit == CODE_UNIT:
        return answer(given.kind(compared.feature), value, language)
    decimals, signed = figures.decimals_for(unit, value, limit), compared.feature.name in _SIGNED
    return _with_unit(
        figures.number(value, language, decimals, signed=signed), value, compared, given, language
    )


def _limit(compared: Compared, given: Given, language: Language, limit: float) -> str:
    """A limit in words, exactly."""
    unit, kind = compared.unit, given.kind(compared.feature)
    if unit in TIME_UNITS_US or unit == CODE_UNIT:
        return amount_in_words(Amount(limit, unit), kind, language)
    decimals = figures.decimals_of(unit, limit)
    return _with_unit(figures.number(limit, language, decimals), limit, compared, given, language)


def _with_unit(number: str, value: float, compared: Compared, given: Given, language: Language) -> str:
    unit = _unit(compared.feature, compared.unit, given.kind(compared.feature), value, language)
    return f"{number} {unit}".rstrip()


def _unit(feature: Feature, unit: str, kind: str, value: float, language: Language) -> str:
    if feature.name in _IN_SPREADS:
        return USUAL_VARIATION.said(language)
    if feature.name is FeatureName.DAYS_WITH:
        return DAY[value != 1].said(language)
    if feature.name in _DIFFERENCES and unit == "%" and _is_percentage(kind):
        return PERCENTAGE_POINT.said(language)
    return unit_words(unit, kind, value, language)


def _is_percentage(kind: str) -> bool:
    return kind in KIND_BY_NAME and KIND_BY_NAME[kind].unit == "%"
