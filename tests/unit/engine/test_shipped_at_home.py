"""What a nurse would expect of hospital at home, frail elderly and devices, told as stories."""

import pytest

from tests.unit.engine.stories import MIDNIGHT_US, Taken, at, daily, found, severities, steady

WELL: dict[str, float | str] = {
    "respiratory_rate": 16.0,
    "spo2": 97.0,
    "supplemental_oxygen": "air",
    "systolic": 125.0,
    "heart_rate": 75.0,
    "consciousness": "A",
    "temperature": 37.0,
}


def spot(at_us: int, **other: float | str) -> list[Taken]:
    """A round of measuring of somebody who is well but for what is said."""
    return [(kind, value, at_us) for kind, value in {**WELL, **other}.items()]


def test_a_round_of_somebody_who_is_well_is_nothing() -> None:
    taken = [one for day in range(5) for hour in (9, 19) for one in spot(at(day, hour))]
    assert found("hospital_at_home", taken, at(4, 20)) == []


def test_five_points_are_medium_and_seven_high() -> None:
    ill = spot(at(0, 9), respiratory_rate=22.0, spo2=93.0, heart_rate=95.0)
    assert severities(found("hospital_at_home", ill, at(0, 9.1))) == {"news2": "medium"}
    iller = spot(at(0, 9), respiratory_rate=22.0, spo2=93.0, heart_rate=115.0, temperature=38.4)
    assert severities(found("hospital_at_home", iller, at(0, 9.1)))["news2"] == "high"


def test_a_score_clears_by_a_full_round_and_not_by_a_pulse_alone() -> None:
    taken = spot(at(0, 9), respiratory_rate=22.0, spo2=93.0, heart_rate=95.0)
    taken.append(("heart_rate", 72.0, at(0, 11)))
    (finding,) = found("hospital_at_home", taken, at(0, 12))
    assert finding.cleared_us is None
    (finding,) = found("hospital_at_home", [*taken, *spot(at(0, 14))], at(0, 15))
    assert finding.cleared_us == MIDNIGHT_US + at(0, 14)


def test_one_part_at_three_points_stands_for_ten_minutes_first() -> None:
    taken = spot(at(0, 9), systolic=88.0)
    assert found("hospital_at_home", taken, at(0, 9.1)) == []
    assert severities(found("hospital_at_home", taken, at(0, 9.2))) == {"news2_single": "medium"}
    again: list[Taken] = [*taken, ("systolic", 112.0, at(0, 9.1))]
    assert found("hospital_at_home", again, at(0, 9.5)) == []


def test_what_is_missing_may_hide_a_score() -> None:
    taken = steady("heart_rate", [118.0] * 30, at(0, 9), 1) + steady("spo2", [95.0] * 30, at(0, 9), 1)
    assert severities(found("hospital_at_home", taken, at(0, 9.5))) == {"news2_partial": "low"}


def test_scale_2_is_for_who_has_it_by_decision() -> None:
    taken = spot(at(0, 9), spo2=90.0, respiratory_rate=21.0)
    assert "news2" in severities(found("hospital_at_home", taken, at(0, 9.1)))
    own = {"spo2_scale": (2.0, "1"), "spo2_low": (86.0, "%")}
    assert found("hospital_at_home", taken, at(0, 9.1), own) == []


def test_a_loose_finger_is_no_alarm_and_a_real_fall_is() -> None:
    loose = steady("spo2", [96.0] * 10 + [80.0, 81.0] + [96.0] * 10, at(0, 9), 1)
    assert "spo2_low" not in severities(found("hospital_at_home", loose, at(0, 9.4)))
    real = steady("spo2", [96.0] * 10 + [82.0] * 20, at(0, 9), 1)
    assert severities(found("hospital_at_home", real, at(0, 9.5)))["spo2_low"] == "high"


def test_fast_breathing_by_a_sensor_is_a_mean() -> None:
    noisy = steady("respiratory_rate", [18.0, 27.0] * 20, at(0, 9), 1)
    assert "breathing_fast" not in severities(found("hospital_at_home", noisy, at(0, 9.7)))
    fast = steady("respiratory_rate", [28.0] * 10, at(0, 9), 1)
    assert severities(found("hospital_at_home", fast, at(0, 9.2)))["breathing_fast"] == "medium"


def test_fever_is_high_at_once_under_oncology_treatment() -> None:
    taken: list[Taken] = [("temperature", 38.6, at(0, 9))]
    assert severities(found("hospital_at_home", taken, at(0, 9.1))) == {"fever": "medium"}
    own = {"fever_urgent": (38.5, "Cel")}
    assert severities(found("hospital_at_home", taken, at(0, 9.1), own)) == {"fever": "high"}
    exactly: list[Taken] = [("temperature", 38.5, at(0, 9))]
    assert found("hospital_at_home", exactly, at(0, 9.1), own) == []


def test_confusion_is_medium_and_not_awake_high() -> None:
    taken: list[Taken] = [("consciousness", "C", at(0, 9))]
    assert severities(found("hospital_at_home", taken, at(0, 9.1))) == {"consciousness": "medium"}
    taken.append(("consciousness", "V", at(0, 9.05)))
    assert severities(found("hospital_at_home", taken, at(0, 9.1)))["consciousness"] == "high"


def test_each_part_that_is_late_is_silence() -> None:
    taken = [*spot(at(0, 9)), ("spo2", 96.0, at(0, 19)), ("systolic", 120.0, at(0, 19))]
    late = severities(found("hospital_at_home", taken, at(1, 0)))
    assert late == {"no_breathing": "low", "no_temperature": "low"}
    assert "medium" in severities(found("hospital_at_home", taken, at(1, 12))).values()


