"""Two versions of all programmes on a year of the region, by `thuiswacht backtest` on two cores.

The same file as `region` evaluates under one version. The second version has every limit of every programme
a twentieth higher, where it may be: nothing of it is shared but what is read and how it lies. Labels are a
deterioration of each tenth patient at a random time: measuring takes time as well, whatever it says.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from alerting.engine.programme import Programme
from alerting.engine.programme_files import PACKAGED, load_folder
from benchmarks.rules.batches import FIRST_DAY
from benchmarks.rules.crowd import Crowd, crowd
from benchmarks.rules.region import (
    BYTES_A_ROW,
    THREADS,
    Size,
    read,
    require_room,
    timed,
    write_readings,
    write_registrations,
)
from models.clock import DAY_US

HIGHER = 1.05
EVENT_DAYS = 10
SEED = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """What each phase took. **Units**: seconds, bytes; `cpu_s` of all threads together."""

    readings: int
    patients: int
    read_s: float
    evaluated_s: float
    tried_s: float
    cpu_s: float
    resident_bytes: int


def measure(size: Size, folder: Path | None = None) -> Measured:
    """Writes a region's readings, tries two versions on them. **Raises**: OSError without room."""
    people = crowd(size.patients)
    with tempfile.TemporaryDirectory(prefix="backtest-", dir=folder) as name:
        place = Path(name)
        require_room(place, len(people.kinds) * size.days * BYTES_A_ROW)
        write_version(place / "higher")
        few = crowd(10)
        _write(few, 2, place)
        _evaluate(place)
        _try(place)
        rows = _write(people, size.days, place)
        read_s = read(place / "readings.parquet")
        evaluated_s, _, _ = _evaluate(place)
        tried_s, cpu_s, resident_bytes = _try(place)
    return Measured(
        readings=rows,
        patients=size.patients,
        read_s=read_s,
        evaluated_s=evaluated_s,
        tried_s=tried_s,
        cpu_s=cpu_s,
        resident_bytes=resident_bytes,
    )


def write_version(folder: Path) -> None:
    """All programmes with higher limits."""
    folder.mkdir()
    for programme in load_folder(PACKAGED):
        content = higher(programme).model_dump(mode="json", by_alias=True, exclude_none=True)
        with (folder / f"{programme.programme}_{programme.version}.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(content, file)


def higher(programme: Programme) -> Programme:
    """A programme whose limits are a twentieth higher, but those that count or that would go too far."""
    limits = {
        name: limit.model_copy(update={"default": limit.default * HIGHER})
        if limit.accepts(limit.default * HIGHER) and limit.unit not in ("{code}", "1")
        else limit
        for name, limit in programme.limits.items()
    }
    return programme.model_copy(update={"limits": limits})


def write_labels(people: Crowd, days: int, file: Path) -> None:
    """An event of each tenth patient."""
    draw = np.random.default_rng(SEED)
    with file.open("w", encoding="utf-8") as out:
        for row in range(0, len(people), 10):
            onset_us = (FIRST_DAY + int(draw.integers(0, days))) * DAY_US
            end_us = onset_us + EVENT_DAYS * DAY_US
            event = {
                "patient_id": str(people.patient_id(row)),
                "kind": "event",
                "onset": onset_us,
                "end": end_us,
            }
            out.write(json.dumps(event) + "\n")


def _write(people: Crowd, days: int, place: Path) -> int:
    write_registrations(people, place / "registrations.ndjson")
    write_labels(people, days, place / "labels.ndjson")
    return write_readings(people, days, place / "readings.parquet")


def _evaluate(place: Path) -> tuple[float, float, int]:
    files = ("--readings", place / "readings.parquet", "--registrations", place / "registrations.ndjson")
    words = ("evaluate", "--threads", THREADS, *files, "--out", place / "findings.ndjson", "--quiet")
    return timed([str(word) for word in words])


def _try(place: Path) -> tuple[float, float, int]:
    """The whole command: reading, judging, measuring, the report."""
    versions = ("--programme", PACKAGED, "--programme", place / "higher")
    words = ("backtest", "--threads", THREADS, *versions, "--readings", place, "--out", place / "report")
    return timed([str(word) for word in words])


def text(x: Measured) -> str:
    """The phases as text."""
    return (
        f"{x.readings:,} readings of {x.patients:,} patients\n"
        f"read      with pyarrow, nothing looked at: {x.read_s:.1f} s\n"
        f"evaluated under one version, from start to end: {x.evaluated_s:.1f} s\n"
        f"tried     two versions on {THREADS} threads, with labels and report: {x.tried_s:.1f} s, "
        f"{x.cpu_s:.1f} s processor, {x.resident_bytes / 2**30:.1f} GB at most"
    )
