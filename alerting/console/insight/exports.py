"""A report as CSV for a spreadsheet and as JSON for programs; pure.

CSV as a Dutch spreadsheet opens it: semicolons, UTF-8 with its mark, and in Dutch a decimal comma. No cell
can be taken for a formula.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator

from alerting.console.insight import words
from alerting.console.insight.cards import Names, name_of
from alerting.console.texts import Speaker
from alerting.insight.measures import NAMES, Figures, Shown
from alerting.insight.report import Report
from models.figures import ALL_PROGRAMMES

_BEGIN_A_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Also as full-width characters, which some spreadsheets take for the same."""
HEAD = ("table", "name", "within", "from", "to", "figure", "value", "bound")


def as_csv(report: Report, names: Names, t: Speaker) -> str:
    """One figure a row."""
    written = io.StringIO()
    # Everything quoted: a name keeps its blanks, semicolons and lines.
    writer = csv.writer(written, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(t.of("insight.column", name) for name in HEAD)
    for row in _rows(report, names, t):
        writer.writerow(map(harmless, row))
    return "\ufeff" + written.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless(" @x"), harmless("Loosduinen")
    ("'=1+1", "' @x", 'Loosduinen')
    """
    seen = next((sign for sign in cell if not sign.isspace() and unicodedata.category(sign) != "Cf"), "")
    return f"'{cell}" if seen in _BEGIN_A_FORMULA or cell.startswith(("\t", "\r", "\n")) else cell


def as_json(report: Report, names: Names, t: Speaker) -> str:
    """The report as it is kept, with what things are called and how each figure is counted."""
    content = {
        "report": report.model_dump(mode="json"),
        "names": dict(names),
        "definitions": {name: t.of("insight.figure", f"{name}.help") for name in NAMES},
        "small_numbers": t("insight.small_numbers"),
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def _rows(report: Report, names: Names, t: Speaker) -> Iterator[tuple[str, ...]]:
    period = (report.since.isoformat(), report.until.isoformat())
    whole = (
        name_of("programme", report.programme, names, t) if report.programme else t("insight.all_programmes")
    )
    for table, figures in (("now", report.figures), ("before", report.before)):
        for figure in _figures(figures, t):
            yield (
                t.of("insight.table", table),
                whole,
                "",
                *(period if table == "now" else ("", "")),
                *figure,
            )
    for step in report.steps:
        for figure in _figures(step.figures, t):
            days = (step.since.isoformat(), step.until.isoformat())
            yield (t("insight.table.step"), whole, "", *days, *figure)
    for grouping, groups in report.groups.items():
        for group in groups:
            name = name_of(grouping, group.name, names, t)
            within = "" if group.within is None else name_of("municipality", group.within, names, t)
            for figure in _figures(group.figures, t):
                yield (t.of("insight.by", grouping), name, within, *period, *figure)
    for kind, counts in (("level", report.levels), ("recipient", report.asked)):
        for one, n in counts.items():
            yield (
                t("insight.levels"),
                t.of(f"insight.{kind}", one),
                "",
                *period,
                t("insight.number"),
                *_count(n),
            )
    yield from _rules(report, names, t, period)


def _rules(report: Report, names: Names, t: Speaker, period: tuple[str, str]) -> Iterator[tuple[str, ...]]:
    for rule in report.rules:
        name = names.get(f"{rule.programme}/{rule.rule}", rule.rule)
        place = (t("insight.rules"), name, names.get(rule.programme, rule.programme), *period)
        yield (*place, t("insight.column.alerts"), *_count(rule.alerts))
        yield (*place, t("insight.column.judged"), *_count(rule.judged))
        yield (*place, t("insight.figure.precision.name"), *_shown(rule.precision, t))
        for outcome, n in rule.outcomes.items():
            yield (*place, t.of("insight.outcome", outcome), *_count(n))


def _figures(figures: Figures | None, t: Speaker) -> Iterator[tuple[str, str, str]]:
    if figures is None:
        yield (t("insight.patients"), "10", "<")
        return
    if figures.patients is not None:
        yield (t("insight.patients"), str(figures.patients), "")
    for name in NAMES:
        shown: Shown | None = getattr(figures, name)
        yield (t.of("insight.figure", f"{name}.name"), *_shown(shown, t))


def _shown(shown: Shown | None, t: Speaker) -> tuple[str, str]:
    return ("", words.FEW) if shown is None else (words.number(shown.value, t.language), shown.bound)


def _count(n: int | None) -> tuple[str, str]:
    return ("10", "<") if n is None else (str(n), "")


def file_name(report: Report, ending: str) -> str:
    """Without anything of anybody.

    >>> from datetime import date
    >>> file_name(Report(weeks=4, programme="", since=date(2026, 11, 2), until=date(2026, 11, 30)), "csv")
    'thuiswacht-2026-11-30-4-weken.csv'
    """
    programme = "" if report.programme == ALL_PROGRAMMES else f"-{report.programme}"
    return f"thuiswacht{programme}-{report.until.isoformat()}-{report.weeks}-weken.{ending}"
