"""What people entered of a patient's readings, read back from the uploads that go to the log; pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from ingest.rights.telephone import SOURCE as TELEPHONE
from models.db.series import Entry
from models.kinds import KIND_BY_NAME

What = Literal["telephone", "corrected", "taken_back"]


@dataclass(frozen=True, slots=True)
class Entered:
    """A reading that a person entered, corrected or took back. **Units**: microseconds since 1970 UTC.

    `is_stored`: it went through the log and counts.
    """

    upload_id: UUID
    what: What
    kind: str
    taken_at_us: int
    device_id: str
    value: float | None
    unit: str | None
    code: str | None
    by: UUID
    asked_at_us: int
    is_stored: bool


def entered(entries: Sequence[Entry]) -> list[Entered]:
    """Each reading of what people entered, in the order of the entries."""
    return [one for entry in entries for one in _read(entry)]


def _read(entry: Entry) -> Iterator[Entered]:
    message: dict[str, Any] = json.loads(entry.message)
    for reading in message["readings"]:
        if reading["kind"] in KIND_BY_NAME:
            yield Entered(
                upload_id=entry.upload_id,
                what=_what(message, reading),
                kind=reading["kind"],
                taken_at_us=reading["taken_at_us"],
                device_id=message["device_id"],
                value=reading.get("value"),
                unit=reading.get("unit"),
                code=reading.get("code"),
                by=entry.by,
                asked_at_us=entry.asked_at_us,
                is_stored=entry.is_stored,
            )


def _what(message: dict[str, Any], reading: dict[str, Any]) -> What:
    if reading.get("void"):
        return "taken_back"
    return "telephone" if message["source"] == TELEPHONE else "corrected"
