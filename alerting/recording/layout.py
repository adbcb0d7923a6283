"""What a recording looks like: the columns of its rows, and what it says of itself.

A row is a reading, a change, a tick of the clock, or a message that the log refused as a whole. Rows stand in
the order of the log; those of one upload have the same number in `message`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from alerting.offline.arrow import arrow as pa
from ingest.salvage import shown
from models.errors import BadInput

SCHEMA = 1
HEADER = b"thuiswacht.recording"
"""What every part of the file says of the whole, as JSON."""
SEGMENT = b"thuiswacht.recording.segment"
"""What a segment says of itself."""
END = b"thuiswacht.recording.end"
"""What is known only when all is there; a file without it was cut off."""


class Type(StrEnum):
    """What a row is of."""

    UPLOAD = "upload"
    CHANGE = "change"
    CLOCK = "clock"
    REFUSED = "refused"
    """A message that means nothing to anybody; in identified recordings only."""


NEEDED: Mapping[str, Sequence[str]] = {
    Type.UPLOAD: (
        "patient_id",
        "kind",
        "taken_at",
        "device_id",
        "source",
        "upload_id",
        "sent_at",
        "received_at",
    ),
    Type.CHANGE: ("content",),
    Type.CLOCK: ("now",),
    Type.REFUSED: ("raw",),
}
"""The columns without which a row of a type means nothing."""

_MOMENT: Any = pa.timestamp("us", "UTC")
_TEXT: Any = pa.dictionary(pa.int32(), pa.string())
ROWS: Any = pa.schema(
    [
        pa.field("message", pa.int64(), nullable=False),
        pa.field("type", _TEXT, nullable=False),
        pa.field("patient_id", _TEXT),
        pa.field("kind", _TEXT),
        pa.field("taken_at", _MOMENT),
        pa.field("value", pa.float64()),
        pa.field("unit", _TEXT),
        pa.field("code", _TEXT),
        pa.field("absent", _TEXT),
        pa.field("text", pa.string()),
        pa.field("void", pa.bool_()),
        pa.field("revision", pa.int32()),
        pa.field("group", _TEXT),
        pa.field("code_received", _TEXT),
        pa.field("utc_offset_min", pa.int16()),
        pa.field("device_id", _TEXT),
        pa.field("source", _TEXT),
        pa.field("upload_id", pa.binary(16)),
        pa.field("sent_at", _MOMENT),
        pa.field("received_at", _MOMENT),
        pa.field("now", _MOMENT),
        pa.field("content", pa.string()),
        pa.field("raw", pa.binary()),
    ]
)
"""`now` is of ticks, `content` the JSON of changes, `raw` the bytes of what the columns do not tell."""

DICTIONARIES = [field.name for field in ROWS if field.type == _TEXT]


def fault(kind: str | None, said: Callable[[str], object]) -> tuple[str, str] | None:
    """What was expected of a row of a type and what was found, given its columns; None where it is sound.

    >>> fault("clock", {"now": None}.get)
    ('now of a row of type clock', 'nothing')
    """
    needed = None if kind is None else NEEDED.get(kind)
    if needed is None:
        return f"a type, one of {', '.join(Type)}", shown(kind)
    missing = next((name for name in needed if said(name) is None), None)
    return None if missing is None else (f"{missing} of a row of type {kind}", "nothing")


@dataclass(frozen=True, slots=True)
class Header:
    """What a recording says of itself from its first segment on.

    `begins`: the first offset of each partition; of a history, none. `patients`: whether they exist.
    """

    taken_from: Literal["log", "history"]
    patients: Literal["real", "simulated"]
    pseudonymised: bool
    cluster: str | None = None
    topic: str | None = None
    partitions: int = 1
    begins: Mapping[str, int] = field(default_factory=dict[str, int])
    schema: int = SCHEMA

    def to_json(self) -> str:
        """As it stands in the file."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def of_json(cls, text: bytes, where: str) -> "Header":
        """From a file. **Raises**: BadInput of another schema version, or none that can be read."""
        try:
            content: dict[str, Any] = json.loads(text)
            schema = content["schema"]
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(
                where=where, expected="what a recording says of itself", found="no JSON"
            ) from error
        if schema != SCHEMA:
            raise OtherSchema(where, schema)
        try:
            return cls(**content)
        except TypeError as error:
            raise BadInput(where=where, expected="the header of a recording", found=str(error)) from error


class OtherSchema(BadInput):
    """A recording of another version of this layout."""

    def __init__(self, where: str, found: object) -> None:
        super().__init__(
            where=where,
            expected=f"a recording of schema version {SCHEMA}",
            found=f"version {found}",
            reason="other_schema",
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """One row group: its messages from `first` up to, without, `next`, and the digest of its bytes."""

    number: int
    first: int
    next: int
    rows: int
    sha256: str

    def to_json(self) -> str:
        """As it stands behind the row group."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class End:
    """What a whole recording says at its end.

    `left_out`: messages and readings that are not in it, by why. `clock`: first and last tick, microseconds.
    `versions`: those of programmes that somebody was enrolled in or moved to.
    """

    messages: int
    readings: int
    changes: int
    ticks: int
    segments: Sequence[Segment]
    clock: tuple[int, int] | None = None
    versions: Sequence[tuple[str, int]] = ()
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])

    def to_json(self) -> str:
        """As it stands in the last footer."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def of_json(cls, text: bytes, where: str) -> "End":
        """From a file. **Raises**: BadInput."""
        try:
            content: dict[str, Any] = json.loads(text)
            content["segments"] = [Segment(**segment) for segment in content["segments"]]
            content["versions"] = [(name, number) for name, number in content["versions"]]
            content["clock"] = None if content["clock"] is None else tuple(content["clock"])
            return cls(**content)
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(where=where, expected="the end of a recording", found=str(error)) from error
