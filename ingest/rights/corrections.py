"""A reading corrected or taken back: an upload for the log, made of what was asked and what is stored.

Nothing that is stored is ever edited. A higher revision counts before the one that it corrects; a void takes
back every revision up to its own. Both stay, beside who asked for it and why.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ingest.decode import decode
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from models.errors import BadInput
from models.kinds import KIND_BY_NAME
from models.messages import LATE_LIMIT_US, OLDEST_READING_US, SCHEMA

SOURCE = "thuiswacht.correction"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which reading is meant. **Units**: `taken_at_us` in microseconds since 1970 UTC."""

    patient_id: UUID
    kind: str
    taken_at_us: int
    device_id: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One of what is stored of an identity."""

    revision: int
    is_void: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What it should have been: a value with its unit, or a code; neither: it is taken back."""

    value: float | None = None
    unit: str | None = None
    code: str | None = None

    @property
    def is_void(self) -> bool:
        """Whether the reading is taken back."""
        return self.value is None and self.code is None


@dataclass(frozen=True, slots=True)
class Correction:
    """What goes to the log. `is_too_late`: kept and shown, but the rules do not look back so far."""

    message: bytes
    is_void: bool
    revision: int
    is_too_late: bool


def correct(
    identity: Identity,
    stored: Sequence[Revision],
    wanted: Wanted,
    upload_id: UUID,
    organisation_id: UUID,
    now_us: int,
) -> Correction:
    """The upload that corrects a reading, sound by the same checks as every upload.

    **Raises**: BadInput where there is no such reading, it was taken back already, it is older than the log
    takes, or what it should be is not a sound reading.
    """
    if identity.kind not in KIND_BY_NAME:
        raise BadInput(where="kind", expected="one of our kinds", found="another word")
    if not stored:
        raise BadInput(where="reading", expected="a stored reading of this patient", found="none")
    if now_us - identity.taken_at_us > OLDEST_READING_US:
        raise BadInput(where="taken_at", expected="at most 400 days ago", found="longer ago")
    highest = max(one.revision for one in stored)
    taken_back = max((one.revision for one in stored if one.is_void), default=-1)
    if wanted.is_void and taken_back >= highest:
        raise BadInput(where="reading", expected="one that counts", found="one that was taken back")
    revision = highest if wanted.is_void else highest + 1
    message = _message(identity, wanted, revision, upload_id, now_us)
    require_sound(message, identity.patient_id, organisation_id)
    is_too_late = now_us - identity.taken_at_us > LATE_LIMIT_US
    return Correction(message, wanted.is_void, revision, is_too_late)


def _message(identity: Identity, wanted: Wanted, revision: int, upload_id: UUID, now_us: int) -> bytes:
    reading: dict[str, object] = {"kind": identity.kind, "taken_at_us": identity.taken_at_us}
    if wanted.is_void:
        reading["void"] = True
    elif wanted.code is not None:
        reading["code"] = wanted.code
    else:
        reading |= {"value": wanted.value, "unit": wanted.unit}
    content = {
        "schema": SCHEMA,
        "type": "upload",
        "upload_id": str(upload_id),
        "patient_id": str(identity.patient_id),
        "device_id": identity.device_id,
        "source": SOURCE,
        "sent_at_us": now_us,
        "received_at_us": now_us,
        "readings": [reading | {"revision": revision}],
    }
    return json.dumps(content).encode()


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    value: bytes


def require_sound(message: bytes, patient_id: UUID, organisation_id: UUID) -> None:
    """Lets an upload through that would be stored whole. **Raises**: BadInput, saying which field."""
    patients = PatientIndex()
    patients.add(patient_id, organisation_id, 0)
    decoded = decode([_Record(1, message)], partition=0, nonce="correction")
    refusals = [*decoded.refusals, *normalise(decoded, patients).refusals]
    if refusals:
        first = refusals[0]
        raise BadInput(
            where=first.field, expected=first.expected, found="something else", reason=first.reason.value
        )
