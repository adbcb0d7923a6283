"""The bucket: never more than the burst at once, never more than the rate in the long run."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.clients.limits import Bucket, Limit, taken
from models.clock import SECOND_US

LIMITS = st.builds(Limit, per_second=st.floats(0.01, 10_000), burst=st.integers(1, 1000))
STEPS = st.lists(st.integers(0, 5 * SECOND_US), max_size=200)


@given(LIMITS, STEPS)
def test_no_more_than_the_burst_and_what_came_since(limit: Limit, steps: list[int]) -> None:
    bucket: Bucket | None = None
    now_us = passed = 0
    for step_us in steps:
        now_us += step_us
        bucket, wait_us = taken(bucket, limit, now_us)
        passed += wait_us == 0
        assert 0 <= bucket.left <= limit.burst
    assert passed <= limit.burst + now_us / SECOND_US * limit.per_second + 1e-6


@given(LIMITS, STEPS)
def test_who_waits_as_told_may_pass_and_earlier_not(limit: Limit, steps: list[int]) -> None:
    bucket: Bucket | None = None
    now_us = 0
    for step_us in steps:
        now_us += step_us
        bucket, wait_us = taken(bucket, limit, now_us)
        if wait_us:
            assert taken(bucket, limit, now_us + wait_us + 1)[1] == 0
            if wait_us > 2:
                assert taken(bucket, limit, now_us + wait_us - 2)[1] > 0


@given(LIMITS, st.integers(1, 1_000_000))
def test_a_clock_that_goes_back_fills_nothing(limit: Limit, back_us: int) -> None:
    now_us = 10 * SECOND_US
    bucket: Bucket | None = None
    for _ in range(limit.burst):
        bucket, wait_us = taken(bucket, limit, now_us)
        assert wait_us == 0
    assert taken(bucket, limit, now_us - back_us)[1] > 0


def test_who_is_slow_enough_never_waits() -> None:
    limit, bucket = Limit(per_second=2, burst=1), None
    for now_us in range(0, 60 * SECOND_US, SECOND_US // 2):
        bucket, wait_us = taken(bucket, limit, now_us)
        assert wait_us == 0
