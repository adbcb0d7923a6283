"""Whether the screen can be believed: which stage of the flow is behind, and since when; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.clock import SECOND_US

LATE_US = 15 * SECOND_US
"""The clock ticks every second: a stage that was not heard of for so long stands still or is far behind."""

SILENT_US = 100 * SECOND_US
"""Who looks whether each alert has a next step says every half a minute that it did."""


class Stage(StrEnum):
    """What can lag."""

    STORING = "storing"
    """Readings into the database."""
    ALERTING = "alerting"
    """Readings into alerts."""
    DISPATCHING = "dispatching"
    """Alerts to the next who is asked, and messages."""
    CANARY = "canary"
    """The reading of nobody that goes the whole way every minute."""
    LOG = "log"
    """Nothing comes into the log at all, not even the clock; or nobody reads it."""
    DATABASE = "database"
    """What screens are made of."""


READING = (Stage.STORING, Stage.ALERTING)
"""Those that read the log: each moves every second, with the clock."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A stage that is behind; since never, where it has not begun yet.

    **Units**: `since_us` in microseconds since 1970 UTC, by the wall clock.
    """

    stage: Stage
    since_us: int | None


@dataclass(frozen=True, slots=True)
class Heard:
    """Of a stage: when it last got on, by the wall clock, and up to when in the log's time it has come.

    **Units**: microseconds since 1970 UTC; `moved_us` is None where it never was heard of; `trouble_us`
    is since when it says itself that something is wrong.
    """

    moved_us: int | None = None
    clock_us: int | None = None
    trouble_us: int | None = None


Course = Sequence[tuple[int, int]]
"""Moments by the wall clock, in order, and how far in the log's time the fastest stage had come by each.

By it a stage that is behind is behind since when the fastest was where it is now: right for a log whose time
runs a thousand times faster than ours, too, as in trials.
"""


def delays(
    heard: Mapping[Stage, Heard], now_us: int, course: Course = (), *, by_wall: bool = False
) -> Sequence[Delay]:
    """Which stages are behind at this moment.

    `by_wall`: the clock of the log is the wall's, and all services run. In trials the log may hold any time,
    and what dispatches is started when it is wanted.

    >>> delays({Stage.STORING: Heard(0), Stage.ALERTING: Heard(LATE_US)}, LATE_US - 1)
    []
    >>> delays({Stage.STORING: Heard(0), Stage.ALERTING: Heard(LATE_US)}, LATE_US)
    [Delay(stage=<Stage.STORING: 'storing'>, since_us=0)]
    >>> delays({}, LATE_US)
    [Delay(stage=<Stage.LOG: 'log'>, since_us=None)]
    """
    reading = {stage: heard.get(stage, Heard()) for stage in READING}
    never = [Delay(stage, None) for stage, one in reading.items() if one.moved_us is None]
    still = [
        Delay(stage, one.moved_us)
        for stage, one in reading.items()
        if one.moved_us is not None and now_us - one.moved_us >= LATE_US
    ]
    if len(never) == len(READING):
        late = [Delay(Stage.LOG, None)]
    elif len(still) == len(READING):
        # Since the later of them stopped: until then something did come in.
        late = [Delay(Stage.LOG, max(one.since_us or 0 for one in still))]
    else:
        slow = _slow(reading, now_us, course, by_wall=by_wall)
        silent = {one.stage for one in (*never, *still)}
        late = [*never, *still, *(one for one in slow if one.stage not in silent)]
    return [*late, *_dispatching(heard, now_us, by_wall=by_wall)]


def followed(course: Course, heard: Mapping[Stage, Heard], now_us: int) -> Course:
    """The course with this moment, without what every stage has left behind."""
    clocks = [one.clock_us for stage, one in heard.items() if stage in READING and one.clock_us is not None]
    if not clocks:
        return course
    slowest_us, fastest_us = min(clocks), max(clocks)
    kept = [entry for entry in course if entry[1] > slowest_us]
    if fastest_us > slowest_us and (not kept or fastest_us > kept[-1][1]):
        kept.append((now_us, fastest_us))
    return kept


def _slow(reading: Mapping[Stage, Heard], now_us: int, course: Course, *, by_wall: bool) -> Sequence[Delay]:
    """Stages that do get on, but are behind what they should have reached."""
    found: list[Delay] = []
    for stage, one in reading.items():
        if one.clock_us is None:
            continue
        if by_wall:
            since_us = one.clock_us
        else:
            passed = (at_us for at_us, clock_us in course if clock_us > (one.clock_us or 0))
            since_us = next(passed, now_us)
        if now_us - since_us >= LATE_US:
            found.append(Delay(stage, since_us))
    return found


def _dispatching(heard: Mapping[Stage, Heard], now_us: int, *, by_wall: bool) -> Sequence[Delay]:
    found: list[Delay] = []
    one = heard.get(Stage.DISPATCHING, Heard())
    if one.moved_us is None and by_wall:
        found.append(Delay(Stage.DISPATCHING, None))
    elif one.moved_us is not None and now_us - one.moved_us >= SILENT_US:
        found.append(Delay(Stage.DISPATCHING, one.moved_us))
    elif one.trouble_us is not None and by_wall:
        found.append(Delay(Stage.DISPATCHING, one.trouble_us))
    canary = heard.get(Stage.CANARY, Heard())
    if canary.trouble_us is not None and by_wall:
        found.append(Delay(Stage.CANARY, canary.trouble_us))
    return found
