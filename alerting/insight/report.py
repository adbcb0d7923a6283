"""The report of one scope, period and programme: figures by group, rule, time; no small numbers; pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from alerting.insight.measures import Figures, Shown, figures_of, share
from alerting.insight.suppression import FEW, hidden, tells_of_few
from alerting.insight.wijken import Wijken, municipality_of
from models.alerts import Outcome
from models.escalations import Recipient
from models.figures import ALL_PROGRAMMES, Count, Dimension, Level, Window

JUDGEMENTS = tuple(outcome for outcome in Outcome if outcome.by_people)
Name = TypeVar("Name")
GROUPINGS = ("programme", "organisation", "municipality", "wijk", "language")
"""By what figures can be put into groups."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Group(_Part):
    """One group; without a name: all that are too small to be told, together.

    `within`: of a wijk, where it lies. No figures: too small, and not in any other.
    """

    name: str | None
    within: str | None = None
    figures: Figures | None = None


class RuleFigures(_Part):
    """What came of the alerts of a rule; None where it is of few patients, or few alerts."""

    programme: str
    rule: str
    alerts: int | None = None
    judged: int | None = None
    precision: Shown | None = None
    outcomes: Mapping[Outcome, int | None]


class Step(_Part):
    """The figures of a week, or of four; `until` is the first day after it."""

    since: date
    until: date
    figures: Figures | None


class Report(_Part):
    """Everything that is told of one scope, period and programme. No figures: of fewer than ten patients."""

    weeks: int
    programme: str
    since: date
    until: date
    """The first day that is not counted any more."""
    figures: Figures | None = None
    before: Figures | None = None
    steps: tuple[Step, ...] = ()
    """The oldest first; as many of the period before as of this one."""
    groups: Mapping[str, tuple[Group, ...]] = {}
    rules: tuple[RuleFigures, ...] = ()
    asked: Mapping[Recipient, int | None] = {}
    """How often each was asked."""
    levels: Mapping[Level, int | None] = {}
    """How far alerts went that somebody resolved."""


