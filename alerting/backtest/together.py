"""Versions side by side in one engine: readings are taken in once, features computed once, for all of them.

Each different programme of any version is evaluated under a name of its own, and once, however many versions
it is part of. Rules of several programmes of one patient do not see each other: what a version finds is what
it would find alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.found import FoundRule
from alerting.backtest.versions import Version
from alerting.engine.compiled import CompiledProgrammes, CompiledRule, compile_programmes
from alerting.engine.programme import Programme
from alerting.offline.evaluation import History
from models.messages import AnyChange, Enrol, MoveVersion, SetLimits, SetSchedule, Withdraw

MOST_KNOWN = 100_000

OfProgramme = Enrol | MoveVersion | SetLimits | SetSchedule | Withdraw
"""The changes that speak of one programme."""


@dataclass(frozen=True, slots=True)
class Line:
    """A programme in all versions that a set has of it, under the name that the engine knows it by."""

    alias: str
    programme: str
    versions: Sequence[Programme]

    def number(self, recorded: int) -> int:
        """The version by which somebody is judged who was in that one: the newest, where it is not here."""
        numbers = [each.version for each in self.versions]
        return recorded if recorded in numbers else numbers[-1]

    def compiled(self) -> Iterator[Programme]:
        """Its programmes as the engine is to know them."""
        return (each.model_copy(update={"programme": self.alias}) for each in self.versions)

    def heard(self, change: OfProgramme) -> AnyChange:
        """What a change of this programme means for the line."""
        update: dict[str, object] = {"programme": self.alias}
        if isinstance(change, Enrol | MoveVersion):
            update["version"] = self.number(change.version)
        return change.model_copy(update=update)


class Together:
    """Some versions, to be evaluated as one.

    `rules` are those of each version by programme, name and version; `places[v][r]` is where the engine's
    rule r is among them, −1 where version v does not have it.
    """

    def __init__(self, versions: Sequence[Version]) -> None:
        lines: dict[tuple[str, tuple[str, ...]], Line] = {}
        of_versions: list[set[str]] = []
        for version in versions:
            aliases: set[str] = set()
            # In an order of its own: what is kept of a run is known by what its versions are, not by theirs.
            for name in sorted({each.programme for each in version.programmes}):
                has = version.of(name)
                key = name, tuple(each.hash for each in has)
                line = lines.setdefault(key, Line(f"{name}.{len(lines)}", name, has))
                aliases.add(line.alias)
            of_versions.append(aliases)
        self.lines: Sequence[Line] = list(lines.values())
        self.aliases: Sequence[set[str]] = of_versions
        self.programmes: CompiledProgrammes = compile_programmes(
            [programme for line in self.lines for programme in line.compiled()]
        )
        self._named = {line.alias: line.programme for line in self.lines}
        ruled = [self._rules_of(aliases) for aliases in of_versions]
        self.rules: Sequence[Sequence[FoundRule]] = [rules for rules, _ in ruled]
        self.places: Sequence[NDArray[np.int16]] = [places for _, places in ruled]
        self._of_programme: Mapping[str, Sequence[Line]] = {
            line.programme: [each for each in self.lines if each.programme == line.programme]
            for line in self.lines
        }
        self._heard: dict[int, tuple[AnyChange, Sequence[AnyChange]]] = {}

    def history(self, recorded: History) -> History:
        """A patient's changes as they are for all versions together; what no version has is left out."""
        return [(at_us, each) for at_us, change in recorded for each in self._all_heard(change)]

    def has(self, programme: str) -> bool:
        """Whether any of the versions has a programme of this name."""
        return programme in self._of_programme

    def _all_heard(self, change: AnyChange) -> Sequence[AnyChange]:
        """Thousands are enrolled by the same change: what became of it is known by which one it is."""
        known = self._heard.get(id(change))
        if known is None:
            heard: Sequence[AnyChange] = [change]
            if isinstance(change, OfProgramme):
                heard = [line.heard(change) for line in self._of_programme.get(change.programme, ())]
            if len(self._heard) >= MOST_KNOWN:
                self._heard.clear()
            # The change is kept, or another would get its id.
            known = self._heard[id(change)] = change, heard
        return known[1]

    def _rules_of(self, aliases: set[str]) -> tuple[Sequence[FoundRule], NDArray[np.int16]]:
        own = [
            (number, self._found_rule(rule))
            for number, rule in enumerate(self.programmes.rules)
            if rule.identity.programme in aliases
        ]
        own.sort(key=lambda each: (each[1].programme, each[1].rule, each[1].version))
        places = np.full(len(self.programmes.rules), -1, np.int16)
        places[[number for number, _ in own]] = np.arange(len(own))
        return [rule for _, rule in own], places

    def _found_rule(self, rule: CompiledRule) -> FoundRule:
        identity = rule.identity
        return FoundRule(self._named[identity.programme], identity.version, identity.rule, identity.signal)


def programmes_named(changes: Iterable[AnyChange]) -> Iterator[str]:
    """The programmes that changes speak of."""
    return (change.programme for change in changes if isinstance(change, OfProgramme))
