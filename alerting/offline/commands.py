"""The command `evaluate`."""

import sys
from pathlib import Path
from typing import Literal

import click

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--programme",
    "programmes",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A programme, or a folder of them; as often as you like. Default: those that come with Thuiswacht.",
)
@click.option(
    "--readings",
    required=True,
    type=EXISTING,
    help="The readings: .csv, .parquet, .ndjson; or a recording (`thuiswacht record`).",
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The findings; -: stdout."
)
@click.option(
    "--registrations",
    type=EXISTING,
    help="Who is in which programme from when, with which limits: .yaml, .json, .ndjson. "
    "Default: everybody in every programme from before their first reading, with its defaults.",
)
@click.option("--until", metavar="TIME", help="When the clock ends. Default: the latest taken_at.")
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    help="What a row does that the log would refuse as well: end it all, or be left out and counted. "
    "Default: stop; for a recording, the log of which refused the same, skip.",
)
@click.option(
    "--errors", type=click.Path(dir_okay=False, path_type=Path), help="Where to write rows that do not count."
)
@click.option("--threads", type=click.IntRange(1, 64), help="Default: one for each core.")
@click.option("--quiet", is_flag=True, help="No progress, no closing line.")
def evaluate(
    programmes: tuple[Path, ...],
    readings: Path,
    out: Path,
    registrations: Path | None,
    until: str | None,
    on_error: Literal["stop", "skip"] | None,
    errors: Path | None,
    threads: int | None,
    quiet: bool,
) -> None:
    """Evaluates the rules on a file of readings, as on the log: the same engine, the same findings.

    Needs neither Kafka nor Postgres. The file has a row or line for each reading, with patient_id, kind,
    taken_at, and value with unit, or code; also device_id, received_at, revision, void where it likes. Times
    are ISO 8601 with an offset, or whole microseconds. Out comes one finding a line, as JSON.

    A recording has its registrations and its clock in it. With --programme, its patients are in the versions
    that are given; those that are not given find nothing.
    """
    from alerting.offline.moments import moment_us
    from alerting.offline.run import Wishes, read_programmes
    from alerting.offline.run import evaluate as run

    def tell(line: str) -> None:
        if not quiet:
            click.echo(f"thuiswacht: {line}", err=True)

    wishes = Wishes(
        programmes=read_programmes(programmes),
        readings=readings,
        out=out,
        registrations=registrations,
        until_us=None if until is None else moment_us(until, "--until"),
        skip=None if on_error is None else on_error == "skip",
        errors=errors,
        threads=threads or 0,
        moves=bool(programmes),
    )
    tell(str(run(wishes, tell)))
    sys.stderr.flush()
