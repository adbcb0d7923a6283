"""A year of the whole region from one Parquet file, by `thuiswacht evaluate` on two cores.

The file is in the order of time, as an export would be, so evaluating has to gather each patient's readings
first. It is written to a folder of its own, which is gone afterwards. Beside it: reading the same columns
with pyarrow, nothing looked at.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.offline.arrow import arrow, parquet
from benchmarks.rules.batches import FIRST_DAY, MOST_CODES, Columns, at_home
from benchmarks.rules.crowd import Crowd, crowd
from models.clock import DAY_US
from models.kinds import KINDS
from models.units import UNITS

THREADS = 2
BYTES_A_ROW = 16
"""More than any reading takes in the file."""

FILES = ("readings.parquet", "registrations.ndjson", "findings.ndjson")
DAYS_A_GROUP = 7
SCHEMA: Any = arrow.schema(
    [
        ("patient_id", arrow.dictionary(arrow.int32(), arrow.string())),
        ("kind", arrow.dictionary(arrow.int16(), arrow.string())),
        ("value", arrow.float64()),
        ("unit", arrow.dictionary(arrow.int16(), arrow.string())),
        ("code", arrow.dictionary(arrow.int16(), arrow.string())),
        ("taken_at", arrow.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class Size:
    """A region, for so many days."""

    patients: int
    days: int


FULL = Size(patients=40_000, days=365)


@dataclass(frozen=True, slots=True)
class Measured:
    """What each phase took. **Units**: seconds, bytes; `cpu_s` of all threads together."""

    readings: int
    patients: int
    written_s: float
    file_bytes: int
    read_s: float
    evaluated_s: float
    cpu_s: float
    resident_bytes: int
    findings: int


def measure(size: Size, folder: Path | None = None) -> Measured:
    """Writes a region's readings, evaluates them, leaves nothing behind. **Raises**: OSError without room."""
    people = crowd(size.patients)
    with tempfile.TemporaryDirectory(prefix="region-", dir=folder) as name:
        place = Path(name)
        require_room(place, len(people.kinds) * size.days * BYTES_A_ROW)
        _compile(place)
        readings, registrations, out = (place / file for file in FILES)
        begun_s = time.perf_counter()
        rows = write_readings(people, size.days, readings)
        write_registrations(people, registrations)
        written_s = time.perf_counter() - begun_s
        read_s = read(readings)
        evaluated_s, cpu_s, resident_bytes = _evaluate(readings, registrations, out)
        with out.open("rb") as lines:
            findings = sum(1 for _ in lines)
        file_bytes = readings.stat().st_size
    return Measured(
        readings=rows,
        patients=size.patients,
        written_s=written_s,
        file_bytes=file_bytes,
        read_s=read_s,
        evaluated_s=evaluated_s,
        cpu_s=cpu_s,
        resident_bytes=resident_bytes,
        findings=findings,
    )


def write_readings(people: Crowd, days: int, file: Path) -> int:
    """All readings in the order of time, a week a row group; gives how many."""
    everybody = np.arange(len(people), dtype=np.int32)
    words = _Words.of(people)
    rows = 0
    with parquet.ParquetWriter(file, SCHEMA, compression="zstd", compression_level=1) as writer:
        for day in range(0, days, DAYS_A_GROUP):
            columns = at_home(people, everybody, day, min(DAYS_A_GROUP, days - day))
            columns = columns.take(np.argsort(columns.taken_at_us, kind="stable"))
            writer.write_table(words.table(columns))
            rows += len(columns.patient)
    return rows


