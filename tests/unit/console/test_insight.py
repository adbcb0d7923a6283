"""Insight: exports that no spreadsheet takes for formulas, lines, cards."""

import csv
import io
import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from alerting.console.insight.cards import cards_of, rows_of
from alerting.console.insight.exports import HEAD, as_csv, as_json, harmless
from alerting.console.insight.lines import HEIGHT, WIDTH, line_of
from alerting.console.insight.words import difference, said
from alerting.console.texts import Speaker
from alerting.explain.vocabulary import Language
from alerting.insight.measures import NAMES, Figures, Shown
from alerting.insight.report import JUDGEMENTS, Group, Report, RuleFigures, Step
from models.figures import Level

NL, EN = Speaker(Language.NL), Speaker(Language.EN)
FIGURES = Figures(patients=40, alerts_per_100_days=Shown(value=2.5), precision=Shown(value=25, bound="<"))
REPORT = Report(
    weeks=4,
    programme="",
    since=date(2026, 11, 2),
    until=date(2026, 11, 30),
    figures=FIGURES,
    before=Figures(patients=38, alerts_per_100_days=Shown(value=3.5)),
    steps=tuple(
        Step(since=date(2026, 11, 2), until=date(2026, 11, 9), figures=figures)
        for figures in (None, FIGURES, FIGURES)
    ),
    groups={
        "organisation": (Group(name="=1+1", figures=FIGURES), Group(name=None, figures=FIGURES)),
        "wijk": (Group(name="\u200b@evil\r\n;x", within="?", figures=None),),
    },
    rules=(RuleFigures(programme="copd", rule="cough", alerts=20, outcomes=dict.fromkeys(JUDGEMENTS, 12)),),
    levels={Level.WIJK: 12, Level.CENTRE: None},
)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))


@given(name=TEXTS | TEXTS.map(lambda text: f"={text}") | TEXTS.map(lambda text: f" \u200b\t@{text}"))
def test_whatever_something_is_called_it_is_text(name: str) -> None:
    for t in (NL, EN):
        rows = read(as_csv(REPORT, {"=1+1": name, "copd": name, "copd/cough": name}, t))
        assert {len(row) for row in rows} == {len(HEAD)}
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if cell.startswith(FORMULAS) or cell.strip()[:1] in FORMULAS[:4]]
        assert harmless(name) in cells


def test_csv_is_read_by_a_dutch_spreadsheet() -> None:
    text = as_csv(REPORT, {}, NL)
    assert text.startswith("\ufeff")
    assert ["periode", "Alle programma's", "", "2026-11-02", "2026-11-30", "Meldingen", "2,5", ""] in read(
        text
    )
    assert ["periode", "Alle programma's", "", "2026-11-02", "2026-11-30", "Terecht", "25", "<"] in read(text)
    assert '"2.5"' in as_csv(REPORT, {}, EN)


def test_json_has_the_definitions() -> None:
    content = json.loads(as_json(REPORT, {"copd": "COPD"}, EN))
    assert Report.model_validate(content["report"]) == REPORT
    assert set(content["definitions"]) == set(NAMES)


def test_cards_and_rows_say_what_there_is() -> None:
    cards = {card.name: card for card in cards_of(REPORT, NL)}
    assert (cards["alerts_per_100_days"].value, cards["alerts_per_100_days"].compared) == ("2,5", "lower")
    assert cards["alerts_per_100_days"].sentence.startswith("Meldingen: van 2,5 naar 2,5.")
    assert cards["precision"].compared == "unknown"
    assert cards["precision"].line is None
    assert cards["adherence"].value == "<10"
    rows = rows_of(REPORT.groups["organisation"], "organisation", {"=1+1": "Zuid"}, NL)
    assert [row.name for row in rows] == ["Zuid", "te klein om apart te tonen"]
    (unknown,) = rows_of(REPORT.groups["wijk"], "wijk", {}, EN)
    assert (unknown.within, unknown.patients) == ("unknown", "<10")


@given(st.lists(st.none() | st.floats(0, 1e6), max_size=30))
def test_lines_stay_within_their_picture(values: list[float | None]) -> None:
    line = line_of(values)
    known = [value for value in values if value is not None]
    assert (line is None) == (len(known) < 2)
    if line is not None:
        assert len(line.dots) == len(known)
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line.dots)


def test_differences_are_told_of_exact_numbers_only() -> None:
    assert difference(Shown(value=2), Shown(value=1)) == "higher"
    assert difference(Shown(value=2), Shown(value=2)) == "same"
    assert difference(Shown(value=2, bound="<"), Shown(value=1)) == "unknown"
    assert difference(None, Shown(value=1)) == "unknown"
    assert said("answered_p90_min", Shown(value=10_080, bound=">"), Language.NL) == "> 7 dagen"
