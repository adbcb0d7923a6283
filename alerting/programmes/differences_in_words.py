"""Differences between two versions as a page and as data."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from alerting.engine.programme import Programme
from alerting.explain.vocabulary import Both, Language
from alerting.programmes.differences import About, Change, Difference

_WIDTH = 100
_ABOUT = {
    About.PROGRAMME: Both("Programma", "Programme"),
    About.LIMIT: Both("Grens", "Limit"),
    About.SCHEDULE: Both("Meetmoment", "Schedule"),
    About.RULE: Both("Regel", "Rule"),
}
_BECAME = {
    Change.ADDED: Both("nieuw", "new"),
    Change.REMOVED: Both("vervallen", "gone"),
    Change.CHANGED: Both("gewijzigd", "changed"),
}
_FIELDS = {
    "programme": Both("naam", "name"),
    "version": Both("versie", "version"),
    "title": Both("titel", "title"),
    "source": Both("bron", "source"),
    "mark": Both("zekerheid", "trust"),
    "text": Both("tekst", "text"),
    "signal": Both("gaat over", "about"),
    "severity": Both("ernst", "severity"),
    "when": Both("meldt zich als", "speaks when"),
    "raise": Both("wordt ernstiger als", "gets worse when"),
    "raised_severity": Both("ernst dan", "severity then"),
    "clear": Both("voorbij als", "over when"),
    "k_of_n": Both("herhaald", "repeated"),
    "held_for": Both("houdt aan", "lasts"),
    "max_age": Both("een meting telt", "a reading counts for"),
    "cooldown": Both("daarna stil", "quiet afterwards"),
    "default": Both("waarde", "value"),
    "low": Both("laagst mogelijk", "lowest possible"),
    "high": Both("hoogst mogelijk", "highest possible"),
    "kind": Both("meting", "measurement"),
    "times": Both("wanneer", "when"),
}
_SAME = Both("Deze twee zeggen hetzelfde.", "These two say the same.")
_IN_RULES = Both("in de regels", "in the rules")
_QUOTED = frozenset({"text", "title", "source"})


def page(
    first: Programme, second: Programme, found: Sequence[Difference], language: Language
) -> Iterator[str]:
    """The lines of a page in one language."""
    yield f"{_name(first)} → {_name(second)}"
    if not found:
        yield _SAME.said(language)
    last = None
    for difference in found:
        if (difference.about, difference.name) != last:
            last = difference.about, difference.name
            yield ""
            yield _heading(difference, found, language)
        yield from _field(difference, language)


def structure(first: Programme, second: Programme, found: Sequence[Difference]) -> dict[str, object]:
    """The same as data."""
    return {
        "equal": not found,
        "from": _identity(first),
        "to": _identity(second),
        "differences": [
            {
                "about": one.about.value,
                "name": one.name or None,
                "field": one.field,
                "change": one.change.value,
                "from": None if one.was is None else one.was._asdict(),
                "to": None if one.now is None else one.now._asdict(),
                "rules": list(one.of),
            }
            for one in found
        ],
    }


def _heading(difference: Difference, found: Sequence[Difference], language: Language) -> str:
    own = [one for one in found if (one.about, one.name) == (difference.about, difference.name)]
    changes = {one.change for one in own}
    change = changes.pop() if len(changes) == 1 else Change.CHANGED
    heading = f"{_ABOUT[difference.about].said(language)} {difference.name}".rstrip()
    rules = f" ({_IN_RULES.said(language)} {', '.join(difference.of)})" if difference.of else ""
    return f"{heading}{rules}: {_BECAME[change].said(language)}"


def _field(difference: Difference, language: Language) -> Iterator[str]:
    name = _FIELDS[difference.field].said(language)
    was, now = (
        None if said is None else _quoted(difference.field, said.said(language))
        for said in (difference.was, difference.now)
    )
    if was is None or now is None:
        yield from _wrapped(f"  {name}: ", (was or "") + (now or ""))
        return
    if len(name) + len(was) + len(now) < _WIDTH - 10:
        yield f"  {name}: {was} → {now}"
        return
    yield f"  {name}:"
    yield from _wrapped("    − ", was)
    yield from _wrapped("    + ", now)


def _quoted(field: str, text: str) -> str:
    return f"“{text}”" if field in _QUOTED else text


def _wrapped(begin: str, text: str) -> list[str]:
    return wrap(
        text, _WIDTH, initial_indent=begin, subsequent_indent=" " * len(begin), break_on_hyphens=False
    )


def _name(of: Programme) -> str:
    return f"{of.programme} {of.version} ({of.hash[:8]}…)"


def _identity(of: Programme) -> dict[str, object]:
    return {"programme": of.programme, "version": of.version, "hash": of.hash}
