"""A cohort: what happens in a scenario as files that `evaluate` and `backtest` read, with their sums."""

import hashlib
import json
import time
import tomllib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from alerting.offline.output import written
from models.errors import BadInput
from models.labels import label_lines
from simulators.cohorts.readings import ReadingsFile
from simulators.scenarios.follow_up import change_messages
from simulators.scenarios.scenario import Day, Scenario

READINGS, REGISTRATIONS, LABELS, COHORT = (
    "readings.parquet",
    "registrations.ndjson",
    "labels.ndjson",
    "cohort.toml",
)
SCHEMA_VERSION = 1
TELL_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Cohort:
    """Patients as files in a folder. `digest` is of all that they say, the same on every machine."""

    folder: Path
    digest: str
    patients: int
    days: int
    readings: int

    @property
    def readings_file(self) -> Path:
        """What they measured, in the order in which it arrived."""
        return self.folder / READINGS

    @property
    def registrations_file(self) -> Path:
        """Who they are to the register, and all that changed."""
        return self.folder / REGISTRATIONS

    @property
    def labels_file(self) -> Path:
        """What really happened to them."""
        return self.folder / LABELS


@dataclass(frozen=True, slots=True)
class Files:
    """Where the parts of a cohort go; None for what is not wished for."""

    readings: Path
    registrations: Path | None
    labels: Path | None


def write_cohort(scenario: Scenario, folder: Path, *, tell: Callable[[str], None] | None = None) -> Cohort:
    """Runs a scenario into a folder; `cohort.toml` comes last, so that a folder that has one is whole.

    **Raises**: BadInput where the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / COHORT).unlink(missing_ok=True)
    except OSError as error:
        found = error.strerror or str(error)
        raise BadInput(where=str(folder), expected="a folder to write to", found=found) from error
    files = Files(folder / READINGS, folder / REGISTRATIONS, folder / LABELS)
    readings, digest = write_files(scenario, files, tell=tell)
    cohort = Cohort(folder, digest, len(scenario.population), scenario.days, readings)
    with written(folder / COHORT) as out:
        out.write("".join(f"{line}\n" for line in _described(scenario, cohort)).encode())
    return cohort


def write_files(
    scenario: Scenario, files: Files, *, tell: Callable[[str], None] | None = None
) -> tuple[int, str]:
    """Runs a scenario into files; how many readings they hold, and a digest of all that they say."""
    begun_s = told_s = time.monotonic()
    with written(files.readings) as out, ReadingsFile(out, scenario) as readings:
        with _hashed(files.registrations) as registrations:
            for day in scenario:
                readings.take(day.uploads)
                registrations.write(_changes(scenario, day))
                now_s = time.monotonic()
                if tell is not None and now_s - told_s >= TELL_EVERY_S:
                    told_s = now_s
                    tell(progress(day.number + 1, scenario.days, readings.rows, now_s - begun_s))
    with _hashed(files.labels) as labels:
        labels.write("".join(line + "\n" for line in label_lines(scenario.labels())).encode())
    if tell is not None:
        tell(progress(scenario.days, scenario.days, readings.rows, time.monotonic() - begun_s))
    parts = (readings.digest, registrations.digest, labels.digest)
    return readings.rows, hashlib.sha256(" ".join(parts).encode()).hexdigest()


class _Hashed:
    """A file, or none, and a digest of what is written to it."""

    def __init__(self, out: BinaryIO | None) -> None:
        self._out = out
        self._digest = hashlib.sha256()

    def write(self, text: bytes) -> None:
        self._digest.update(text)
        if self._out is not None:
            self._out.write(text)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def _hashed(file: Path | None) -> Generator[_Hashed]:
    if file is None:
        yield _Hashed(None)
        return
    with written(file) as out:
        yield _Hashed(out)


def _changes(scenario: Scenario, day: Day) -> bytes:
    lines = change_messages(scenario.seed, day.number, day.changes, scenario.population.patient_text)
    return b"".join(line + b"\n" for line in lines)


def read_cohort(folder: Path) -> Cohort:
    """A cohort that was written before, each file looked at.

    **Raises**: BadInput when a file is missing or is not what it was.
    """
    try:
        content = tomllib.loads((folder / COHORT).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        found = str(error).splitlines()[0]
        raise BadInput(where=f"{folder.name}/{COHORT}", expected="a cohort", found=found) from error
    if content.get("schema") != SCHEMA_VERSION:
        expected, found = f"schema {SCHEMA_VERSION}", str(content.get("schema"))
        raise BadInput(where=f"{folder.name}/{COHORT}", expected=expected, found=found)
    sums: dict[str, str] = content["files"]
    for name in (READINGS, REGISTRATIONS, LABELS):
        file = folder / name
        found = _sum(file) if file.is_file() else "no file"
        if found != sums[name]:
            raise BadInput(where=f"{folder.name}/{name}", expected=f"sha256 {sums[name]}", found=found)
    return Cohort(folder, content["digest"], content["patients"], content["days"], content["readings"])


def progress(day: int, days: int, readings: int, wall_s: float) -> str:
    """How far a simulation is.

    >>> progress(3, 30, 12_000, 0.5)
    'day 3/30  12,000 readings  24,000/s'
    """
    rate = readings / wall_s if wall_s else 0.0
    return f"day {day}/{days}  {readings:,} readings  {rate:,.0f}/s"


def _described(scenario: Scenario, cohort: Cohort) -> Iterator[str]:
    yield "# Patients who do not exist, and what they were made from."
    content = {
        "schema": SCHEMA_VERSION,
        "scenario": scenario.name,
        "seed": scenario.seed,
        "start": scenario.start.isoformat(),
        "days": scenario.days,
        "patients": cohort.patients,
        "readings": cohort.readings,
        "digest": cohort.digest,
    }
    # A JSON text in ASCII is one of TOML as well.
    yield from (f"{name} = {json.dumps(value)}" for name, value in content.items())
    yield "\n[files]  # sha256"
    for name in (READINGS, REGISTRATIONS, LABELS):
        yield f'"{name}" = "{_sum(cohort.folder / name)}"'


def _sum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
