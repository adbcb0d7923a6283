"""`thuiswacht backtest` from what is asked for to the report."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from alerting.backtest.cluster import Cluster
from alerting.backtest.files import Given, OfFiles, of_folder
from alerting.backtest.history import Histories
from alerting.backtest.kept import Kept
from alerting.backtest.labels import LabelFile, read_labels
from alerting.backtest.progress import Progress
from alerting.backtest.report import Summary, write_report
from alerting.backtest.result import Backtest
from alerting.backtest.running import Threads, Tries, Workers, run
from alerting.backtest.stored import OfDatabase, Stored
from alerting.backtest.sweeps import read_sweep
from alerting.backtest.versions import read_versions
from alerting.offline.output import opened
from models.clock import to_datetime
from models.errors import BadInput

OUTCOMES = "outcomes"
"""Where labels are from that nurses recorded."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is to be tried, on what, and where the report goes; `dask` is the address of a scheduler."""

    programmes: Sequence[Path]
    history: Given | Stored
    out: Path
    labels: Path | None = None
    sweeps: Sequence[str] = ()
    skip: bool = False
    errors: Path | None = None
    language: Literal["nl", "en"] = "nl"
    resamples: int = 2_000
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    dask: str | None = None


def attempt(wanted: Attempt, progress: Progress) -> Summary:
    """Tries it, and writes the report. **Raises**: BadInput, TryAgain, NotAllowed, RefuseToStart."""
    versions = read_versions(wanted.programmes)
    tries = Tries(versions, [read_sweep(text, versions) for text in wanted.sweeps])
    history, file = _where(wanted.history, wanted.labels)
    # What is wrong with labels is told before hours of work, not after.
    labels = None if file is None else read_labels(file, skip=wanted.skip)
    _tell_before(tries, labels, progress)
    kept = _kept(wanted.out, [*history.depends_on(), *(version.hash for version in tries.all())], progress)
    with ExitStack() as stack:
        errors = None if wanted.errors is None else stack.enter_context(opened(wanted.errors))
        workers: Workers = stack.enter_context(
            Threads(wanted.threads) if wanted.dask is None else Cluster(wanted.dask)
        )
        if isinstance(history, Stored):
            source = OfDatabase(history, wanted.threads, kept, progress)
            histories: Histories = stack.enter_context(source)
        else:
            histories = OfFiles(history, versions, progress, errors)
        result = run(histories, tries, workers, progress, kept)
        _require_somebody(result, kept)
        if labels is not None and file is not None:
            result = replace(result, labels=labels.labels, labels_from=file.name)
        elif (recorded := histories.labels()) is not None:
            result = replace(result, labels=recorded, labels_from=OUTCOMES)
        else:
            progress.say("no labels: the report is about load, and cannot speak of sensitivity")
        progress.end()
        summary = write_report(
            result,
            wanted.out,
            language=wanted.language,
            resamples=wanted.resamples,
            tell=progress.say,
        )
    kept.forget()
    return summary


def _where(history: Given | Stored, labels: Path | None) -> tuple[Given | Stored, Path | None]:
    """The history with a folder as its files, and the file of labels, if there is one."""
    if isinstance(history, Stored):
        return history, labels
    given, of_cohort = of_folder(history)
    return given, labels or of_cohort


def _tell_before(tries: Tries, labels: LabelFile | None, progress: Progress) -> None:
    for version in tries.versions:
        programmes = ", ".join(f"{each.programme} {each.version}" for each in version.programmes)
        progress.say(f"version {version.name}: {programmes}")
    if labels is not None and labels.n_bad:
        for line in labels.told:
            progress.say(line)
        progress.say(f"{labels.n_bad:,} labels do not count")
    if labels is not None and not labels.labels:
        progress.say("the file of labels has none: nothing happened, so every alert counts as false")


def _require_somebody(result: Backtest, kept: Kept) -> None:
    """**Raises**: BadInput where no figure has anybody to be about."""
    if np.any(result.followed.days > 0):
        return
    kept.forget()
    end = to_datetime(result.until_us).isoformat(timespec="seconds")
    expected = f"patients who are in a programme of one of the versions before the end ({end})"
    raise BadInput(where=result.readings, expected=expected, found="none")


def _kept(out: Path, depends_on: Sequence[str], progress: Progress) -> Kept:
    """What is there of a run that was cut off. **Raises**: BadInput where nothing can be kept."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        kept = Kept(out, depends_on)
    except OSError as error:
        found = error.strerror or str(error)
        raise BadInput(where=str(out), expected="a folder that can be written", found=found) from error
    if kept.of_another:
        progress.say("begins anew: what is there was done with other programmes, readings or options")
    elif kept.done:
        pieces = "1 piece is" if kept.done == 1 else f"{kept.done} pieces are"
        progress.say(f"goes on where a run was cut off: {pieces} done")
    return kept
