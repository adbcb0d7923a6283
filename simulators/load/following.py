"""How far both groups were when: looked at again and again while a run lasts, and asked afterwards."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ingest.log import Ends
from models.errors import TryAgain
from simulators.load.database import GROUPS, Database
from simulators.load.pacing import Watch
from simulators.load.schedule import Ints

LOOK_EVERY_S = 0.02
"""So much later at most than it was committed is something seen to be: it counts as latency."""
ENDS_EVERY_S = 0.25
STUCK_AFTER_S = 120.0
"""Without progress for so long nobody waits any more."""


@dataclass(slots=True)
class Positions:
    """When which offsets were passed, of one group. **Units**: microseconds by the watch."""

    seen_us: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    next_offset: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def see(self, at_us: int, partition: int, next_offset: int) -> bool:
        """Notes where a partition stands; whether it moved."""
        offsets = self.next_offset[partition]
        if offsets and offsets[-1] == next_offset:
            return False
        self.seen_us[partition].append(at_us)
        offsets.append(next_offset)
        return True

    def reached(self, partition: int) -> int:
        """The next offset, as last seen."""
        offsets = self.next_offset.get(partition)
        return offsets[-1] if offsets else 0

    def passed_us(self, partition: NDArray[np.int32], offset: Ints) -> Ints:
        """When each of these messages was first seen to be done; −1 for those that were not.

        >>> positions = Positions()
        >>> positions.see(10, 0, 5), positions.see(20, 0, 9)
        (True, True)
        >>> positions.passed_us(np.array([0, 0, 0], np.int32), np.array([4, 5, 9])).tolist()
        [10, 20, -1]
        """
        passed = np.full(len(partition), -1, np.int64)
        for one, offsets in self.next_offset.items():
            rows = np.flatnonzero(partition == one)
            place = np.searchsorted(np.array(offsets), offset[rows], side="right")
            seen_us = np.array([*self.seen_us[one], -1])
            passed[rows] = seen_us[place]
        return passed


@dataclass(frozen=True, slots=True)
class LagSample:
    """Messages that each group had before it. **Units**: `at_us` by the watch."""

    at_us: int
    messages: Mapping[str, int]


class Following:
    """Looks at both groups until the end of its task; `look_us`: the longest between two looks."""

    def __init__(self, database: Database, ends: Ends, partitions: int, watch: Watch) -> None:
        self._database = database
        self._ends = ends
        self._partitions = range(partitions)
        self._watch = watch
        self.positions = {group: Positions() for group in GROUPS}
        self.lag: list[LagSample] = []
        self.heard_us: dict[UUID, int] = {}
        self.look_us: list[int] = []
        self._moved_s = time.monotonic()

    @property
    def lag_now(self) -> int:
        """Messages before the slower group, as last seen."""
        return max(self.lag[-1].messages.values()) if self.lag else 0

    def hear(self, alert_id: UUID) -> None:
        """An alert changed; the first time counts."""
        self.heard_us.setdefault(alert_id, self._watch.now_us())

    async def look_on(self) -> None:
        """Looks again and again, until it is cancelled."""
        last_us, ends_at_us = self._watch.now_us(), -(1 << 60)
        while True:
            await self.look()
            now_us = self._watch.now_us()
            self.look_us.append(now_us - last_us)
            last_us = now_us
            if now_us - ends_at_us >= ENDS_EVERY_S * 1e6:
                ends_at_us = now_us
                await self.sample()
            await self._watch.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Notes how far both groups are now."""
        found = await self._database.positions()
        # What was committed was so before the answer came: seen now.
        now_us = self._watch.now_us()
        for group, partition, next_offset in found:
            if self.positions[group].see(now_us, partition, next_offset):
                self._moved_s = time.monotonic()

    async def sample(self) -> Sequence[int]:
        """Notes how much lies before each group; the ends of the log."""
        ends = [await self._ends.end_of(partition) for partition in self._partitions]
        behind = {
            group: sum(max(0, end - positions.reached(at)) for at, end in enumerate(ends))
            for group, positions in self.positions.items()
        }
        self.lag.append(LagSample(self._watch.now_us(), behind))
        return ends

    async def until_ready(self, require_running: Callable[[], None]) -> None:
        """Return when both groups have taken all partitions. **Raises**: TryAgain when they do not."""
        while True:
            await self.look()
            taken = [len(positions.next_offset) for positions in self.positions.values()]
            if min(taken) == len(self._partitions):
                return
            self._require_progress("ingest and alerting do not both follow the log: do they run?")
            require_running()
            await asyncio.sleep(LOOK_EVERY_S)

    async def until_through(self, require_running: Callable[[], None]) -> None:
        """Return when both groups are where the log ends now, and nobody waits to be evaluated again.

        **Raises**: TryAgain when they stand still before that.
        """
        self._moved_s = time.monotonic()
        ends = [await self._ends.end_of(partition) for partition in self._partitions]
        while True:
            await self.look()
            behind = {
                group: sum(max(0, end - positions.reached(at)) for at, end in enumerate(ends))
                for group, positions in self.positions.items()
            }
            if not any(behind.values()) and not await self._database.waiting():
                return
            require_running()
            self._require_progress(f"the groups stand still, messages behind: {behind}")
            await asyncio.sleep(LOOK_EVERY_S)

    def _require_progress(self, otherwise: str) -> None:
        if time.monotonic() - self._moved_s > STUCK_AFTER_S:
            raise TryAgain(f"For {STUCK_AFTER_S:.0f} s {otherwise}.")
