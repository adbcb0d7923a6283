"""`thuiswacht backtest` from what is asked for to the report."""

import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from alerting.backtest.cluster import Cluster
from alerting.backtest.files import Given, OfFiles, of_folder
from alerting.backtest.history import Histories
from alerting.backtest.labels import LabelFile, read_labels
from alerting.backtest.progress import Progress
from alerting.backtest.report import Summary, write_report
from alerting.backtest.running import Threads, Tries, Workers, keep, run
from alerting.backtest.sweeps import read_sweep
from alerting.backtest.versions import Version, read_versions
from alerting.offline.output import opened
from models.errors import BadInput

OUTCOMES = "outcomes"
"""Where labels are from that nurses recorded."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is to be tried, on what, and where the report goes; `dask` is the address of a scheduler."""

    programmes: Sequence[Path]
    given: Given
    out: Path
    sweeps: Sequence[str] = ()
    errors: Path | None = None
    language: Literal["nl", "en"] = "nl"
    resamples: int = 2_000
    threads: int = 0
    dask: str | None = None


def attempt(wanted: Attempt, progress: Progress) -> Summary:
    """Tries it, and writes the report. **Raises**: BadInput, TryAgain, NotAllowed."""
    versions = read_versions(wanted.programmes)
    tries = Tries(versions, [read_sweep(text, versions) for text in wanted.sweeps])
    given = of_folder(wanted.given)
    # What is wrong with them is told before hours of work, not after.
    labels = None if given.labels is None else read_labels(given.labels, skip=given.skip)
    _tell_before(tries, labels, progress)
    _make(wanted.out)
    with ExitStack() as stack:
        errors = None if wanted.errors is None else stack.enter_context(opened(wanted.errors))
        histories = stack.enter_context(_opened(given, versions, progress, errors))
        workers = stack.enter_context(_workers(wanted))
        kept = keep(histories, tries, wanted.out)
        if kept.of_another:
            progress.say("what an earlier run had done is of other programmes, readings or options: anew")
        elif kept.done:
            progress.say(f"goes on where an earlier run was: {kept.done} pieces are done")
        result = run(histories, tries, workers, progress, kept)
        if labels is not None and given.labels is not None:
            result = replace(result, labels=labels.labels, labels_from=given.labels.name)
        elif (recorded := histories.labels()) is not None:
            result = replace(result, labels=recorded, labels_from=OUTCOMES)
        else:
            progress.say("no labels: the report is about load, and cannot speak of sensitivity")
        progress.end()
        summary = write_report(result, wanted.out, language=wanted.language, resamples=wanted.resamples)
        kept.forget()
    return summary


def _tell_before(tries: Tries, labels: LabelFile | None, progress: Progress) -> None:
    for version in tries.versions:
        programmes = ", ".join(f"{each.programme} {each.version}" for each in version.programmes)
        progress.say(f"version {version.name}: {programmes}")
    if labels is not None and labels.n_bad:
        for line in labels.told:
            progress.say(line)
        progress.say(f"{labels.n_bad:,} labels do not count")


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = error.strerror or str(error)
        raise BadInput(where=str(out), expected="a folder that can be written", found=found) from error


@contextmanager
def _opened(
    given: Given, versions: Sequence[Version], progress: Progress, errors: BinaryIO | None
) -> Generator[Histories]:
    yield OfFiles(given, versions, progress, errors)


@contextmanager
def _workers(wanted: Attempt) -> Generator[Workers]:
    if wanted.dask is not None:
        with Cluster(wanted.dask) as cluster:
            yield cluster
    else:
        with Threads(wanted.threads or os.cpu_count() or 1) as threads:
            yield threads
