"""Open alerts against what the shift can handle: people, their pace of late, until when; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.clock import HOUR_US
from models.db.shift import Handled, Waiting

USUAL_PER_HOUR = 6.0
"""Alerts that one person handles in an hour, where the pace here is not known: ten minutes each."""
ENOUGH_HOURS = 4
"""Of fewer hours of work than these, no pace is taken."""
LONGEST_US = 8 * HOUR_US
"""A duty without end in sight counts as long as a shift."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many alerts the people at work can handle until their duty ends.

    `measured`: the pace is what was seen of late, else the usual one. **Units**: `until_us` since 1970 UTC.
    """

    open: int
    people: int
    per_hour: float
    measured: bool
    until_us: int
    can: int

    @property
    def percentage(self) -> int:
        """The open alerts as a part of what can be handled; more than 100: too many."""
        return 0 if self.open == 0 else round(100 * self.open / max(self.can, 1))


def capacity(
    waiting: Waiting, handled: Sequence[Handled], me: UUID, *, now_us: int, duty_until_us: int
) -> Capacity:
    """What the shift can handle.

    At work is whoever looks, whoever has an alert, and whoever closed one in the last hour.
    **Units**: microseconds since 1970 UTC.

    >>> open_of_nobody = Waiting(12, 0, 0, 0, 0, 0, owners=frozenset())
    >>> one = capacity(open_of_nobody, [], UUID(int=1), now_us=0, duty_until_us=4 * HOUR_US)
    >>> one.people, one.can, one.percentage
    (1, 24, 50)
    """
    lately = {one.person_id for one in handled if one.last_us > now_us - HOUR_US}
    people = len({me} | lately | waiting.owners)
    hours = sum(one.hours for one in handled)
    measured = hours >= ENOUGH_HOURS
    per_hour = sum(one.number for one in handled) / hours if measured else USUAL_PER_HOUR
    until_us = min(duty_until_us, now_us + LONGEST_US)
    can = int(people * per_hour * (until_us - now_us) / HOUR_US)
    return Capacity(waiting.open, people, per_hour, measured, until_us, can)
