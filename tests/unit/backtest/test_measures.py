"""Each measure on a case that can be counted by hand, and all of them against counting one by one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.backtest.bootstrap import Draws, Figure, Ratio, Sheet
from alerting.backtest.counting import LEADS, Name, hours_of_day
from alerting.backtest.events import GRACE_US, Why, events_of
from alerting.backtest.found import NEVER_US, Followed, Found
from alerting.backtest.judged import Counted, Judged, judge
from alerting.backtest.measures import Measured, measure
from alerting.escalation.policy_files import load_policies
from models.clock import DAY_US, HOUR_US
from models.findings import Signal
from models.labels import About, Label
from simulators.demo import scoring
from tests.unit.backtest.random_findings import PATIENTS, RULES, Row, findings, found_of

POLICIES = load_policies()
START_US = 20_000 * DAY_US


def followed_for(days: int, patients: int = 2) -> Followed:
    return Followed(
        patients=[f"p{number}" for number in range(patients)],
        from_us=np.zeros(patients, np.int64),
        until_us=np.full(patients, days * DAY_US),
        readings=np.full(patients, days, np.int64),
    )


def event(
    patient: int, onset: int, worst: int, end: int, *, kind: str = "fluid", detectable: int | None = 0,
    signals: Sequence[Signal] = (Signal.FLUID,), about: About = About.PATIENT, cut_off: bool = False,
) -> Label:  # fmt: skip
    """**Units**: days; detectable from so many days after the onset on."""
    seen_us = None if detectable is None else (onset + detectable) * DAY_US
    return Label(
        f"p{patient}", kind, tuple(signals), onset * DAY_US, seen_us, worst * DAY_US, end * DAY_US,
        False, cut_off, about,
    )  # fmt: skip


def measured(rows: Sequence[Row], labels: Sequence[Label] | None, days: int = 100) -> Measured:
    followed = followed_for(days)
    events = None if labels is None else events_of(labels, followed)
    judged = judge("shipped", found_of(rows), events, POLICIES)
    return measure([judged], followed, events, policies=POLICIES, draws=50)


def value(measured: Measured, name: Name, counted: Counted = Counted.MANUAL) -> float | None:
    return measured.versions[0].of[counted].figures[name].value


def finding(
    patient: int, day: int, days: int, *, rule: int = 0, severity: int = 1, quiet: bool = False
) -> Row:
    return (patient, rule, severity, day * 24, (day + days) * 24, quiet)


def test_half_of_the_events_are_found_and_one_of_those_that_could_be_seen_is_not() -> None:
    labels = [event(0, 10, 20, 25), event(0, 50, 60, 65), event(1, 10, 20, 25, detectable=None)]
    labels.append(event(1, 50, 60, 65, detectable=None))
    result = measured([finding(0, 12, 2), finding(1, 64, 2)], labels)
    assert value(result, Name.SENSITIVITY) == 0.5
    assert value(result, Name.SENSITIVITY_DETECTABLE) == 0.5
    assert value(result, Name.SENSITIVITY_BEFORE_WORST) == 0.25
    assert result.events is not None
    assert (result.events.counted, result.events.detectable) == (4, 2)


def test_lead_is_from_being_told_to_the_worst() -> None:
    labels = [event(0, 10, 20, 25), event(0, 50, 60, 65), event(1, 10, 20, 25)]
    result = measured([finding(0, 12, 1), finding(0, 57, 1), finding(1, 22, 1)], labels)
    assert [value(result, name) for name in LEADS] == [-2.0, 3.0, 8.0]
    assert result.versions[0].of[Counted.MANUAL].leads == [-2.0, 3.0, 8.0]


def test_an_alert_before_the_onset_finds_nothing_but_a_reason_that_joins_it_does() -> None:
    early = [finding(0, 5, 30)]
    assert value(measured(early, [event(0, 10, 20, 25)]), Name.SENSITIVITY) == 0.0
    joined = [*early, finding(0, 12, 1, rule=1)]
    assert value(measured(joined, [event(0, 10, 20, 25)]), Name.SENSITIVITY) == 1.0


def test_signals_have_to_fit_unless_the_label_names_none() -> None:
    rows = [finding(0, 12, 2, rule=2)]
    assert value(measured(rows, [event(0, 10, 20, 25)]), Name.SENSITIVITY) == 0.0
    assert value(measured(rows, [event(0, 10, 20, 25, signals=())]), Name.SENSITIVITY) == 1.0
    silence = [finding(0, 12, 2, rule=3)]
    assert value(measured(silence, [event(0, 10, 20, 25, signals=())]), Name.SENSITIVITY) == 0.0


def test_false_is_what_overlaps_no_event_until_a_week_after_its_end() -> None:
    """Two patients, 100 days: on day 31 still explained, on day 33 not. Silence is never false."""
    rows = [finding(0, 31, 1), finding(0, 33, 1), finding(0, 60, 1, rule=3), finding(1, 60, 1, rule=2)]
    result = measured(rows, [event(0, 10, 20, 25)])
    assert value(result, Name.FALSE_PER_YEAR) == pytest.approx(2 * 365 / 200)
    assert value(result, Name.PRECISION) == pytest.approx(1 / 3)


def test_what_was_cut_off_explains_but_is_not_counted() -> None:
    result = measured([finding(0, 12, 1)], [event(0, 10, 20, 25, cut_off=True)])
    assert value(result, Name.SENSITIVITY) is None
    assert value(result, Name.FALSE_PER_YEAR) == 0.0
    followed_too_short = measured([finding(0, 12, 1)], [event(0, 10, 20, 25)], days=15)
    assert value(followed_too_short, Name.SENSITIVITY) is None


def test_trouble_with_devices_is_no_event_but_a_known_cause() -> None:
    labels = [event(0, 10, 12, 14, about=About.DEVICE), event(0, 30, 31, 31, about=About.PERSON)]
    result = measured([finding(0, 12, 1), finding(0, 31, 1, rule=2), finding(0, 50, 1)], labels)
    assert value(result, Name.FALSE_PER_YEAR) == pytest.approx(3 * 365 / 200)
    assert value(result, Name.FALSE_WITH_CAUSE) == pytest.approx(2 / 3)
    assert value(result, Name.SENSITIVITY) is None


def test_what_closes_by_itself_or_is_quiet_is_counted_among_all_only() -> None:
    """Low for a day of three days' patience, medium and quiet, medium: in 200 patient-days."""
    rows = [finding(0, 10, 1, rule=2, severity=0), finding(0, 10, 5, quiet=True), finding(1, 10, 5)]
    labels = [event(0, 9, 20, 25)]
    result = measured(rows, labels)
    assert value(result, Name.ALERTS_PER_100_DAYS) == 0.5
    assert value(result, Name.ALERTS_PER_100_DAYS, Counted.ALL) == 1.5
    assert (value(result, Name.SENSITIVITY), value(result, Name.SENSITIVITY, Counted.ALL)) == (0.0, 1.0)


