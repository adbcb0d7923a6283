"""What a nurse would expect of all shipped programmes: of heart failure and hypertension, told as stories."""

import pytest

from alerting.engine.expressions import comparisons
from alerting.engine.programme import Programme
from models.findings import Severity, Signal
from models.kinds import KIND_BY_NAME
from tests import shipped
from tests.naive.random_logs import HOUR_US
from tests.unit.engine.stories import MIDNIGHT_US, Taken, at, daily, found, severities

SHIPPED = shipped.programmes()
NAMES = [f"{programme.programme} {programme.version}" for programme in SHIPPED]
WOBBLE = (0.0, 0.4, -0.3, 0.1, -0.5, 0.3, 0.2, -0.2, 0.5, -0.4, 0.0, -0.1, 0.3)
"""What weight does from day to day without a reason, in kilograms."""

MEASURED_NOW_AND_THEN = ("heart_failure", "copd")
"""Heart rate and oxygen come once or twice a day there."""


def test_there_are_six_and_one_for_devices() -> None:
    assert list(dict.fromkeys(programme.programme for programme in SHIPPED)) == [
        "copd", "devices", "diabetes", "frail_elderly", "heart_failure", "hospital_at_home", "hypertension",
    ]  # fmt: skip


@pytest.mark.parametrize("programme", SHIPPED, ids=NAMES)
def test_numbers_without_authority_say_so(programme: Programme) -> None:
    for part in (*programme.limits.values(), *programme.rules.values()):
        assert part.mark == "P" or "proposal" not in part.source.partition(";")[0], part.source


@pytest.mark.parametrize("programme", SHIPPED, ids=NAMES)
def test_silence_never_goes_unnoticed(programme: Programme) -> None:
    signals = {rule.signal for rule in programme.rules.values()}
    assert Signal.SILENCE in signals or programme.programme == "devices"


@pytest.mark.parametrize("programme", SHIPPED, ids=NAMES)
def test_nothing_technical_is_ever_high(programme: Programme) -> None:
    for rule in programme.rules.values():
        worst = rule.raise_.severity if rule.raise_ is not None else rule.severity
        assert not (rule.signal.technical and worst is Severity.HIGH)


@pytest.mark.parametrize("programme", [p for p in SHIPPED if p.programme not in MEASURED_NOW_AND_THEN])
def test_readings_by_the_minute_are_looked_at_for_three_hours_at_most(programme: Programme) -> None:
    """Beyond that only in bins or by the day: whole minute streams would not fit into memory."""
    for name, rule in programme.rules.items():
        for feature in (c.feature for _, condition in rule.conditions() for c in comparisons(condition)):
            dense = any(KIND_BY_NAME[kind].dense for kind in programme.subject_kinds(feature))
            raw = 3 * HOUR_US < feature.window_us <= 48 * HOUR_US
            assert not (dense and raw), f"{name}: {feature}"


def test_three_missed_days_are_silence_and_one_weighing_ends_it() -> None:
    taken: list[Taken] = [("body_weight", 80, at(0)), ("body_weight", 80, at(5))]
    (silence,) = found("heart_failure", taken, at(6, 12))
    assert silence.rule == "heart_failure/no_weight"
    assert silence.opened_us == MIDNIGHT_US + at(3, 11)
    assert silence.cleared_us == MIDNIGHT_US + at(5)


def test_weighing_three_times_a_week_is_no_silence() -> None:
    days = [7 * week + day for week in range(4) for day in (0, 2, 4)]
    assert found("heart_failure", [("body_weight", 80, at(day)) for day in days], at(26)) == []


@pytest.mark.parametrize(
    "programme", ["copd", "diabetes", "frail_elderly", "heart_failure", "hospital_at_home", "hypertension"]
)
def test_who_never_measures_is_missed(programme: str) -> None:
    findings = found(programme, [], at(40))
    assert {finding.cleared_us for finding in findings} == {None}
    assert "medium" in severities(findings).values()


