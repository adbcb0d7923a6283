"""What is delivered, before and after it is looked at: the words that all formats and all ways in share."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from models.access import User
from models.messages import WireReading


class Code(StrEnum):
    """Why something is refused, by what who sent it should do about it."""

    STRUCTURE = "structure"
    """Not the shape that it should have."""
    REQUIRED = "required"
    """Something is missing."""
    VALUE = "value"
    """A value that cannot be, or cannot be kept as it is."""
    UNKNOWN_CODE = "unknown_code"
    """A code, unit or kind that is not known here."""
    NOT_SUPPORTED = "not_supported"
    """Understood, and not taken here."""
    NOT_FOUND = "not_found"
    """No such patient or device for who sends it; also when there is one that is none of theirs."""
    FORBIDDEN = "forbidden"
    """Who sends it may not deliver this at all."""
    CONFLICT = "conflict"
    """The same reading is known with another value."""
    RULE = "rule"
    """It contradicts something else in the same message, or a rule of this service."""
    TOO_LONG = "too_long"
    """More than is taken at once."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where it stands, what was expected, what was found. Never whole messages.

    `where` is a path within what was sent (`Observation.valueQuantity.code`, `readings[3].unit`).
    `kept`: what is refused is in the log all the same, and from there in quarantine.
    """

    where: str
    expected: str
    found: str
    code: Code
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The patient whom a message names: by our id, or by national number. Believed of nobody by itself."""

    patient_id: UUID | None = None
    bsn: str | None = None


class Correction(StrEnum):
    """How what is delivered stands to what was delivered before under the same identity."""

    NONE = "none"
    CORRECTED = "corrected"
    IN_ERROR = "in_error"


NO_FAULTS: Mapping[int, Fault] = MappingProxyType({})


class Delivered(NamedTuple):
    """Readings of one device at one time, of one patient, as somebody delivers them.

    `places` tells where in the message each reading stands. A correction gets its revision from what is
    stored, unless readings say theirs. `faults` are of readings, by their number, that were found to be no
    good already: what of them the log can hold is in `readings`, for quarantine.
    **Shape**: as many places as readings. **Units**: microseconds.
    """

    readings: tuple[WireReading, ...]
    places: tuple[str, ...]
    device_id: str | None = None
    patient: Named | None = None
    sent_at_us: int | None = None
    upload_id: UUID | None = None
    correction: Correction = Correction.NONE
    faults: Mapping[int, Fault] = NO_FAULTS


class Result(StrEnum):
    """What became of something delivered."""

    ACCEPTED = "accepted"
    """It is in the log: each reading will be stored, or be in quarantine."""
    DUPLICATE = "duplicate"
    """It is stored already, the same, whole."""
    REFUSED = "refused"
    """It does not count; what of it is kept is in quarantine."""


class Outcome(NamedTuple):
    """What became of one `Delivered`: for each reading, and in all.

    All readings refused is refused, all duplicates is a duplicate, all else accepted. `faults` are of
    readings that are refused, or of the whole. `status` is the address (a path) that tells what became of
    what is in the log, `revision` the highest that it has there, or is stored as.
    **Shape**: `results` as many as readings; none where it was refused as a whole.
    """

    result: Result
    results: tuple[Result, ...] = ()
    faults: tuple[Fault, ...] = ()
    upload_id: UUID | None = None
    patient_id: UUID | None = None
    status: str | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """A system that delivers: which, as whom it acts, and whether it may name patients itself.

    Who may not speaks only for the devices that its organisation's patients have.
    """

    client_id: str
    user: User
    names_patients: bool
