"""Messages of the log for tests, as a sender would write them."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

RECEIVED_AT_US = 1_795_332_681_200_000
TAKEN_AT_US = RECEIVED_AT_US - 60_000_000
HOSPITAL = UUID("00000000-0000-4000-8000-0000000000aa")
PATIENT = UUID("00000000-0000-4000-8000-000000000001")
STRANGER = UUID("00000000-0000-4000-8000-00000000ffff")
_NAMES = UUID("00000000-0000-4000-8000-0000000000ee")


@dataclass(frozen=True, slots=True)
class Message:
    """One message at its place in a partition."""

    offset: int
    value: bytes | None
    partition: int = 0


def log(*values: bytes | None, first: int = 0) -> list[Message]:
    return [Message(offset, value) for offset, value in enumerate(values, first)]


def reading(kind: str | None = "body_weight", value: Any = 81.4, **fields: Any) -> dict[str, Any]:
    """A sound weight, changed as said; a field that is None is left out."""
    sent: dict[str, Any] = {"kind": kind, "value": value, "unit": "kg", "taken_at_us": TAKEN_AT_US}
    sent.update(fields)
    return {name: field for name, field in sent.items() if field is not None}


def upload(*readings: Any, patient: UUID | str = PATIENT, name: str = "", **fields: Any) -> bytes:
    """An upload of these readings; of one sound weight where none are given. `name` makes its id its own."""
    sent: dict[str, Any] = {
        "schema": 1,
        "type": "upload",
        "upload_id": str(uuid5(_NAMES, name + json.dumps(readings, default=str))),
        "patient_id": str(patient),
        "device_id": "scale-4711",
        "source": "vendor-a",
        "sent_at_us": RECEIVED_AT_US - 1_000_000,
        "received_at_us": RECEIVED_AT_US,
        "readings": list(readings) or [reading()],
    }
    sent.update(fields)
    return json.dumps({key: field for key, field in sent.items() if field is not None}).encode()


def change(
    what: str,
    content: dict[str, Any] | None = None,
    *,
    patient: UUID = PATIENT,
    valid_from_us: int = 0,
    **fields: Any,
) -> bytes:
    sent: dict[str, Any] = {
        "schema": 1,
        "type": "change",
        "change_id": str(uuid5(_NAMES, f"{what} {content} {patient} {valid_from_us} {fields}")),
        "patient_id": str(patient),
        "valid_from_us": valid_from_us,
        "change": {what: {} if content is None else content},
    }
    return json.dumps(sent | fields).encode()


def registration(patient: UUID = PATIENT, *, origin: str = "simulated", **fields: Any) -> bytes:
    return change("register", {"origin": origin, "organisation_id": str(HOSPITAL)}, patient=patient, **fields)


def clock(now_us: int) -> bytes:
    return json.dumps({"schema": 1, "type": "clock", "now_us": now_us}).encode()
