"""Who is on duty: a roster says for each recipient and moment which duty it is and until when."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from models.escalations import Recipient


class Shift(StrEnum):
    """The stretches of a day that rosters know."""

    OFFICE = "office"
    DAY = "day"
    EVENING = "evening"
    NIGHT = "night"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Duty:
    """Who answers for a recipient now. **Units**: microseconds since 1970 UTC; `until_us` is exclusive.

    `recipient` may be another one than was asked for: outside practice hours the out-of-hours post answers
    for the huisarts.
    """

    recipient: Recipient
    name: str
    shift: Shift
    from_us: int
    until_us: int


class Rosters(Protocol):
    """All rosters in force."""

    def on_duty(self, recipient: Recipient, at_us: int) -> Duty:
        """Exactly one duty for every recipient and instant."""
        ...