def test_a_stable_patient_is_left_alone_for_a_season() -> None:
    """Daily weight, pulse, pressure and oxygen that differ as they do, for 90 days."""
    taken: list[Taken] = []
    for day in range(90):
        wobble = WOBBLE[day % len(WOBBLE)]
        taken += [
            ("body_weight", round(80 + wobble, 1), at(day)),
            ("heart_rate", round(68 + 8 * WOBBLE[day * 5 % 13]), at(day)),
            ("systolic", round(128 + 12 * WOBBLE[day * 7 % 13]), at(day)),
            ("diastolic", round(76 + 8 * WOBBLE[day * 3 % 13]), at(day)),
            ("spo2", round(96 + 2 * WOBBLE[day * 4 % 13]), at(day)),
            ("symptom_dyspnoea", "mild" if day % 9 == 0 else "none", at(day)),
        ]
    assert found("heart_failure", taken, at(90)) == []
    assert found("hypertension", taken, at(90)) == []


def test_somebody_else_on_the_scale_is_never_high() -> None:
    taken = daily("body_weight", [80.0, 80.0, 62.0, 80.0, 80.0])
    assert "high" not in severities(found("heart_failure", taken, at(4, 10))).values()


def test_four_kilos_in_less_than_three_days_are_high() -> None:
    taken = daily("body_weight", [80.0, 81.5, 83.0, 85.5])
    assert severities(found("heart_failure", taken, at(3, 10)))["weight_gain_3d"] == "high"


def test_a_gain_that_is_slow_for_three_days_is_seen_within_a_week() -> None:
    taken = daily("body_weight", [80.0, 80.4, 80.8, 81.2, 81.6, 82.0, 82.4])
    assert severities(found("heart_failure", taken, at(6, 10))) == {
        "weight_gain_week": "low",
        "weight_trend": "low",
    }


def test_a_sudden_gain_is_above_that_of_the_week() -> None:
    taken = daily("body_weight", [*[80 + kg for kg in WOBBLE[:10]], 82.2])
    (finding,) = [f for f in found("heart_failure", taken, at(10, 10)) if f.rule.endswith("above_usual")]
    assert (finding.severity, finding.opened_us) == ("low", MIDNIGHT_US + at(10))


def test_a_gain_of_weeks_is_seen_as_a_trend() -> None:
    taken = daily("body_weight", [80.0] * 10 + [round(80 + 0.15 * day, 2) for day in range(20)])
    assert "weight_trend" in severities(found("heart_failure", taken, at(29, 10)))


def test_a_heart_that_beats_faster_than_its_own_usual() -> None:
    usual = [62 + day % 4 for day in range(34)]
    taken = daily("heart_rate", [*usual, 84, 86, 85])
    (finding,) = [f for f in found("heart_failure", taken, at(36, 10)) if "heart_rate" in f.rule]
    assert (finding.rule, finding.severity) == ("heart_failure/heart_rate_above_usual", "medium")
    assert finding.opened_us == MIDNIGHT_US + at(35)


def test_a_pulse_around_its_limit_is_one_finding_not_ten() -> None:
    taken = daily("heart_rate", [112.0 if day % 2 else 99.0 for day in range(20)])
    rules = [f.rule for f in found("heart_failure", taken, at(20)) if "heart_rate" in f.rule]
    assert rules == ["heart_failure/heart_rate_high"]


def test_a_pulse_that_is_fine_for_some_days_clears() -> None:
    taken = daily("heart_rate", [80, 118, 116, 114, 84, 82, 80])
    (finding,) = [f for f in found("heart_failure", taken, at(7)) if "heart_rate_high" in f.rule]
    assert finding.opened_us == MIDNIGHT_US + at(2)
    assert finding.cleared_us is not None
    assert finding.cleared_us >= MIDNIGHT_US + at(4)


def test_low_oxygen_speaks_at_once_and_is_high_when_confirmed() -> None:
    (first,) = found("heart_failure", [("spo2", 80.0, at(0))], at(0, 9))
    assert (first.rule, first.severity) == ("heart_failure/spo2_very_low", "medium")
    taken: list[Taken] = [("spo2", 80.0, at(0)), ("spo2", 81.0, at(0, 8.2))]
    assert severities(found("heart_failure", taken, at(0, 9)))["spo2_very_low"] == "high"


def test_symptoms_speak_without_any_weight() -> None:
    taken: list[Taken] = [
        *daily("symptom_dyspnoea", ["mild", "moderate", "severe", "none"]),
        *daily("symptom_oedema", ["moderate", "severe"]),
    ]
    breathless, oedema = found("heart_failure", taken, at(3, 10))
    assert (breathless.rule, breathless.severity) == ("heart_failure/breathless", "high")
    assert breathless.opened_us == MIDNIGHT_US + at(1)
    assert breathless.raised_us == MIDNIGHT_US + at(2)
    assert breathless.cleared_us == MIDNIGHT_US + at(3)
    assert (oedema.rule, oedema.severity) == ("heart_failure/oedema", "low")


