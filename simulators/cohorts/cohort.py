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
from models.clock import to_datetime
from models.errors import BadInput, Broken
from models.labels import label_lines
from simulators.cohorts.destination import Destination
from simulators.cohorts.readings import ReadingsFile
from simulators.scenarios.follow_up import change_messages
from simulators.scenarios.scenario import Day, Scenario

READINGS, REGISTRATIONS, LABELS, COHORT = (
    "readings.parquet",
    "registrations.ndjson",
    "labels.ndjson",
    "cohort.toml",
)
SCENARIO = "scenario.toml"
"""Beside them: what was simulated, as a file from which the same cohort can be made again."""
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


Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in files. **Units**: seconds."""

    readings: int
    digest: str
    wall_s: float


def write_cohort(scenario: Scenario, folder: Path, *, tell: Tell | None = None) -> Cohort:
    """Runs a scenario into a folder; `cohort.toml` comes last, so that a folder that has one is whole.

    **Raises**: BadInput where the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / COHORT).unlink(missing_ok=True)
    except OSError as error:
        found = error.strerror or str(error)
        raise BadInput(where=str(folder), expected="a folder to write to", found=found) from error
    files = (folder / READINGS, folder / REGISTRATIONS, folder / LABELS)
    found = write_files(scenario, *files, tell=tell)
    cohort = Cohort(folder, found.digest, len(scenario.population), scenario.days, found.readings)
    with written(folder / SCENARIO) as out:
        out.write("".join(f"{line}\n" for line in scenario.said.lines()).encode())
    with written(folder / COHORT) as out:
        out.write("".join(f"{line}\n" for line in _described(scenario, cohort)).encode())
    return cohort


def write_to(scenario: Scenario, destination: Destination, *, tell: Tell | None = None) -> Written:
    """Runs a scenario to where somebody wants it."""
    begun_s = time.monotonic()
    if destination.folder is not None:
        cohort = write_cohort(scenario, destination.folder, tell=tell)
        return Written(cohort.readings, cohort.digest, time.monotonic() - begun_s)
    if destination.readings is None:
        raise Broken("A destination is neither a folder nor a file of readings.")
    files = (destination.readings, destination.registrations, destination.labels)
    return write_files(scenario, *files, tell=tell)


def write_files(
    scenario: Scenario,
    readings: Path,
    registrations: Path | None,
    labels: Path | None,
    *,
    tell: Tell | None = None,
) -> Written:
    """Runs a scenario into files; None for what is not wished for, but is part of the digest."""
    begun_s = told_s = time.monotonic()
    with (
        written(readings) as out,
        ReadingsFile(out, scenario) as measured,
        _hashed(registrations) as registered,
    ):
        for day in scenario:
            measured.take(day.uploads)
            registered.write(_changes(scenario, day))
            now_s = time.monotonic()
            if tell is not None and now_s - told_s >= TELL_EVERY_S:
                told_s = now_s
                tell(progress(day.number + 1, scenario.days, measured.rows, now_s - begun_s))
    with _hashed(labels) as labelled:
        labelled.write("".join(line + "\n" for line in label_lines(scenario.labels())).encode())
    parts = (measured.digest, registered.digest, labelled.digest)
    digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()
    return Written(measured.rows, digest, time.monotonic() - begun_s)


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
        "scenario": scenario.said.name,
        "seed": scenario.seed,
        "start": scenario.start.isoformat(),
        "days": scenario.days,
        "until": to_datetime(scenario.end_us).isoformat(),
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
