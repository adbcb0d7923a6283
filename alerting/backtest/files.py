"""The history of a backtest from files: readings, and who is in which programme with which limits."""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from alerting.backtest.evaluating import Piece, Work
from alerting.backtest.fitting import fit
from alerting.backtest.followed import Span
from alerting.backtest.history import Members
from alerting.backtest.progress import Progress
from alerting.backtest.result import Series
from alerting.backtest.versions import Version, newest_of
from alerting.offline.admission import Admission, admit
from alerting.offline.bad_rows import BadRows
from alerting.offline.moments import moment_us
from alerting.offline.patients import Patients
from alerting.offline.preparing import Prepared, Preparing
from alerting.offline.registrations import Registrations, read
from alerting.offline.sources import Source, open_source
from alerting.offline.tally import Tally
from alerting.recording.opened import is_recording, open_recording
from ingest.salvage import shown
from models.clock import DAY_US
from models.errors import BadInput
from models.kinds import KINDS
from models.labels import Label

COHORT = ("readings.parquet", "registrations.ndjson", "labels.ndjson")
"""What a folder of a simulated cohort has."""
ABOUT = "cohort.toml"
"""What it says of itself."""

REAL = "real"
"""What a recording says of patients who exist, under pseudonyms or not."""

LOOKED_AT = 1 << 16
"""So many bytes at both ends of a file tell whether it is another one: Parquet's sums are at its end."""

LONG_US = 7 * DAY_US
"""Of so long without any reading at the end people are told: such days thin out every figure."""


@dataclass(frozen=True, slots=True)
class Given:
    """Which files. **Units**: `until_us` in microseconds since 1970 UTC."""

    readings: Path
    registrations: Path | None = None
    until_us: int | None = None
    skip: bool | None = None
    """None: rows that are refused end the run, but those of a recording or a cohort: the log refuses them."""

    def depends_on(self) -> Sequence[str]:
        """What makes another history of them, in texts. **Raises**: BadInput for a file that is not there."""
        return list(_depends_on(self))


def of_folder(given: Given) -> tuple[Given, Path | None]:
    """A folder of a cohort as the files in it, and its labels; a file that is named apart counts.

    **Raises**: BadInput where it has no readings.
    """
    if not given.readings.is_dir():
        return given, None
    readings, registrations, labels = (given.readings / name for name in COHORT)
    if not readings.exists():
        raise BadInput(where=str(given.readings), expected=f"a folder with {COHORT[0]}", found="none")
    about = given.readings / ABOUT
    said = _said(about)
    # Of what another run left there, or somebody changed, no figure would be about this cohort.
    for file in (readings, labels) if given.registrations else (readings, registrations, labels):
        _require_sum(file, said)
    registrations = given.registrations or (registrations if registrations.exists() else None)
    files = replace(
        given,
        readings=readings,
        registrations=registrations,
        until_us=_end_of_cohort(said) if given.until_us is None else given.until_us,
        # What a device sends that the log refuses is in there on purpose.
        skip=about.exists() if given.skip is None else given.skip,
    )
    return files, labels if labels.exists() else None


