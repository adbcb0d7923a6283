"""What a nurse would expect of diabetes, by fingerstick and by sensor, told as stories."""

import pytest

from tests.naive.findings import Finding
from tests.unit.engine.stories import MIDNIGHT_US, Taken, at, found, severities, steady

NOON = at(0, 12)


def minutes(count: float) -> int:
    return int(count * 60_000_000)


def of(findings: list[Finding], rule: str) -> list[Finding]:
    return [finding for finding in findings if finding.rule == f"diabetes/{rule}"]


def sensed(*parts: tuple[int, float]) -> list[Taken]:
    """Each five minutes from noon: so many values of so much, in mg/dL."""
    return steady("glucose_cgm", [value for count, value in parts for _ in range(count)], NOON, 5)


def until(taken: list[Taken]) -> int:
    """Just after the last reading, before its absence is noticed."""
    return max(at_us for _, _, at_us in taken) + minutes(1)


def test_a_low_fingerstick_is_low_and_ends_when_it_is_fine_again() -> None:
    taken: list[Taken] = [("glucose", 3.6, NOON), ("glucose", 6.1, NOON + minutes(20))]
    (finding,) = found("diabetes", taken, NOON + minutes(60))
    assert (finding.rule, finding.severity) == ("diabetes/glucose_low", "low")
    assert finding.cleared_us == MIDNIGHT_US + NOON + minutes(20)


def test_low_on_three_days_of_a_week_asks_for_another_treatment() -> None:
    taken: list[Taken] = [
        ("glucose", value, at(day, hour)) for day in (0, 2, 4) for value, hour in ((3.7, 8), (7.0, 9))
    ]
    assert [f.severity for f in found("diabetes", taken, at(4, 10))] == ["low", "low", "medium"]


def test_far_too_low_is_high_when_nobody_measures_again_or_it_is_still_so() -> None:
    once: list[Taken] = [("glucose", 2.7, NOON)]
    assert severities(found("diabetes", once, NOON + minutes(29)))["glucose_very_low"] == "medium"
    assert severities(found("diabetes", once, NOON + minutes(31)))["glucose_very_low"] == "high"
    again: list[Taken] = [*once, ("glucose", 2.8, NOON + minutes(15))]
    assert severities(found("diabetes", again, NOON + minutes(16)))["glucose_very_low"] == "high"
    better: list[Taken] = [*once, ("glucose", 4.8, NOON + minutes(15))]
    assert severities(found("diabetes", better, NOON + minutes(90)))["glucose_very_low"] == "medium"


def test_one_high_fingerstick_is_nothing_and_an_extreme_one_must_be_confirmed() -> None:
    assert found("diabetes", [("glucose", 15.0, NOON)], NOON + minutes(60)) == []
    extreme: list[Taken] = [("glucose", 24.0, NOON)]
    assert severities(found("diabetes", extreme, NOON + minutes(60))) == {"glucose_very_high": "medium"}
    extreme.append(("glucose", 25.5, NOON + minutes(90)))
    assert severities(found("diabetes", extreme, NOON + minutes(100)))["glucose_very_high"] == "high"


def test_a_low_episode_begins_after_15_minutes_in_a_row() -> None:
    short = sensed((6, 90), (3, 66), (6, 90))
    assert of(found("diabetes", short, until(short)), "cgm_low") == []
    taken = sensed((6, 90), (4, 66), (6, 90))
    (episode,) = of(found("diabetes", taken, until(taken)), "cgm_low")
    assert episode.severity == "low"
    assert episode.opened_us == MIDNIGHT_US + NOON + minutes(5 * 9)
    assert episode.cleared_us == MIDNIGHT_US + NOON + minutes(5 * 13)


def test_a_low_episode_goes_on_through_ten_minutes_above() -> None:
    taken = sensed((6, 90), (4, 66), (3, 75), (4, 66), (6, 90))
    (episode,) = of(found("diabetes", taken, until(taken)), "cgm_low")
    assert episode.cleared_us == MIDNIGHT_US + NOON + minutes(5 * 20)


