"""What is not there: stretches without readings, and agreed measurements that were missed; pure."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from alerting.engine.local_days import AMSTERDAM, due_us
from alerting.engine.programme import DAYS, Schedule
from models.clock import HOUR_US, MINUTE_US, to_datetime

_TIMES_USUAL = 2.5
_SHORTEST_US = HOUR_US
_SITTING_US = 30 * MINUTE_US
_DENSE = 12
"""So many readings in a row, and more, are no sitting."""
_EPOCH = date(1970, 1, 1)


def stretches_without(taken_at_us: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Where readings stay away much longer than is usual among them: from the last to the next.

    >>> stretches_without(np.array([0, 1, 2, 30, 31]) * HOUR_US) == [(2 * HOUR_US, 30 * HOUR_US)]
    True
    """
    if len(taken_at_us) < 3:
        return []
    apart = np.diff(taken_at_us)
    longest = max(_TIMES_USUAL * _usual_us(apart), _SHORTEST_US)
    return [
        (int(taken_at_us[place]), int(taken_at_us[place + 1])) for place in np.flatnonzero(apart > longest)
    ]


def _usual_us(apart: NDArray[np.int64]) -> float:
    """How far apart readings usually are; what is measured several times in a sitting counts once.

    >>> twice_a_day = [0, 1, 720, 721, 1440, 1441, 2160]
    >>> _usual_us(np.diff(np.array(twice_a_day) * MINUTE_US)) / HOUR_US > 11
    True
    """
    between = apart[apart > _SITTING_US]
    # Who measures all day long has no sittings: what is far apart there is what is looked for.
    is_dense = len(between) * _DENSE < len(apart)
    return float(np.median(apart if is_dense else between))


def missed(
    taken_at_us: NDArray[np.int64], schedules: Sequence[Schedule], from_us: int, to_us: int
) -> list[int]:
    """When a measurement was due of which there is none of that local day up to then.

    **Shape**: `taken_at_us` in order, from the day before `from_us` on; `from_us` not before the enrolment.
    """
    found = {due for schedule in schedules for due in _missed_of(taken_at_us, schedule, from_us, to_us)}
    return sorted(found)


def _missed_of(taken_at_us: NDArray[np.int64], schedule: Schedule, from_us: int, to_us: int) -> Iterator[int]:
    hours, minutes = schedule.before.split(":")
    day, last = _local_date(from_us), _local_date(to_us)
    while day <= last:
        if DAYS[day.weekday()] in schedule.on:
            number = (day - _EPOCH).days
            begins, due = due_us(number, 0), due_us(number, int(hours) * 60 + int(minutes))
            first, end = np.searchsorted(taken_at_us, (begins, due))
            if from_us <= due <= to_us and first == end:
                yield due
        day += timedelta(days=1)


def _local_date(at_us: int) -> date:
    return to_datetime(at_us).astimezone(AMSTERDAM).date()
