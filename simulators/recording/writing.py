"""Rows into the file of a recording, segment by segment, each whole by itself."""

import hashlib
import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Self

from alerting.offline.arrow import arrow as pa
from alerting.offline.arrow import parquet as pq
from alerting.recording.layout import DICTIONARIES, END, HEADER, ROWS, SEGMENT, End, Header, Segment
from alerting.recording.reading import MAGIC
from models.errors import BadInput, Broken
from simulators.recording.rows import Rows

FIRST_SEGMENT_ROWS = 1 << 10
SEGMENT_ROWS = 1 << 17
"""About so many: some megabytes of the file, and what is lost at most where one is cut off.

The first ones are smaller, each twice the one before: of a small file, too, something is whole.
"""

_AS_WRITTEN: dict[str, Any] = {
    "compression": "zstd",
    "use_dictionary": DICTIONARIES,
    "write_page_checksum": True,
    "data_page_version": "2.0",
}


class RecordingWriter:
    """Writes a recording; under its name only when it is whole, readable for its owner alone.

    Between two row groups lie a footer of the first and the magic of a file's beginning, so that each is a
    Parquet file of its own, wherever the whole is cut off.
    """

    def __init__(self, file: Path, header: Header, *, segment_rows: int = SEGMENT_ROWS) -> None:
        """**Raises**: BadInput where it cannot be written, or is there already."""
        if file.exists():
            raise BadInput(
                where=str(file), expected="a file that is not there yet", found="one that is there"
            )
        self._file = file
        self._part = file.with_name(f".{file.name}.part")
        self._segment_rows = segment_rows
        # So that it stays with the rows wherever another tool puts them.
        self._schema: Any = ROWS.with_metadata({HEADER: header.to_json()})
        self._rows = Rows()
        self.segments: list[Segment] = []
        self._first = 0

    def __enter__(self) -> Self:
        try:
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            found = error.strerror or str(error)
            raise BadInput(
                where=str(self._file), expected="a file that can be written", found=found
            ) from error
        os.close(descriptor)
        self._out: Any = pa.OSFile(str(self._part), "wb")
        self._writer: Any = pq.ParquetWriter(self._out, self._schema, **_AS_WRITTEN)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._writer.close()
            self._out.close()
        except OSError as error:
            self._part.unlink()
            found = error.strerror or str(error)
            expected = "a file that can be written to its end"
            raise BadInput(where=str(self._file), expected=expected, found=found) from error
        if kind is not None:
            self._part.unlink()
        else:
            self._part.replace(self._file)

    @property
    def rows(self) -> Rows:
        """Where rows are put; `settle` writes them when there are enough."""
        return self._rows

    def settle(self) -> None:
        """To be called between two messages."""
        if len(self._rows) >= min(self._segment_rows, FIRST_SEGMENT_ROWS << len(self.segments)):
            self._write()

    def end(self, end: End) -> End:
        """Writes what is left, and that all is there; gives `end` with the segments."""
        if len(self._rows) or not self.segments:
            self._write()
        end = replace(end, segments=self.segments)
        self._writer.add_key_value_metadata({END: end.to_json()})
        return end

    def _write(self) -> None:
        table = self._rows.table()
        twin = BytesIO()
        own: Any = pq.ParquetWriter(twin, self._schema, **_AS_WRITTEN)
        own.write_table(table, row_group_size=len(table))
        size = twin.tell()
        if self.segments:
            self._inject(MAGIC)
        begin: int = self._out.tell()
        self._writer.write_table(table, row_group_size=len(table))
        end: int = self._out.tell()
        if end - begin != size - len(MAGIC):
            raise Broken("A segment was not written as its twin was: what is cut off could not be read.")
        self.segments.append(self._segment(len(table), begin, end))
        own.add_key_value_metadata({SEGMENT: self.segments[-1].to_json()})
        own.close()
        # The footer of the twin: it says where things are in the segment, which lies there byte for byte.
        self._inject(twin.getvalue()[size:])
        self._rows = Rows(self._rows.messages)

    def _segment(self, rows: int, begin: int, end: int) -> Segment:
        first, self._first = self._first, self._rows.messages
        with self._part.open("rb") as written:
            written.seek(begin)
            digest = hashlib.sha256(written.read(end - begin)).hexdigest()
        return Segment(len(self.segments), first, self._first, rows, digest)

    def _inject(self, more: bytes) -> None:
        """Bytes between two row groups, which no reader of the whole file looks at."""
        os.write(self._out.fileno(), more)
