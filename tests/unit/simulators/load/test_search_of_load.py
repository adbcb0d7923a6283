"""The search finds what systems of known capacity hold."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Broken
from simulators.load.loading import Asked, search
from simulators.load.schedule import Profile, Wanted
from simulators.load.search import Highest, Next, Outcome, Tried, is_bounded, next_step

PROBE_S, HOLD_S = 20.0, 300.0


@dataclass
class Simulated:
    """Holds so much for a short while and so much for long; above some rate the generator gives out."""

    for_short: float
    for_long: float
    generator: float = math.inf

    def try_one(self, step: Next) -> Tried:
        if step.rate > self.generator:
            outcome = Outcome.VOID
        elif step.rate > (self.for_long if step.seconds >= HOLD_S else self.for_short):
            outcome = Outcome.NOT_HELD
        else:
            outcome = Outcome.HELD
        return Tried(step.rate, step.seconds, outcome)


def searched(system: Simulated, start: float, resolution: float) -> tuple[Highest, list[Tried]]:
    tried: list[Tried] = []
    while isinstance(step := next_step(tried, start, PROBE_S, HOLD_S, resolution), Next):
        tried.append(system.try_one(step))
        assert len(tried) < 200
    return step, tried


@given(st.floats(2.0, 1e6), st.floats(1.0, 1e5), st.floats(0.01, 0.5))
def test_it_finds_the_capacity_within_its_resolution(
    capacity: float, start: float, resolution: float
) -> None:
    found, tried = searched(Simulated(capacity, capacity), start, resolution)
    assert found.rate <= capacity < found.not_held
    assert found.not_held - found.rate <= resolution * found.not_held
    assert not found.is_the_generators
    assert [one.rate for one in tried if one.seconds == HOLD_S and one.outcome is Outcome.HELD] == [
        found.rate
    ]
    doublings = abs(math.log2(capacity / start)) + 2
    assert len(tried) <= doublings + math.log2(1 / resolution) + 3


@given(st.floats(2.0, 1e5), st.floats(1.0, 50.0), st.floats(1.0, 1e5), st.floats(0.02, 0.5))
def test_what_is_held_for_a_short_while_only_is_not_held(
    for_long: float, times: float, start: float, resolution: float
) -> None:
    found, tried = searched(Simulated(for_long * times, for_long), start, resolution)
    assert found.rate <= for_long
    # After the first that was not held for long, few steps that take long.
    assert sum(one.seconds == HOLD_S for one in tried) <= 2 * math.log2(1 / resolution) + math.log2(times) + 4
    assert found.not_held - found.rate <= resolution * found.not_held


@given(st.floats(10.0, 1e5), st.floats(0.1, 0.99), st.floats(1.0, 1e4))
def test_the_generators_limit_is_not_taken_for_the_systems(
    capacity: float, share: float, start: float
) -> None:
    generator = max(2.0, capacity * share)
    found, _ = searched(Simulated(capacity, capacity, generator), start, 0.05)
    assert found.is_the_generators
    assert found.rate <= generator < found.not_held


def test_a_system_that_holds_nothing_is_broken() -> None:
    with pytest.raises(Broken, match="No rate was held"):
        searched(Simulated(0.1, 0.1), 100.0, 0.05)


def test_the_first_rate_is_the_one_asked_for() -> None:
    assert next_step([], 500.0, PROBE_S, HOLD_S) == Next(500.0, PROBE_S)


def test_lag_is_bounded_when_it_does_not_grow() -> None:
    steady = [(at, 900 + at % 7) for at in range(100)]
    assert is_bounded(steady, 10.0, 0, 100)
    growing = [(at, 100 * at) for at in range(100)]
    assert not is_bounded(growing, 10.0, 0, 100)
    # Less than a second of what comes in is no lag.
    assert is_bounded(growing, 10_000.0, 0, 100)
    # What was before or after the run does not count.
    assert is_bounded([*steady, (-5, 0), (500, 10**6)], 10.0, 0, 100)


async def test_a_search_tells_each_step_and_what_it_came_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system, file = Simulated(for_short=900.0, for_long=700.0), tmp_path / "load.json"
    asked = Asked(
        Wanted(Profile.STEADY, 500.0, HOLD_S, 7),
        patients=100,
        own_stack=True,
        through=None,
        lag_limit_ms=25.0,
        probe_s=PROBE_S,
        resolution=0.1,
        json_file=file,
        histogram=None,
    )

    async def attempt(step: Next) -> tuple[Tried, None]:
        return system.try_one(step), None

    await search(asked, PROBE_S, attempt)
    told = capsys.readouterr()
    assert "500.0 uploads/s for    20 s: held" in told.out
    assert "load: 1,000.0 uploads/s for 20 s: not held" in told.err
    found = json.loads(file.read_text())
    assert found["rate"] <= 700.0 < found["not_held"]
    assert told.out.splitlines()[-1] == (
        f"highest rate held for 300 s: {found['rate']:,.1f} uploads/s; {found['not_held']:,.1f} was not"
    )
    assert [(one["rate"], one["outcome"]) for one in found["steps"]][:2] == [
        (500.0, "held"),
        (1_000.0, "not held"),
    ]