def test_half_the_usual_steps_for_three_days_are_less_active() -> None:
    usual = [2_000.0 + 100 * (day % 5) for day in range(36)]
    taken = daily("steps", [*usual, *[1_000.0] * 9], hour=10)
    (finding,) = [f for f in found("frail_elderly", taken, at(44, 10.5)) if f.rule.endswith("less_active")]
    assert finding.severity == "low"
    a_weekend = daily("steps", [*usual, 500.0, 500.0, *usual[:7]], hour=10)
    assert not [f for f in found("frail_elderly", a_weekend, at(44, 10.5)) if f.rule.endswith("less_active")]


def test_no_sign_of_activity_by_eleven() -> None:
    taken: list[Taken] = [("steps", 1_500.0, at(day, 10)) for day in range(3)]
    (finding,) = [f for f in found("frail_elderly", taken, at(3, 12)) if f.rule.endswith("no_activity")]
    assert (finding.severity, finding.opened_us) == ("medium", MIDNIGHT_US + at(3, 11))
    taken.append(("steps", 900.0, at(3, 13)))
    (finding,) = [f for f in found("frail_elderly", taken, at(3, 14)) if f.rule.endswith("no_activity")]
    assert finding.cleared_us == MIDNIGHT_US + at(3, 13)


def test_a_twentieth_of_the_weight_in_half_a_year() -> None:
    weekly = [70.0 - 0.15 * week for week in range(26)]
    taken: list[Taken] = [("body_weight", round(kg, 1), at(7 * week, 9)) for week, kg in enumerate(weekly)]
    findings = severities(found("frail_elderly", taken, at(180)))
    assert findings["weight_loss"] == "low"
    steady_weight: list[Taken] = [("body_weight", 70.0 + 0.3 * (w % 3), at(7 * w, 9)) for w in range(26)]
    assert not {"weight_loss", "weight_falling"} & set(
        severities(found("frail_elderly", steady_weight, at(180)))
    )


def test_two_kilos_in_three_months_are_falling() -> None:
    taken: list[Taken] = [("body_weight", round(70 - 0.3 * week, 1), at(7 * week, 9)) for week in range(10)]
    assert severities(found("frail_elderly", taken, at(66)))["weight_falling"] == "low"


@pytest.mark.parametrize(("code", "severity"), [("C", "medium"), ("U", "high")])
def test_new_confusion(code: str, severity: str) -> None:
    assert severities(found("frail_elderly", [("consciousness", code, at(0))], at(0, 9))) == {
        "new_confusion": severity
    }


def test_dizzy_on_two_days_is_a_word_about_falls() -> None:
    taken = daily("symptom_dizziness", ["moderate", "none", "moderate"])
    assert severities(found("frail_elderly", taken, at(2, 9)))["dizzy"] == "low"


def state(*codes: tuple[str, int]) -> list[Taken]:
    return [("device_state", code, at_us) for code, at_us in codes]


def test_an_impossible_value_ranks_with_no_data_and_is_over_after_a_day() -> None:
    (finding,) = found("devices", state(("implausible", at(0))), at(1, 9))
    assert (finding.rule, finding.severity) == ("devices/impossible_value", "medium")
    assert finding.cleared_us == MIDNIGHT_US + at(1) + 1


def test_nothing_measured_once_is_nothing() -> None:
    assert (
        found("devices", state(("nothing_measured", at(0)), ("nothing_measured", at(0, 9))), at(0, 20)) == []
    )
    often = state(*(("nothing_measured", at(0, hour)) for hour in (8, 9, 10)))
    assert severities(found("devices", often, at(0, 20))) == {"nothing_measured": "low"}


def test_a_wrong_clock_is_low_and_medium_when_it_goes_on() -> None:
    states = state(*(("clock_wrong", at(0, hour)) for hour in (8, 9, 10, 11, 12)))
    assert severities(found("devices", states[:1], at(0, 20))) == {"wrong_clock": "low"}
    assert severities(found("devices", states, at(0, 20))) == {"wrong_clock": "medium"}


def test_states_of_two_devices_do_not_hide_each_other() -> None:
    states = state(("battery_low", at(0)), ("ok", at(0, 8.1)), ("fault", at(0, 8.2)), ("ok", at(0, 8.3)))
    assert severities(found("devices", states, at(0, 9))) == {"low_battery_said": "low", "broken": "low"}


def test_a_sensor_that_is_taken_off_for_a_shower_is_nothing() -> None:
    assert found("devices", state(("not_worn", at(0)), ("ok", at(0, 9))), at(0, 20)) == []
    assert severities(found("devices", state(("not_worn", at(0))), at(0, 13))) == {"not_worn": "low"}


def test_a_battery_runs_down_and_is_charged() -> None:
    taken: list[Taken] = [("battery", 12.0, at(0)), ("battery", 90.0, at(0, 12)), ("battery", 85.0, at(2))]
    (finding,) = found("devices", taken, at(2, 9))
    assert (finding.rule, finding.severity) == ("devices/low_battery", "low")
    assert finding.cleared_us == MIDNIGHT_US + at(2)


def test_a_flat_line_is_no_living_body() -> None:
    assert severities(found("devices", steady("heart_rate", [70.0] * 50, at(0), 1), at(0, 9))) == {
        "flat_heart_rate": "low"
    }
    assert found("devices", steady("heart_rate", [70.0, 71.0] * 25, at(0), 1), at(0, 9)) == []
    assert severities(found("devices", daily("body_weight", [80.2] * 8), at(7, 9))) == {"flat_weight": "low"}
    assert severities(found("devices", daily("systolic", [130.0] * 6), at(5, 9))) == {"flat_pressure": "low"}
    stuck = steady("glucose_cgm", [104.0] * 31, at(0), 5)
    assert severities(found("devices", stuck, at(0, 11))) == {"flat_glucose": "low"}
