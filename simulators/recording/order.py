"""The partitions of a log as one sequence: between two ticks of the clock what lies there in any of them.

What the rules find depends neither on the order between partitions nor on more ticks in one of them: only on
each message standing behind the same tick as in its partition, and before the next.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field

from ingest.changes import LONGEST_LEAP_US
from ingest.decode import message_of
from ingest.stretch import Read

BEFORE_ANY_US = -1
LOOKS_LIKE_CLOCK = b'"clock"'


@dataclass(slots=True)
class Between:
    """What lies behind a tick of a partition, up to the next; `is_open`: of the next nothing is known.

    **Units**: `clock_us` in microseconds since 1970 UTC, BEFORE_ANY_US where there was none yet.
    """

    clock_us: int
    tick: bytes | None
    messages: list[Read] = field(default_factory=list[Read])
    is_open: bool = False


async def betweens(
    partition: int,
    records: AsyncIterator[Read],
    until_us: int | None,
    clock_us: int | None = None,
    idle: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Between]:
    """A partition cut at the ticks that move its clock, up to the last one that is not after a moment.

    `clock_us` is its clock before the first message. `idle` is called for a tick that moves nothing.
    """
    current = Between(BEFORE_ANY_US if clock_us is None else clock_us, None)
    async for read in records:
        now_us = _tick_of(partition, read)
        if now_us is None:
            current.messages.append(read)
        elif now_us <= current.clock_us or _leaps(current.clock_us, now_us):
            idle()
        elif until_us is not None and now_us > until_us:
            break
        else:
            yield current
            current = Between(now_us, read.value)
    current.is_open = True
    yield current


def _tick_of(partition: int, read: Read) -> int | None:
    if read.value is None or LOOKS_LIKE_CLOCK not in read.value:
        return None
    clock = message_of(read.value, partition=partition, offset=read.offset).clock
    return None if clock is None else clock.now_us


def _leaps(clock_us: int, now_us: int) -> bool:
    return clock_us != BEFORE_ANY_US and now_us - clock_us > LONGEST_LEAP_US


@dataclass(frozen=True, slots=True)
class Step:
    """One tick of the merged clock, and what lies behind it, by partition; nothing behind the last one."""

    clock_us: int
    tick: bytes | None
    behind: tuple[tuple[int, tuple[Read, ...]], ...]


async def merged(partitions: dict[int, AsyncGenerator[Between]]) -> AsyncGenerator[Step]:
    """The partitions as one, up to the last tick that all of them have; empty ones are not there at all."""
    heads: dict[int, Between] = {}
    for number, stream in partitions.items():
        head = await anext(stream)
        if not (head.is_open and not head.messages and head.tick is None):
            heads[number] = head
    while heads:
        clock_us = min(head.clock_us for head in heads.values())
        here = sorted(number for number, head in heads.items() if head.clock_us == clock_us)
        tick = next((heads[number].tick for number in here if heads[number].tick is not None), None)
        if any(heads[number].is_open for number in here):
            yield Step(clock_us, tick, ())
            return
        yield Step(clock_us, tick, tuple((number, tuple(heads[number].messages)) for number in here))
        for number in here:
            heads[number] = await anext(partitions[number])
