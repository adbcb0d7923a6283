"""The benchmark of the console counts what it says: real requests, real alerts on a real screen."""

import pytest

from benchmarks.console.__main__ import Wanted, lines, measure
from benchmarks.console.centre import Sizes
from simulators.stack import Stack

FEW = Wanted(Sizes(patients=200, alerts=60, nurses=4, readings=2_000), 6.0, 0.5, alerts=3, times=1)


@pytest.mark.timeout(300)
async def test_nurses_work_and_what_they_ask_is_counted(stack: Stack) -> None:
    measured = await measure(stack, FEW)
    asked = measured.requests
    assert measured.failed == {}
    assert {"open a row", "claim", "resolve", "list, by itself"} <= set(asked)
    assert asked["open a row"].number == asked["claim"].number
    assert sum(asked[kind].number for kind in ("resolve", "snooze") if kind in asked) <= asked["claim"].number
    assert measured.told >= 4
    assert all(0 < one.p50 <= one.p95 <= one.p99 <= one.longest for one in asked.values())
    assert measured.on_screen.number == 3
    assert measured.on_screen.p50 > 0, "seen after it was committed"
    assert measured.year_points == 2_000
    assert 0 < measured.year_drawing < measured.year_drawn
    assert all(share > 0 for share in measured.cpu_s.values())
    assert "4 nurses, 60 open alerts" in lines(measured)[0]
