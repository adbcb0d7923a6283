"""`thuiswacht record`: a stretch of the log, or of the stored history, into one file."""

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from alerting.recording.layout import End, Header
from ingest.log import Log, log_of
from ingest.moments import places
from ingest.stretch import Bounds, stretch_reader
from models.changes import PlacedChange
from models.clock import to_datetime
from models.db.patients import load_changes
from models.errors import BadInput
from models.settings import Settings
from simulators.recording.history import history
from simulators.recording.order import Step, betweens, merged
from simulators.recording.permission import Permission, looking
from simulators.recording.pseudonyms import Pseudonyms
from simulators.recording.restating import restated
from simulators.recording.stretches import Mark
from simulators.recording.taking import IDLE_TICKS, Taking
from simulators.recording.writing import RecordingWriter

TELL_EVERY_S = 1.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be recorded; `pseudonyms` None: under the patients' own ids."""

    out: Path
    taken_from: Literal["log", "history"] = "log"
    begin: Mark = field(default_factory=Mark)
    end: Mark = field(default_factory=Mark)
    pseudonyms: Pseudonyms | None = None


@dataclass(slots=True)
class Done:
    """What was recorded. **Units**: `clock` in microseconds since 1970 UTC."""

    messages: int
    readings: int
    changes: int
    ticks: int
    clock: tuple[int, int] | None
    left_out: dict[str, int]
    bytes: int
    wall_s: float

    def __str__(self) -> str:
        from_to = "" if self.clock is None else f" from {_time(self.clock[0])} to {_time(self.clock[1])}"
        left_out = "".join(f"; left out: {n:,} {why}" for why, n in sorted(self.left_out.items()))
        return (
            f"{self.messages:,} messages{from_to}: {self.readings:,} readings, {self.changes:,} changes, "
            f"{self.ticks:,} ticks; {self.bytes:,} bytes in {self.wall_s:.1f} s{left_out}"
        )


async def record(settings: Settings, wishes: Wishes, permission: Permission, tell: Tell) -> Done:
    """Records a stretch, up to the last tick that all of its partitions have.

    **Raises**: BadInput; TryAgain when the log or the database is away.
    """
    begun_s = time.monotonic()
    if wishes.taken_from == "history":
        end = await _from_history(settings, wishes, permission, tell)
    else:
        end = await _from_log(settings, wishes, permission, tell)
    return Done(
        end.messages,
        end.readings,
        end.changes,
        end.ticks,
        end.clock,
        dict(end.left_out),
        wishes.out.stat().st_size,
        time.monotonic() - begun_s,
    )


async def _from_log(settings: Settings, wishes: Wishes, permission: Permission, tell: Tell) -> End:
    log = await log_of(settings)
    async with stretch_reader(settings, log.partition_count) as reader:
        bounds = await reader.bounds()
        begins, clocks = await _begins(settings, wishes.begin, bounds)
        ends = {
            number: min(end, _or(wishes.end.offset_of(number), end)) for number, (_, end) in bounds.items()
        }
        header = _header(wishes, permission, log, settings.topic, begins)
        taking = Taking(wishes.pseudonyms, log.partition_count, permission.allowed, permission.canaries)
        with RecordingWriter(wishes.out, header) as writer:
            for change in await _standing(settings, permission, log, begins):
                taking.change(None, *restated(change), writer.rows)
            steps = merged(
                {
                    number: betweens(
                        number,
                        reader.read(number, begins[number], ends[number]),
                        wishes.end.at_us,
                        clocks.get(number),
                        lambda: taking.left_out.update([IDLE_TICKS]),
                    )
                    for number in reader.partitions
                }
            )
            return await write_steps(steps, taking, writer, tell)


async def write_steps(
    steps: AsyncGenerator[Step], taking: Taking, writer: RecordingWriter, tell: Tell
) -> End:
    """Puts a merged log into rows, up to its end; what the recording then says of itself."""
    told_s = time.monotonic()
    async for step in steps:
        if step.tick is not None:
            taking.tick(step.clock_us, step.tick, writer.rows)
        for partition, messages in step.behind:
            for read in messages:
                taking.message(partition, read, writer.rows)
                writer.settle()
        if time.monotonic() - told_s >= TELL_EVERY_S:
            told_s = time.monotonic()
            tell(f"{writer.rows.messages:,} messages, up to {_time(step.clock_us)}")
    return _end(taking, writer)


def _end(taking: Taking, writer: RecordingWriter) -> End:
    if taking.clock is None:
        expected = "at least one tick of the clock in each partition that has messages in this stretch"
        raise BadInput(where="the log", expected=expected, found="none: there is nothing to record")
    end = End(
        messages=writer.rows.messages,
        readings=taking.readings,
        changes=taking.changes,
        ticks=taking.ticks,
        segments=(),
        clock=taking.clock,
        versions=sorted(taking.versions),
        left_out={why: number for why, number in sorted(taking.left_out.items()) if number},
    )
    return writer.end(end)


async def _from_history(settings: Settings, wishes: Wishes, permission: Permission, tell: Tell) -> End:
    header = Header("history", permission.patients, wishes.pseudonyms is not None)
    taking = Taking(wishes.pseudonyms, 1, permission.allowed, permission.canaries)
    with RecordingWriter(wishes.out, header) as writer:
        async with looking(settings, permission) as connection:
            await history(connection, wishes.begin.at_us, wishes.end.at_us, taking, writer, tell)
        return _end(taking, writer)


async def _begins(settings: Settings, begin: Mark, bounds: Bounds) -> tuple[dict[int, int], dict[int, int]]:
    """The first offset of each partition, and the clock before it where that is known."""
    begins = {
        number: max(first, _or(begin.offset_of(number), first)) for number, (first, _) in bounds.items()
    }
    clocks: dict[int, int] = {}
    if begin.at_us is not None:
        async with places(settings) as found:
            for number, (_, end) in bounds.items():
                moment = await found.moment(number, begin.at_us, end)
                begins[number] = end if moment is None else moment.offset
                if moment is not None and moment.clock_us is not None:
                    clocks[number] = moment.clock_us
    return begins, clocks


async def _standing(
    settings: Settings, permission: Permission, log: Log, begins: dict[int, int]
) -> list[PlacedChange]:
    """What held before the stretch: without it, nobody in it would be known."""
    if not any(begins.values()):
        return []
    found: list[PlacedChange] = []
    async with looking(settings, permission) as connection:
        for number, first in begins.items():
            if first:
                found += await load_changes(connection, log.cluster_id, settings.topic, number, first)
    return found


def _header(wishes: Wishes, permission: Permission, log: Log, topic: str, begins: dict[int, int]) -> Header:
    return Header(
        taken_from="log",
        patients=permission.patients,
        pseudonymised=wishes.pseudonyms is not None,
        # Offsets are of one cluster; under pseudonyms nobody needs to know of which.
        cluster=None if permission.patients == "real" and wishes.pseudonyms else log.cluster_id,
        topic=topic,
        partitions=log.partition_count,
        begins={str(number): offset for number, offset in begins.items()},
    )


def _or(value: int | None, other: int) -> int:
    return other if value is None else value


def _time(at_us: int) -> str:
    return "the beginning" if at_us < 0 else to_datetime(at_us).isoformat().replace("+00:00", "Z")
