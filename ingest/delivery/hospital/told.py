"""What a hospital's resource says, once it was read: of whom, what, from when. Values alone."""

from dataclasses import dataclass
from datetime import date

from ingest.delivery.content import Named
from models.hospital import Said


@dataclass(frozen=True, slots=True)
class StayTold:
    """An Encounter. **Units**: microseconds since 1970 UTC.

    `keys` are what it is known again by. `in_hospital`: its class is one of a stay in hospital at all.
    `turned_us`: when it became what it is now, where its history of states says so. `told_us`: when the
    sender last changed it.
    """

    whom: Named
    keys: tuple[str, ...]
    said: Said
    in_hospital: bool
    began_us: int | None = None
    ended_us: int | None = None
    turned_us: int | None = None
    told_us: int | None = None
    by_death: bool = False
    goes_home: bool = False
    """Who was admitted went home, as far as is said: that is when somebody may be followed after it."""


@dataclass(frozen=True, slots=True)
class EpisodeTold:
    """An EpisodeOfCare in one of our programmes. **Units**: as `StayTold`."""

    whom: Named
    keys: tuple[str, ...]
    said: Said
    programme: str
    told_us: int | None = None


@dataclass(frozen=True, slots=True)
class Double:
    """Two registrations of one person: `is_other`: the other is the double, and this one stays."""

    where: str
    other: Named
    is_other: bool


@dataclass(frozen=True, slots=True)
class PersonTold:
    """A Patient. `died` is None where nothing is said about it. **Units**: as `StayTold`."""

    whom: Named
    birth_date: date | None = None
    died: bool | None = None
    died_on: date | None = None
    """By the sender's calendar: the day alone is used, and only to see that it can be."""
    doubles: tuple[Double, ...] = ()
    told_us: int | None = None


Told = StayTold | EpisodeTold | PersonTold