def test_load_by_the_hours_of_amsterdam() -> None:
    """In summer 06:30 UTC is 08:30: the day shift. Per 1,000 patients who are followed."""
    july_us = 1_783_900_800_000_000
    at_us = np.array([july_us + 6 * HOUR_US + HOUR_US // 2, july_us + 5 * HOUR_US])
    assert hours_of_day(at_us).tolist() == [8, 7]
    result = measured([(0, 0, 1, 6, 30, False), (0, 2, 1, 6, 30, False), (1, 0, 1, 30, 40, False)], None)
    manual = result.versions[0].of[Counted.MANUAL]
    assert manual.by_hour[7] == 1000 * 3 / 200
    assert manual.busiest_hour == 2
    assert [value(result, name) for name in (Name.NIGHT_SHIFT, Name.DAY_SHIFT)] == [15.0, 0.0]
    assert value(result, Name.PEAK_HOUR) == 15.0


def test_without_labels_there_is_load_only() -> None:
    result = measured([finding(0, 12, 1)], None)
    assert result.events is None
    names = set(result.versions[0].of[Counted.MANUAL].figures)
    assert names == set(Name) - {name for name in Name if "lead" in name or "sens" in name} - {
        Name.FALSE_PER_YEAR, Name.PRECISION, Name.FALSE_WITH_CAUSE
    }  # fmt: skip


def test_each_rule_is_measured_as_if_it_were_alone() -> None:
    rows = [finding(0, 10, 20, rule=0), finding(0, 12, 5, rule=1)]
    rules = measured(rows, [event(0, 11, 20, 25)]).versions[0].rules
    figures = [rule.figures[Counted.MANUAL] for rule in rules]
    assert [one[Name.SENSITIVITY].value for one in figures] == [0.0, 1.0, 0.0, 0.0]
    assert [rule.findings for rule in rules] == [1, 1, 0, 0]


def test_labels_of_strangers_are_told_apart() -> None:
    result = measured([], [event(0, 10, 20, 25), event(7, 10, 20, 25)])
    assert result.events is not None
    assert (result.events.counted, result.events.strangers) == (1, 1)


@st.composite
def labels(draw: st.DrawFn) -> Label:
    onset = draw(st.integers(0, 10))
    worst = onset + draw(st.integers(0, 5))
    return event(
        draw(st.integers(0, PATIENTS - 1)),
        onset,
        worst,
        worst + draw(st.integers(0, 5)),
        about=draw(st.sampled_from(About)),
        cut_off=draw(st.booleans()),
        signals=sorted(draw(st.sets(st.sampled_from((Signal.FLUID, Signal.PRESSURE))))),
    )


@settings(max_examples=150)
@given(findings(), st.lists(labels(), max_size=6))
def test_matching_is_what_counting_one_by_one_gives(found: Found, drawn: list[Label]) -> None:
    followed = followed_for(12, PATIENTS)
    events = events_of(drawn, followed)
    judged = judge("drawn", found, events, POLICIES)
    for counted in Counted:
        assert judged.first_us[counted].tolist() == first_one_by_one(judged, counted, drawn)
    assert judged.why.tolist() == why_one_by_one(judged, drawn)


def in_order(drawn: Sequence[Label]) -> list[Label]:
    return sorted(drawn, key=lambda label: (label.patient_id, label.onset_us, label.kind))


def first_one_by_one(judged: Judged, counted: Counted, drawn: Sequence[Label]) -> list[int]:
    alerts, found, first = judged.alerts, judged.found, list[int]()
    for label in in_order(drawn):
        told = [NEVER_US]
        for place in range(len(alerts.reason_alert)):
            alert, reason = int(alerts.reason_alert[place]), int(alerts.reason_found[place])
            signal = RULES[int(found.rule[reason])].signal
            fits = signal.value in (label.signals or [s.value for s in Signal if not s.technical])
            at_us = int(alerts.told_at_us[place] if counted is Counted.MANUAL else found.opened_at_us[reason])
            mine = label.patient_id == f"p{int(found.patient[reason])}"
            counts = counted is Counted.ALL or bool(alerts.manual[alert])
            if fits and mine and counts and label.onset_us <= at_us <= label.end_us:
                told.append(at_us)
        first.append(min(told))
    return first


def why_one_by_one(judged: Judged, drawn: Sequence[Label]) -> list[int]:
    alerts, why = judged.alerts, list[int]()
    ranks = {About.PATIENT: Why.PATIENT, About.DEVICE: Why.DEVICE, About.PERSON: Why.PERSON}
    for place in range(len(alerts)):
        speaks_of = [
            ranks[label.about]
            for label in drawn
            if label.patient_id == f"p{int(alerts.patient[place])}"
            and int(alerts.opened_at_us[place])
            <= label.end_us + (GRACE_US if label.about is About.PATIENT else 0)
            and label.onset_us <= int(alerts.closed_at_us[place])
        ]
        why.append(min(speaks_of, default=Why.NOTHING))
    return why


def test_draws_take_whole_patients_and_the_same_ones_for_every_figure() -> None:
    draws = Draws(5, seed=3, draws=400)
    assert draws.weights.sum(axis=1).tolist() == [5] * 400
    assert abs(draws.weights.mean(axis=0) - 1).max() < 0.15
    sheet = Sheet(draws)
    events, same = sheet.add(np.array([1, 0, 2, 0, 1])), sheet.add(np.array([1, 0, 2, 0, 1]))
    ratio = sheet.drawn(Ratio(events, same))
    assert ratio.value == 1.0
    assert set(ratio.samples[~np.isnan(ratio.samples)]) == {1.0}
    assert ratio.minus(ratio).figure() == Figure(0.0, 0.0, 0.0)


def test_draws_are_the_same_everywhere() -> None:
    """These weights were computed once: another machine or numpy has to come to the same."""
    assert Draws(4, seed=1, draws=3).weights.tolist() == [[1, 0, 1, 2], [1, 1, 1, 1], [0, 2, 0, 2]]


def test_sums_of_large_and_small_counts_are_exact() -> None:
    draws = Draws(50, seed=1, draws=20)
    for factor in (1, 10**12):
        counts = np.arange(100, dtype=np.int64).reshape(50, 2) * factor
        expected = draws.weights.astype(object) @ counts.astype(object)
        assert draws.sums(counts).astype(object).tolist() == expected.astype(float).tolist()


def test_an_interval_holds_the_middle_95_of_100() -> None:
    patients = 400
    events = np.ones(patients, np.int64)
    found = (np.arange(patients) % 2).astype(np.int64)
    sheet = Sheet(Draws(patients, seed=1, draws=2_000))
    figure = sheet.drawn(Ratio(sheet.add(found), sheet.add(events))).figure()
    assert (figure.low, figure.high) == (pytest.approx(0.45, abs=0.006), pytest.approx(0.55, abs=0.006))


def test_differences_are_of_the_same_draws() -> None:
    followed = followed_for(100)
    labels = [event(0, 10, 20, 25), event(1, 10, 20, 25)]
    events = events_of(labels, followed)
    rows = [finding(0, 12, 1), finding(1, 12, 1)]
    versions = [
        judge(name, found_of(some), events, POLICIES) for name, some in (("a", rows), ("b", rows[:1]))
    ]
    result = measure(versions, followed, events, policies=POLICIES, draws=200)
    same, other = (version.beyond_first[Counted.MANUAL] for version in result.versions)
    assert same[Name.SENSITIVITY] == Figure(0.0, 0.0, 0.0)
    assert other[Name.SENSITIVITY] == Figure(-0.5, -1.0, 0.0)


def test_nobody_and_nothing() -> None:
    followed = Followed((), *(np.zeros(0, np.int64) for _ in range(3)))
    events = events_of((), followed)
    result = measure([judge("none", found_of([]), events, POLICIES)], followed, events, draws=10)
    assert {figure.value for figure in result.versions[0].of[Counted.ALL].figures.values()} == {None}


def test_who_was_followed_for_no_time_changes_nothing() -> None:
    rows, labels = [finding(2, 12, 1)], [event(2, 10, 20, 25)]
    both = followed_for(100, 4)
    absent = replace(both, until_us=np.array([0, 1, 1, 1]) * both.until_us)
    events = events_of(labels, absent)
    result = measure(
        [judge("a", found_of(rows), events, POLICIES)], absent, events, policies=POLICIES, draws=50
    )
    assert (result.patients, result.patient_days) == (3, 300.0)
    assert value(result, Name.SENSITIVITY) == 1.0
    assert value(result, Name.LEAD_MEDIAN) == 8.0


@settings(max_examples=150)
@given(findings(), st.lists(labels(), max_size=6))
def test_all_alerts_are_counted_as_the_simulator_counts(found: Found, drawn: list[Label]) -> None:
    given_labels = [
        replace(label, signals=label.signals or ("fluid",)) for label in drawn if label.about is About.PATIENT
    ]
    followed = followed_for(100, PATIENTS)
    events = events_of(given_labels, followed)
    judged = judge("drawn", found, events, POLICIES)
    seen = [
        scoring.Found(
            f"p{int(found.patient[row])}",
            RULES[int(found.rule[row])].signal,
            int(found.opened_at_us[row]),
            int(found.cleared_at_us[row]),
        )
        for row in range(len(found))
    ]
    scored = scoring.score(seen, given_labels, dict.fromkeys(followed.patients, 100 * DAY_US))
    told = events.counts & (judged.first_us[Counted.ALL] < NEVER_US)
    assert (int(events.counts.sum()), int(told.sum())) == (scored.planted, scored.detected)
    assert int(judged.is_false(Counted.ALL).sum()) == scored.false_alerts
