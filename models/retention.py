"""How long what is kept must be kept, when it may go, and what is said to a patient who asks for destruction.

**Source**: record 20 years from the last change, article 7:454 BW (WGBO); destruction on the patient's
request unless another has a considerable interest in keeping or a law demands it, article 7:455 BW; logging
at least 5 years, NEN 7513.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.clock import to_datetime, to_us

RECORD_KEPT_YEARS = 20
AUDIT_KEPT_YEARS = 5


class Ground(StrEnum):
    """Why a record is destroyed."""

    REQUEST = "request"
    RETENTION = "retention"


class Obstacle(StrEnum):
    """Why a record is not destroyed (now); the words of `what_forbids_destruction` in Postgres."""

    NOT_ALLOWED = "not_allowed"
    STILL_FOLLOWED = "still_followed"
    LOG_NOT_READ = "log_not_read"
    NOT_YET = "not_yet"
    INTEREST_OF_ANOTHER = "interest_of_another"
    """Said by the person who decides, never found by the program."""


@dataclass(frozen=True, slots=True)
class Said:
    """The same in plain Dutch and in English."""

    nl: str
    en: str


OBSTACLES: Mapping[Obstacle, Said] = {
    Obstacle.NOT_ALLOWED: Said(
        "U mag dit niet voor deze patiënt, of voor een dubbele inschrijving van dezelfde patiënt.",
        "You may not do this for this patient, or for a double registration of the same patient.",
    ),
    Obstacle.STILL_FOLLOWED: Said(
        "De patiënt wordt nog gevolgd. Beëindig eerst het volgen.",
        "The patient is still followed: end the follow-up first.",
    ),
    Obstacle.LOG_NOT_READ: Said(
        "Het einde van het volgen is nog niet overal verwerkt. Probeer het over een minuut opnieuw.",
        "Not everybody who reads the log has seen the end of the follow-up: try again in a minute.",
    ),
    Obstacle.NOT_YET: Said(
        "De wettelijke bewaartermijn van 20 jaar na de laatste wijziging is nog niet voorbij.",
        "The legal 20 years from the last change have not passed.",
    ),
    Obstacle.INTEREST_OF_ANOTHER: Said(
        "Iemand anders heeft een groot belang bij het bewaren. Daarom bewaren wij het dossier.",
        "Somebody else has a considerable interest in keeping it, so the record is kept.",
    ),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that stays after a destruction, and why."""

    what: Said
    why: Said


STAYS: tuple[Kept, ...] = (
    Kept(
        Said(
            "De lijst van wie uw dossier bekeek of veranderde, met een nummer in plaats van uw naam.",
            "The list of who looked at or changed your record, under a number instead of your name.",
        ),
        Said(
            f"Wij moeten die lijst minstens {AUDIT_KEPT_YEARS} jaar bewaren (NEN 7513), zonder metingen.",
            f"It has to be kept for at least {AUDIT_KEPT_YEARS} years (NEN 7513). It holds no measurements.",
        ),
    ),
    Kept(
        Said(
            "Dat uw dossier is vernietigd, wanneer, en wie dat deed.",
            "That your record was destroyed, when, and by whom.",
        ),
        Said(
            "Zo komt uw dossier niet per ongeluk terug, en kunnen wij laten zien wat er is gebeurd.",
            "So that your record does not come back by mistake, and what happened can be shown.",
        ),
    ),
    Kept(
        Said(
            "Berichten in het logboek van het systeem (Kafka), tot de bewaartijd daarvan om is.",
            "Messages in the system's log (Kafka), until its retention time has passed.",
        ),
        Said(
            "Berichten daarin kunnen niet één voor één worden gewist. Niemand leest ze nog voor uw zorg.",
            "Messages in it cannot be erased one by one. Nobody reads them for your care any more.",
        ),
    ),
)
"""What a destruction leaves, told to who asks for it."""


def years_before(at_us: int, years: int) -> int:
    """The same moment so many years earlier; of 29 February the 28th, as Postgres has it.

    **Units**: microseconds since 1970 UTC.

    >>> to_datetime(years_before(to_us(to_datetime(1_709_164_800_000_000)), 5)).date().isoformat()
    '2019-02-28'
    """
    at = to_datetime(at_us)
    year = at.year - years
    return to_us(at.replace(year=year, day=min(at.day, monthrange(year, at.month)[1])))


def may_be_let_go(last_changed_us: int, at_us: int) -> bool:
    """Whether a record that changed last then has been kept for as long as the law wants, at a moment.

    >>> may_be_let_go(0, years_before(0, -20)), may_be_let_go(1, years_before(0, -20))
    (True, False)
    """
    return last_changed_us <= years_before(at_us, RECORD_KEPT_YEARS)
