"""A stage that stops, lags or never began is always seen; one that gets on never is, however time runs."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from alerting.console.delays import (
    LATE_US,
    SILENT_US,
    Course,
    Delay,
    Heard,
    Stage,
    delays,
    followed,
)
from models.clock import MINUTE_US, SECOND_US

NOW_US = 1_795_332_660_000_000
STORING, ALERTING = Stage.STORING, Stage.ALERTING


def running(clock_us: int = NOW_US, **other: Heard) -> dict[Stage, Heard]:
    """All is well, but for what is said otherwise."""
    well = {
        STORING: Heard(NOW_US, clock_us),
        ALERTING: Heard(NOW_US, clock_us),
        Stage.DISPATCHING: Heard(NOW_US),
        Stage.CANARY: Heard(),
    }
    return well | {Stage(name): one for name, one in other.items()}


def test_all_is_well() -> None:
    for by_wall in (False, True):
        assert delays(running(), NOW_US, by_wall=by_wall) == []


def test_one_that_stops_is_seen_while_the_other_goes_on() -> None:
    since_us = NOW_US - LATE_US
    for stage in (STORING, ALERTING):
        found = delays(running() | {stage: Heard(since_us, since_us)}, NOW_US, by_wall=True)
        assert found == [Delay(stage, since_us)]


def test_when_both_stand_still_nothing_comes_in_since_the_later() -> None:
    heard = running(storing=Heard(NOW_US - 3 * LATE_US), alerting=Heard(NOW_US - 2 * LATE_US))
    assert delays(heard, NOW_US) == [Delay(Stage.LOG, NOW_US - 2 * LATE_US)]


def test_what_never_began_is_said_to_and_hides_nothing() -> None:
    heard = running()
    del heard[STORING]
    assert delays(heard, NOW_US) == [Delay(STORING, None)]
    heard[ALERTING] = Heard(NOW_US - LATE_US)
    assert delays(heard, NOW_US) == [Delay(STORING, None), Delay(ALERTING, NOW_US - LATE_US)]
    assert delays({}, NOW_US) == [Delay(Stage.LOG, None)]
    assert delays({}, NOW_US, by_wall=True) == [Delay(Stage.LOG, None), Delay(Stage.DISPATCHING, None)]


def test_who_dispatches_is_missed_after_three_rounds_and_in_trials_only_once_it_was_there() -> None:
    assert delays(running(dispatching=Heard(NOW_US - SILENT_US + 1)), NOW_US, by_wall=True) == []
    for by_wall in (False, True):
        gone = running(dispatching=Heard(NOW_US - SILENT_US))
        assert delays(gone, NOW_US, by_wall=by_wall) == [Delay(Stage.DISPATCHING, NOW_US - SILENT_US)]
        never = delays(running(dispatching=Heard()), NOW_US, by_wall=by_wall)
        assert never == ([Delay(Stage.DISPATCHING, None)] if by_wall else [])


def test_what_a_stage_says_of_itself_counts() -> None:
    heard = running(dispatching=Heard(NOW_US, None, 7), canary=Heard(None, None, 8))
    assert delays(heard, NOW_US, by_wall=True) == [Delay(Stage.DISPATCHING, 7), Delay(Stage.CANARY, 8)]


def test_all_that_work_off_a_backlog_are_behind_the_wall() -> None:
    behind_us = NOW_US - 20 * MINUTE_US
    assert delays(running(behind_us), NOW_US, by_wall=True) == [
        Delay(STORING, behind_us), Delay(ALERTING, behind_us)
    ]  # fmt: skip
    assert delays(running(behind_us), NOW_US) == [], "in a trial any time is as good"


def test_in_a_trial_behind_is_who_is_where_the_other_was_long_ago() -> None:
    course: Course = ()
    for second in range(30):
        at_us = NOW_US + second * SECOND_US
        # An hour of the log passes in a second; alerting stopped at its fifth, and yet says it moves.
        heard = {
            STORING: Heard(at_us, second * 60 * MINUTE_US),
            ALERTING: Heard(at_us, min(second, 5) * 60 * MINUTE_US),
        }
        course = followed(course, heard, at_us)
        found = delays(heard, at_us, course)
        since_us = NOW_US + 6 * SECOND_US
        assert found == ([Delay(ALERTING, since_us)] if at_us - since_us >= LATE_US else [])


@given(
    st.lists(st.integers(1, 10**12), min_size=1, max_size=60),
    st.integers(0, 12),
)
def test_who_is_seconds_behind_is_not_late_however_fast_the_log_is(steps: list[int], behind: int) -> None:
    course: Course = ()
    clocks = [sum(steps[: n + 1]) for n in range(len(steps))]
    for second, clock_us in enumerate(clocks):
        at_us = NOW_US + second * SECOND_US
        heard: Mapping[Stage, Heard] = {
            STORING: Heard(at_us, clock_us),
            ALERTING: Heard(at_us, clocks[max(0, second - behind)]),
        }
        course = followed(course, heard, at_us)
        assert delays(heard, at_us, course) == []
        assert len(course) <= behind + 1
