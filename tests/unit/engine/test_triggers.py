"""What wakes a rule at rest. That leaving it alone changes nothing is what `test_twin.py` looks for."""

from alerting.engine.triggers import Waiting, wait_of
from tests import shipped


def waiting(programme: str, rule: str) -> Waiting:
    found = next(one for one in shipped.programmes() if one.programme == programme)
    return wait_of(found, found.rules[rule]).waiting


def test_a_last_value_beyond_a_limit_turns_a_rule() -> None:
    assert waiting("copd", "spo2_very_low") is Waiting.TURNING


def test_days_with_answers_turn_a_rule_that_joins_them() -> None:
    assert waiting("copd", "exacerbation_type_1") is Waiting.TURNING


def test_a_rise_turns_a_rule() -> None:
    assert waiting("heart_failure", "weight_gain_3d") is Waiting.TURNING


def test_what_is_usual_is_asked_for_only_where_the_last_value_leads() -> None:
    assert waiting("heart_failure", "heart_rate_above_usual") is Waiting.LEADING


def test_silence_waits_while_something_is_present() -> None:
    assert waiting("heart_failure", "no_weight") is Waiting.PRESENT


def test_means_and_moving_averages_are_always_evaluated() -> None:
    assert waiting("hypertension", "mean_high") is Waiting.ALWAYS
    assert waiting("heart_failure", "weight_trend") is Waiting.ALWAYS
