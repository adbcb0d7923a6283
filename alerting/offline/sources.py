"""Files of readings as batches of columns: CSV, Parquet, NDJSON; none is ever held as a whole.

Rows are counted from 1, without the header and without empty lines.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from alerting.offline.arrow import arrow as pa
from alerting.offline.arrow import csv as pacsv
from alerting.offline.arrow import json as pajson
from alerting.offline.arrow import parquet as paparquet
from alerting.offline.bad_rows import BadRow
from ingest.salvage import shown
from ingest.scan import as_bytes, long_numbers
from models.columns import Reason
from models.errors import BadInput

NEEDED = ("patient_id", "kind", "taken_at")
CONTENTS = ("value", "code")
OPTIONAL = ("unit", "device_id", "received_at", "revision", "void", "absent")
COLUMNS = (*NEEDED, *CONTENTS, *OPTIONAL)
BY_REFERENCE = ("patient_id", "kind", "unit", "code", "device_id", "absent")
"""Texts that repeat: read as references to a list of them wherever the reader can."""

BATCH_ROWS = 1 << 20
BLOCK_BYTES = 16 << 20
DELIMITERS = ",;\t"
EMPTY_LINES = (b"\n\n", b"\n\r\n")
"""Lines that C++ would pass over without counting them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, as columns of pyarrow by name.

    `malformed` are lines that are no rows; `meaningless` has their places where they are among the rows.
    """

    columns: Mapping[str, Any]
    rows: int
    malformed: Sequence[BadRow] = ()
    meaningless: Sequence[int] = ()


class Source(Protocol):
    """A file of readings. `rows` is None where nobody knows before it was read."""

    rows: int | None

    def batches(self) -> Iterator[Batch]:
        """What it holds, in order."""
        ...

    def numbers(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows that stand at places among all rows of all batches, counted as people do."""
        ...


