"""A recording read part by part; what is wrong with one: cut off, out of order, changed, another schema.

Each segment of the file has a footer of its own, so that what is whole of one that was cut off can be read.
"""

import hashlib
import json
import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.offline.arrow import arrow as pa
from alerting.offline.arrow import compute as pc
from alerting.offline.arrow import parquet as pq
from alerting.recording.layout import END, HEADER, ROWS, SEGMENT, End, Header, OtherSchema, Segment
from ingest.salvage import shown
from models.errors import BadInput

MAGIC = b"PAR1"
LENGTH_BYTES = 4
A_RECORDING = "a recording (thuiswacht record)"
NO_MESSAGE = -2
TOLD_ROWS = 10
"""Of so many rows that mean nothing each is told; the others are only counted."""
NOT_READ: Any = (OSError, pa.ArrowInvalid)
Told = Callable[[str], None]


class BadRecording(BadInput):
    """A recording that is not as it was written."""

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(where=where, expected=expected, found=found, reason="bad_recording")
        advice = "To go on with what can be read and is in order: --on-error skip."
        self.args = (f"{self.args[0]}\n{advice}",)


@dataclass(frozen=True, slots=True)
class _Part:
    """A row group: where it can be read, and what it should be. `bytes` is where it lies in the file."""

    reader: Any
    row_group: int
    rows: int
    bytes: tuple[int, int]
    segment: Segment | None


def is_recording(file: Path) -> bool:
    """Whether a file is one, be it cut off: by what it says of itself."""
    if file.suffix.lower() != ".parquet":
        return False
    try:
        with pq.ParquetFile(file) as reader:
            return HEADER in (reader.metadata.metadata or {})
    except NOT_READ:
        return bool(_whole_segments(file))


