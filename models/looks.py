"""What the review of looks goes by: how often people looked, and emergencies that wait for a verdict."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Verdict(StrEnum):
    """What a review of an emergency access says."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"


@dataclass(frozen=True, slots=True)
class Hour:
    """How often a person, in a role, looked at patients in an hour, and was refused.

    **Units**: `hour_us`, its beginning, in microseconds since 1970 UTC.
    """

    user_id: str
    role: str
    hour_us: int
    looks: int
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Emergency:
    """An access without a relation that nobody has reviewed yet. **Units**: microseconds since 1970 UTC."""

    emergency_id: UUID
    patient_id: UUID
    person_id: str
    from_us: int
    until_us: int
    reason: str
