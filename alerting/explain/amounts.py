"""Amounts and answers in words: a number with its unit, a set of answers between bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerting.engine.features import Comparator
from alerting.engine.programme import TIME_UNITS_US
from alerting.explain import figures
from alerting.explain.vocabulary import OR, PER_MINUTE, UNIT_WORDS, Both, Language, code_words, listed
from models.findings import CODE_UNIT
from models.kinds import KIND_BY_NAME

MOST_LISTED = 4
"""Of more answers than these one says which are not meant."""

_SATISFIED: Mapping[Comparator, tuple[int, ...]] = {
    Comparator.ABOVE: (1,),
    Comparator.AT_LEAST: (0, 1),
    Comparator.BELOW: (-1,),
    Comparator.AT_MOST: (-1, 0),
}
_NO_ANSWER = Both("geen enkel antwoord", "no answer at all")
_ANY_ANSWER = Both("elk antwoord", "any answer")
_NOT_ANSWER = Both("iets anders dan {l}", "anything but {l}")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in a unit."""

    value: float
    unit: str


def order(value: float, limit: float, unit: str) -> int:
    """Whether a value lies below (−1), at (0) or above (1) a limit, as the engine compares them."""
    if unit in TIME_UNITS_US:
        first, second = figures.in_us(value, unit), figures.in_us(limit, unit)
        return (first > second) - (first < second)
    return figures.order(value, limit)


def satisfied(comparator: Comparator, of: int) -> bool:
    """Whether what lies so (`order`) satisfies a comparison.

    >>> satisfied(Comparator.AT_LEAST, order(2.0, 2.0, "kg"))
    True
    """
    return of in _SATISFIED[comparator]


def amount_in_words(amount: Amount, kind: str, language: Language) -> str:
    """An amount of a kind as it is, without anything beside it; an answer by its words.

    >>> amount_in_words(Amount(2.0, "kg"), "body_weight", Language.NL)
    '2,0 kg'
    """
    if amount.unit in TIME_UNITS_US:
        us = figures.in_us(amount.value, amount.unit)
        return figures.length(us, language, beside_us=us)
    if amount.unit == CODE_UNIT:
        return answer(kind, amount.value, language)
    text = figures.number(amount.value, language, figures.decimals_of(amount.unit, amount.value))
    return f"{text} {unit_words(amount.unit, kind, amount.value, language)}".rstrip()


def received_in_words(amount: Amount, kind: str, language: Language) -> str:
    """A reading as it was received, with every digit."""
    if amount.unit == CODE_UNIT:
        return answer(kind, amount.value, language)
    text = figures.exact(amount.value, language)
    return f"{text} {unit_words(amount.unit, kind, amount.value, language)}".rstrip()


def unit_words(unit: str, kind: str, value: float, language: Language) -> str:
    """A unit as it is said after a value.

    >>> unit_words("/min", "heart_rate", 40, Language.NL), unit_words("kg/d", "body_weight", 1, Language.EN)
    ('slagen per minuut', 'kg per day')
    """
    if unit.endswith("/d"):
        each = Both("per dag", "per day").said(language)
        return f"{unit_words(unit.removesuffix('/d'), kind, value, language)} {each}".lstrip()
    words = PER_MINUTE.get(kind) if unit == "/min" else None
    words = words or UNIT_WORDS.get(unit)
    return unit if words is None else words[value != 1].said(language)


def answer(kind: str, number: float, language: Language) -> str:
    """An answer by its words, by its number where the kind has none of that number."""
    return code_words(kind, number, language) or figures.exact(number, language)


def answers(kind: str, bounds: Sequence[tuple[Comparator, float]], language: Language) -> str:
    """The answers of a kind that lie within all bounds.

    >>> answers("symptom_dyspnoea", [(Comparator.AT_LEAST, 2.0)], Language.NL)
    'matig of ernstig'
    """
    every = range(len(KIND_BY_NAME[kind].codes) if kind in KIND_BY_NAME else 0)
    inside = [n for n in every if all(satisfied(c, figures.order(n, limit)) for c, limit in bounds)]
    if not inside:
        return _NO_ANSWER.said(language)
    if len(inside) == len(every):
        return _ANY_ANSWER.said(language)
    if len(inside) > MOST_LISTED:
        outside = [n for n in every if n not in inside]
        return _NOT_ANSWER.said(language).format(l=_either(kind, outside, language))
    return _either(kind, inside, language)


def _either(kind: str, numbers: Sequence[int], language: Language) -> str:
    return listed([answer(kind, number, language) for number in numbers], OR, language)