class RecordingFile:
    """A recording on disk; `end` is None where it was cut off.

    With `skip`, what is wrong is told to `tell` and left out, where possible; otherwise it ends the reading.
    **Raises**: BadRecording, OtherSchema.
    """

    def __init__(self, file: Path, *, skip: bool = False, tell: Told = lambda _: None) -> None:
        self.name = file.name
        self._file = file
        self._skip = skip
        self._tell = tell
        self._is_checked = False
        self.left_out = 0
        """Messages that are not in order or mean nothing, as far as it was read this time."""
        self.end: End | None = None
        metadata, self._parts = self._opened(file)
        self.header = self._header(metadata)
        self.rows = sum(part.rows for part in self._parts)
        self._require_columns()

    def tables(self, columns: Sequence[str]) -> Iterator[tuple[int, Any]]:
        """What it holds, part by part, in order: the number of the first row, and a table of the columns.

        Rows are counted from 0; with `skip`, rows that are out of order are taken out, and `row` has the
        numbers of the others. **Raises**: BadRecording.
        """
        wanted = list(dict.fromkeys([*columns, "message"]))
        row, order = 0, _Order()
        self.left_out = 0
        for number, part in enumerate(self._parts):
            table = self._read(number, part, wanted)
            if table is not None:
                kept = self._in_order(table["message"], row, order)
                places = np.arange(row, row + part.rows)
                if not kept.all():
                    table, places = table.filter(pa.array(kept)), places[kept]
                yield row, table.append_column("row", pa.array(places, pa.int64()))
            row += part.rows
        self._is_checked = True

    def wrong_row(self, row: int, expected: str, found: str) -> None:
        """A row that means nothing ends the reading; with `skip` it is left out. **Raises**: BadRecording."""
        error = BadRecording(f"{self.name}, row {row + 1}", expected, found)
        if not self._skip:
            raise error
        self.left_out += 1
        if self.left_out <= TOLD_ROWS:
            self._tell(f"{error.where}: expected {expected}, found {found}")

    def _require_columns(self) -> None:
        if not self._parts:
            return
        columns: Any = self._parts[0].reader.schema_arrow
        if missing := [name for name in ROWS.names if name not in columns.names]:
            expected, found = f"each of the columns {', '.join(ROWS.names)}", f"no {', '.join(missing)}"
            raise BadInput(where=self.name, expected=expected, found=found)
        for column in ROWS:
            found = _plain(columns.field(column.name).type)
            if found != _plain(column.type):
                where = f"{self.name}, column {column.name}"
                raise BadInput(where=where, expected=str(_plain(column.type)), found=str(found))

    def _opened(self, file: Path) -> tuple[dict[bytes, bytes], list[_Part]]:
        try:
            reader: Any = pq.ParquetFile(file, page_checksum_verification=True)
        except FileNotFoundError as error:
            raise BadInput(where=str(file), expected="a recording", found="no such file") from error
        except NOT_READ:
            return self._cut_off(file)
        metadata: dict[bytes, bytes] = reader.metadata.metadata or {}
        if HEADER not in metadata:
            raise BadInput(where=file.name, expected=A_RECORDING, found="another Parquet file")
        if SEGMENT in metadata:
            return self._cut_off(file)
        # Another tool that writes the rows anew does not know of the end; then nothing is said of the parts.
        self.end = End.of_json(metadata[END], file.name) if END in metadata else None
        segments = () if self.end is None else self.end.segments
        return metadata, [
            _part_of(reader, number, segments) for number in range(reader.metadata.num_row_groups)
        ]

    def _cut_off(self, file: Path) -> tuple[dict[bytes, bytes], list[_Part]]:
        parts = _whole_segments(file)
        messages = parts[-1].segment.next if parts and parts[-1].segment else 0
        if not parts and not _begins_like_one(file):
            raise BadInput(where=file.name, expected=A_RECORDING, found="no Parquet file")
        self._wrong(
            f"{file.name}, byte {file.stat().st_size}",
            "the end of the recording",
            f"the end of the file: it was cut off, {messages:,} messages before that are whole",
        )
        if not parts:
            raise BadInput(where=file.name, expected="a whole segment", found="none that could be read")
        metadata: dict[bytes, bytes] = parts[0].reader.metadata.metadata
        return metadata, parts

    def _header(self, metadata: dict[bytes, bytes]) -> Header:
        try:
            return Header.of_json(metadata[HEADER], self.name)
        except OtherSchema as error:
            if not self._skip:
                raise
            self._tell(str(error))
            return Header("log", "simulated", pseudonymised=True) if _is_simulated(metadata) else _REAL

    def _read(self, number: int, part: _Part, columns: Sequence[str]) -> Any:
        where = f"{self.name}, segment {number + 1}"
        try:
            table: Any = part.reader.read_row_group(part.row_group, columns=columns)
        except NOT_READ as error:
            found = shown(str(error).splitlines()[0])
            self._wrong(where, "a segment that can be read", found)
            return None
        if not self._is_checked:
            self._check_digest(where, part, table)
        return table

    def _check_digest(self, where: str, part: _Part, table: Any) -> None:
        if part.segment is None:
            if not _has_disorder(table["message"]):
                self._wrong(where, "a segment as it was recorded", "one that another tool wrote")
            return
        with self._file.open("rb") as opened:
            opened.seek(part.bytes[0])
            found = hashlib.sha256(opened.read(part.bytes[1] - part.bytes[0])).hexdigest()
        if found != part.segment.sha256 and not _has_disorder(table["message"]):
            self._wrong(
                where, f"sha256 {part.segment.sha256}", f"{found}: it was changed after it was recorded"
            )

    def _in_order(self, column: Any, row: int, order: "_Order") -> NDArray[np.bool_]:
        """Which rows are in order: those of one message together, the next message behind it."""
        # A row of no message is behind all others.
        numbers: Any = column.combine_chunks().fill_null(NO_MESSAGE)
        messages: NDArray[np.int64] = numbers.to_numpy(zero_copy_only=False)
        highest = np.maximum.accumulate(np.append(np.int64(order.message), messages))
        before = np.append(np.int64(order.message), messages)[:-1]
        wrong = np.flatnonzero((messages != before) & (messages != before + 1))
        if len(wrong):
            at, last = int(wrong[0]), int(before[wrong[0]])
            expected = f"message {last} or {last + 1}" if last >= 0 else "message 0"
            self._wrong(f"{self.name}, row {row + at + 1}", expected, f"message {messages[at]}: out of order")
        kept = messages >= highest[:-1]
        self.left_out += len(np.unique(messages[~kept]))
        order.message = int(highest[-1])
        return kept

    def _wrong(self, where: str, expected: str, found: str) -> None:
        error = BadRecording(where, expected, found)
        if not self._skip:
            raise error
        if not self._is_checked:
            self._tell(f"{where}: expected {expected}, found {found}")


