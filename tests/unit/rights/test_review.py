"""Looks that are worth a second look, and those that are not."""

from datetime import datetime
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.auditing.review import BASELINE_US, FEWEST, Flag, Why, is_usual_hour, review, too_many
from ingest.rights.looks import ZONE
from models.access import Role
from models.clock import DAY_US, HOUR_US, to_us
from models.looks import Emergency, Hour

SINCE_US = to_us(datetime(2026, 11, 23, tzinfo=ZONE))  # a Monday


def at(day: int, hour: int) -> int:
    """So many days after (or before) the beginning of the period, at that hour in Amsterdam."""
    local = datetime(2026, 11, 23, hour, tzinfo=ZONE)
    return to_us(local) + day * DAY_US


def ward(nurses: int = 5, looks: int = 6, *, role: str = Role.NURSE) -> list[Hour]:
    """Four weeks of nurses who look at patients from 8 to 16, on every day."""
    chance = Random(3)
    return [
        Hour(f"nurse {nurse}", role, at(day, hour), looks + chance.randrange(3))
        for nurse in range(nurses)
        for day in range(-28, 0)
        for hour in range(8, 17)
    ]


def whys(flags: list[Flag]) -> list[Why]:
    return [flag.why for flag in flags]


def test_a_day_like_every_other_is_not_flagged() -> None:
    day = [Hour("nurse 1", Role.NURSE, at(2, hour), 8) for hour in range(8, 17)]
    assert review([*ward(), *day], [], SINCE_US) == []


def test_a_look_at_night_is_flagged_with_what_is_usual() -> None:
    (flag,) = review([*ward(), Hour("nurse 1", Role.NURSE, at(2, 3), 4)], [], SINCE_US)
    assert flag.why is Why.ODD_HOURS
    assert (
        flag.nl == "Op 25 november 2026 4 keer gekeken in de uren vanaf 03:00: ongewoon als verpleegkundige."
    )
    assert flag.en == "On Wednesday 25 November 2026 4 looks in the hours from 03:00: unusual for a nurse."


def test_who_always_looks_at_night_does_not_make_it_usual() -> None:
    nights = [Hour("owl", Role.NURSE, at(day, 3), 40) for day in range(-28, 0)]
    tonight = Hour("owl", Role.NURSE, at(1, 3), 40)
    assert whys(review([*ward(), *nights, tonight], [], SINCE_US)) == [Why.ODD_HOURS]


def test_where_others_look_at_night_it_is_usual() -> None:
    nights = [Hour(f"night {n}", Role.NURSE, at(day, 3), 40) for n in range(2) for day in range(-28, 0)]
    assert review([*ward(), *nights, Hour("nurse 1", Role.NURSE, at(2, 3), 4)], [], SINCE_US) == []


def test_hours_are_those_of_amsterdam_in_summer_and_winter() -> None:
    for month in (1, 7):
        early, morning = (datetime(2026, month, 14, hour, tzinfo=ZONE) for hour in (6, 8))
        assert is_usual_hour(Role.COORDINATOR, morning, {})
        assert not is_usual_hour(Role.COORDINATOR, early, {})
    assert not is_usual_hour(Role.COORDINATOR, datetime(2026, 7, 18, 12, tzinfo=ZONE), {}), "a Saturday"
    assert is_usual_hour(Role.SERVICE, datetime(2026, 7, 18, 3, tzinfo=ZONE), {})


def test_a_day_with_far_more_looks_is_flagged_against_the_own_usual_number() -> None:
    day = [Hour("nurse 1", Role.NURSE, at(2, hour), 40) for hour in range(8, 17)]
    (flag,) = review([*ward(), *day], [], SINCE_US)
    assert flag.why is Why.UNUSUAL_NUMBER
    assert "360 keer gekeken, bij deze persoon gewoonlijk 6" in flag.nl


def test_who_is_new_is_held_against_the_role() -> None:
    day = [Hour("new", Role.NURSE, at(2, hour), 40) for hour in range(8, 17)]
    (flag,) = review([*ward(), *day], [], SINCE_US)
    assert "usually" in flag.en
    assert "in this role" in flag.en


def test_one_wild_day_before_does_not_make_another_one_usual() -> None:
    assert too_many(300, [30, 32, 28, 31, 29, 300], []) is not None
    assert too_many(45, [30, 32, 28, 31, 29, 300], []) is None
    assert too_many(400, [], []) is not None
    assert too_many(100, [], []) is None


def test_refusals_are_counted_by_day_and_emergencies_stand_first() -> None:
    emergency = Emergency(
        UUID(int=1), UUID(int=2), "nurse 1", at(0, 22), at(0, 23), "does not answer the door"
    )
    hours = [Hour("nurse 2", Role.NURSE, at(2, hour), 0, refused=2) for hour in (9, 10)]
    first, second = review([*ward(), *hours], [emergency], SINCE_US)
    assert (first.why, second.why) == (Why.EMERGENCY, Why.REFUSED)
    assert "does not answer the door" in first.nl
    assert "4 keer geweigerd" in second.nl


@given(
    st.lists(
        st.builds(
            Hour,
            user_id=st.sampled_from(["a", "b", "c"]),
            role=st.sampled_from([*Role, "unknown"]),
            hour_us=st.integers(0, 60 * 24).map(lambda hour: SINCE_US - BASELINE_US + hour * HOUR_US),
            looks=st.integers(0, 500),
            refused=st.integers(0, 3),
        ),
        max_size=40,
    )
)
def test_whatever_happened_each_flag_says_why_about_somebody_who_was_there(hours: list[Hour]) -> None:
    flags = review(hours, [], SINCE_US)
    there = {(hour.user_id, hour.role) for hour in hours if hour.hour_us >= SINCE_US}
    for flag in flags:
        assert (flag.user_id, flag.role) in there
        assert flag.at_us >= SINCE_US
        assert flag.nl.startswith("Op ")
        assert flag.en.startswith("On ")
    refused = sum(hour.refused for hour in hours if hour.hour_us >= SINCE_US)
    assert (refused > 0) == any(flag.why is Why.REFUSED for flag in flags)


@given(st.integers(0, FEWEST), st.lists(st.integers(0, 1000)), st.lists(st.integers(0, 1000)))
def test_few_looks_are_never_too_many(count: int, own: list[int], others: list[int]) -> None:
    assert too_many(count, own, others) is None


@given(st.integers(21, 2_000), st.integers(1, 1_000), st.lists(st.integers(1, 400), min_size=5, max_size=28))
def test_more_looks_are_never_less_unusual(count: int, more: int, own: list[int]) -> None:
    if too_many(count, own, []) is not None:
        assert too_many(count + more, own, []) is not None


@pytest.mark.parametrize("role", Role)
def test_every_role_has_usual_hours(role: Role) -> None:
    assert is_usual_hour(role, datetime(2026, 11, 25, 10, tzinfo=ZONE), {})
