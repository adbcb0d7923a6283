"""The report: the same figures for people and machines, and nothing that it may not tell."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.backtest.content import SCHEMA
from alerting.backtest.counting import Name
from alerting.backtest.page.charts import LEAD_DAYS
from alerting.backtest.page.words import Speaker, texts
from alerting.backtest.report import HTML, JSON, write_report
from alerting.backtest.result import Backtest
from alerting.explain.vocabulary import Language
from models.errors import BadInput
from tests.unit.backtest.made_up import DAYS, PATIENTS, backtest

DRAWS = 200


def written(folder: Path, given: Backtest, language: Any = "nl") -> tuple[str, dict[str, Any]]:
    write_report(given, folder, language=language, resamples=DRAWS)
    return (folder / HTML).read_text("utf-8"), json.loads((folder / JSON).read_text("utf-8"))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    return written(tmp_path_factory.mktemp("report"), backtest())


def test_machines_get_every_figure_with_its_definition(both: tuple[str, dict[str, Any]]) -> None:
    _, told = both
    assert told["schema"] == SCHEMA
    assert told["source"]["patients"] == PATIENTS
    assert told["source"]["patient_days"] == PATIENTS * DAYS
    assert told["events"]["counted"] == PATIENTS // 2
    shipped, sharper = told["versions"]
    assert set(shipped["manual"]["figures"]) == set(map(str, Name)) == set(told["definitions"])
    assert set(shipped["manual"]["events_told_by_days_before_worst"]) == {str(days) for days in LEAD_DAYS}
    found = sharper["manual"]["figures"]["sensitivity"]
    assert found["value"] == sharper["manual"]["events_found"] / told["events"]["counted"]
    assert found["low"] <= found["value"] <= found["high"]
    difference = sharper["beyond_first"]["manual"]["sensitivity"]["value"]
    assert difference == pytest.approx(found["value"] - shipped["manual"]["figures"]["sensitivity"]["value"])
    (sweep,) = told["sweeps"]
    assert [point["value"] for point in sweep["points"]] == [1.0, 1.5, 2.0]


def test_people_read_the_same_figures(both: tuple[str, dict[str, Any]]) -> None:
    page, told = both
    t = Speaker(Language.NL)
    for version in told["versions"]:
        figure = version["manual"]["figures"]["sensitivity"]
        said = t.in_unit(Name.SENSITIVITY, figure["value"])
        low, high = (
            t.in_unit(Name.SENSITIVITY, figure[end]).removesuffix("\u00a0%") for end in ("low", "high")
        )
        assert f"{said} ({low} tot {high})" in page
    (compared,) = told["comparisons"]
    assert f"sharper geeft er {compared['raised']['only_second']} die shipped niet geeft" in page


def test_the_page_has_everything_in_it_and_both_languages(both: tuple[str, dict[str, Any]]) -> None:
    page, _ = both
    assert '<html lang="nl">' in page
    assert re.findall(r'(?:src|href|url\()\s*=?\s*["\']?(?!#)[a-z]+:', page) == []
    assert "http" not in page.replace("http-equiv", "")
    for language, hidden in (("nl", ""), ("en", " hidden")):
        title = re.escape(texts()["title"][Language(language)])
        assert re.search(f'<main data-language="{language}"[^>]*data-title="{title}"{hidden}>', page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_each_chart_says_what_it_shows_and_has_a_table(both: tuple[str, dict[str, Any]]) -> None:
    page, _ = both
    assert page.count("<svg ") == page.count('role="img"') == page.count("<figure")
    assert 'aria-label=""' not in page
    assert all(block.count("<table") for block in page.split("<section id")[1:] if "<svg" in block)


def test_the_same_backtest_gives_the_same_bytes(tmp_path: Path) -> None:
    pages = [written(tmp_path / str(run), backtest(one=True)) for run in range(2)]
    assert pages[0] == pages[1]


def test_without_labels_it_says_that_it_cannot_speak_of_sensitivity(tmp_path: Path) -> None:
    page, told = written(tmp_path, backtest(known=False), "en")
    assert told["events"] is None
    assert "sensitivity" not in told["versions"][0]["manual"]["figures"]
    assert "What really happened to these patients is not known." in page
    assert "Events found" not in page
    summary = write_report(backtest(known=False), tmp_path, resamples=DRAWS)
    assert "this speaks of load only, not of sensitivity" in str(summary)
    assert "events found" not in str(summary)


def test_labels_that_are_nobodys_are_told_of_rather_than_figures(tmp_path: Path) -> None:
    """With the ids of another file every alert would look false, and nothing found."""
    given = backtest()
    others = [replace(label, patient_id=f"other-{place}") for place, label in enumerate(given.labels or ())]
    summary = str(write_report(replace(given, labels=others), tmp_path, resamples=DRAWS))
    assert f"; {len(others)} are of patients who are not in the readings: this speaks of load only" in summary
    assert "false alerts" not in summary
    none = str(write_report(replace(given, labels=[]), tmp_path, resamples=DRAWS))
    assert "to its worst: this speaks of load only, not of sensitivity." in none


def test_a_report_without_room_is_no_mistake_of_the_program(tmp_path: Path) -> None:
    (tmp_path / HTML).mkdir()
    with pytest.raises(BadInput, match=r"report\.html: expected a file that can be written to its end"):
        write_report(backtest(one=True), tmp_path, resamples=0)
    assert sorted(file.name for file in tmp_path.iterdir()) == [HTML, JSON]


def test_patients_who_exist_are_known_by_nothing(tmp_path: Path) -> None:
    page, told = written(tmp_path, backtest(real=True))
    assert "11111111-" not in page
    assert "11111111-" not in json.dumps(told)
    assert "day_0" not in json.dumps(told["examples"])
    assert "Deze patiënten bestaan echt." in page


def test_patients_who_do_not_exist_are_named_to_machines_only(both: tuple[str, dict[str, Any]]) -> None:
    page, told = both
    assert "11111111-" not in page
    assert all(example["patient_id"].startswith("11111111-") for example in told["examples"])


def test_outcomes_as_labels_are_told_to_be_relative(tmp_path: Path) -> None:
    page, _ = written(tmp_path, replace(backtest(one=True), labels_from="outcomes"))
    assert "geldt alleen ten opzichte van de regels die toen werkten" in page


def test_names_cannot_become_part_of_the_page(tmp_path: Path) -> None:
    given = backtest()
    evil = replace(given.versions[1], name='"><script>alert(1)</script>')
    page, _ = written(tmp_path, replace(given, versions=[given.versions[0], evil]))
    assert "<script>alert" not in page


def test_the_command_hears_the_headlines(tmp_path: Path) -> None:
    told: list[str] = []
    summary = write_report(backtest(), tmp_path, resamples=DRAWS, tell=told.append)
    lines = str(summary).splitlines()
    assert [line.split(":")[0] for line in lines] == ["shipped", "sharper", "report"]
    assert re.match(
        r"shipped: [\d.]+ \([\d.]+ to [\d.]+\) alerts for a person per 100 patient-days, ", lines[0]
    )
    assert summary.figures["schema"] == SCHEMA
    assert told[0] == "measuring shipped"


def test_no_draws_no_intervals(tmp_path: Path) -> None:
    write_report(backtest(), tmp_path, resamples=0)
    told = json.loads((tmp_path / JSON).read_text("utf-8"))
    figure = told["versions"][0]["manual"]["figures"]["sensitivity"]
    assert figure["value"] is not None
    assert figure["low"] is None


def test_every_text_has_both_languages_and_every_figure_its_words() -> None:
    known = texts()
    for name in Name:
        assert {f"names.{name}", f"definitions.{name}"} <= set(known)
    for key, both_languages in known.items():
        fields = [set(re.findall(r"\{(\w+)\}", said)) for said in both_languages.values()]
        assert fields[0] == fields[1], key