@dataclass(slots=True)
class Cell:
    """A group of patients as it was counted: how many, and how much of each measure."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    of: dict[str, int] = field(default_factory=dict[str, int])
    """Of how many patients each measure is."""

    @property
    def patients(self) -> int:
        """How many were followed."""
        return self.of.get("days_followed", 0)

    def add(self, measure: str, n: int, patients: int) -> None:
        """Takes up a count."""
        self.counts[measure] = self.counts.get(measure, 0) + n
        self.of[measure] = self.of.get(measure, 0) + patients

    def add_all(self, other: "Cell") -> None:
        """Takes up a group of other patients."""
        for measure, n in other.counts.items():
            self.add(measure, n, other.of[measure])


Cells = Mapping[str, Cell]
Key = tuple[str, str, int | None, bool]
"""Programme, grouping (empty: everybody), step, whether it is the period before."""


@dataclass(slots=True)
class Table:
    """All counts of a scope in one window, by what is asked of them."""

    cells: dict[Key, dict[str, Cell]] = field(default_factory=dict[Key, dict[str, Cell]])

    @classmethod
    def of(cls, counts: Iterable[Count], wijken: Wijken) -> "Table":
        """Counts as they come; municipalities are added up from their wijken."""
        table = cls()
        for count in counts:
            table._take(count, count.dimension.value, count.value)
            if count.dimension is Dimension.WIJK:
                table._take(count, "municipality", municipality_of(count.value, wijken))
            elif count.dimension is Dimension.ALL and count.programme and count.step is None:
                key = (ALL_PROGRAMMES, "programme", None, count.before)
                table._cell(key, count.programme).add(count.measure, count.n, count.patients)
        return table

    def groups(self, programme: str, grouping: str) -> Cells:
        """The groups of this period."""
        return self.cells.get((programme, grouping, None, False), {})

    def all(self, programme: str, step: int | None = None, *, before: bool = False) -> Cell:
        """Everybody, in the period, in the one before, or in one step."""
        return self.cells.get((programme, "", step, before), {}).get("", Cell())

    def _take(self, count: Count, grouping: str, value: str) -> None:
        key = (count.programme, grouping, count.step, count.before)
        self._cell(key, value).add(count.measure, count.n, count.patients)

    def _cell(self, key: Key, value: str) -> Cell:
        return self.cells.setdefault(key, {}).setdefault(value, Cell())


def reports_of(counts: Iterable[Count], window: Window, wijken: Wijken) -> Iterator[Report]:
    """One report for all programmes together, one for each of which enough patients were in it."""
    table = Table.of(counts, wijken)
    whole = table.all(ALL_PROGRAMMES).patients
    programmes = {name: cell.patients for name, cell in table.groups(ALL_PROGRAMMES, "programme").items()}
    few = [name for name, patients in programmes.items() if tells_of_few(patients, whole)]
    told_not = hidden(programmes, also=few)
    yield _report(table, window, ALL_PROGRAMMES, wijken, told_not)
    for programme in sorted(programmes):
        if programme in told_not:
            yield _empty(window, programme)
        else:
            yield _report(table, window, programme, wijken, told_not)


def _empty(window: Window, programme: str) -> Report:
    since = window.step(window.steps - 1)[0]
    return Report(weeks=window.weeks, programme=programme, since=since, until=window.until)


def _report(
    table: Table, window: Window, programme: str, wijken: Wijken, programmes_not: frozenset[str]
) -> Report:
    everybody = table.all(programme)
    figures = figures_of(everybody.counts, everybody.patients)
    empty = _empty(window, programme)
    if figures is None:
        return empty
    before = table.all(programme, before=True)
    groups = {name: tuple(_groups(table, programme, name, wijken)) for name in GROUPINGS[1:]}
    if programme == ALL_PROGRAMMES:
        groups["programme"] = tuple(_programmes(table, programmes_not))
    return empty.model_copy(
        update={
            "figures": figures,
            "before": figures_of(before.counts, before.patients),
            "steps": tuple(_steps(table, window, programme)),
            "groups": groups,
            "rules": tuple(_rules(table, programme, programmes_not)),
            "asked": _told(everybody, {one: f"asked/{one}" for one in Recipient}),
            "levels": _told(everybody, {one: f"level/{one}" for one in Level}),
        }
    )


def _steps(table: Table, window: Window, programme: str) -> Iterator[Step]:
    for number in reversed(range(2 * window.steps)):
        cell = table.all(programme, number, before=number >= window.steps)
        since, until = window.step(number)
        yield Step(since=since, until=until, figures=figures_of(cell.counts, cell.patients, told=False))


def _programmes(table: Table, told_not: frozenset[str]) -> Iterator[Group]:
    """Somebody may be in several, so that those not told are not added up either."""
    for name, cell in sorted(table.groups(ALL_PROGRAMMES, "programme").items()):
        yield Group(name=name, figures=None if name in told_not else figures_of(cell.counts, cell.patients))


def _groups(table: Table, programme: str, grouping: str, wijken: Wijken) -> Iterator[Group]:
    cells = _followed(table.groups(programme, grouping))
    whole = _followed(table.groups(ALL_PROGRAMMES, grouping))
    if grouping != "wijk":
        yield from _told_groups(cells, whole)
        return
    # Of a municipality that is told, what its wijken add up to is known: each is a table of its own.
    around, around_all = (_followed(table.groups(of, "municipality")) for of in (programme, ALL_PROGRAMMES))
    places_not = _not_told(around, around_all)
    inside: dict[str, dict[str, Cell]] = defaultdict(dict)
    for wijk, cell in cells.items():
        inside[municipality_of(wijk, wijken)][wijk] = cell
    rest = Cell()
    for place, those in sorted(inside.items()):
        if place in places_not:
            for cell in those.values():
                rest.add_all(cell)
        else:
            yield from _told_groups(those, whole, place)
    if rest.patients:
        yield Group(name=None, figures=figures_of(rest.counts, rest.patients))


def _told_groups(cells: Cells, whole: Cells, within: str | None = None) -> Iterator[Group]:
    told_not = _not_told(cells, whole)
    rest = Cell()
    for name, cell in sorted(cells.items()):
        if name in told_not:
            rest.add_all(cell)
        else:
            yield Group(name=name, within=within, figures=figures_of(cell.counts, cell.patients))
    if told_not:
        yield Group(name=None, within=within, figures=figures_of(rest.counts, rest.patients))


def _not_told(cells: Cells, whole: Cells) -> frozenset[str]:
    """Those of few patients, or of all but few of the group in all programmes; what would tell of them."""
    sizes = {name: cell.patients for name, cell in cells.items()}
    few = [name for name, size in sizes.items() if name in whole and tells_of_few(size, whole[name].patients)]
    return hidden(sizes, also=few)


def _followed(cells: Cells) -> Cells:
    return {name: cell for name, cell in cells.items() if cell.patients}


def _rules(table: Table, programme: str, programmes_not: frozenset[str]) -> Iterator[RuleFigures]:
    names = [programme] if programme else sorted(table.groups(ALL_PROGRAMMES, "programme"))
    for name in names:
        if name not in programmes_not:
            yield from _rules_of(table.all(name), name)


def _rules_of(cell: Cell, programme: str) -> Iterator[RuleFigures]:
    rules = sorted({measure.split("/")[1] for measure in cell.counts if measure.startswith("rule/")})
    opened_not = hidden({rule: cell.of.get(f"rule/{rule}/opened", 0) for rule in rules})
    judged_not = hidden({rule: cell.of.get(f"rule/{rule}/judged", 0) for rule in rules})
    for rule in rules:
        judged = cell.counts.get(f"rule/{rule}/judged", 0)
        outcomes: Mapping[Outcome, int | None] = dict.fromkeys(JUDGEMENTS)
        precision = None
        if rule not in judged_not:
            outcomes = _told(cell, {one: f"rule/{rule}/{one}" for one in JUDGEMENTS})
            true = (Outcome.TRUE_ACTED_ON, Outcome.TRUE_NO_ACTION)
            precision = share(sum(cell.counts.get(f"rule/{rule}/{one}", 0) for one in true), judged)
        yield RuleFigures(
            programme=programme,
            rule=rule,
            alerts=None if rule in opened_not else cell.counts.get(f"rule/{rule}/opened", 0),
            judged=None if rule in judged_not else judged,
            precision=precision,
            outcomes=outcomes,
        )


def _told(cell: Cell, measures: Mapping[Name, str]) -> dict[Name, int | None]:
    """Counts that add up to a known sum: each None that is small, or would tell of a small one."""
    counts = {name: cell.counts.get(measure, 0) for name, measure in measures.items()}
    # Few of whom, matters as well as few of what.
    few = [name for name, measure in measures.items() if cell.of.get(measure, 0) < FEW]
    told_not = hidden(counts, also=few)
    return {name: None if name in told_not else n for name, n in counts.items()}
