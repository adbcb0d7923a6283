"""Terms of the law, counted in calendar years; and what is said of each obstacle."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from models.clock import to_datetime, to_us
from models.retention import OBSTACLES, RECORD_KEPT_YEARS, STAYS, Obstacle, may_be_let_go, years_before

moments = st.datetimes(datetime(1990, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, st.integers(0, 20))
def test_years_are_calendar_years(at: datetime, years: int) -> None:
    before = to_datetime(years_before(to_us(at), years))
    assert (before.year, before.month, before.time()) == (at.year - years, at.month, at.time())
    assert at.day - before.day in ({0, 1} if (at.month, at.day) == (2, 29) else {0})


@given(moments, st.integers(-(10**15), 10**15))
def test_a_record_may_go_from_a_moment_on_and_never_before(at: datetime, after_us: int) -> None:
    at_us = to_us(at)
    due_us = years_before(at_us, RECORD_KEPT_YEARS)
    assert may_be_let_go(due_us, at_us)
    assert not may_be_let_go(due_us + 1, at_us)
    assert may_be_let_go(due_us - abs(after_us), at_us)


def test_every_obstacle_and_what_stays_is_said_in_both_languages() -> None:
    assert set(OBSTACLES) == set(Obstacle)
    said = [*OBSTACLES.values(), *(kept.what for kept in STAYS), *(kept.why for kept in STAYS)]
    assert all(one.nl.endswith(".") and one.en.endswith(".") for one in said)
