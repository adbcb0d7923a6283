"""The messages of a recording again: each as it was recorded, and when it is due."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from alerting.offline.arrow import arrow as pa
from alerting.recording.layout import ROWS, Type, fault
from alerting.recording.reading import RecordingFile
from ingest.decode import message_of
from ingest.salvage import known_id
from models.clock import DAY_US
from models.messages import WireUpload
from simulators.recording.rows import READING, reading_of, tick_message, upload_message
from simulators.wire import TICK, Message

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Whose partition gets what is of nobody."""
AT_ONCE = 1 << 13
"""So many rows are taken apart at a time."""
_COLUMNS = ROWS.names
_AT = {name: place for place, name in enumerate(_COLUMNS)}
_READING = slice(_AT[READING[0]], _AT[READING[-1]] + 1)


class Recorded(NamedTuple):
    """A message with its number in the recording."""

    number: int
    message: Message


def patients_of(recording: RecordingFile) -> list[str]:
    """Everybody whom messages of a recording are of, each once; nobody first. **Raises**: BadRecording."""
    found = {NOBODY: None}
    for _, table in recording.tables(["patient_id"]):
        column: Any = table["patient_id"].combine_chunks()
        found |= dict.fromkeys(known_id(text) or NOBODY for text in column.dictionary.to_pylist())
    return list(found)


class Messages:
    """The messages of a recording, in order; `patients` gives each patient's row. **Raises**: BadRecording.

    `versions`: patients are enrolled in, or moved to, these versions of programmes, whichever they were in.
    """

    def __init__(
        self, recording: RecordingFile, patients: Sequence[str], versions: Mapping[str, int] | None = None
    ) -> None:
        self._recording = recording
        self._rows = {text: row for row, text in enumerate(patients)}
        self._versions = versions or {}
        self._at_us = 0

    def __iter__(self) -> Iterator[Recorded]:
        together: list[tuple[Any, ...]] = []
        for row in self._all_rows():
            if together and row[0] != together[0][0]:
                yield from self._sound(together)
                together = []
            together.append(row)
        if together:
            yield from self._sound(together)

    def _all_rows(self) -> Iterator[tuple[Any, ...]]:
        for _, table in self._recording.tables(_COLUMNS):
            for first in range(0, table.num_rows, AT_ONCE):
                part: Any = table.slice(first, AT_ONCE)
                yield from zip(*(_listed(part[name]) for name in (*_COLUMNS, "row")), strict=True)

    def _sound(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[Recorded]:
        """The message of these rows, unless one of them means nothing. **Raises**: BadRecording."""
        for row in rows:
            wrong = fault(row[_AT["type"]], lambda name, row=row: row[_AT[name]])
            if wrong is not None:
                self._recording.wrong_row(row[-1], *wrong)
                return
        yield self._recorded(rows)

    def _recorded(self, rows: Sequence[tuple[Any, ...]]) -> Recorded:
        first = rows[0]
        number: int = first[0]
        raw: bytes | None = first[_AT["raw"]]
        patient = self._rows.get(known_id(first[_AT["patient_id"]]) or NOBODY, 0)
        match Type(first[_AT["type"]]):
            case Type.UPLOAD:
                at_us = self._due(first[_AT["received_at"]])
                value = _upload(rows) if raw is None else raw
                message = Message(at_us, patient, value, len(rows))
            case Type.CHANGE:
                value = self._change(first[_AT["content"]])
                message = Message(self._at_us, patient, value, 0)
            case Type.CLOCK:
                now_us: int = first[_AT["now"]]
                self._at_us = max(self._at_us, now_us)
                message = Message(self._at_us, TICK, tick_message(now_us) if raw is None else raw, 0)
            case Type.REFUSED:
                message = Message(self._at_us, patient, raw or b"", 0)
        return Recorded(number, message)

    def _due(self, received_at_us: int) -> int:
        """When an upload came in; a gate without a clock makes nobody wait."""
        if self._at_us <= received_at_us <= self._at_us + DAY_US:
            self._at_us = received_at_us
        return self._at_us

    def _change(self, content: str) -> bytes:
        if not self._versions or message_of(content.encode(), partition=0, offset=0).change is None:
            return content.encode()
        message: dict[str, Any] = json.loads(content)
        for name in ("enrol", "version"):
            fields = message["change"].get(name)
            if fields is not None and fields["programme"] in self._versions:
                fields["version"] = self._versions[fields["programme"]]
        return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def _listed(column: Any) -> list[Any]:
    # Moments as numbers: Python's have no room for nothing but microseconds, and take ten times as long.
    return column.cast(pa.int64()).to_pylist() if pa.types.is_timestamp(column.type) else column.to_pylist()


def _upload(rows: Sequence[tuple[Any, ...]]) -> bytes:
    first = rows[0]
    upload: WireUpload = {
        "schema": 1,
        "type": "upload",
        "upload_id": str(UUID(bytes=first[_AT["upload_id"]])),
        "patient_id": first[_AT["patient_id"]],
        "device_id": first[_AT["device_id"]],
        "source": first[_AT["source"]],
        "sent_at_us": first[_AT["sent_at"]],
        "received_at_us": first[_AT["received_at"]],
        "readings": [reading_of(row[_READING]) for row in rows],
    }
    return upload_message(upload)
