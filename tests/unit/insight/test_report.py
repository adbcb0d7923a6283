"""Reports: no number below ten stands in one, or follows from what stands in it."""

import json
from collections import defaultdict
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from alerting.insight.report import GROUPINGS, Group, Report, reports_of
from alerting.insight.suppression import FEW
from alerting.insight.wijken import municipality_of
from models.figures import Count, Dimension, Window
from tests.examples import examples

WINDOW = Window(date(2026, 11, 30), 4)
WIJKEN = {"a": "Den Haag", "b": "Den Haag", "c": "Den Haag", "d": "Rijswijk", "e": "Rijswijk"}
PROGRAMMES = ("copd", "heart_failure")

Person = tuple[str, str, str, frozenset[str], int]
"""Wijk, language, organisation, programmes, alerts."""

PEOPLE = st.lists(
    st.tuples(
        st.sampled_from("aaaaabbbcdef"),
        st.sampled_from(["nl"] * 8 + ["en", "tr"]),
        st.sampled_from("xxxyz"),
        st.sets(st.sampled_from(PROGRAMMES), min_size=1).map(frozenset),
        st.integers(0, 30),
    ),
    max_size=120,
)


def counts_of(people: list[Person]) -> list[Count]:
    """What is counted of these people."""
    sums: dict[tuple[str, Dimension, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for wijk, language, organisation, programmes, alerts in people:
        for programme in ("", *programmes):
            for dimension, value in (
                (Dimension.ALL, ""), (Dimension.WIJK, wijk), (Dimension.LANGUAGE, language),
                (Dimension.ORGANISATION, organisation),
            ):  # fmt: skip
                for measure, n in (("days_followed", 28), ("alerts", alerts)):
                    if n:
                        cell = sums[programme, dimension, value, measure]
                        cell[0] += n
                        cell[1] += 1
    return [
        Count(programme, dimension, value, None, False, measure, n, patients)
        for (programme, dimension, value, measure), (n, patients) in sums.items()
    ]


def told(groups: tuple[Group, ...]) -> dict[tuple[str | None, str | None], int]:
    """The numbers of patients that are told, by group and where it lies."""
    return {
        (group.name, group.within): group.figures.patients
        for group in groups
        if group.figures is not None and group.figures.patients is not None
    }


@examples(150)
@given(people=PEOPLE)
def test_no_report_tells_of_few(people: list[Person]) -> None:
    reports = {report.programme: report for report in reports_of(counts_of(people), WINDOW, WIJKEN)}
    whole = reports[""]
    assert (whole.figures is not None) == (len(people) >= FEW)
    for report in reports.values():
        require_large(report)
        if whole.figures is None or report.figures is None:
            continue
        assert whole.figures.patients is not None
        assert report.figures.patients is not None
        # Who is in no such programme, are not few either.
        left = whole.figures.patients - report.figures.patients
        assert left == 0 or left >= FEW
        for grouping in GROUPINGS[1:]:
            numbers = told(report.groups[grouping])
            assert sum(numbers.values()) == report.figures.patients
            for name, n in numbers.items():
                of_all = told(whole.groups[grouping]).get(name)
                if name[0] is not None and of_all is not None:
                    assert of_all == n or of_all - n >= FEW
        places = told(report.groups["municipality"])
        for (place, _), n in places.items():
            inside = [k for (_, within), k in told(report.groups["wijk"]).items() if within == place]
            assert sum(inside) == n


def require_large(report: Report) -> None:
    """Every number of patients in a report is at least ten."""
    for groups in report.groups.values():
        assert all(n >= FEW for n in told(groups).values())
    for figures in (report.figures, report.before):
        assert figures is None or (figures.patients or 0) >= FEW


@examples(50)
@given(people=PEOPLE)
def test_a_report_comes_back_as_it_was_kept(people: list[Person]) -> None:
    for report in reports_of(counts_of(people), WINDOW, WIJKEN):
        kept = report.model_dump_json(exclude_defaults=True)
        # As the database keeps it: names in another order.
        assert Report.model_validate_json(json.dumps(json.loads(kept), sort_keys=True)) == report


def test_wijken_of_a_municipality_that_is_too_small_are_together() -> None:
    people: list[Person] = [("a", "nl", "x", frozenset({"copd"}), 1)] * 30
    people += [("d", "nl", "x", frozenset({"copd"}), 1)] * 4 + [("f", "nl", "x", frozenset({"copd"}), 1)] * 30
    whole = next(reports_of(counts_of(people), WINDOW, WIJKEN))
    assert told(whole.groups["municipality"]) == {("?", None): 30, (None, None): 34} or told(
        whole.groups["municipality"]
    ) == {("Den Haag", None): 30, (None, None): 34}
    assert sum(told(whole.groups["wijk"]).values()) == 64
    assert municipality_of("f", WIJKEN) == "?"
