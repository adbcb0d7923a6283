"""Where a limit comes from: the programme or a person, and how far its number can be trusted."""

from alerting.explain.amounts import Amount, amount_in_words
from alerting.explain.explanation import Source
from alerting.explain.moments import moment
from alerting.explain.vocabulary import MARKS, Both, Language

_DEFAULT = Both("de standaard van het programma, {mark}", "the default of the programme, {mark}")
_PERSONAL = Both(
    "persoonlijk, ingesteld door {by}, geldig vanaf {since}{until}. De standaard is {default}, {mark}",
    "personal, set by {by}, in force from {since}{until}. The default is {default}, {mark}",
)
_UNTIL = Both(" tot {l}", " until {l}")
_UNTRACED = Both(
    "hoe deze grens is ingesteld, is niet te zien. De standaard is {default}, {mark}",
    "how this limit was set cannot be seen. The default is {default}, {mark}",
)
_NO_SOURCE = Both(
    "waar deze grens vandaan komt, is niet te zien", "where this limit comes from cannot be seen"
)


def in_words(source: Source, language: Language) -> str:
    """A limit, whose it is, and what it rests on."""
    amount = amount_in_words(source.amount, source.kind, language)
    limit, held = source.limit, source.held
    if limit is None:
        return f"{amount} (‘{source.name}’): {_NO_SOURCE.said(language)}."
    default = amount_in_words(Amount(limit.default, limit.unit), source.kind, language)
    mark = rests_on(limit.mark, limit.source, language)
    text = _DEFAULT if held is None else _PERSONAL
    slots = {"default": default, "mark": mark}
    if not source.agrees:
        text = _UNTRACED
    elif held is not None:
        until_us = held.limit.until_us
        until = "" if until_us is None else _UNTIL.said(language).format(l=moment(until_us, language))
        slots |= {"by": held.limit.set_by, "since": moment(held.since_us, language), "until": until}
    said = text.said(language).format_map(slots)
    return f"{amount} ({Both(limit.text.nl, limit.text.en).said(language)}): {said}."


def rests_on(mark: str, source: str, language: Language) -> str:
    """How far a number can be trusted, with its source as it is written in the programme."""
    cited = source.removeprefix("proposal").lstrip(" ,;:") if mark == "P" else source
    return MARKS[mark].said(language) + (f" (“{cited}”)" if cited else "")
