"""When something is to be measured, in Europe/Amsterdam, and whether it was."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.engine.kernel.compiling import compiled, part, small_part
from alerting.engine.kernel.layout import DAY_US, DAYS_IN_TABLE, NEVER, Memory
from alerting.engine.kernel.readings import counts_at, taken_at

DST_MINUTE = 180
"""Both clock changes are over at 03:00 local time; an hour that comes twice is meant the first time."""

MONDAY = 3
"""1970 began on a Thursday."""

LONGEST_WAIT_DAYS = 9

Days = NDArray[np.int32]


@compiled
def due_on_day(day: int, before_min: int, days: Days) -> int:
    """The moment of a local time on a local day. **Units**: day since 1970, microseconds."""
    offset_s = days[day] if before_min < DST_MINUTE else days[DAYS_IN_TABLE + day]
    return (day * 86_400 + before_min * 60 - offset_s) * 1_000_000


@compiled
def next_due(after_us: int, schedule: Any, days: Days) -> int:
    """The first due moment after a time; NEVER when the table ends before it."""
    first = max(0, after_us // DAY_US)  # the day before is over: Amsterdam is ahead of UTC
    for day in range(first, min(first + LONGEST_WAIT_DAYS + 1, DAYS_IN_TABLE)):
        if schedule.days >> ((day + MONDAY) % 7) & 1:
            due = due_on_day(day, schedule.before_min, days)
            if due > after_us:
                return due
    return NEVER


@small_part
def next_due_again(after_us: int, schedule: Any, days: Days) -> int:
    """The first due moment after a time; remembered, for it is mostly asked for again."""
    if not schedule.asked_us <= after_us < schedule.next_us:
        schedule.asked_us = after_us
        schedule.next_us = next_due(after_us, schedule, days)
    return schedule.next_us


@compiled
def last_due(until_us: int, schedule: Any, days: Days) -> int:
    """The last due moment up to and including a time; −1 when there is none since 1970."""
    first = min(until_us // DAY_US + 1, DAYS_IN_TABLE - 1)
    for day in range(first, max(first - LONGEST_WAIT_DAYS - 2, -1), -1):
        if schedule.days >> ((day + MONDAY) % 7) & 1:
            due = due_on_day(day, schedule.before_min, days)
            if due <= until_us:
                return due
    return -1


@part
def missed(window_us: int, schedule: Any, first: int, end: int, at_us: int, m: Memory, days: Days) -> int:
    """How many due moments of a window went by without a reading since the one before."""
    count = 0
    i = end - 1
    due = last_due(at_us, schedule, days)
    while due > at_us - window_us and due > schedule.start_us:
        previous = last_due(due - 1, schedule, days)
        if previous < schedule.start_us:
            break
        while i >= first and taken_at(i, m) > due:
            i -= 1
        measured = False
        while i >= first and taken_at(i, m) > previous and not measured:
            measured = counts_at(i, m)
            i -= 1
        if not measured:
            count += 1
        due = previous
    return count
