"""What is due is sent when it is due; a generator that cannot keep up says so, and its run is void."""

import gc
import os

import numpy as np
import pytest

from simulators.load.pacing import Paced, Void, require_valid, send_planned, why_void
from simulators.load.run import undisturbed

PER_S, SECONDS = 1_000, 2
AT_US = np.arange(PER_S * SECONDS, dtype=np.int64) * (1_000_000 // PER_S)


class Slowed:
    """A watch that only work and sleeping move: each row that is handed over takes so long."""

    def __init__(self, us_per_row: int = 0) -> None:
        self._now_us = 0
        self._us_per_row = us_per_row
        self.rows: list[tuple[int, int, int]] = []

    def now_us(self) -> int:
        return self._now_us

    async def sleep(self, seconds: float) -> None:
        self._now_us += max(1, int(seconds * 1e6))

    def put(self, begin: int, end: int) -> None:
        self.rows.append((self._now_us, begin, end))
        self._now_us += self._us_per_row * (end - begin)


async def test_each_is_handed_over_once_in_order_and_not_before_its_moment() -> None:
    watch = Slowed()
    paced = await send_planned(AT_US, watch.put, watch)
    assert paced.sent == len(AT_US)
    assert [row for _, begin, end in watch.rows for row in range(begin, end)] == list(range(len(AT_US)))
    assert all(AT_US[end - 1] <= now_us for now_us, _, end in watch.rows)
    assert 0 <= paced.lag_us.min() <= paced.lag_us.max() <= 5_000
    assert why_void(paced) is None
    require_valid(paced)


async def test_a_generator_that_is_too_slow_is_void_and_slow_answers_do_not_make_it_so() -> None:
    """It takes 2 ms for each of what is due every millisecond: the last is two seconds late."""
    watch = Slowed(us_per_row=2_000)
    paced = await send_planned(AT_US, watch.put, watch)
    assert paced.lag_us.max() >= 1_900_000
    assert "late itself" in str(why_void(paced))
    with pytest.raises(Void, match="VOID: the generator was late itself"):
        require_valid(paced)


async def test_it_stops_when_it_is_told_to() -> None:
    watch = Slowed()
    paced = await send_planned(AT_US, watch.put, watch, lambda: watch.now_us() > 500_000)
    assert 450 <= paced.sent < 600
    assert len(paced.lag_us) == paced.sent


def test_a_whole_processor_is_void_too() -> None:
    paced = Paced(10, np.zeros(10, np.int64), elapsed_s=10.0, own_s=9.9)
    assert "99% of a processor" in str(why_void(paced))
    assert why_void(Paced(10, np.zeros(10, np.int64), elapsed_s=10.0, own_s=5.0)) is None


def test_nothing_stops_the_generator_and_all_is_as_it_was_afterwards() -> None:
    usual = os.sched_getscheduler(0)
    with undisturbed():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert os.sched_getscheduler(0) == usual
