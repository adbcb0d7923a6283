"""The command `backtest`."""

import os
import sys
from pathlib import Path
from typing import Literal
from uuid import UUID

import click

from ingest.on_command import acting_options

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
POSTGRES = "postgres"


@click.command()
@click.option(
    "--programme",
    "programmes",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A version to compare: a programme file, or a folder of them as one set; as often as you like. A "
    "file whose programme is given only once belongs to every version. Default: what comes with Thuiswacht.",
)
@click.option(
    "--readings",
    required=True,
    metavar="FILE|DIR|postgres",
    help="The history: .csv, .parquet, .ndjson, a recording, the folder of a cohort, or what is stored.",
)
@click.option(
    "--labels",
    type=FILE,
    help="What really happened: .ndjson, .json, .csv. Default: that of the cohort; with postgres the "
    "outcomes that nurses recorded. Without any, the report is about load alone.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for report.html and report.json, made where it is not there.",
)
@click.option(
    "--registrations",
    type=FILE,
    help="Who is in which programme from when, with which limits, as for `evaluate`. Default: that of the "
    "cohort; else everybody in every programme.",
)
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="RULE.LIMIT=FROM:TO:STEP",
    help="Try one limit of the first version at several values, such as weight_gain_3d.gain_3d=1.0:3.0:0.25; "
    "may be repeated. Personal limits stay.",
)
@click.option("--until", metavar="TIME", help="When the history ends. Default: the latest taken_at.")
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    help="What a row or label does that does not count: end it all, or be left out and counted. Default: "
    "stop; skip for rows of recordings and cohorts, where the log refuses them as well.",
)
@click.option(
    "--errors", type=click.Path(dir_okay=False, path_type=Path), help="Where to write rows that do not count."
)
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
@click.option(
    "--resamples",
    type=click.IntRange(0, 100_000),
    default=2_000,
    show_default=True,
    help="Of the bootstrap, from which the intervals come.",
)
@click.option("--threads", type=click.IntRange(1, 64), help="Default: one for each core.")
@click.option(
    "--dask", metavar="ADDRESS", help="Evaluate on a Dask cluster: its scheduler, as tcp://host:8786."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object, for scripts.")
@click.option("--quiet", is_flag=True, help="No progress, no closing lines.")
@acting_options(required=False)
@click.option("--reason", help="With postgres and real patients: why. No names: it is on record.")
def backtest(
    programmes: tuple[Path, ...],
    readings: str,
    labels: Path | None,
    out: Path,
    registrations: Path | None,
    sweeps: tuple[str, ...],
    until: str | None,
    on_error: Literal["stop", "skip"] | None,
    errors: Path | None,
    language: Literal["nl", "en"],
    resamples: int,
    threads: int | None,
    dask: str | None,
    as_json: bool,
    quiet: bool,
    person_id: UUID | None,
    role: str | None,
    organisation_id: UUID | None,
    postgres: str | None,
    reason: str | None,
) -> None:
    """Try versions of the rules on a history, before they wake anybody: what each would have found.

    The history is read once, every version judges it, and the report sets them side by side: events found,
    false alerts, lead times, what nurses would have seen; what one version raises and another does not.

    A run that is cut off goes on where it was when it is started again with the same arguments; what it keeps
    meanwhile is in the folder of the report, and gone at the end.
    """
    import json

    from alerting.backtest.attempt import Attempt, attempt
    from alerting.backtest.files import Given
    from alerting.backtest.progress import Progress
    from alerting.backtest.stored import Stored
    from alerting.offline.moments import moment_us
    from ingest.on_command import who_of
    from models.settings import load_settings

    until_us = None if until is None else moment_us(until, "--until")
    history: Given | Stored
    if readings == POSTGRES:
        if registrations is not None or errors is not None:
            raise click.UsageError("--registrations and --errors are for files: what is stored has its own.")
        who = None if person_id is None else who_of(person_id, organisation_id, role)
        history = Stored(load_settings(postgres=postgres), who, reason, until_us)
    else:
        if reason is not None:
            raise click.UsageError("--reason is for --readings postgres: of a file nothing is on record.")
        skip = None if on_error is None else on_error == "skip"
        history = Given(Path(readings), registrations, until_us, skip)
    summary = attempt(
        Attempt(
            programmes=programmes,
            history=history,
            out=out,
            labels=labels,
            sweeps=sweeps,
            skip=on_error == "skip",
            errors=errors,
            language=language,
            resamples=resamples,
            threads=threads or os.cpu_count() or 1,
            dask=dask,
        ),
        Progress(quiet=quiet),
    )
    if as_json:
        click.echo(json.dumps(summary.figures, ensure_ascii=False))
    elif not quiet:
        click.echo(str(summary))
    sys.stderr.flush()
