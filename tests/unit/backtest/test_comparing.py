"""What one version raises that another does not."""

import numpy as np
from hypothesis import given, settings

from alerting.backtest.cases import About, cases
from alerting.backtest.comparing import Raised, compare, shared
from alerting.backtest.events import events_of
from alerting.backtest.found import Followed, Found
from alerting.backtest.judged import Counted, judge
from alerting.escalation.policy_files import load_policies
from models.clock import DAY_US
from models.findings import Signal
from models.labels import Label
from tests.unit.backtest.random_findings import findings, found_of

POLICIES = load_policies()
FOLLOWED = Followed(("p0", "p1"), np.zeros(2, np.int64), np.full(2, 100 * DAY_US), np.full(2, 100, np.int64))
LABELS = [
    Label(
        f"p{p}", "fluid", ("fluid",), day * DAY_US, None, (day + 5) * DAY_US, (day + 6) * DAY_US, False, False
    )
    for p, day in ((0, 10), (0, 30), (1, 10))
]


def test_alerts_that_overlap_are_the_same_and_the_others_are_told_by_signal() -> None:
    first = [(0, 0, 1, 240, 300, False), (0, 2, 1, 240, 300, False), (1, 0, 1, 1500, 1510, False)]
    second = [(0, 1, 1, 290, 350, False), (0, 0, 1, 720, 730, False)]
    events = events_of(LABELS, FOLLOWED)
    a, b = (judge(name, found_of(rows), events, POLICIES) for name, rows in (("a", first), ("b", second)))
    compared = compare(a, b, events)
    assert compared.raised == Raised(2, 1, 1, 1, 0)
    assert compared.by_signal == {Signal.FLUID: Raised(1, 1, 1, 1, 0), Signal.PRESSURE: Raised(1, 0, 0, 0, 0)}
    found = (compared.found_by_both, compared.found_by_first_only, compared.found_by_second_only)
    assert (found, compared.found_by_neither) == ((1, 0, 1), 1)


def test_a_version_beside_itself_differs_in_nothing() -> None:
    events = events_of(LABELS, FOLLOWED)
    a = judge("a", found_of([(0, 0, 1, 240, 300, False)]), events, POLICIES)
    assert compare(a, a, events).raised == Raised(0, 0, 1, 0, 0)


def test_cases_are_the_same_each_time_and_lie_within_what_was_followed() -> None:
    events = events_of(LABELS, FOLLOWED)
    rows = [(patient, 2, 1, 24 * day, 24 * day + 5, False) for patient in (0, 1) for day in range(50, 90, 5)]
    a = judge("a", found_of(rows[:8]), events, POLICIES)
    b = judge("b", found_of([*rows[8:], (0, 0, 1, 24 * 12, 24 * 13, False)]), events, POLICIES)
    chosen = cases([a, b], events, FOLLOWED)
    assert chosen == cases([a, b], events, FOLLOWED)
    assert [case.about for case in chosen] == [
        About.FOUND_BY_SECOND_ONLY,
        About.FALSE_IN_SECOND_ONLY,
        About.FALSE_IN_FIRST_ONLY,
        *[About.MISSED] * 2,
    ]
    assert all(0 <= case.from_us < case.until_us <= 100 * DAY_US for case in chosen)
    assert {case.about for case in cases([a], events, FOLLOWED)} == {About.MISSED, About.FALSE}
    assert {case.about for case in cases([a, b], None, FOLLOWED)} == {
        About.RAISED_BY_FIRST_ONLY, About.RAISED_BY_SECOND_ONLY
    }  # fmt: skip
    assert {case.about for case in cases([b], None, FOLLOWED)} == {About.RAISED}


@settings(max_examples=150)
@given(findings(), findings())
def test_sharing_is_what_comparing_each_with_each_gives(one: Found, two: Found) -> None:
    first, second = judge("a", one, None, POLICIES), judge("b", two, None, POLICIES)
    for counted in Counted:
        assert shared(first, second, counted).tolist() == [
            any(
                first.counted(counted)[mine]
                and second.counted(counted)[other]
                and first.alerts.patient[mine] == second.alerts.patient[other]
                and first.alerts.signal[mine] == second.alerts.signal[other]
                and first.alerts.opened_at_us[mine] <= second.alerts.closed_at_us[other]
                and second.alerts.opened_at_us[other] <= first.alerts.closed_at_us[mine]
                for other in range(len(second.alerts))
            )
            for mine in range(len(first.alerts))
        ]
