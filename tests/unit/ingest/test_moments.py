"""Where a moment is in the log: against looking at each clock message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.moments import Moment, Tick, clock_of, first_at

LOGS = st.lists(st.none() | st.integers(0, 3), max_size=40)


@given(LOGS, st.integers(0, 60), st.integers(0, 5))
async def test_as_by_looking_at_each(steps: list[int | None], at_us: int, beginning: int) -> None:
    """A log as messages: None is anything, a number is a clock message so much after the one before."""
    clocks: list[int | None] = []
    now_us = 0
    for step in steps:
        now_us += step or 0
        clocks.append(None if step is None else now_us)
    end = beginning + len(clocks)

    async def tick(offset: int) -> Tick | None:
        assert beginning <= offset <= end
        later = range(offset, end)
        return next((Tick(o, us) for o in later if (us := clocks[o - beginning]) is not None), None)

    found = await first_at(beginning, end, at_us, tick)
    ticks = [(beginning + place, us) for place, us in enumerate(clocks) if us is not None]
    reached = [offset for offset, us in ticks if us >= at_us]
    if not reached:
        assert found is None
        return
    if all(us >= at_us for _, us in ticks):
        before = None if beginning == 0 else ticks[0][1] - 1
        assert found == Moment(beginning, before)
        return
    assert found == Moment(reached[0], at_us - 1)
    assert max(us for offset, us in ticks if offset < reached[0]) <= at_us - 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b'"clock"',
        b'{"type": "clock"}',
        b'{"type": "clock", "now_us": "soon"}',
        b'{"type": "clock", "now_us": ',
        json.dumps({"type": "upload", "device_id": "clock", "now_us": 7}).encode(),
    ],
)
def test_what_is_no_clock_message(value: bytes | None) -> None:
    assert clock_of(value) is None