@dataclass(frozen=True, slots=True)
class _Words:
    """The texts that numbers stand for; all codes in one list, those of a kind from its own place on."""

    patients: Any
    kinds: Any
    units: Any
    codes: Any
    first_code: NDArray[np.int16]

    @classmethod
    def of(cls, people: Crowd) -> "_Words":
        lengths = [len(kind.codes) for kind in KINDS]
        return cls(
            arrow.array([str(people.patient_id(row)) for row in range(len(people))]),
            arrow.array([kind.name for kind in KINDS]),
            arrow.array(list(UNITS)),
            arrow.array([code for kind in KINDS for code in kind.codes]),
            np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int16),
        )

    def table(self, columns: Columns) -> Any:
        """Rows as they are in the file."""
        coded = MOST_CODES[columns.kind] > 0
        code = np.clip(np.rint(columns.value), 0, MOST_CODES[columns.kind] - 1).astype(np.int16)
        code += self.first_code[columns.kind]
        arrays: list[Any] = [
            arrow.DictionaryArray.from_arrays(columns.patient, self.patients),
            arrow.DictionaryArray.from_arrays(columns.kind, self.kinds),
            arrow.array(columns.value, mask=coded),
            arrow.DictionaryArray.from_arrays(arrow.array(columns.unit, mask=coded), self.units),
            arrow.DictionaryArray.from_arrays(arrow.array(code, mask=~coded), self.codes),
            arrow.array(columns.taken_at_us, arrow.timestamp("us", tz="UTC")),
        ]
        return arrow.Table.from_arrays(arrays, schema=SCHEMA)


def write_registrations(people: Crowd, file: Path) -> None:
    """Everybody's enrolments, from the first day on."""
    begin_us = FIRST_DAY * DAY_US
    with file.open("w", encoding="utf-8") as out:
        for row, member in enumerate(people.member.tolist()):
            for programme, is_in in zip(people.programmes, member, strict=True):
                if is_in:
                    enrol = {"programme": programme.programme, "version": programme.version}
                    patient_id = str(people.patient_id(row))
                    change = {"patient_id": patient_id, "valid_from_us": begin_us, "enrol": enrol}
                    out.write(json.dumps(change) + "\n")


def _compile(folder: Path) -> None:
    """Evaluates a handful, so that what is compiled once is in its cache."""
    few, files = crowd(10), [folder / file for file in FILES]
    write_readings(few, 2, files[0])
    write_registrations(few, files[1])
    _evaluate(*files, quiet=True)


def read(file: Path) -> float:
    """Seconds to read all columns and to look at none."""
    begun_s = time.perf_counter()
    source = parquet.ParquetFile(file)
    for group in range(source.num_row_groups):
        source.read_row_group(group, use_threads=True)
    return time.perf_counter() - begun_s


def _evaluate(
    readings: Path, registrations: Path, out: Path, *, quiet: bool = False
) -> tuple[float, float, int]:
    """`evaluate` of a region."""
    files = {"--readings": readings, "--registrations": registrations, "--out": out}
    options = [each for name, file in files.items() for each in (name, str(file))]
    return timed(["evaluate", "--threads", str(THREADS), *options, *(["--quiet"] if quiet else [])])


def timed(words: Sequence[str]) -> tuple[float, float, int]:
    """A command as anybody runs it, from its start to its end; seconds, processor seconds, memory."""
    command = [sys.executable, "-m", "thuiswacht", *words]
    begun_s = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    elapsed_s = time.perf_counter() - begun_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return elapsed_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1_024


def require_room(folder: Path, needed: int) -> None:
    """Makes sure that a file of this size finds room. **Raises**: OSError."""
    free = shutil.disk_usage(folder).free
    if needed > free / 2:
        raise OSError(f"Expected {2 * needed / 1e9:.1f} GB free in {folder}, found {free / 1e9:.1f} GB.")


def text(x: Measured) -> str:
    """The phases as text."""
    return (
        f"written   {x.readings:,} readings of {x.patients:,} patients, {x.file_bytes / 1e6:,.0f} MB: "
        f"{x.written_s:.1f} s\n"
        f"read      with pyarrow, nothing looked at: {x.read_s:.1f} s\n"
        f"evaluated on {THREADS} threads, from start to end: {x.evaluated_s:.1f} s, "
        f"{x.readings / x.evaluated_s:,.0f} readings/s, {x.cpu_s:.1f} s processor, "
        f"{x.resident_bytes / 2**30:.1f} GB at most; {x.findings:,} findings"
    )