def test_swollen_legs_with_weight_are_worse() -> None:
    taken = [
        *daily("body_weight", [80.0, 80.8, 81.6]),
        *daily("symptom_oedema", ["mild", "moderate", "moderate"]),
    ]
    assert severities(found("heart_failure", taken, at(2, 10)))["oedema"] == "medium"


def test_pain_on_the_chest_is_high_at_once() -> None:
    assert severities(found("heart_failure", [("symptom_chest_pain", "yes", at(0))], at(0, 9))) == {
        "chest_pain": "high"
    }


def test_a_single_extreme_pressure_asks_for_a_repeat_at_once() -> None:
    taken: list[Taken] = [("systolic", 235.0, at(0)), ("diastolic", 135.0, at(0))]
    assert severities(found("hypertension", taken, at(0, 12))) == {"urgent_once": "medium"}


def test_an_extreme_pressure_that_is_confirmed_is_high() -> None:
    taken: list[Taken] = [("systolic", 205.0, at(0)), ("diastolic", 100.0, at(0))]
    taken += [("systolic", 210.0, at(0, 8.1)), ("diastolic", 101.0, at(0, 8.1))]
    assert severities(found("hypertension", taken, at(0, 12)))["systolic_repeated"] == "high"


def test_one_measurement_is_not_taken_for_two() -> None:
    taken: list[Taken] = [("systolic", 185.0, at(0)), ("diastolic", 95.0, at(0) + 1_000_000)]
    assert severities(found("hypertension", taken, at(0, 12))) == {"urgent_once": "low"}


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("symptom_chest_pain", "yes"),
        ("symptom_vision", "yes"),
        ("symptom_neurological", "yes"),
        ("symptom_dyspnoea", "severe"),
        ("symptom_headache", "severe"),
    ],
)
def test_a_very_high_pressure_with_a_red_flag_is_an_emergency(kind: str, answer: str) -> None:
    taken: list[Taken] = [("systolic", 184.0, at(0)), ("diastolic", 100.0, at(0)), (kind, answer, at(0, 8.2))]
    assert severities(found("hypertension", taken, at(0, 12)))["emergency"] == "high"
    milder: list[Taken] = [("systolic", 150.0, at(0)), ("diastolic", 90.0, at(0)), (kind, answer, at(0, 8.2))]
    assert "emergency" not in severities(found("hypertension", milder, at(0, 12)))


def test_weakness_is_high_whatever_the_pressure_and_ends_with_a_no() -> None:
    taken: list[Taken] = [("symptom_neurological", "yes", at(0)), ("symptom_neurological", "no", at(0, 10))]
    (finding,) = found("hypertension", taken, at(0, 12))
    assert (finding.rule, finding.severity) == ("hypertension/red_flag", "high")
    assert finding.cleared_us == MIDNIGHT_US + at(0, 10)


def protocol_week(days: int, systolic: float, diastolic: float) -> list[Taken]:
    """Two readings in the morning and two in the evening, the first day far too high."""
    hours = (8.0, 8.05, 20.0, 20.05)
    return [
        (kind, value + 20 * (day == 0), at(day, hour))
        for day in range(days)
        for hour in hours
        for kind, value in (("systolic", systolic), ("diastolic", diastolic))
    ]


def test_the_mean_of_a_protocol_week_leaves_out_the_first_day() -> None:
    (high,) = found("hypertension", protocol_week(7, 136.0, 80.0), at(7))
    assert (high.rule, high.severity) == ("hypertension/mean_high", "low")
    assert high.opened_us >= MIDNIGHT_US + at(6)
    assert "mean_high" not in severities(found("hypertension", protocol_week(7, 134.0, 80.0), at(7)))
    assert "mean_high" in severities(found("hypertension", protocol_week(7, 130.0, 86.0), at(7)))


def test_five_days_are_no_protocol_week() -> None:
    assert "mean_high" not in severities(found("hypertension", protocol_week(5, 150.0, 95.0), at(5)))


def test_who_measures_now_and_then_has_a_mean_of_four_weeks() -> None:
    usual = (("systolic", 150.0), ("diastolic", 80.0))
    taken: list[Taken] = [(kind, value, at(day)) for day in range(0, 27, 3) for kind, value in usual]
    assert severities(found("hypertension", taken, at(25)))["mean_high_month"] == "low"
