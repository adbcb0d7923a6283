"""`thuiswacht record` and `thuiswacht replay`."""

import json
import sys
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import click

from ingest.on_command import acting_options, who_of
from simulators.gate.options import gate_options

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
STOPPED = 130
"""Exit code of who was asked to stop: 128 and the number of the signal."""


@click.command()
@click.argument("file", required=False, type=_NEW_FILE)
@click.option("--out", type=_NEW_FILE, help="The file to write, .parquet; or as FILE. Not over one.")
@click.option(
    "--source",
    "taken_from",
    type=click.Choice(["log", "history"]),
    default="log",
    show_default=True,
    help="The log as it stands in Kafka; or what is stored in Postgres, with a clock made from when it came.",
)
@click.option(
    "--from",
    "begin",
    metavar="WHERE",
    help="A time by the log's own clock, @OFFSET in every partition, or PARTITION@OFFSET,… Default: all.",
)
@click.option("--to", "end", metavar="WHERE", help="The same, where it ends. Default: the end of now.")
@click.option("--identified", is_flag=True, help="With the patients' own ids, and everything that was sent.")
@click.option(
    "--key-file",
    type=_NEW_FILE,
    help="The secret behind the pseudonyms: the same for several recordings that belong together. Made where "
    "it is not there. Default: one that nobody keeps.",
)
@acting_options(required=False)
@click.option("--reason", help="Why, where patients exist. No names: it is on record.")
@click.option("--kafka", metavar="HOST:PORT", help="Default: THUISWACHT_KAFKA.")
@click.option("--topic", help="Default: THUISWACHT_TOPIC.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Say what was recorded as one JSON object.")
def record(
    file: Path | None,
    out: Path | None,
    taken_from: Literal["log", "history"],
    begin: str | None,
    end: str | None,
    identified: bool,
    key_file: Path | None,
    person_id: UUID | None,
    role: str | None,
    organisation_id: UUID | None,
    postgres: str | None,
    reason: str | None,
    kafka: str | None,
    topic: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Record a stretch of the log, or of the stored history, into one Parquet FILE.

    Uploads, changes and the clock, in their order: `replay` sends them again, `evaluate` and `backtest` read
    them as they are. Patients, devices and organisations get other names, what people wrote is left out;
    times stay, so such a file is personal data still. It ends with the last tick that all partitions have.

    The database says whether the patients exist. Of those who do, only who may (a privacy officer of their
    organisation: --as ID --reason TEXT) records them, and each recording is on record.
    """
    import asyncio
    from dataclasses import asdict

    from models.settings import load_settings
    from simulators.recording.permission import permitted
    from simulators.recording.pseudonyms import pseudonyms_of
    from simulators.recording.record import Wishes
    from simulators.recording.record import record as run
    from simulators.recording.stretches import mark_of

    target = file or out
    if target is None or (file is not None and out is not None):
        raise click.UsageError("give the file to write, as FILE or as --out FILE")
    if identified and key_file is not None:
        raise click.UsageError("--key-file is for pseudonyms; --identified has none")
    settings = load_settings(kafka=kafka, topic=topic, postgres=postgres)
    wishes = Wishes(
        out=target,
        taken_from=taken_from,
        begin=mark_of(begin, "--from"),
        end=mark_of(end, "--to"),
        pseudonyms=None if identified else pseudonyms_of(key_file),
    )
    who = None if person_id is None else who_of(person_id, organisation_id, role)
    details = f"{taken_from}, {'own ids' if identified else 'pseudonyms'}"

    async def work() -> Any:
        permission = await permitted(settings, who, reason, details)
        return await run(settings, wishes, permission, _teller("record", quiet=quiet or as_json))

    done = asyncio.run(work())
    click.echo(json.dumps(asdict(done)) if as_json else f"{target}: {done}")


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--speed",
    default="max",
    show_default=True,
    metavar="NUMBER|max",
    help="Recorded seconds per second: 1 as it was, 60 a minute in a second, max as fast as it goes.",
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="At most so many readings a second."
)
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What a file does that was cut off, is out of order, or has another schema: end it, or be sent "
    "as far as it can be read and is in order.",
)
@click.option(
    "--from-message", "begin", type=click.IntRange(min=0), default=0, help="Where one was stopped before."
)
@click.option(
    "--version",
    "versions",
    multiple=True,
    metavar="PROGRAMME=NUMBER",
    help="Its patients are in this version of a programme, whichever they were in; may be repeated.",
)
@click.option(
    "--via",
    type=click.Choice(["log", "http"]),
    default="log",
    show_default=True,
    help="Uploads into the log itself, or through a front gate that runs.",
)
@gate_options(formats=True)
@click.option("--kafka", metavar="HOST:PORT", help="Default: THUISWACHT_KAFKA.")
@click.option("--topic", help="Default: THUISWACHT_TOPIC.")
@click.option("--partitions", type=click.IntRange(1, 10_000), help="Make the topic, where it does not exist.")
@click.option("--postgres", metavar="DSN", help="The database that reads the log; a live one is refused.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Say what was sent as one JSON object.")
def replay(
    file: Path,
    speed: str,
    rate: float | None,
    on_error: Literal["stop", "skip"],
    begin: int,
    versions: tuple[str, ...],
    via: Literal["log", "http"],
    gate: str | None,
    client_id: str | None,
    key: Path | None,
    secret: Path | None,
    form: str,
    person_id: UUID | None,
    kafka: str | None,
    topic: str | None,
    partitions: int | None,
    postgres: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Send a recording into a log again, with its clock, for the services of a trial database.

    Into an empty database and a topic of its own, the same programmes find the same again. What is sent a
    second time counts once, so a replay that was interrupted can be started again as it is, or from where it
    stopped (--from-message). Never into a live database.
    """
    import asyncio
    from dataclasses import asdict

    from models.settings import load_settings
    from simulators.gate.simulating import Given, wanted
    from simulators.recording.pacing import pace_of, versions_of
    from simulators.recording.replay import Wishes
    from simulators.recording.replay import replay as into_the_log
    from simulators.recording.through_gate import replay_through_gate
    from simulators.simulate import LOG

    settings = load_settings(kafka=kafka, topic=topic, postgres=postgres)
    wishes = Wishes(
        file=file,
        pace=pace_of(speed, rate),
        begin=begin,
        skip=on_error == "skip",
        partitions=partitions,
        versions=versions_of(versions),
    )
    tell = _teller("replay", quiet=quiet or as_json)

    async def work() -> Any:
        if via == "log":
            return await into_the_log(settings, wishes, tell)
        given = Given(LOG, gate, client_id, key, secret, form, person_id)
        return await replay_through_gate(settings, wishes, await wanted(settings, given), tell)

    done = asyncio.run(work())
    click.echo(json.dumps(asdict(done)) if as_json else f"{file.name}: {done}")
    if done.answers and not as_json:
        said = ", ".join(f"{number:,} {name}" for name, number in sorted(done.answers.items()))
        click.echo(f"the gate answered: {said}")
    if done.left_out:
        told = "messages were out of order, or mean nothing, and were left out"
        click.echo(f"thuiswacht: {done.left_out:,} {told}", err=True)
    if done.stopped:
        told = f"stopped; to go on: --from-message {done.next}, or all of it again: nothing counts twice"
        click.echo(f"thuiswacht: {told}", err=True)
        sys.exit(STOPPED)


def _teller(name: str, *, quiet: bool) -> Any:
    """Tells progress: on a terminal in one line."""

    def tell(line: str) -> None:
        if not quiet:
            end, begin = ("", "\r\033[K") if sys.stderr.isatty() else ("\n", "")
            sys.stderr.write(f"{begin}{name}: {line}{end}")
            sys.stderr.flush()

    return tell
