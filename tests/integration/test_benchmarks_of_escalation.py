"""The benchmark of escalation measures what it says: each step is taken, the severe ones first."""

import pytest

from benchmarks.escalation import line, work_off
from simulators.stack import Stack


@pytest.mark.timeout(300)
async def test_steps_are_worked_off_and_timed(stack: Stack) -> None:
    measured = await work_off(stack, 2_000, 2)
    high, medium, low = measured.last_s
    assert 0 < high < medium < low <= measured.elapsed_s + 1
    assert 0 < measured.messages <= 1_000, "half of the alerts are handed on, some of them together"
    assert all(us > 0 for us in measured.cpu_us.values())
    assert "2,000 alerts, 2 dispatchers" in line(measured)