def _said(about: Path) -> Mapping[str, Any]:
    """What a cohort says of itself; nothing where it is none. **Raises**: BadInput."""
    if not about.exists():
        return {}
    try:
        return tomllib.loads(about.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(where=about.name, expected="TOML", found=shown(str(error))) from error


def _require_sum(file: Path, said: Mapping[str, Any]) -> None:
    """Lets a file through that is as its cohort says. **Raises**: BadInput."""
    sums: object = said.get("files")
    if not isinstance(sums, dict) or file.name not in sums:
        return
    expected = str(cast("dict[str, object]", sums)[file.name])
    found = "no file"
    if file.is_file():
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != expected:
        where = f"{file.parent.name}/{file.name}"
        raise BadInput(where=where, expected=f"sha256 {expected}, as {ABOUT} says", found=found)


def _end_of_cohort(said: Mapping[str, Any]) -> int | None:
    """When its clock ended, where it says so. **Raises**: BadInput."""
    until = said.get("until")
    return None if until is None else moment_us(str(until), f"{ABOUT}, until")


@dataclass(frozen=True, slots=True)
class _Opened:
    """Readings that can be read, and who is followed; `known` None where everybody is."""

    source: Source
    registrations: Registrations
    known: Iterable[str] | None
    until_us: int | None
    skip: bool
    real: bool = False


class OfFiles:
    """A file of readings, all of it in memory as numbers: some 27 bytes a row."""

    def __init__(
        self,
        given: Given,
        versions: Sequence[Version],
        progress: Progress,
        errors: BinaryIO | None = None,
    ) -> None:
        """**Raises**: BadInput, of a file, a row, a change."""
        opened = _opened(given, versions, progress)
        self.name, self.real = given.readings.name, opened.real
        self._registrations = opened.registrations
        self._bad = BadRows(given.readings.name, stop=not opened.skip, written=errors)
        self._admission = Admission(opened.source, Patients(opened.known), self._bad, opened.until_us)
        admit(opened.source, self._admission, progress)
        self._bad.stop_if_asked(at_the_end=True)
        rows = self._admission.rows()
        latest_us = int(rows.taken_at_us[rows.counts].max(initial=0))
        until_us = latest_us if opened.until_us is None else opened.until_us
        if until_us - latest_us > LONG_US:
            days = (until_us - latest_us) // DAY_US
            progress.say(f"the latest reading is {days:,} days before the end: figures count those days, too")
        self._preparing = Preparing(self._admission, rows, until_us)
        self.stretch = Span(self._preparing.first_us, until_us)
        self.rows = self._admission.read

    @property
    def refused(self) -> int:
        """How many rows do not count because something is wrong with them."""
        return self._bad.refused

    def pieces(self) -> Iterator[Members]:
        """All patients, in pieces of a good size."""
        return self._preparing.pieces()

    def names(self, members: Members) -> Sequence[str]:
        """What they are called in the file."""
        return [self._admission.patients.all[member] for member in members]

    def prepare(self, members: Members) -> Work:
        """Their rows that count, and their changes."""
        prepared, counted = self._preparing.prepare(members)
        histories = list(map(self._registrations.of, prepared.ids, prepared.first_us))
        return Work(prepared, histories, counted)

    def end(self, pieces: Sequence[Piece]) -> None:
        """Tells of rows that only others beside them show to be wrong. **Raises**: BadReadings."""
        tally = Tally()
        for piece in pieces:
            tally.add(piece.counted)
        tally.tell(self._bad, self._admission)
        self._bad.stop_if_asked(at_the_end=True)

    def series(self, patients: Sequence[int]) -> Mapping[int, Series]:
        """The readings of some patients, by their places in the order."""
        in_order = self._preparing.in_order
        return {patient: series_of(self._preparing.prepare([in_order[patient]])[0]) for patient in patients}

    def labels(self) -> Sequence[Label] | None:
        """Readings say nothing of what really happened."""
        return None


def _opened(given: Given, versions: Sequence[Version], progress: Progress) -> _Opened:
    """Files as they are, or a recording, which has registrations and an end of its own."""
    newest, skip = newest_of(versions), given.skip or False
    if is_recording(given.readings):
        if given.registrations is not None:
            expected = "none beside a recording, which has its own"
            raise BadInput(where="--registrations", expected=expected, found=given.registrations.name)
        recording = open_recording(given.readings, skip=skip, tell=progress.say)
        opened = _Opened(
            recording.source,
            recording.registrations,
            recording.registrations.texts.values(),
            recording.until_us if given.until_us is None else given.until_us,
            skip=given.skip is not False,
            real=recording.file.header.patients == REAL,
        )
        # Those it was recorded from were told of what could not be followed.
        unfit = fit(opened.registrations, versions, strict=False)
    elif given.registrations is None:
        everybody = Registrations.everybody_in(newest)
        return _Opened(open_source(given.readings), everybody, None, given.until_us, skip)
    else:
        registrations = read(given.registrations, newest)
        unfit = fit(registrations, versions)
        known = registrations.texts.values()
        opened = _Opened(open_source(given.readings), registrations, known, given.until_us, skip)
    for line in unfit.lines():
        progress.say(line)
    return opened


def series_of(prepared: Prepared) -> Series:
    """All readings of one patient that have a value or a code."""
    rows, numbers = prepared.rows, list[int](prepared.rows.kind.tolist())
    kinds = [KINDS[number] for number in numbers]
    said = np.flatnonzero(~np.isnan(prepared.value) | (rows.code >= 0)).tolist()
    codes: list[int] = rows.code.tolist()
    return Series(
        kind=[kinds[row].name for row in said],
        taken_at_us=rows.taken_at_us[said],
        value=prepared.value[said],
        unit=[kinds[row].unit or "" for row in said],
        code=[kinds[row].codes[codes[row]] if codes[row] >= 0 else None for row in said],
    )


def _depends_on(given: Given) -> Iterator[str]:
    """What makes another history of it, in texts."""
    readings = given.readings
    try:
        status = readings.stat()
        with readings.open("rb") as file:
            ends = file.read(LOOKED_AT)
            file.seek(max(0, status.st_size - LOOKED_AT))
            ends += file.read()
    except OSError as error:
        found = error.strerror or str(error)
        raise BadInput(where=readings.name, expected="a readable file", found=found) from error
    yield f"readings {status.st_size} {status.st_mtime_ns} {hashlib.sha256(ends).hexdigest()}"
    said = b"" if given.registrations is None else given.registrations.read_bytes()
    yield f"registrations {given.registrations is not None} {hashlib.sha256(said).hexdigest()}"
    yield f"until {given.until_us} skip {given.skip}"
