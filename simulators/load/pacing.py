"""Sending what is planned at its moment, whatever became of what was sent before: an open loop.

Nothing here waits for an answer, so nothing that is slow can make the load lighter, and every latency counts
from the planned moment. How late the generator itself was is measured beside it; a run in which it was what
held things back says nothing of what it was sent to, and is void.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.clock import wall_now_us
from models.errors import TryAgain
from simulators.load.schedule import Ints

SLICE = 500
"""So many are written and handed over between two looks at the time: two milliseconds."""
QUANTUM_S = 0.004
"""What is due within so long goes together: one by one the sending alone would fill a processor."""
LAG_LIMIT_MS = 25.0
"""A generator that is later than this, one time in a hundred, is part of what is measured."""
OWN_SHARE_LIMIT = 0.95
"""Of one processor: more it cannot use, so it may have been all that there was."""
_LOOK_EVERY_S = 0.5


class Void(TryAgain):
    """The generator was the bottleneck: there are no figures, for they would be its own."""


class Watch(Protocol):
    """What tells the time and lets it pass."""

    def now_us(self) -> int:
        """Since some moment. **Units**: microseconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so long, or later."""
        ...


class OwnWatch:
    """This machine's, counted from when it is made; `zero_us` is that moment by the clock on the wall."""

    def __init__(self) -> None:
        # Even: see the moments of the schedule.
        self.zero_us = wall_now_us() // 2 * 2
        self._begun_ns = time.perf_counter_ns()

    def now_us(self) -> int:
        """Since it was made."""
        return (time.perf_counter_ns() - self._begun_ns) // 1000

    async def sleep(self, seconds: float) -> None:
        """Let others work meanwhile."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Paced:
    """How the generator itself did. **Units**: `lag_us` of each upload handed over; seconds of processor.

    `sent`: so many of the planned ones; fewer when it was told to stop.
    """

    sent: int
    lag_us: Ints
    elapsed_s: float
    own_s: float

    @property
    def own_share(self) -> float:
        """Of one processor."""
        return self.own_s / self.elapsed_s if self.elapsed_s else 0.0


async def send_planned(
    at_us: Ints, put: Callable[[int, int], None], watch: Watch, should_stop: Callable[[], bool] = bool
) -> Paced:
    """Hands each over at its moment: `put(begin, end)` gets rows that are due, and never waits.

    **Shape**: `at_us` [n], in order, by the watch.
    """
    n, done = len(at_us), 0
    lag_us = np.zeros(n, np.int64)
    begun_us, own_s = watch.now_us(), time.process_time()
    while done < n and not should_stop():
        now_us = watch.now_us()
        due = min(int(np.searchsorted(at_us, now_us, side="right")), done + SLICE)
        if due > done:
            put(done, due)
            lag_us[done:due] = watch.now_us() - at_us[done:due]
            done = due
            is_behind = done < n and at_us[done] <= now_us
            await watch.sleep(0.0 if is_behind else QUANTUM_S)
        else:
            await watch.sleep(min((int(at_us[done]) - now_us) / 1e6, _LOOK_EVERY_S))
    return Paced(done, lag_us[:done], (watch.now_us() - begun_us) / 1e6, time.process_time() - own_s)


def lag_p99_ms(paced: Paced) -> float:
    """How late the generator was, at most, ninety-nine times in a hundred."""
    return float(np.percentile(paced.lag_us, 99)) / 1e3 if paced.sent else 0.0


def why_void(paced: Paced, lag_limit_ms: float = LAG_LIMIT_MS) -> str | None:
    """Why a run says nothing of what it was sent to; None for one that does."""
    lag_ms = lag_p99_ms(paced)
    if lag_ms > lag_limit_ms:
        return (
            f"the generator was late itself: {lag_ms:,.1f} ms at p99, where {lag_limit_ms:g} ms is the limit"
        )
    if paced.own_share > OWN_SHARE_LIMIT:
        return f"the generator used {paced.own_share:.0%} of a processor and has no more"
    return None


def require_valid(paced: Paced, lag_limit_ms: float = LAG_LIMIT_MS) -> None:
    """Lets a run through whose figures mean something. **Raises**: Void."""
    if (why := why_void(paced, lag_limit_ms)) is not None:
        raise Void(
            f"VOID: {why}. No figures: they would be those of the generator. Try a lower --rate, fewer other "
            "programs on this machine, or a machine for the generator alone."
        )
