"""What one version of a programme says otherwise than another, in words: rules, limits, schedules; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from alerting.engine.expressions import Condition, comparisons
from alerting.engine.programme import Duration, Limit, Programme, Rule, Schedule, Texts
from alerting.explain import figures
from alerting.explain.amounts import Amount, amount_in_words
from alerting.explain.conditions import in_words
from alerting.explain.personal import Personal, given
from alerting.explain.slots import agreed
from alerting.explain.vocabulary import MARKS, SEVERITIES, SIGNALS, Both, Language, kind_name


class About(StrEnum):
    """What a difference is about."""

    PROGRAMME = "programme"
    LIMIT = "limit"
    SCHEDULE = "schedule"
    RULE = "rule"


class Change(StrEnum):
    """What became of it."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one thing: as the first version has it, and as the second; None where it has none.

    `of` are the rules that a limit is in, whose meaning moves with it.
    """

    about: About
    name: str
    field: str
    was: Both | None
    now: Both | None
    of: tuple[str, ...] = ()

    @property
    def change(self) -> Change:
        """Whether it is new, gone, or another."""
        if self.was is None:
            return Change.ADDED
        return Change.REMOVED if self.now is None else Change.CHANGED


class _Field(NamedTuple):
    """What is compared, exactly, and how it is said: two may read the same and not be the same."""

    exact: object
    said: Both


@dataclass(frozen=True, slots=True)
class _Part:
    """One thing with its fields."""

    about: About
    name: str
    fields: Mapping[str, _Field]
    of: tuple[str, ...] = ()


_NOTHING = _Field(None, Both("geen", "none"))


def differences(first: Programme, second: Programme) -> list[Difference]:
    """All of them; none when the two have the same hash, whatever their files look like."""
    if first.hash == second.hash:
        return []
    was, now = _parts(first), _parts(second)
    found: list[Difference] = []
    for key in [*was, *(key for key in now if key not in was)]:
        found += _of_part(was.get(key), now.get(key))
    return found


def _parts(programme: Programme) -> dict[tuple[About, str], _Part]:
    """Everything that a version says: first what it is, then what people notice first."""
    kinds, used = _kinds(programme), _used(programme)
    parts = [_Part(About.PROGRAMME, "", _programme(programme))]
    parts += [_Part(About.RULE, name, _rule(programme, rule)) for name, rule in programme.rules.items()]
    parts += [
        _Part(About.LIMIT, name, _limit(limit, kinds.get(name, "")), used.get(name, ()))
        for name, limit in programme.limits.items()
    ]
    parts += [_Part(About.SCHEDULE, n, _schedule(schedule)) for n, schedule in programme.schedule.items()]
    return {(part.about, part.name): part for part in parts}


def _of_part(was: _Part | None, now: _Part | None) -> Iterator[Difference]:
    part = was or now
    if part is None:
        return
    of = tuple(dict.fromkeys([*(was.of if was else ()), *(now.of if now else ())]))
    nothing: Mapping[str, _Field] = {}
    before, after = was.fields if was else nothing, now.fields if now else nothing
    for name in [*before, *(name for name in after if name not in before)]:
        # A field that one of them does not use is none there; a thing that is not there has no fields.
        old, new = before.get(name, _NOTHING if was else None), after.get(name, _NOTHING if now else None)
        if old is None or new is None or old.exact != new.exact:
            yield Difference(part.about, part.name, name, old and old.said, new and new.said, of)


def _programme(programme: Programme) -> dict[str, _Field]:
    return {
        "programme": _plain(programme.programme),
        "version": _plain(programme.version),
        "title": _texts(programme.title),
        "source": _plain(programme.source),
    }


def _rule(programme: Programme, rule: Rule) -> dict[str, _Field]:
    fields = {
        "text": _texts(rule.text),
        "signal": _Field(rule.signal, SIGNALS[rule.signal]),
        "severity": _Field(rule.severity, SEVERITIES[rule.severity]),
        "when": _condition(programme, rule.when),
    }
    if rule.raise_ is not None:
        fields["raise"] = _condition(programme, rule.raise_.when)
        fields["raised_severity"] = _Field(rule.raise_.severity, SEVERITIES[rule.raise_.severity])
    fields["clear"] = _condition(programme, rule.clear)
    if rule.k_of_n is not None:
        k, n = rule.k_of_n.k, rule.k_of_n.n
        said = Both(f"{k} van de laatste {n} metingen", f"{k} of the last {n} readings")
        fields["k_of_n"] = _Field((k, n), said)
    for name in ("held_for", "max_age", "cooldown"):
        duration: Duration | None = getattr(rule, name)
        if duration is not None:
            window = Both(*(figures.window(duration.us, language) for language in Language))
            fields[name] = _Field(duration, window)
    return fields | _trust(rule.mark, rule.source)


def _condition(programme: Programme, condition: Condition) -> _Field:
    """By the names of limits it is compared, with their values it is said."""
    known = given(programme, Personal())
    return _Field(str(condition), Both(*(in_words(condition, known, language) for language in Language)))


def _limit(limit: Limit, kind: str) -> dict[str, _Field]:
    def amount(value: float) -> _Field:
        said = (amount_in_words(Amount(value, limit.unit), kind, language) for language in Language)
        return _Field((value, limit.unit), Both(*said))

    return {
        "default": amount(limit.default),
        "low": amount(limit.low),
        "high": amount(limit.high),
        "text": _texts(limit.text),
        **_trust(limit.mark, limit.source),
    }


def _schedule(schedule: Schedule) -> dict[str, _Field]:
    kind = Both(*(kind_name(schedule.kind, language) for language in Language))
    times = Both(*(agreed(schedule, language) for language in Language))
    return {"kind": _Field(schedule.kind, kind), "times": _Field((schedule.before, schedule.on), times)}


def _kinds(programme: Programme) -> dict[str, str]:
    """What each limit is compared with, as far as a rule says so."""
    known = given(programme, Personal())
    return {
        comparison.limit: known.kind(comparison.feature)
        for rule in programme.rules.values()
        for _, condition in rule.conditions()
        for comparison in comparisons(condition)
    }


def _used(programme: Programme) -> dict[str, tuple[str, ...]]:
    """The rules that name each limit, in their conditions or within a feature."""
    used: dict[str, dict[str, None]] = {}
    for name, rule in programme.rules.items():
        for _, condition in rule.conditions():
            for comparison in comparisons(condition):
                for limit in (comparison.limit, *comparison.feature.limits()):
                    used.setdefault(limit, {})[name] = None
    return {limit: tuple(names) for limit, names in used.items()}


def _trust(mark: str, source: str) -> dict[str, _Field]:
    return {"mark": _Field(mark, MARKS[mark]), "source": _plain(source)}


def _texts(texts: Texts) -> _Field:
    return _Field((texts.nl, texts.en), Both(texts.nl, texts.en))


def _plain(value: object) -> _Field:
    return _Field(value, Both(str(value), str(value)))