_REAL = Header("log", "real", pseudonymised=False)
"""What is believed of a header that cannot be read: the worst."""


@dataclass(slots=True)
class _Order:
    message: int = -1


def _is_simulated(metadata: dict[bytes, bytes]) -> bool:
    return b'"patients":"simulated"' in metadata[HEADER].replace(b" ", b"")


def _plain(of: Any) -> Any:
    """The type of a column's values: other tools make no dictionaries of texts."""
    return of.value_type if pa.types.is_dictionary(of) else of


def _has_disorder(column: Any) -> bool:
    steps: Any = pc.pairwise_diff(column.combine_chunks())
    return bool(pc.any(pc.or_(pc.less(steps, 0), pc.greater(steps, 1))).as_py())


def _part_of(reader: Any, number: int, segments: Sequence[Segment]) -> _Part:
    group: Any = reader.metadata.row_group(number)
    segment = segments[number] if number < len(segments) else None
    begin, end = _bytes_of(group)
    return _Part(reader, number, group.num_rows, (begin, end), segment)


def _bytes_of(group: Any) -> tuple[int, int]:
    columns = [group.column(number) for number in range(group.num_columns)]
    begins: list[int] = [
        column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
        for column in columns
    ]
    size: int = sum(column.total_compressed_size for column in columns)
    return min(begins), min(begins) + size


def _begins_like_one(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC


def _whole_segments(file: Path) -> list[_Part]:
    """The segments of a file that are whole, found from its end backwards by their own footers."""
    if file.stat().st_size < len(MAGIC) or not _begins_like_one(file):
        return []
    whole: Any = pa.memory_map(str(file)).read_buffer()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as letters:
        found = letters.rfind(MAGIC)
        while found > 0:
            parts = _back_from(whole, found + len(MAGIC))
            if parts:
                return parts
            found = letters.rfind(MAGIC, 0, found)
    return []


def _back_from(whole: Any, end: int) -> list[_Part]:
    """The segments up to a place, if each is whole and the first one begins where the file does."""
    parts: list[_Part] = []
    while end > 0:
        one = _segment_before(whole, end)
        if one is None:
            return []
        begin, part = one
        parts.insert(0, part)
        end = begin
    return parts


def _segment_before(whole: Any, end: int) -> tuple[int, _Part] | None:
    footer = int.from_bytes(whole.slice(max(0, end - 8), LENGTH_BYTES).to_pybytes(), "little")
    if footer > end:
        return None
    try:
        metadata: Any = pq.ParquetFile(pa.BufferReader(whole.slice(0, end))).metadata
        if SEGMENT not in (metadata.metadata or {}) or metadata.num_row_groups != 1:
            return None
        size = _bytes_of(metadata.row_group(0))
        begin = end - 2 * LENGTH_BYTES - footer - size[1]
        reader: Any = pq.ParquetFile(
            pa.BufferReader(whole.slice(begin, end - begin)), page_checksum_verification=True
        )
        segment = Segment(**_json_of(metadata.metadata[SEGMENT]))
    except (*NOT_READ, ValueError, TypeError):
        return None
    place = begin + size[0], begin + size[1]
    return begin, _Part(reader, 0, reader.metadata.num_rows, place, segment)


def _json_of(text: bytes) -> dict[str, Any]:
    return json.loads(text)
