"""Whole conditions in words: what must be true for a finding to open, to rise, to clear."""

from dataclasses import replace

from alerting.engine.expressions import All, AnyOf, Comparison, Condition, Not
from alerting.engine.features import Comparator
from alerting.engine.programme import COUNT_UNIT
from alerting.explain.sentences import Compared, criterion
from alerting.explain.slots import Given
from alerting.explain.vocabulary import AND, OR, Both, Language

_OPPOSITE = {
    Comparator.ABOVE: Comparator.AT_MOST,
    Comparator.AT_LEAST: Comparator.BELOW,
    Comparator.BELOW: Comparator.AT_LEAST,
    Comparator.AT_MOST: Comparator.ABOVE,
}
_CLAUSE = Both("{phrase} {wanted} is", "{phrase} is {wanted}")


def in_words(condition: Condition, given: Given, language: Language) -> str:
    """A condition as the clause after "when" ("als").

    >>> from alerting.engine.expressions import parse
    >>> in_words(parse("not last(systolic) < low"), Given(), Language.EN)
    'the last value of the systolic pressure is the limit ‘low’ or more'
    """
    return _joined(_positive(condition), given, language)


def _positive(condition: Condition, *, denied: bool = False) -> Condition:
    """The same without *not*, which turns comparisons around, also where something is unknown."""
    match condition:
        case Comparison():
            return replace(condition, comparator=_OPPOSITE[condition.comparator]) if denied else condition
        case Not(part):
            return _positive(part, denied=not denied)
        case All(parts) | AnyOf(parts):
            every = isinstance(condition, All) != denied
            turned = tuple(_positive(part, denied=denied) for part in parts)
            return All(turned) if every else AnyOf(turned)


def _joined(condition: Condition, given: Given, language: Language) -> str:
    match condition:
        case Comparison():
            return _clause(condition, given, language)
        case All(parts) | AnyOf(parts):
            word = (AND if isinstance(condition, All) else OR).said(language)
            return f" {word} ".join(_bracketed(part, given, language) for part in parts)
        case Not():
            raise AssertionError("a condition without not")


def _bracketed(condition: Condition, given: Given, language: Language) -> str:
    text = _joined(condition, given, language)
    return text if isinstance(condition, Comparison) else f"({text})"


def _clause(comparison: Comparison, given: Given, language: Language) -> str:
    limit = given.limits.get(comparison.limit)
    compared = Compared(
        feature=comparison.feature,
        comparator=comparison.comparator,
        limit=comparison.limit,
        unit=COUNT_UNIT if limit is None else limit.unit,
        limit_value=None if limit is None else limit.value,
    )
    phrase, wanted = criterion(compared, given, language)
    return _CLAUSE.said(language).format(phrase=phrase, wanted=wanted)
