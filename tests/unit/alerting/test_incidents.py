"""When a silent source is an incident, and for how long it may hold back an alert."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.incidents import Limits, Release, expected_patients, is_incident, release
from models.clock import HOUR_US, MINUTE_US

LIMITS = Limits(patients=10, silent_us=HOUR_US, longest_us=4 * HOUR_US, grace_us=30 * MINUTE_US)
TODAY = 24 * 20_000
"""The hour of a midnight."""


def daily(*hours: int, patients: int = 40, days: int = 7) -> Mapping[int, int]:
    """So many patients in these hours of each of the last days."""
    return {TODAY - 24 * day + hour: patients for day in range(1, days + 1) for hour in hours}


def at(hour: float) -> int:
    return TODAY * HOUR_US + round(hour * HOUR_US)


@pytest.mark.parametrize(
    ("by_hour", "last", "now", "expected"),
    [
        (daily(*range(24)), 8.0, 9.5, True),
        (daily(*range(24)), 8.0, 8.9, False),  # not for long enough
        (daily(*range(24), patients=9), 8.0, 20.0, False),  # too few, however long
        (daily(7, 8, 9), 0.5, 6.9, False),  # a night in which nobody measures
        (daily(7, 8, 9), 0.5, 7.1, False),  # the morning has only begun
        (daily(7, 8, 9), 0.5, 7.5, True),
        (daily(7, 8, 9), 9.9, 23.0, False),  # they have all measured
        (daily(7, days=1), 3.0, 8.0, True),  # known since yesterday
        ({TODAY + 7: 90}, 7.5, 12.0, False),  # new today
        ({}, 7.5, 12.0, False),
    ],
)
def test_silence_is_an_incident_when_much_was_to_be_expected(
    by_hour: Mapping[int, int], last: float, now: float, expected: bool
) -> None:
    assert is_incident(by_hour, at(last), at(now), LIMITS) is expected


def test_a_source_that_was_silent_on_some_days_is_expected_less() -> None:
    by_hour = {**daily(8, 20, days=3), TODAY - 24 * 7: 1}
    assert expected_patients(by_hour, at(7), at(9)) == pytest.approx(40 * 3 / 7)


@given(st.integers(0, 30), st.integers(1, 30), st.integers(1, 30))
def test_the_longer_the_silence_the_more_was_to_be_expected(last: int, first: int, more: int) -> None:
    by_hour = daily(8, 12, 19)
    sooner = expected_patients(by_hour, at(last / 2), at((last + first) / 2))
    assert sooner <= expected_patients(by_hour, at(last / 2), at(min(last + first + more, last + 46) / 2))


def test_nothing_is_held_back_for_ever() -> None:
    assert release(None, 4 * HOUR_US - 1, at(9), LIMITS) is None
    assert release(None, 4 * HOUR_US, at(9), LIMITS) is Release.LONGEST_TIME
    assert release(at(8.6), HOUR_US, at(9), LIMITS) is None
    assert release(at(8.5), HOUR_US, at(9), LIMITS) is Release.INCIDENT_OVER
    assert release(at(8.9), 5 * HOUR_US, at(9), LIMITS) is Release.LONGEST_TIME
