"""Figures about many patients together: over which days, and what is counted."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

REGION = UUID(int=0)
"""The scope of everybody; any other scope is the organisation that treats those who are counted."""

ALL_PROGRAMMES = ""
UNKNOWN = "?"
"""Where it is not known of a patient: wijk, municipality."""

WITHIN_MIN = (
    1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90, 120, 150, 180, 240, 300, 360, 480, 600,
    720, 960, 1_200, 1_440, 2_160, 2_880, 4_320, 7_200, 10_080,
)  # fmt: skip
"""Times are counted by the first of these within which they were; what took longer, after the last.

**Units**: minutes.
"""

HANDLING_AT_MOST_S = 3_600
"""An alert that somebody has for longer waits; it is not worked on. **Units**: seconds."""


class Dimension(StrEnum):
    """By what patients are put into groups: each is in exactly one of each."""

    ALL = ""
    ORGANISATION = "organisation"
    WIJK = "wijk"
    LANGUAGE = "language"


class Level(StrEnum):
    """How far an alert went that somebody resolved: by who took it over, not by who was only asked."""

    CENTRE = "centre"
    """Nobody but the nurses of the monitoring centre."""
    WIJK = "wijk"
    """Huisarts, community nurse, out-of-hours post; nobody beyond them."""
    REGIONAL = "regional"
    """Referral desk, specialist, coordination centre, home visit by an elderly-care physician."""


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are counted, in Europe/Amsterdam: `weeks` up to `until`, and as many before them.

    Both in steps of a week, or of four weeks for a year; step 0 is the newest.

    >>> Window(date(2026, 11, 30), 4).since
    datetime.date(2026, 10, 5)
    """

    until: date
    """The first day that is not counted any more."""
    weeks: int

    @property
    def step_days(self) -> int:
        """How long a step is."""
        return 28 if self.weeks > 26 else 7

    @property
    def steps(self) -> int:
        """How many steps the period has."""
        return self.weeks * 7 // self.step_days

    @property
    def since(self) -> date:
        """The first day of the period before."""
        return self.until - timedelta(days=2 * self.weeks * 7)

    def step(self, number: int) -> tuple[date, date]:
        """The first day of a step, and the first after it."""
        until = self.until - timedelta(days=number * self.step_days)
        return until - timedelta(days=self.step_days), until


class Count(NamedTuple):
    """How much of something there was in a group, and of how many different patients.

    `step` and `before` say when: in one step; in the period (`step` None), or in the one before it.
    """

    programme: str
    dimension: Dimension
    value: str
    step: int | None
    before: bool
    measure: str
    n: int
    patients: int
