"""Esper 9: events one by one through statements with time windows, in a Java process of its own.

Nothing of it is part of the service: its jars (GPL 2) are fetched by the benchmark, with checksums, and our
program is compiled by the compiler that they bring. Which finding is open is kept by our listener, which is
cheaper than a table of Esper's.
"""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray

from benchmarks.rules.peers.compared import FOLDER, RULES, Compared, Outcome, Unable, limits
from models.errors import RefuseToStart
from models.kinds import KIND_BY_NAME
from simulators.stack.cache import cache_folder
from simulators.stack.jars import JarsOutOfReach, ensure_jars, read_lock
from simulators.stack.java import find_java
from simulators.stack.stack import say_to_stderr

LOCK = FOLDER / "esper.lock"
EPL = FOLDER / "compared.epl"
PROGRAM = FOLDER / "EsperPeer.java"
EVENT = np.dtype([("patient", "<i4"), ("kind", "<i4"), ("at_ms", "<i8"), ("value", "<f8")])
GIVE_UP_AFTER_S = 1_800


def found(given: Compared, patients: int) -> Outcome | Unable:
    """The first patients' findings, events in the order of time."""
    try:
        java, jars = find_java(), class_path()
    except (RefuseToStart, JarsOutOfReach) as error:
        return Unable("Esper", str(error))
    given = given.of_first(patients)
    with tempfile.TemporaryDirectory() as name:
        epl, readings, counts = (Path(name) / part for part in ("epl", "readings", "counts"))
        epl.write_text(_epl(), encoding="utf-8")
        _events(given).tofile(readings)
        elapsed_s, cpu_s = _run(java, jars, epl, readings, counts, patients)
        opened = np.fromfile(counts, "<i4").reshape(len(RULES), patients).astype(np.int64)
    how = f"Esper 9 on Java, {patients:,} patients, events in the order of time; the second of two runs"
    return Outcome("Esper", how, len(given), elapsed_s, cpu_s, opened)


def class_path() -> Sequence[Path]:
    """Esper and what it needs, fetched where they are missing. **Raises**: JarsOutOfReach."""
    jars = read_lock(LOCK.read_text(encoding="utf-8"))
    of = next(f"Esper {jar.version}" for jar in jars if jar.artifact == "esper-runtime")
    return ensure_jars(cache_folder(), say_to_stderr, jars, of=of, folder_name=of.lower().replace(" ", "-"))


def _epl() -> str:
    """The statements, with the limits and kinds of the compared programme."""
    names = limits() | {name: kind.number for name, kind in KIND_BY_NAME.items()}
    return Template(EPL.read_text(encoding="utf-8")).substitute(names)


def _events(given: Compared) -> NDArray[np.void]:
    order = np.argsort(given.columns.taken_at_us, kind="stable")
    events = np.zeros(len(given), EVENT)
    events["patient"], events["kind"] = given.columns.patient[order], given.columns.kind[order]
    events["at_ms"], events["value"] = given.columns.taken_at_us[order] // 1_000, given.columns.value[order]
    return events


def _run(
    java: Path, jars: Sequence[Path], epl: Path, readings: Path, counts: Path, patients: int
) -> tuple[float, float]:
    """Our program over the events; the seconds that it says."""
    options = ["-XX:+UseSerialGC", "-cp", os.pathsep.join(map(str, jars))]
    compiler = ["org.codehaus.janino.SimpleCompiler", PROGRAM, PROGRAM.stem]
    run = subprocess.run(
        [java, *options, *compiler, epl, readings, counts, str(patients)],
        capture_output=True,
        text=True,
        timeout=GIVE_UP_AFTER_S,
        check=False,
    )
    if run.returncode:
        raise AssertionError(run.stderr)
    elapsed_s, cpu_s = map(float, run.stdout.split())
    return elapsed_s, cpu_s
