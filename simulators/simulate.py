"""A scenario put out to a file or to the log, at a chosen pace, telling how far it is."""

import asyncio
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from alerting.engine.programme import Programme
from alerting.engine.programme_files import PACKAGED, load_folder
from ingest.log import cluster_of, connection_options, create_topic
from models.db.installation import require_trial
from models.db.pool import connect
from models.errors import RefuseToStart
from models.labels import label_lines
from models.settings import Settings
from simulators.pace import Pace
from simulators.scenarios.scenario import Scenario
from simulators.send import open_sender
from simulators.wire import Encoder, Message

LOG, STANDARD_OUTPUT = "kafka", "-"
SLICE = 500
"""So many messages are put out between two looks at the time."""
TELL_EVERY_S = 1.0


class Sink(Protocol):
    """Where messages go, in order."""

    async def put(self, messages: Iterable[Message]) -> None:
        """Take messages over."""
        ...

    async def flush(self) -> None:
        """Return when they are all where they belong."""
        ...


class Lines:
    """A file of one message a line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def put(self, messages: Iterable[Message]) -> None:
        """Write a line for each message."""
        self._file.write(b"".join(message.value + b"\n" for message in messages))

    async def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()


@dataclass(slots=True)
class Done:
    """What has been put out."""

    days: int = 0
    messages: int = 0
    uploads: int = 0
    readings: int = 0
    wall_s: float = 0.0

    def add(self, messages: list[Message]) -> None:
        """Count messages that were put out."""
        self.messages += len(messages)
        self.uploads += sum(message.readings > 0 for message in messages)
        self.readings += sum(message.readings for message in messages)


async def simulate(
    scenario: Scenario, encoder: Encoder, sink: Sink, pace: Pace, *, quiet: bool = False
) -> Done:
    """Put a whole scenario out."""
    done, begun_s, told_s = Done(), time.monotonic(), 0.0
    for day in scenario:
        messages = list(encoder.day(day))
        for first in range(0, len(messages), SLICE):
            part = messages[first : first + SLICE]
            done.wall_s = time.monotonic() - begun_s
            wait_s = pace.wait_s(part[0].at_us - scenario.begin_us, done.readings, done.wall_s)
            if wait_s > 0:
                # Whoever reads along should see what is due, not what fills a buffer.
                await sink.flush()
                await asyncio.sleep(wait_s)
            await sink.put(part)
            done.add(part)
            if not quiet and done.wall_s - told_s >= TELL_EVERY_S:
                told_s = done.wall_s
                _tell(done, scenario.days)
        done.days += 1
    await sink.flush()
    done.wall_s = time.monotonic() - begun_s
    if not quiet:
        _tell(done, scenario.days, end="\n")
    return done


async def put_out(
    out: str,
    settings: Settings,
    scenario: Scenario,
    encoder: Encoder,
    pace: Pace,
    *,
    partitions: int | None = None,
    quiet: bool = False,
) -> Done:
    """Put a scenario out to the log (`kafka`), to standard output (`-`) or to a file.

    With `partitions`, the topic is made where it does not exist; without, it must.
    **Raises**: RefuseToStart when the log's database is not known to be a trial one.
    """
    if out == LOG:
        await require_trial_database(settings)
        if partitions is not None:
            await create_topic(
                settings.kafka, settings.topic, partitions, options=connection_options(settings)
            )
        await cluster_of(settings)
        async with open_sender(settings, scenario.patient_texts) as sender:
            return await simulate(scenario, encoder, sender, pace, quiet=quiet)
    if out == STANDARD_OUTPUT:
        return await simulate(scenario, encoder, Lines(sys.stdout.buffer), pace, quiet=quiet)
    with Path(out).open("wb") as file:  # noqa: ASYNC230  (nothing else runs beside it)
        return await simulate(scenario, encoder, Lines(file), pace, quiet=quiet)


def newest_programmes(folder: Path | None) -> Mapping[str, Programme]:
    """The newest version of each programme. **Raises**: BadFile."""
    return {programme.programme: programme for programme in load_folder(folder or PACKAGED)}


async def require_trial_database(settings: Settings) -> None:
    """Let nothing simulated near real patients.

    **Raises**: RefuseToStart when no database is named, or a live one.
    """
    if settings.postgres is None:
        raise RefuseToStart(
            "Which database reads this log? Name it with --postgres or THUISWACHT_POSTGRES: simulated "
            "patients are sent only when it is a trial one."
        )
    pool = await connect(settings.postgres_dsn, role="thuiswacht_read", application="simulate", max_size=2)
    try:
        async with pool.connection() as connection:
            await require_trial(connection)
    finally:
        await pool.close()


def write_labels(scenario: Scenario, file: Path) -> None:
    """One line of JSON for each thing that was planted."""
    file.write_text("".join(line + "\n" for line in label_lines(scenario.labels())), encoding="utf-8")


def show_progress(line: str, end: str = "") -> None:
    """One line on standard error: a terminal keeps one that changes, else each stands by itself."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{line}{end}")
    else:
        sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _tell(done: Done, days: int, end: str = "") -> None:
    rate = done.readings / done.wall_s if done.wall_s else 0.0
    show_progress(f"day {done.days}/{days}  {done.readings:,} readings  {rate:,.0f}/s", end)
