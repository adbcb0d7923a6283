"""What the simulated patients are like, against what was published about real ones: a row for each figure.

The rows, with what is tolerated and why, stand in `simulators/patients/published.py`; here they are looked at
on one seed, and whether they could fail at all.
"""

from dataclasses import replace

import pytest

from simulators.patients.parameters import PARAMETERS, varied
from simulators.patients.published import PUBLISHED, Published
from simulators.patients.statistics import Statistic, calibration, table

SEED = 11


@pytest.fixture(scope="module")
def simulated() -> dict[str, Statistic]:
    return {row.published.name: row for row in calibration(SEED)}


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda row: f"{row.condition}: {row.name}")
def test_simulated_is_as_published(simulated: dict[str, Statistic], published: Published) -> None:
    row = simulated[published.name]
    assert row.holds, (
        f"{published.name}: expected {published.low:g} to {published.high:g} (published {published.figure}, "
        f"{published.source}; {published.why}), found {row.simulated:.3g}"
    )


def test_every_row_says_what_it_tolerates_and_why() -> None:
    assert len({row.name for row in PUBLISHED}) == len(PUBLISHED)
    for row in PUBLISHED:
        assert row.low <= row.high
        assert row.why
        assert row.source


def test_the_more_gained_in_a_week_the_higher_the_odds(simulated: dict[str, Statistic]) -> None:
    ratios = [row.simulated for name, row in simulated.items() if name.startswith("odds ratio")]
    assert ratios == sorted(ratios)
    assert len(ratios) == 3


def test_other_patients_would_not_pass() -> None:
    others = varied(PARAMETERS, {"noise": 2.0, "effects": 0.4, "adherence": 0.7, "bias": 2.0, "rates": 2.0})
    failing = {row.published.name for row in calibration(SEED, 400, others) if not row.holds}
    assert {
        "SD of systolic at home, mmHg",
        "weight before events, mean change in 14 days, kg",
        "three weights a week or more, share of people",
        "cuffs that are off by 5 mmHg or more, share",
        "saturation below 90 % agrees with events, κ",
        "exacerbations without any signal, share",
        "measurements per patient-day",
        "events per patient-year",
    } <= failing


def test_the_table_shows_what_does_not_hold(simulated: dict[str, Statistic]) -> None:
    row = simulated["people"]
    shown = table([row, replace(row, simulated=853_000.0)]).splitlines()
    assert shown[0] == "region"
    assert "852,000" in shown[1]
    assert "NOT HELD" not in shown[1]
    assert "NOT HELD" in shown[2]
