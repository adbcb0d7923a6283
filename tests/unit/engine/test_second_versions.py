"""What a nurse would expect of the second versions of heart failure and hypertension, told as stories."""

import pytest

from tests import shipped
from tests.naive.findings import Finding
from tests.unit.engine.stories import MIDNIGHT_US, Taken, at, daily, found, severities
from tests.unit.engine.test_shipped_programmes import WOBBLE

SECOND = ("heart_failure", "hypertension")
PULSES = (70, 73, 68, 71, 69, 74, 70, 67, 72, 70)
PRESSURES = (128, 133, 125, 130, 127, 134, 129, 124, 131)


def of(programme: str, taken: list[Taken], until_us: int, *, version: int = 2) -> list[Finding]:
    """What a version finds of the patient; that nobody weighed is told elsewhere."""
    findings = found(programme, taken, until_us, version=version)
    return [finding for finding in findings if not finding.rule.partition("/")[2].startswith("no_")]


def wobbling(
    kind: str, usual: tuple[int, ...], days: int, *, first: int = 0, more: float = 0.0
) -> list[Taken]:
    """What is usual, day after day, with something on top."""
    return daily(kind, [usual[day % len(usual)] + more for day in range(first, first + days)], first=first)


@pytest.mark.parametrize("programme", SECOND)
def test_limits_that_people_set_are_called_as_they_were(programme: str) -> None:
    """What was agreed for a patient must not mean another thing in the next version."""
    first, second = (shipped.programme(programme, version) for version in (1, 2))
    for name in first.limits.keys() & second.limits.keys():
        assert first.limits[name].unit == second.limits[name].unit
        assert first.limits[name].low == second.limits[name].low
        assert first.limits[name].high == second.limits[name].high
    for name in first.rules.keys() & second.rules.keys():
        assert first.rules[name].signal == second.rules[name].signal


def test_a_salty_dinner_alerts_nobody() -> None:
    dinner = [2.4, 1.8, 1.3, 0.9, 0.6, 0.4, 0.2]
    weights = [80 + kg for kg in WOBBLE] * 3
    taken = daily("body_weight", [*weights, *(80 + kg for kg in dinner), *weights[:10]])
    assert of("heart_failure", taken, at(60)) == []
    assert of("heart_failure", taken, at(60), version=1) != []


def test_weight_that_stays_above_the_month_is_fluid() -> None:
    weights = [80 + WOBBLE[day % len(WOBBLE)] for day in range(60)]
    gain = [0.4, 0.8, 1.1, 1.4, 1.6, 1.8, 2.0, 2.1, 2.3, 2.4, 2.6, 2.8]
    taken = daily("body_weight", [*weights, *(80 + kg for kg in gain)])
    (fluid,) = of("heart_failure", taken, at(71, 12))
    assert (fluid.rule, fluid.severity) == ("heart_failure/weight_above_month", "medium")
    assert fluid.opened_us <= MIDNIGHT_US + at(69, 12)


def test_very_much_in_three_days_waits_for_one_more_weighing() -> None:
    once = daily("body_weight", [80.0, 80.2, 79.9, 84.5])
    assert of("heart_failure", once, at(3, 10)) == []
    assert severities(of("heart_failure", [*once, ("body_weight", 85.9, at(4))], at(4, 10))) == {
        "weight_gain_3d": "high"
    }


def test_somebody_else_on_the_scale_is_nothing() -> None:
    taken = daily("body_weight", [80.0, 80.2, 80.0, 62.0, 80.1, 80.0])
    assert of("heart_failure", taken, at(6)) == []


def test_a_heart_that_rises_for_weeks_is_seen_below_any_fixed_limit() -> None:
    taken = wobbling("heart_rate", PULSES, 120)
    taken += wobbling("heart_rate", PULSES, 20, first=120, more=9)
    (rising,) = of("heart_failure", taken, at(139, 12))
    assert (rising.rule, rising.severity) == ("heart_failure/heart_rate_rising", "medium")
    assert rising.opened_us <= MIDNIGHT_US + at(134)


def test_a_little_faster_with_a_little_less_pressure_is_enough_of_both() -> None:
    taken = [*wobbling("heart_rate", PULSES, 100), *wobbling("systolic", PRESSURES, 100)]
    taken += wobbling("heart_rate", PULSES, 14, first=100, more=6)
    alone = of("heart_failure", taken, at(113, 12))
    taken += wobbling("systolic", PRESSURES, 14, first=100, more=-9)
    both = of("heart_failure", taken, at(113, 12))
    assert "faster_and_lower" not in severities(alone)
    assert severities(both)["faster_and_lower"] == "medium"


def test_oxygen_below_the_own_usual_is_seen_above_ninety() -> None:
    usual = (96, 95, 96, 97, 96)
    taken = [*wobbling("spo2", usual, 60), *wobbling("spo2", usual, 8, first=60, more=-3)]
    assert severities(of("heart_failure", taken, at(67, 12))) == {"spo2_below_usual": "medium"}
    assert of("heart_failure", taken, at(67, 12), version=1) == []


def test_answers_worse_than_mild_are_heard_at_once() -> None:
    taken: list[Taken] = [("symptom_oedema", "moderate", at(0)), ("symptom_fatigue", "moderate", at(0))]
    assert severities(of("heart_failure", taken, at(0, 9))) == {"oedema": "low", "tired": "low"}
    taken = [("symptom_dyspnoea", "severe", at(0))]
    assert severities(of("heart_failure", taken, at(0, 9))) == {"breathless": "high"}


def test_who_is_stable_is_left_alone_for_a_season() -> None:
    taken: list[Taken] = []
    for day in range(90):
        taken += [
            ("body_weight", round(80 + WOBBLE[day % 13], 1), at(day)),
            ("heart_rate", PULSES[day % 10], at(day)),
            ("systolic", PRESSURES[day % 9], at(day)),
            ("diastolic", 76 + day % 5, at(day)),
            ("spo2", 95 + day % 3, at(day)),
            ("symptom_dyspnoea", "mild" if day % 9 == 0 else "none", at(day)),
        ]
    for programme in SECOND:
        assert of(programme, taken, at(90)) == []


def test_pressure_that_rises_is_seen_before_any_fixed_limit() -> None:
    usual = tuple(pressure - 10 for pressure in PRESSURES)
    taken = [*wobbling("systolic", usual, 60), *wobbling("systolic", usual, 4, first=60, more=14)]
    assert severities(of("hypertension", taken, at(63, 12))) == {"rising": "medium"}
    assert of("hypertension", taken, at(63, 12), version=1) == []


def test_pressure_that_falls_is_seen_before_any_fixed_limit() -> None:
    usual = tuple(pressure + 20 for pressure in PRESSURES)
    taken = [*wobbling("systolic", usual, 60), *wobbling("systolic", usual, 6, first=60, more=-25)]
    rules = severities(of("hypertension", taken, at(65, 12)))
    assert rules["falling"] == "medium"


def test_one_very_high_pressure_is_a_call() -> None:
    taken: list[Taken] = [("systolic", 186.0, at(0)), ("diastolic", 92.0, at(0))]
    assert severities(of("hypertension", taken, at(0, 9))) == {"urgent_once": "medium"}


def test_a_week_of_high_pressure_waits_for_no_protocol_week() -> None:
    taken = daily("systolic", [150.0, 147.0, 152.0, 149.0, 151.0])
    assert severities(of("hypertension", taken, at(4, 12))) == {"mean_high_week": "low"}
