"""Whether the screen can be believed: which stage of the flow is behind, and since when; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.clock import SECOND_US

LATE_US = 15 * SECOND_US
"""The clock ticks every second: a stage that was not heard of for so long stands still or is far behind."""


class Stage(StrEnum):
    """What can lag."""

    STORING = "storing"
    """Readings into the database."""
    ALERTING = "alerting"
    """Readings into alerts."""
    LOG = "log"
    """Nothing comes into the log at all: not even the clock."""
    DATABASE = "database"
    """What screens are made of."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A stage that is behind. **Units**: `since_us` in microseconds since 1970 UTC, by the wall clock."""

    stage: Stage
    since_us: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Of a stage: when it last got on, by the wall clock, and up to when in the log's time it has come.

    **Units**: microseconds since 1970 UTC.
    """

    moved_us: int
    clock_us: int | None


def delays(heard: Mapping[Stage, Heard], now_us: int) -> Sequence[Delay]:
    """Which stages are behind at this moment.

    >>> delays({Stage.STORING: Heard(0, None)}, LATE_US - 1)
    []
    >>> delays({Stage.STORING: Heard(0, None)}, LATE_US)
    [Delay(stage=<Stage.STORING: 'storing'>, since_us=0)]
    """
    late = [Delay(stage, one.moved_us) for stage, one in heard.items() if now_us - one.moved_us >= LATE_US]
    clocks = {stage: one.clock_us for stage, one in heard.items() if one.clock_us is not None}
    if clocks:
        newest_us = max(clocks.values())
        late_already = {one.stage for one in late}
        late += [
            # Its own clock says how far it is behind the other's, however fast the log is read.
            Delay(stage, now_us - (newest_us - at_us))
            for stage, at_us in clocks.items()
            if newest_us - at_us >= LATE_US and stage not in late_already
        ]
    if len(late) == len(heard) > 1:
        return [Delay(Stage.LOG, max(one.since_us for one in late))]
    return late
