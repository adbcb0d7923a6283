"""`thuiswacht evaluate` from the files to the findings."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from alerting.engine.compiled import compile_programmes
from alerting.engine.programme import Programme
from alerting.engine.programme_files import PACKAGED, load_file, load_folder
from alerting.offline.admission import Admission, admit
from alerting.offline.bad_rows import BadRows
from alerting.offline.evaluation import Evaluation, Piece
from alerting.offline.history import Wishes, history_of
from alerting.offline.output import opened, written
from alerting.offline.patients import Patients
from alerting.offline.preparing import Preparing
from alerting.offline.tally import Tally
from models.errors import BadInput

TELL_EVERY_S = 5.0


@dataclass(slots=True)
class Done:
    """What came of it. `evaluated` is rows without refused, late, beyond, duplicates and conflicts."""

    rows: int = 0
    patients: int = 0
    findings: int = 0
    evaluated: int = 0
    refused: int = 0
    too_late: int = 0
    duplicates: int = 0
    conflicts: int = 0
    beyond: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict[str, int])

    def __str__(self) -> str:
        left_out = {
            "refused": self.refused,
            "too late": self.too_late,
            "duplicates": self.duplicates,
            "conflicts": self.conflicts,
            "after --until": self.beyond,
        }
        told = "".join(f", {number:,} {name}" for name, number in left_out.items() if number)
        rate = self.rows / self.seconds if self.seconds else 0.0
        return (
            f"{self.rows:,} rows{told}, {self.patients:,} patients, {self.findings:,} findings "
            f"in {self.seconds:.1f} s ({rate:,.0f} rows/s)"
        )


class Progress:
    """Tells how far long work is, now and then."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.begun_s = self._told_s = time.monotonic()

    def __call__(self, what: str, done: int, of: int | None) -> None:
        """Tells it, if it was not told a moment ago."""
        now_s = time.monotonic()
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            share = f" of {of:,}" if of is not None else ""
            self._tell(f"{what}: {done:,}{share} rows, {now_s - self.begun_s:.0f} s")


def evaluate(wishes: Wishes, tell: Callable[[str], None]) -> Done:
    """Reads, evaluates, writes. **Raises**: BadInput, of a row where the run is to stop at one."""
    progress = Progress(tell)
    programmes = compile_programmes(wishes.programmes)
    history = history_of(wishes, programmes, tell)
    source, until_us = history.source, history.until_us
    with ExitStack() as stack:
        out = stack.enter_context(written(wishes.out))
        errors = None if wishes.errors is None else stack.enter_context(opened(wishes.errors))
        bad = BadRows(wishes.readings.name, stop=not history.skip, written=errors)
        admission = Admission(source, Patients(history.known), bad, until_us)
        admit(source, admission, progress)
        bad.stop_if_asked(at_the_end=True)
        rows = admission.rows()
        latest_us = int(rows.taken_at_us[rows.counts].max(initial=0))
        until_us = latest_us if until_us is None else until_us
        done = Done(rows=admission.read, patients=len(admission.patients.ids), beyond=admission.beyond)
        preparing = Preparing(admission, rows, until_us)
        evaluation = Evaluation(
            programmes, preparing, history.registrations.of, until_us, follow=history.is_recording
        )
        pieces = evaluation.run(wishes.threads or os.cpu_count() or 1)
        tally = Tally()
        _collect(pieces, done, tally, out, progress)
        tally.tell(bad, admission)
        bad.stop_if_asked(at_the_end=True)
    done.refused = bad.refused
    done.reasons = {reason.value: number for reason, number in sorted(bad.by_reason.items())}
    done.seconds = time.monotonic() - progress.begun_s
    return done


def _collect(pieces: Iterator[Piece], done: Done, tally: Tally, out: BinaryIO, progress: Progress) -> None:
    for piece in pieces:
        out.write(piece.lines)
        done.findings += piece.findings
        tally.add(piece.counted)
        progress("evaluating", tally.rows, done.rows)
    done.evaluated, done.duplicates, done.too_late = tally.evaluated, tally.duplicates, tally.too_late
    done.conflicts = tally.conflicts


def read_programmes(places: Sequence[Path]) -> Sequence[Programme]:
    """The programmes of files and folders; those that come with Thuiswacht where none are named.

    **Raises**: BadFile for one that is wrong; BadInput for one that is there twice.
    """
    found: dict[tuple[str, int], Programme] = {}
    for place in places or [PACKAGED]:
        for programme in load_folder(place) if place.is_dir() else [load_file(place)]:
            key = programme.programme, programme.version
            if key in found:
                raise BadInput(
                    where=str(place), expected="each version of a programme once", found=f"{key[0]} {key[1]}"
                )
            found[key] = programme
    return list(found.values())
