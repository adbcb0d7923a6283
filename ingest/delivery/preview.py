"""What whoever stores it will say of a message, before it is written, by the same functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple, TypeAlias, cast
from uuid import UUID

from ingest.decode import decode
from ingest.delivery.content import Code, Delivered, Fault
from ingest.delivery.drafts import Draft, Speaking, draft
from ingest.keys import partition_of
from ingest.normalise import normalise
from ingest.patients import PatientIndex
from ingest.salvage import WHOLE_MESSAGE
from ingest.scan import as_bytes, nesting
from models.columns import Readings, Reason, Refusal
from models.db.gate import Content, Identity
from models.messages import WireReading

CODES: Mapping[Reason, Code] = {
    Reason.UNKNOWN_KIND: Code.UNKNOWN_CODE,
    Reason.UNKNOWN_UNIT: Code.UNKNOWN_CODE,
    Reason.UNKNOWN_CODE: Code.UNKNOWN_CODE,
    Reason.MISSING_FIELD: Code.REQUIRED,
    Reason.MISSING_TIME: Code.REQUIRED,
    Reason.NO_READINGS: Code.REQUIRED,
    Reason.INVALID_FIELD: Code.STRUCTURE,
    Reason.NOT_ONE_CONTENT: Code.STRUCTURE,
    Reason.INVALID_JSON: Code.STRUCTURE,
    Reason.UPLOAD_TOO_LARGE: Code.TOO_LONG,
    Reason.TOO_MANY_READINGS: Code.TOO_LONG,
    Reason.CONFLICT: Code.CONFLICT,
}
"""What a sender should do about a reason to refuse; all others are about the value itself."""


class Sound(NamedTuple):
    """A reading that will be stored, unless something else is known of it."""

    identity: Identity
    revision: int
    is_void: bool
    content: Content


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    value: bytes


def preview(drafts: Sequence[Draft], nonce: str) -> list[list[Sound | Refusal]]:
    """For each message, of each of its readings: that it is sound, or why it will be refused.

    `nonce`: as `ingest.decode.decode` wants it.
    """
    patients = PatientIndex()
    for patient_id in {one.patient_id for one in drafts}:
        patients.add(patient_id, _NOBODY, 0)
    # Offsets begin behind where the patients are known from.
    records = [_Record(number, one.value) for number, one in enumerate(drafts, 1)]
    decoded = decode(records, partition=0, nonce=nonce)
    readings, refusals, _ = normalise(decoded, patients)
    found: list[list[Sound | Refusal]] = [[_LOST] * len(one.readings) for one in drafts]
    _fill_sound(found, drafts, readings)
    for refusal in [*decoded.refusals, *refusals]:
        of = found[refusal.offset - 1]
        if refusal.position == WHOLE_MESSAGE:
            of[:] = [refusal] * len(of)
        else:
            of[refusal.position] = refusal
    return found


def fault_of(refusal: Refusal, where: str) -> Fault:
    """A refusal to come as who sent it reads it; it is kept."""
    place = f"{where}.{refusal.field}" if where and refusal.field else where or refusal.field
    return Fault(place, refusal.expected, refusal.found, CODES.get(refusal.reason, Code.VALUE), kept=True)


def warm_up() -> None:
    """Compiles the kernels, or loads them: who came first would wait for it."""
    reading: WireReading = {"kind": "steps", "taken_at_us": 0, "value": 0, "unit": "{steps}"}
    delivered = Delivered((reading,), ("",))
    preview(draft([Speaking(0, delivered, _NOBODY, "none")], "none", 0), "none")
    nesting(as_bytes(b"[]"))
    partition_of(_NOBODY, 1)


_NOBODY = UUID(int=0)
_Columns: TypeAlias = tuple[int, int, int, int, int, bool, float, int, int, int]
_LOST = Refusal(0, 0, WHOLE_MESSAGE, Reason.INVALID_JSON, "", "a reading", "none")


def _fill_sound(found: list[list[Sound | Refusal]], drafts: Sequence[Draft], readings: Readings) -> None:
    texts = readings.texts
    rows = zip(
        readings.offset.tolist(), readings.position.tolist(), readings.kind.tolist(),
        readings.taken_at_us.tolist(), readings.revision.tolist(), readings.void.tolist(),
        readings.value.tolist(), readings.code.tolist(), readings.absent.tolist(), readings.text.tolist(),
        strict=True,
    )  # fmt: skip
    # numpy's types say nothing of what is in a list.
    columns = cast("Iterable[_Columns]", rows)
    for offset, position, kind, taken_at_us, revision, void, value, code, absent, text in columns:
        one = drafts[offset - 1]
        content = Content(
            None if isnan(value) else value,
            code if code >= 0 else None,
            texts[absent] if absent >= 0 else None,
            texts[text] if text >= 0 else None,
        )
        identity = Identity(one.patient_id, kind, taken_at_us, one.device_id)
        found[offset - 1][position] = Sound(identity, revision, void, content)
