"""What a nurse would expect of the programme for COPD, told as stories of one patient."""

from tests.unit.engine.stories import MIDNIGHT_US, Taken, at, daily, found, severities

Answers = dict[str, list[float | str]]


def answered(answers: Answers, days: int) -> list[Taken]:
    """Answers day by day from the first on; what is not told is as good as can be."""
    usual = {"symptom_dyspnoea": "mild", "symptom_sputum": "mild", "symptom_purulence": "no"}
    taken: list[Taken] = []
    for kind, good in usual.items():
        told = answers.get(kind, [])
        taken += daily(kind, [*told, *[good] * (days - len(told))])
    for kind in answers.keys() - usual.keys():
        taken += daily(kind, answers[kind])
    return taken


def test_three_majors_for_two_days_are_type_1_until_two_days_are_good() -> None:
    bad: Answers = {
        "symptom_dyspnoea": ["moderate", "moderate"],
        "symptom_sputum": ["moderate", "severe"],
        "symptom_purulence": ["yes", "yes"],
    }
    first, second = found("copd", answered(bad, 6), at(5, 10))
    assert [first.rule, second.rule] == ["copd/exacerbation_type_1", "copd/exacerbation_type_2"]
    assert (first.severity, first.opened_us) == ("medium", MIDNIGHT_US + at(1))
    assert first.cleared_us == MIDNIGHT_US + at(3)


def test_one_day_is_no_exacerbation() -> None:
    bad: Answers = {
        "symptom_dyspnoea": ["moderate"],
        "symptom_purulence": ["yes"],
        "symptom_cough": ["severe"],
    }
    assert found("copd", answered(bad, 3), at(2, 10)) == []


def test_two_majors_are_type_2() -> None:
    bad: Answers = {"symptom_sputum": ["moderate", "moderate"], "symptom_purulence": ["yes", "yes"]}
    assert severities(found("copd", answered(bad, 3), at(2, 10))) == {"exacerbation_type_2": "medium"}


def test_one_major_needs_a_minor_to_be_type_3() -> None:
    bad: Answers = {"symptom_dyspnoea": ["moderate", "moderate"]}
    assert found("copd", answered(bad, 3), at(2, 10)) == []
    bad["symptom_cold"] = ["yes"]
    assert severities(found("copd", answered(bad, 3), at(2, 10))) == {"exacerbation_type_3": "low"}


def test_who_is_always_breathless_gets_limits_that_fit() -> None:
    taken = answered({"symptom_dyspnoea": ["moderate"] * 9, "symptom_cough": ["moderate"] * 9}, 9)
    assert severities(found("copd", taken, at(8, 10))) == {"exacerbation_type_3": "low"}
    own = {"breathless_more": (3.0, "{code}")}
    assert found("copd", taken, at(8, 10), own) == []


def test_severe_breathlessness_is_high_at_the_first_answer() -> None:
    taken = answered({"symptom_dyspnoea": ["severe"]}, 2)
    assert severities(found("copd", taken, at(1, 10))) == {"breathless_severe": "high"}


def test_low_oxygen_twice_in_three_is_medium() -> None:
    taken = answered({}, 5) + daily("spo2", [88.0, 91.0, 89.0, 92.0, 93.0])
    (finding,) = found("copd", taken, at(4, 10))
    assert (finding.rule, finding.severity) == ("copd/spo2_low", "medium")
    assert finding.opened_us == MIDNIGHT_US + at(2)
    assert finding.cleared_us is not None


def test_far_too_little_oxygen_is_high_when_confirmed() -> None:
    taken = [*answered({}, 1), ("spo2", 82.0, at(0)), ("spo2", 83.0, at(0, 8.2))]
    assert severities(found("copd", taken, at(0, 10)))["spo2_very_low"] == "high"


def test_oxygen_below_the_own_usual_is_seen_before_it_is_low() -> None:
    usual = [95.0, 96.0, 96.0, 95.0, 97.0, 96.0, 95.0, 96.0, 97.0, 96.0, 95.0, 96.0]
    taken = answered({}, 14) + daily("spo2", [*usual, 92.0, 92.0])
    assert severities(found("copd", taken, at(13, 10))) == {"spo2_below_own": "low"}


def test_heart_rate_and_oxygen_that_change_together_are_an_early_sign() -> None:
    oxygen = [
        95.0,
        96.0,
        94.0,
        95.0,
        96.0,
        95.0,
        94.0,
        95.0,
        96.0,
        95.0,
        94.0,
        95.0,
        96.0,
        95.0,
        95.0,
        94.0,
        95.0,
    ]
    beats = [72.0 + day % 3 for day in range(17)]
    taken = answered({}, 18) + daily("spo2", [*oxygen, 92.0]) + daily("heart_rate", [*beats, 86.0])
    assert severities(found("copd", taken, at(17, 10))) == {"change_before_exacerbation": "low"}


def test_peak_flow_is_compared_with_the_own_usual() -> None:
    usual = [290.0 + 10 * (day % 3) for day in range(30)]
    one_bad = answered({}, 32) + daily("peak_flow", [*usual, 220.0, 300.0])
    assert found("copd", one_bad, at(31, 10)) == []
    taken = answered({}, 33) + daily("peak_flow", [*usual, 220.0, 215.0, 210.0])
    assert severities(found("copd", taken, at(32, 10))) == {"peak_flow_low": "low"}
    worse = answered({}, 34) + daily("fev1", [1.2 + 0.05 * (day % 3) for day in range(30)])
    worse += daily("fev1", [0.9, 0.7, 0.6, 0.6], first=30)
    assert severities(found("copd", worse, at(33, 10))) == {"fev1_low": "medium"}


def test_no_answers_for_three_days_are_silence() -> None:
    taken = answered({}, 1) + [("spo2", 95.0, at(day)) for day in range(5)]
    (silence,) = found("copd", taken, at(4, 10))
    assert (silence.rule, silence.severity) == ("copd/no_answers", "low")
    assert silence.opened_us == MIDNIGHT_US + at(3, 12)
