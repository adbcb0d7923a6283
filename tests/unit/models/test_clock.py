from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import DAY_US, to_datetime, to_us, wall_now_us

YEAR_9999_US = 253_402_300_799_999_999


@given(st.integers(-62_135_596_800_000_000, YEAR_9999_US))
def test_there_and_back_to_the_microsecond(at_us: int) -> None:
    assert to_us(to_datetime(at_us)) == at_us


def test_zones_do_not_matter() -> None:
    summer = timezone(timedelta(hours=2))
    assert to_us(datetime(2026, 7, 1, 2, 0, tzinfo=summer)) == to_us(datetime(2026, 7, 1, tzinfo=UTC))


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_us(datetime(2026, 7, 1))  # noqa: DTZ001  (that is what is tested)


def test_the_wall_clock_is_in_this_century() -> None:
    assert 20_000 * DAY_US < wall_now_us() < 47_000 * DAY_US