def test_a_sensor_each_quarter_of_an_hour_has_episodes_too() -> None:
    taken = steady("glucose_cgm", [90.0, 68.0, 67.0, 90.0, 91.0], NOON, 15)
    (episode,) = of(found("diabetes", taken, until(taken)), "cgm_low")
    assert episode.opened_us == MIDNIGHT_US + NOON + minutes(30)
    assert episode.cleared_us == MIDNIGHT_US + NOON + minutes(60)


def test_the_limit_counts_in_the_unit_in_which_it_was_published() -> None:
    """70 mg/dL is not below 70 mg/dL, although it is 3.89 mmol/L."""
    taken = sensed((12, 70))
    assert of(found("diabetes", taken, until(taken)), "cgm_low") == []
    by_finger: list[Taken] = [("glucose", 3.89, NOON)]
    assert severities(found("diabetes", by_finger, NOON + minutes(1))) == {"glucose_low": "low"}


def test_far_too_low_by_the_sensor_is_medium_and_high_when_it_lasts() -> None:
    taken = sensed((6, 90), (5, 50))
    assert severities(found("diabetes", taken, until(taken)))["cgm_very_low"] == "medium"
    taken = sensed((6, 90), (10, 50))
    assert severities(found("diabetes", taken, until(taken)))["cgm_very_low"] == "high"


@pytest.mark.parametrize(("values", "extended"), [(25, False), (26, True)])
def test_more_than_two_hours_below_70_are_extended(values: int, *, extended: bool) -> None:
    taken = sensed((6, 90), (values, 64))
    findings = found("diabetes", taken, until(taken))
    assert bool(of(findings, "cgm_low_extended")) == extended


def test_high_episodes_and_how_long_they_last() -> None:
    taken = sensed((6, 150), (8, 200), (24, 280), (6, 150))
    findings = found("diabetes", taken, until(taken))
    assert severities(findings) == {"cgm_high": "low", "cgm_very_high": "medium"}
    (high,) = of(findings, "cgm_high")
    assert high.opened_us == MIDNIGHT_US + NOON + minutes(5 * 9)
    assert high.cleared_us == MIDNIGHT_US + NOON + minutes(5 * 41)


def test_dangerously_high_for_two_hours_is_high() -> None:
    taken = sensed((6, 150), (26, 380))
    assert severities(found("diabetes", taken, until(taken)))["cgm_danger"] == "high"


def test_two_weeks_out_of_range_are_one_finding() -> None:
    day = [120.0] * 48 + [270.0] * 48
    taken = steady("glucose_cgm", day * 12, 0, 15)
    (finding,) = of(found("diabetes", taken, until(taken)), "cgm_in_range")
    assert (finding.severity, finding.cleared_us) == ("low", None)
    assert finding.opened_us >= MIDNIGHT_US + at(8, 12)
    good = steady("glucose_cgm", ([120.0] * 90 + [190.0] * 6) * 12, 0, 15)
    assert of(found("diabetes", good, until(good)), "cgm_in_range") == []


def test_too_much_time_below_is_one_finding() -> None:
    day = [120.0] * 90 + [50.0] * 6
    taken = steady("glucose_cgm", day * 12, 0, 15)
    (finding,) = of(found("diabetes", taken, until(taken)), "cgm_low_share")
    assert finding.severity == "medium"


def test_a_silent_sensor_is_noticed_after_15_minutes_and_urgent_after_30() -> None:
    taken = sensed((12, 120))
    last = NOON + minutes(55)
    assert found("diabetes", taken, last + minutes(15)) == []
    (silence,) = found("diabetes", taken, last + minutes(29))
    assert (silence.rule, silence.severity) == ("diabetes/sensor_silent", "low")
    back: list[Taken] = [*taken, ("glucose_cgm", 118.0, last + minutes(45))]
    (silence,) = found("diabetes", back, last + minutes(50))
    assert silence.severity == "medium"
    assert silence.cleared_us == MIDNIGHT_US + last + minutes(45)


def test_who_wears_a_sensor_need_not_prick() -> None:
    taken = steady("glucose_cgm", [120.0] * (96 * 5), 0, 15)
    assert found("diabetes", taken, until(taken)) == []
