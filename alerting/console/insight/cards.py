"""What the page shows of a report: a card for each figure, rows for each group and rule; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerting.console.insight import words
from alerting.console.insight.lines import Line, line_of
from alerting.console.texts import Speaker
from alerting.insight.measures import NAMES, Figures, Shown
from alerting.insight.report import Group, Report
from models.figures import UNKNOWN

LANGUAGES = frozenset({"nl", "en", "tr", "ar", "pl"})
"""Those that have a name here; of others the code is shown."""

Names = Mapping[str, str]
"""What programmes, organisations and rules are called, by their ids."""


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: now, compared with before, over time."""

    name: str
    value: str
    compared: str
    """higher, lower, same or unknown."""
    before: str
    line: Line | None
    sentence: str
    points: Sequence[tuple[str, str]]
    """Days and figure of each step, the oldest first."""


@dataclass(frozen=True, slots=True)
class Row:
    """A group in a table: its name, where it lies, a cell for each figure."""

    name: str
    within: str
    patients: str
    cells: Sequence[str]


def cards_of(report: Report, t: Speaker) -> list[Card]:
    """A card for each figure of a report that has any."""
    return [_card(report, name, t) for name in NAMES]


def rows_of(groups: Sequence[Group], grouping: str, names: Names, t: Speaker) -> list[Row]:
    """The groups, by name; those that are too small together at the end."""
    rows = [_row(group, grouping, names, t) for group in groups if group.name is not None]
    rests = [_row(group, grouping, names, t) for group in groups if group.name is None]
    return sorted(rows, key=lambda row: (row.within, row.name.casefold())) + rests


def name_of(grouping: str, value: str | None, names: Names, t: Speaker) -> str:
    """What a group is called."""
    if value is None:
        return t("insight.rest")
    if value == UNKNOWN:
        return t("layout.unknown")
    if grouping == "language":
        return t(f"insight.language_{value}") if value in LANGUAGES else value
    return names.get(value, value)


def _row(group: Group, grouping: str, names: Names, t: Speaker) -> Row:
    figures = group.figures
    within = "" if group.within is None else name_of("municipality", group.within, names, t)
    return Row(
        name=name_of(grouping, group.name, names, t),
        within=within,
        patients=words.FEW if figures is None else str(figures.patients),
        cells=[words.said(name, _figure(figures, name), t.language) for name in NAMES],
    )


def _card(report: Report, name: str, t: Speaker) -> Card:
    now, before = _figure(report.figures, name), _figure(report.before, name)
    steps = [(step, _figure(step.figures, name)) for step in report.steps]
    values = [None if shown is None or shown.bound else shown.value for _, shown in steps]
    points = [
        (words.days(step.since, step.until, t.language), words.said(name, shown, t.language))
        for step, shown in steps
    ]
    return Card(
        name=name,
        value=words.said(name, now, t.language),
        compared=words.difference(now, before),
        before=words.said(name, before, t.language),
        line=line_of(values, 100.0 if name in words.SHARES else None),
        sentence=_sentence(name, points, values, t),
        points=points,
    )


def _sentence(
    name: str, points: Sequence[tuple[str, str]], values: Sequence[float | None], t: Speaker
) -> str:
    """The line in words, for who does not see it."""
    known = [place for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return t("insight.line.none")
    lowest = min(known, key=lambda place: values[place] or 0.0)
    highest = max(known, key=lambda place: values[place] or 0.0)
    return t(
        "insight.line.said",
        figure=t.of("insight.figure", f"{name}.name"),
        first=points[known[0]][1], last=points[known[-1]][1],
        lowest=points[lowest][1], lowest_when=points[lowest][0],
        highest=points[highest][1], highest_when=points[highest][0],
    )  # fmt: skip


def _figure(figures: Figures | None, name: str) -> Shown | None:
    return None if figures is None else getattr(figures, name)