def open_source(file: Path) -> Source:
    """A file by its name's ending.

    **Raises**: BadInput for another ending, a file that cannot be read, or one without the columns.
    """
    sources = {".csv": Csv, ".tsv": Csv, ".parquet": Parquet, ".ndjson": Ndjson, ".jsonl": Ndjson}
    source = sources.get(file.suffix.lower())
    if source is None:
        raise BadInput(where=file.name, expected="a name that ends in " + ", ".join(sources), found=file.name)
    try:
        return source(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise unreadable(file, error) from error


def unreadable(file: Path, error: Exception) -> BadInput:
    """What a reader says of a file that it cannot read, in one line."""
    return BadInput(where=file.name, expected="a readable file", found=shown(str(error).splitlines()[0]))


def _require(file: Path, names: Sequence[str]) -> list[str]:
    """The columns that are read, of those that are there."""
    missing = [name for name in NEEDED if name not in names]
    if not any(name in names for name in CONTENTS):
        missing.append("value or code")
    if "value" in names and "unit" not in names:
        missing.append("unit")
    twice = [name for name in COLUMNS if list(names).count(name) > 1]
    if missing or twice:
        expected = f"each of these columns once: {', '.join(missing or twice)}"
        raise BadInput(where=file.name, expected=expected, found=shown(", ".join(names)))
    return [name for name in COLUMNS if name in names]


class Parquet:
    """A Parquet file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with paparquet.ParquetFile(file) as reader:
            schema: Any = reader.schema_arrow
            self.rows: int | None = reader.metadata.num_rows
        self._columns = _require(file, schema.names)
        texts = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
        self._texts = [name for name in self._columns if schema.field(name).type in texts]

    def batches(self) -> Iterator[Batch]:
        """What it holds, in order."""
        by_reference = [name for name in self._texts if name in BY_REFERENCE]
        reader: Any = paparquet.ParquetFile(self._file, read_dictionary=by_reference, pre_buffer=True)
        try:
            for batch in reader.iter_batches(BATCH_ROWS, columns=self._columns):
                columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield Batch(columns, batch.num_rows)
        except (OSError, pa.ArrowInvalid) as error:
            raise unreadable(self._file, error) from error
        finally:
            reader.close()

    def numbers(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Every row is there."""
        return places + 1


class Csv:
    """A CSV file with a header; what divides its columns is the comma, semicolon or tab in there."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rows: int | None = None
        with file.open("rb") as opened:
            header = opened.readline().decode("utf-8-sig", "replace")
        self._delimiter = max(DELIMITERS, key=header.count)
        names = [name.strip().strip('"') for name in header.rstrip("\r\n").split(self._delimiter)]
        self._columns = _require(file, names)
        self._left_out: list[int] = []

    def batches(self) -> Iterator[Batch]:
        """What it holds, in order. Lines with too few or too many fields are left out, and told."""
        malformed: list[BadRow] = []

        def leave_out(row: Any) -> str:
            number = row.number - 1  # the header is its first
            self._left_out.append(number)
            expected, found = f"{row.expected_columns} fields", f"{row.actual_columns}: {shown(row.text)}"
            malformed.append(BadRow(number, "", expected, found, Reason.INVALID_FIELD))
            return "skip"

        texts: Any = pa.dictionary(pa.int32(), pa.string())
        types = {name: texts if name in BY_REFERENCE else pa.string() for name in self._columns}
        try:
            reader: Any = pacsv.open_csv(
                self._file,
                # Its rows have no numbers where several threads read them.
                read_options=pacsv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
                parse_options=pacsv.ParseOptions(delimiter=self._delimiter, invalid_row_handler=leave_out),
                convert_options=pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=self._columns,
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
            for batch in reader:
                told, malformed[:] = list(malformed), []
                yield Batch(dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows, told)
        except (OSError, pa.ArrowInvalid) as error:
            raise unreadable(self._file, error) from error
        if malformed:
            yield Batch({}, 0, malformed)

    def numbers(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Lines that were left out have a number as well."""
        left_out = np.array(self._left_out, np.int64)
        before = np.searchsorted(left_out - np.arange(len(left_out)), places + 1, side="right")
        return places + 1 + before


class Ndjson:
    """A file of one JSON object a line."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rows: int | None = None
        with file.open("rb"):
            pass  # whether it can be read is told at once

    def batches(self) -> Iterator[Batch]:
        """What it holds, in order."""
        row = 0
        with self._file.open("rb") as opened:
            for block in _blocks(opened):
                batch = _all_at_once(block) or _line_by_line(block, row)
                row += batch.rows
                yield batch

    def numbers(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Every line that is not empty is there."""
        return places + 1


def _blocks(opened: BinaryIO) -> Iterator[bytes]:
    """Whole lines, some million bytes at a time."""
    rest = b""
    while more := opened.read(BLOCK_BYTES):
        end = more.rfind(b"\n") + 1
        if end:
            yield rest + more[:end]
            rest = more[end:]
        else:
            rest += more
    if rest.strip():
        yield rest


def _all_at_once(block: bytes) -> Batch | None:
    """A block of lines read in C++; None where it has to be looked at line by line."""
    if len(long_numbers(as_bytes(block))) or any(empty in block for empty in EMPTY_LINES):
        return None
    schema: Any = _schema(block.partition(b"\n")[0])
    options: Any = pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        table: Any = pajson.read_json(BytesIO(block), pajson.ReadOptions(block_size=BLOCK_BYTES), options)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    if table.num_rows != block.count(b"\n") + (not block.endswith(b"\n")):
        return None
    return Batch({name: table[name].combine_chunks() for name in COLUMNS}, table.num_rows)


def _schema(line: bytes) -> Any:
    """The types of the columns, after the first line."""
    try:
        first: object = json.loads(line)
    except (ValueError, RecursionError):
        first = None
    given = cast("dict[str, object]", first) if isinstance(first, dict) else {}
    types = {name: pa.string() for name in COLUMNS}
    for name in ("patient_id", "taken_at", "received_at"):
        if isinstance(given.get(name), int):
            types[name] = pa.int64()
    types |= {"value": pa.float64(), "revision": pa.int64(), "void": pa.bool_()}
    return pa.schema(list(types.items()))


def _line_by_line(block: bytes, row: int) -> Batch:
    """Every value as it is written, nothing in lines that are no object."""
    found: dict[str, list[str | None]] = {name: [] for name in COLUMNS}
    malformed: list[BadRow] = []
    lines = [line for line in block.split(b"\n") if line.strip()]
    for number, line in enumerate(lines, row + 1):
        content = _object(line)
        if content is None:
            told = shown(line.decode("utf-8", "backslashreplace"))
            malformed.append(BadRow(number, "", "a JSON object", told, Reason.INVALID_JSON))
            content = {}
        for name, values in found.items():
            values.append(_text(content.get(name)))
    columns = {name: pa.array(values, pa.string()) for name, values in found.items()}
    return Batch(columns, len(lines), malformed, [bad.row - row - 1 for bad in malformed])


def _object(line: bytes) -> dict[str, object] | None:
    """The object of a line, its numbers as they are written; None where it is none."""
    try:
        content: object = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", content) if isinstance(content, dict) else None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        # Half of a surrogate pair is no text that could be kept.
        return value if value is None else value.encode("utf-8", "backslashreplace").decode()
    return json.dumps(value)
