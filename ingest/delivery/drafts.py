"""From what is delivered to messages of the log: readings of one patient and device go together, in order."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple, cast
from uuid import UUID, uuid5

from ingest.delivery.content import Correction, Delivered
from models.messages import MAX_MESSAGE_BYTES, MAX_READINGS_PER_UPLOAD, SCHEMA, WireReading

_NAMES = UUID("3b0c2c8e-8a55-5d0e-9d3f-5f2a6c1d7e40")
"""Names the uploads that come without an id: the same content has the same one."""

_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


class Speaking(NamedTuple):
    """An upload, by its place among those delivered; for whom, and as which device it speaks."""

    number: int
    delivered: Delivered
    patient_id: UUID
    device_id: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A message of the log, before it is known what is stored: uploads that it holds one behind the other.

    **Units**: microseconds since 1970 UTC.
    """

    parts: tuple[Speaking, ...]
    readings: tuple[WireReading, ...]
    upload_id: UUID
    source: str
    received_at_us: int
    value: bytes

    @property
    def patient_id(self) -> UUID:
        """Whom it is about."""
        return self.parts[0].patient_id

    @property
    def device_id(self) -> str:
        """What measured."""
        return self.parts[0].device_id

    @property
    def correction(self) -> Correction:
        """How it stands to what was delivered before."""
        return self.parts[0].delivered.correction

    @property
    def is_above_all(self) -> bool:
        """Whether what is stored decides on the revision of a reading."""
        corrects = self.correction is not Correction.NONE
        return corrects and any("revision" not in reading for reading in self.readings)

    @property
    def is_too_large(self) -> bool:
        """Whether nobody would read it."""
        return len(self.value) > MAX_MESSAGE_BYTES

    def revised(self, revisions: Sequence[int]) -> "Draft":
        """The same with these revisions. **Shape**: as many as readings."""
        readings = tuple(
            cast("WireReading", {**reading, "revision": revision}) if revision else reading
            for reading, revision in zip(self.readings, revisions, strict=True)
        )
        written = _ENCODER.encode(readings)
        value = _message(self.parts[0], written, self.upload_id, self.source, self.received_at_us)
        return replace(self, readings=readings, value=value)


def draft(speaking: Sequence[Speaking], source: str, received_at_us: int) -> list[Draft]:
    """The messages that hold these uploads."""
    return list(chain.from_iterable(_sized(parts, source, received_at_us) for parts in _grouped(speaking)))


def _grouped(speaking: Sequence[Speaking]) -> Iterator[tuple[Speaking, ...]]:
    """Together goes what is of one patient, device and time of sending, and has no id and no correction."""
    groups: dict[object, list[Speaking]] = {}
    counts = Counter[object]()
    for one in speaking:
        delivered = one.delivered
        alone = delivered.upload_id is not None or delivered.correction is not Correction.NONE
        key = (one.patient_id, one.device_id, delivered.sent_at_us, one.number if alone else None)
        counts[key] += len(delivered.readings)
        if key in groups and counts[key] > MAX_READINGS_PER_UPLOAD:
            yield tuple(groups.pop(key))
            counts[key] = len(delivered.readings)
        groups.setdefault(key, []).append(one)
    for group in groups.values():
        yield tuple(group)


def _sized(parts: tuple[Speaking, ...], source: str, received_at_us: int) -> Iterator[Draft]:
    made = _draft(parts, source, received_at_us)
    if made.is_too_large and len(parts) > 1:
        half = len(parts) // 2
        yield from _sized(parts[:half], source, received_at_us)
        yield from _sized(parts[half:], source, received_at_us)
    else:
        yield made


def _draft(parts: tuple[Speaking, ...], source: str, received_at_us: int) -> Draft:
    first = parts[0]
    readings = tuple(chain.from_iterable(map(_readings, parts)))
    written = _ENCODER.encode(readings)
    upload_id = first.delivered.upload_id
    if upload_id is None:
        upload_id = uuid5(_NAMES, f"{source}\0{first.patient_id}\0{first.device_id}\0{written}")
    value = _message(first, written, upload_id, source, received_at_us)
    return Draft(parts, readings, upload_id, source, received_at_us, value)


def _readings(part: Speaking) -> tuple[WireReading, ...]:
    delivered = part.delivered
    if delivered.correction is not Correction.IN_ERROR:
        return delivered.readings
    return tuple(
        reading if number in delivered.faults else _taken_back(reading)
        for number, reading in enumerate(delivered.readings)
    )


def _taken_back(reading: WireReading) -> WireReading:
    kept = ("kind", "taken_at_us", "revision", "group", "code_received", "utc_offset_min")
    known = {name: value for name, value in reading.items() if name in kept}
    return cast("WireReading", {**known, "void": True})


def _message(first: Speaking, readings: str, upload_id: UUID, source: str, received_at_us: int) -> bytes:
    sent_at_us = first.delivered.sent_at_us
    content = {
        "schema": SCHEMA,
        "type": "upload",
        "upload_id": str(upload_id),
        "patient_id": str(first.patient_id),
        "device_id": first.device_id,
        "source": source,
        "sent_at_us": received_at_us if sent_at_us is None else sent_at_us,
        "received_at_us": received_at_us,
    }
    # The readings are written already, and are most of it.
    return f'{_ENCODER.encode(content)[:-1]},"readings":{readings}}}'.encode()
