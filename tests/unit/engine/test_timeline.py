"""What holds when: personal limits that end, and what comes back then."""

import pytest

from alerting.engine.compiled import CompiledProgrammes
from alerting.engine.timeline import timeline
from models.messages import AnyChange, Enrol, PersonalLimit, PersonalSchedule, SetLimits
from tests import shipped


@pytest.fixture(scope="module")
def programmes() -> CompiledProgrammes:
    return shipped.compiled()


def limit(value: float, until_us: int | None = None, unit: str = "/min") -> SetLimits:
    personal = PersonalLimit(value=value, unit=unit, set_by="nurse", until_us=until_us)
    return SetLimits(programme="heart_failure", limits={"heart_rate_high": personal})


def limits_over_time(
    programmes: CompiledProgrammes, *changes: tuple[int, AnyChange]
) -> list[tuple[int, float | None]]:
    enrol = Enrol(programme="heart_failure", version=1)
    stretches, problems = timeline([(0, enrol), *changes], programmes)
    assert problems == []
    return [(stretch.from_us, stretch.limits.get("heart_rate_high")) for stretch in stretches]


def test_a_limit_until_a_time_gives_way_to_the_one_before(programmes: CompiledProgrammes) -> None:
    held = limits_over_time(programmes, (10, limit(120)), (20, limit(118, until_us=30)))
    assert held == [(0, None), (10, 120.0), (20, 118.0), (30, 120.0)]


def test_one_that_ended_meanwhile_does_not_come_back(programmes: CompiledProgrammes) -> None:
    held = limits_over_time(programmes, (10, limit(120, until_us=25)), (20, limit(118, until_us=30)))
    assert held == [(0, None), (10, 120.0), (20, 118.0), (30, None)]


def test_a_limit_without_end_forgets_those_before(programmes: CompiledProgrammes) -> None:
    held = limits_over_time(programmes, (10, limit(120, until_us=40)), (20, limit(118)))
    assert held == [(0, None), (10, 120.0), (20, 118.0)]


def test_a_unit_may_be_spelled_otherwise(programmes: CompiledProgrammes) -> None:
    assert limits_over_time(programmes, (10, limit(120, unit="bpm")))[-1] == (10, 120.0)


def test_a_day_named_twice_is_one_day(programmes: CompiledProgrammes) -> None:
    personal = PersonalSchedule(before="09:00", on=("mon", "mon"), set_by="nurse")
    enrol = Enrol(programme="heart_failure", version=1, schedule={"weight_daily": personal})
    (stretch,), _ = timeline([(0, enrol)], programmes)
    assert stretch.schedules == ((9 * 60, 0b0000001, 0),)
