"""Whole conditions in words: what must be true for a finding to open, to rise, to clear."""

from collections.abc import Iterator
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
_LINE = Both("{phrase} is {wanted}", "{phrase} is {wanted}")
_EVERY = Both("alles hiervan geldt", "all of this holds")
_ONE = Both("één hiervan geldt", "one of these holds")
_EVERY_OF, _ONE_OF = Both("alles hiervan:", "all of this:"), Both("één hiervan:", "one of these:")


def in_words(condition: Condition, given: Given, language: Language) -> str:
    """A condition as the clause after "when" ("als").

    >>> from alerting.engine.expressions import parse
    >>> in_words(parse("not last(systolic) < low"), Given(), Language.EN)
    'the last value of the systolic pressure is the limit ‘low’ or more'
    """
    return _joined(_positive(condition), given, language)


def as_list(condition: Condition, given: Given, language: Language) -> tuple[str, list[str]]:
    """The same with what is joined as a list: the clause, and the lines below it; none for one comparison.

    >>> from alerting.engine.expressions import parse
    >>> as_list(parse("last(systolic) < low or last(systolic) > high"), Given(), Language.EN)[0]
    'one of these holds'
    """
    positive = _positive(condition)
    if isinstance(positive, Comparison):
        return _clause(positive, given, language, _CLAUSE), []
    clause = (_EVERY if isinstance(positive, All) else _ONE).said(language)
    return clause, list(_lines(positive, given, language))


def _lines(condition: Condition, given: Given, language: Language, indent: str = "") -> Iterator[str]:
    for part in condition.parts if isinstance(condition, All | AnyOf) else ():
        if isinstance(part, Comparison):
            yield f"{indent}- {_clause(part, given, language, _LINE)}"
        else:
            yield f"{indent}- {(_EVERY_OF if isinstance(part, All) else _ONE_OF).said(language)}"
            yield from _lines(part, given, language, f"{indent}  ")


def _positive(condition: Condition, *, denied: bool = False) -> Condition:
    """The same without *not*, which turns comparisons around, and without *and* in *and*, *or* in *or*.

    Also where something is unknown: neither a comparison nor its opposite is true then.
    """
    match condition:
        case Comparison():
            return replace(condition, comparator=_OPPOSITE[condition.comparator]) if denied else condition
        case Not(part):
            return _positive(part, denied=not denied)
        case All(parts) | AnyOf(parts):
            kind = All if isinstance(condition, All) != denied else AnyOf
            turned = [_positive(part, denied=denied) for part in parts]
            return kind(tuple(one for part in turned for one in _same(part, kind)))


def _same(part: Condition, kind: type[All | AnyOf]) -> tuple[Condition, ...]:
    return part.parts if isinstance(part, kind) else (part,)


def _joined(condition: Condition, given: Given, language: Language) -> str:
    match condition:
        case Comparison():
            return _clause(condition, given, language, _CLAUSE)
        case All(parts) | AnyOf(parts):
            word = (AND if isinstance(condition, All) else OR).said(language)
            return f" {word} ".join(_bracketed(part, given, language) for part in parts)
        case Not():
            raise AssertionError("a condition without not")


def _bracketed(condition: Condition, given: Given, language: Language) -> str:
    text = _joined(condition, given, language)
    return text if isinstance(condition, Comparison) else f"({text})"


def _clause(comparison: Comparison, given: Given, language: Language, clause: Both) -> str:
    limit = given.limits.get(comparison.limit)
    compared = Compared(
        feature=comparison.feature,
        comparator=comparison.comparator,
        limit=comparison.limit,
        unit=COUNT_UNIT if limit is None else limit.unit,
        limit_value=None if limit is None else limit.value,
    )
    phrase, wanted = criterion(compared, given, language)
    return clause.said(language).format(phrase=phrase, wanted=wanted)
