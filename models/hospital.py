"""What hospital systems told, as it is kept, and what of it is proposed to people instead of done."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

Keys = frozenset[UUID]
"""By what one encounter or episode is known again: digests of its identifiers, at one organisation."""


class About(StrEnum):
    """What a word is about."""

    STAY = "stay"
    EPISODE = "episode"
    PERSON = "person"


class Said(StrEnum):
    """How it stands, by what was told last."""

    PLANNED = "planned"
    IN_HOSPITAL = "in_hospital"
    AWAY = "away"
    """Not in hospital though it goes on: on leave, or at home by another class of the same encounter."""
    ACTIVE = "active"
    OVER = "over"
    TAKEN_BACK = "taken_back"
    """It never was: cancelled, or entered in error."""
    DIED = "died"
    ALIVE = "alive"


@dataclass(frozen=True, slots=True)
class Word:
    """What was told last about one encounter or episode of a patient, or about the patient.

    `told_us` is when the sender last changed it, by its own clock, where it said so. `held_from_us` is from
    when the admission holds that it came to. **Units**: microseconds since 1970 UTC.
    """

    word_id: UUID
    about: About
    keys: Keys
    said: Said
    told_us: int | None = None
    held_from_us: int | None = None
    ended_us: int | None = None


@dataclass(frozen=True, slots=True)
class LongStay:
    """A stay that goes on for long, without a word about it. **Units**: microseconds since 1970 UTC."""

    patient_id: UUID
    version: int
    since_us: int
    told_by: UUID
    by: UUID


class ProposalKind(StrEnum):
    """What people may do because of it."""

    ENROL = "enrol"
    WITHDRAW = "withdraw"
    END = "end"
    """The stay ended by death, says its encounter; of the patient nothing was told."""
    ALIVE = "alive"
    """Somebody whose follow-up ended by death is said to be alive."""
    MERGE = "merge"


class ProposalState(StrEnum):
    """What became of it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    VOID = "void"
    """What it followed from was taken back, or is otherwise by now."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """Something for people to decide. Of one `subject` (a word, another patient) each kind is proposed once.

    **Units**: `happened_us` in microseconds since 1970 UTC: the discharge, the death.
    """

    kind: ProposalKind
    subject: UUID
    programme: str | None = None
    into: UUID | None = None
    """The registration that stays, of a merge."""
    happened_us: int | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """One that was made, by which system of which organisation. **Units**: as `Proposed`.

    `version` is that of the registration by now, and `into_version` of the one that stays, if one may see it.
    """

    proposal_id: UUID
    patient_id: UUID
    proposed: Proposed
    state: ProposalState
    told_by: UUID
    by: UUID
    proposed_at_us: int
    version: int
    into_version: int | None = None
