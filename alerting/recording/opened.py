"""A recording as `evaluate` and backtests take it: who is followed, the readings, the end of the clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.offline.arrow import arrow as pa
from alerting.offline.arrow import compute as pc
from alerting.offline.bad_rows import BadRow
from alerting.offline.registrations import Registrations, Said
from alerting.offline.sources import COLUMNS, Batch
from alerting.recording.layout import Type, fault
from alerting.recording.reading import RecordingFile, is_recording
from ingest.changes import place
from ingest.decode import decode, message_of
from ingest.patients import PatientIndex
from ingest.salvage import known_id, shown
from models.columns import Reason
from models.messages import Absent, Change

__all__ = ["Opened", "is_recording", "open_recording"]

NEVER = np.iinfo(np.int64).max
_NOTHING_DECODED = decode([], partition=0, nonce="0")


@dataclass(frozen=True, slots=True)
class Opened:
    """A recording whose changes and clock are known. **Units**: `until_us`, the last tick: microseconds."""

    file: RecordingFile
    registrations: Registrations
    source: "RecordedReadings"
    until_us: int | None


def open_recording(file: Path, *, skip: bool = False, tell: Callable[[str], None] = lambda _: None) -> Opened:
    """Reads who is followed, and the clock; the readings come when `source` is asked for them.

    `skip`: what is wrong with the file is told and left out. **Raises**: BadInput.
    """
    recording = RecordingFile(file, skip=skip, tell=tell)
    index, registrations = PatientIndex(), Registrations()
    is_live = recording.header.patients == "real" and not recording.header.pseudonymised
    clock_us: int | None = None
    for changes, clocks in _decisions(recording):
        decoded = replace(
            _NOTHING_DECODED,
            changes=tuple((number, change) for number, _, change in changes),
            clocks=tuple(clocks),
        )
        placed = place(decoded, index, clock_us, "live" if is_live else "trial", 1)
        clock_us = placed.clock_us
        rows = {number: row for number, row, _ in changes}
        for one in placed.changes:
            only = one.change.change.only
            if only is not None:
                where = f"{recording.name}, row {rows[one.offset] + 1}"
                said = Said(one.effective_from_us, only, where)
                registrations.add(str(one.change.patient_id), said)
    registrations.leave_canaries_out()
    return Opened(recording, registrations, RecordedReadings(recording, index), clock_us)


class RecordedReadings:
    """The readings of a recording as batches of columns, as a file of readings gives them.

    Those of patients who were not registered at that place are no rows, as the log refuses them.
    """

    def __init__(self, recording: RecordingFile, index: PatientIndex) -> None:
        self.rows: int | None = recording.rows
        self._recording = recording
        self._index = index
        self._delivered = 0
        # Where the rows begin that lie together in the file: their places, and their numbers there.
        self._places: list[NDArray[np.int64]] = []
        self._numbers: list[NDArray[np.int64]] = []

    def batches(self) -> Iterator[Batch]:
        """What it holds, in order."""
        self._delivered, self._places, self._numbers = 0, [], []
        for _, table in self._recording.tables(["type", "text", *COLUMNS]):
            uploads: Any = table.filter(pc.equal(table["type"].cast(pa.string()), Type.UPLOAD.value))
            if uploads.num_rows:
                known = self._known(uploads)
                strangers = uploads.filter(pa.array(~known))
                uploads = uploads.filter(pa.array(known))
                self._note(uploads["row"].to_numpy())
                yield Batch(_columns(uploads), uploads.num_rows, _told(strangers))

    def numbers(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows that stand at places among all rows of all batches, counted from 1."""
        starts, numbers = np.concatenate(self._places), np.concatenate(self._numbers)
        run = np.searchsorted(starts, places, side="right") - 1
        return numbers[run] + places - starts[run] + 1

    def _known(self, table: Any) -> NDArray[np.bool_]:
        """Which rows are of patients who are registered before them."""
        patients: Any = table["patient_id"].combine_chunks()
        texts: list[str | None] = patients.dictionary.to_pylist()
        known_from = np.array([*map(self._known_from, texts), NEVER], np.int64)
        places = patients.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
        messages: NDArray[np.int64] = table["message"].to_numpy()
        return known_from[places] < messages

    def _known_from(self, text: str | None) -> int:
        row = self._index.row_of(known_id(text) or "")
        return NEVER if row is None else int(self._index.known_from[row])

    def _note(self, numbers: NDArray[np.int64]) -> None:
        if len(numbers):
            begins = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2) != 1)
            self._places.append(self._delivered + begins)
            self._numbers.append(numbers[begins])
            self._delivered += len(numbers)


def _columns(table: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {name: table[name].combine_chunks() for name in COLUMNS}
    text: Any = table["text"].combine_chunks()
    if text.null_count < len(text):
        # That something was said, not what.
        said = pc.if_else(text.is_valid(), Absent.UNKNOWN.value, pa.scalar(None, pa.string()))
        columns["absent"] = pc.coalesce(columns["absent"].cast(pa.string()), said)
    return columns


def _told(strangers: Any) -> list[BadRow]:
    rows = zip(strangers["row"].to_pylist(), strangers["patient_id"].to_pylist(), strict=True)
    expected = "a patient registered before"
    return [
        BadRow(row + 1, "patient_id", expected, shown(text), Reason.UNKNOWN_PATIENT, text or "")
        for row, text in rows
    ]


def _decisions(
    recording: RecordingFile,
) -> Iterator[tuple[list[tuple[int, int, Change]], list[tuple[int, int]]]]:
    """The changes of each part with message and row, and its ticks with their messages.

    **Raises**: BadRecording for a row that means nothing.
    """
    names = ("message", "row", "type", "content", "now")
    for _, table in recording.tables(["type", "content", "now"]):
        changes: list[tuple[int, int, Change]] = []
        clocks: list[tuple[int, int]] = []
        types: Any = table["type"].cast(pa.string()).fill_null("")
        others: Any = table.filter(pc.not_equal(types, Type.UPLOAD.value))
        others = others.set_column(
            others.schema.get_field_index("now"), "now", others["now"].cast(pa.int64())
        )
        for number, row, kind, content, now_us in zip(
            *(others[name].to_pylist() for name in names), strict=True
        ):
            wrong = fault(kind, {"content": content, "now": now_us, "raw": b""}.get)
            change = None
            if wrong is None and kind == Type.CHANGE:
                change = message_of(content.encode(), partition=0, offset=number).change
                wrong = ("a change", "something else") if change is None else None
            if wrong is not None:
                recording.wrong_row(row, *wrong)
            elif change is not None:
                changes.append((number, row, change))
            elif kind == Type.CLOCK:
                clocks.append((number, now_us))
        yield changes, clocks
