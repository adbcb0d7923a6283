"""`thuiswacht replay`: the messages of a recording into a log again, with its clock, at a pace."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alerting.recording.reading import RecordingFile
from ingest.log import cluster_of, connection_options, create_topic
from models.clock import to_datetime
from models.db.pool import connected
from models.db.recorded import clock_of_database_us
from models.errors import BadInput, RefuseToStart
from models.settings import Settings
from simulators.pace import Pace
from simulators.recording.messages import Messages, Recorded, patients_of
from simulators.send import open_sender
from simulators.simulate import Sink, require_trial_database

SLICE = 500
"""So many messages are sent between two looks at the time."""
TELL_EVERY_S = 1.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be sent; `begin` is the number of the first message.

    `without`: numbers of messages that go another way. `versions`: as `Messages` has them.
    """

    file: Path
    pace: Pace = field(default_factory=Pace)
    begin: int = 0
    skip: bool = False
    partitions: int | None = None
    versions: Mapping[str, int] = field(default_factory=dict[str, int])
    without: frozenset[int] = frozenset()


@dataclass(slots=True)
class Done:
    """What was sent. `next`: the number of the message after the last; `of`: how many there are, if known."""

    messages: int = 0
    uploads: int = 0
    readings: int = 0
    left_out: int = 0
    next: int = 0
    of: int | None = None
    stopped: bool = False
    clock_us: int = 0
    wall_s: float = 0.0
    answers: Mapping[str, int] = field(default_factory=dict[str, int])

    def __str__(self) -> str:
        of = "" if self.of is None else f" of {self.of:,}"
        rate = self.readings / self.wall_s if self.wall_s else 0.0
        return f"{self.next:,}{of} messages, {self.readings:,} readings, {rate:,.0f}/s"

    def add(self, part: list[Recorded]) -> None:
        """Counts messages that were sent."""
        self.messages += len(part)
        self.uploads += sum(one.message.readings > 0 for one in part)
        self.readings += sum(one.message.readings for one in part)
        self.next = part[-1].number + 1
        self.clock_us = part[-1].message.at_us


async def replay(settings: Settings, wishes: Wishes, tell: Tell) -> Done:
    """Sends a recording into the log of a trial database, each message where its patient belongs.

    Sent again, nothing counts twice: readings are known, changes have no effect, the clock does not go back.
    **Raises**: BadInput; RefuseToStart for a database that is not a trial one, or patients who exist under
    their own ids; TryAgain when the log is away.
    """
    recording = await opened(settings, wishes, tell)
    if wishes.partitions is not None:
        await create_topic(
            settings.kafka, settings.topic, wishes.partitions, options=connection_options(settings)
        )
    await cluster_of(settings)
    patients = patients_of(recording)
    async with open_sender(settings, patients) as sender:
        return await send(recording, patients, sender, wishes, tell)


async def opened(settings: Settings, wishes: Wishes, tell: Tell) -> RecordingFile:
    """A recording that may be sent into the log of this database. **Raises**: BadInput, RefuseToStart."""
    recording = RecordingFile(wishes.file, skip=wishes.skip, tell=tell)
    require_nobody(recording)
    require_something(recording, wishes.begin)
    await require_trial_database(settings)
    await require_earlier(settings, recording)
    return recording


async def send(recording: RecordingFile, patients: list[str], sink: Sink, wishes: Wishes, tell: Tell) -> Done:
    """Sends the messages of a recording at a pace, until its end or until we are told to stop."""
    done = Done(of=None if recording.end is None else recording.end.messages, next=wishes.begin)
    begun_s, told_s, begin_us = time.monotonic(), time.monotonic(), None
    with _stoppable() as stop:
        for part in _parts(Messages(recording, patients, wishes.versions), wishes):
            begin_us = part[0].message.at_us if begin_us is None else begin_us
            done.wall_s = time.monotonic() - begun_s
            wait_s = wishes.pace.wait_s(part[0].message.at_us - begin_us, done.readings, done.wall_s)
            if wait_s > 0:
                # Whoever reads along should see what is due, not what fills a buffer.
                await sink.flush()
                await _wait(stop, wait_s)
            if stop.is_set():
                done.stopped = True
                break
            await sink.put([one.message for one in part])
            done.add(part)
            if time.monotonic() - told_s >= TELL_EVERY_S:
                told_s = time.monotonic()
                tell(f"{to_datetime(done.clock_us):%Y-%m-%d %H:%M}  {done}")
            # So that a signal is heard.
            await asyncio.sleep(0)
        await sink.flush()
    done.left_out = recording.left_out
    done.wall_s = time.monotonic() - begun_s
    return done


def _parts(messages: Messages, wishes: Wishes) -> Iterator[list[Recorded]]:
    """Messages in parts, of one moment each where there is a pace of time."""
    part: list[Recorded] = []
    for one in messages:
        if one.number < wishes.begin or one.number in wishes.without:
            continue
        is_later = wishes.pace.speed is not None and part and one.message.at_us > part[0].message.at_us
        if len(part) == SLICE or is_later:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


def require_nobody(recording: RecordingFile) -> None:
    """Lets no patient who exists be sent anywhere under their own id. **Raises**: RefuseToStart."""
    if recording.header.patients == "real" and not recording.header.pseudonymised:
        raise RefuseToStart(
            f"{recording.name} holds real patients under their own ids: expected pseudonyms (`thuiswacht "
            "record` without --identified). `evaluate` and `backtest` read it as it is."
        )


def require_something(recording: RecordingFile, begin: int) -> None:
    """Lets no replay begin behind the end, where it would send nothing. **Raises**: BadInput."""
    end = recording.end
    if end is not None and begin > end.messages:
        expected = f"a message of {recording.name}, which has {end.messages:,}"
        raise BadInput(where="--from-message", expected=expected, found=f"{begin:,}")


async def require_earlier(settings: Settings, recording: RecordingFile) -> None:
    """Lets a recording through whose clock means something to this database.

    **Raises**: RefuseToStart where the log's clock is beyond the end of the recording.
    """
    if recording.end is None or recording.end.clock is None:
        return
    async with (
        connected(settings.postgres_dsn, role="thuiswacht_read", application="replay", max_size=1) as pool,
        pool.connection() as connection,
    ):
        clock_us = await clock_of_database_us(connection)
    last_us = recording.end.clock[1]
    if clock_us is not None and clock_us > last_us:
        raise RefuseToStart(
            f"This database's log is at {_time(clock_us)}, the recording ends at {_time(last_us)}: its ticks "
            "would count for nothing, and what was decided then would hold from now on. Use a new trial "
            "database and a topic of its own."
        )


@contextmanager
def _stoppable() -> Generator[asyncio.Event]:
    """An event that is set when somebody wants us to stop; twice, and we are interrupted."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        # Only that one hears signals.
        yield stop
        return
    loop.add_signal_handler(signal.SIGINT, ask)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def _time(at_us: int) -> str:
    return to_datetime(at_us).isoformat().replace("+00:00", "Z")
