"""Sending as fast as both groups follow: how far they are, and noticing when they stand still."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from models.errors import Broken
from simulators.demo.database import GROUPS, Database
from simulators.demo.picture import ALERTS_SHOWN, Picture, State
from simulators.demo.services import Services
from simulators.scenarios.scenario import Scenario
from simulators.send import Sender
from simulators.simulate import Sink
from simulators.wire import TICK, Encoder, Message, clock_message

FLOOD = "flood"
LAG_LIMIT = 20_000
"""So many messages may be sent that the slower group has not committed."""
SLICE = 2_000
LOOK_EVERY_S = 0.1
_STILL_LOOKS = 5
STUCK_AFTER_S = 120.0
"""Without progress for so long, the demo gives up rather than wait for ever."""


class Following:
    """The sender, and the two groups that follow it."""

    def __init__(
        self, sender: Sender, database: Database, services: Services, picture: Picture, days: int
    ) -> None:
        self.sender = sender
        self.way: Sink = sender
        """The way of all messages: the log itself, or some of them through the gate."""
        self.arranged: Callable[[list[Message]], list[Message]] = list
        """The messages of a day in the order in which they are sent when days go by fast."""
        self.database = database
        self.services = services
        self.picture = picture
        self.state = State("starting", days=days)
        self.begun_s = time.monotonic()
        self._progress = (-1, time.monotonic())

    async def until_ready(self) -> None:
        """Return when both groups have taken their partitions. **Raises**: Broken when they do not."""
        while True:
            positions = await self.database.positions()
            if all(len(positions[group]) == self.sender.partitions for group in GROUPS):
                return
            self._require_progress(0, "the services did not take up their work")
            await asyncio.sleep(LOOK_EVERY_S)

    async def until_told(self) -> None:
        """Return when the log has all that the register decided. **Raises**: Broken when it stands still."""
        while untold := await self.database.untold():
            self._require_progress(-untold, "the register does not tell the log")
            await asyncio.sleep(LOOK_EVERY_S)

    async def flood(self, scenario: Scenario, encoder: Encoder) -> float:
        """Send all days as fast as both groups follow; how long that took until both were through.

        **Units**: seconds. **Raises**: Broken when a service ends or stands still.
        """
        self.state.step = FLOOD
        self.begun_s = time.monotonic()
        for day in scenario:
            self.state.day = day.number + 1
            self.state.date = str(scenario.start + timedelta(days=day.number))
            await self._send(encoder.day(day))
        await self.way.put([Message(scenario.end_us, TICK, clock_message(scenario.end_us), 0)])
        await self.until_through()
        return time.monotonic() - self.begun_s

    async def until_through(self) -> None:
        """Return when both groups have committed everything sent, and nothing waits to be evaluated again."""
        await self.way.flush()
        while True:
            if await self.behind() == 0 and await self.database.waiting() == 0:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def until_dispatched(self) -> None:
        """Return when nothing is due for the dispatcher by the log's clock. **Raises**: Broken as `behind`.

        Its clock is that of the slowest partition, so all have to have seen the last tick before.
        """
        still = 0
        while still < _STILL_LOOKS:
            dispatched = await self.database.dispatched()
            self._require_progress(dispatched.done, f"the dispatcher stands still, {dispatched.due:,} due")
            # Taking a step may make a message due, and a message that arrived another step.
            still = still + 1 if dispatched.due == 0 else 0
            self.state.due = dispatched.due
            if self.picture.due():
                await self.show()
            await asyncio.sleep(LOOK_EVERY_S)

    async def until(self, at_us: int) -> None:
        """Let the log's time pass up to a moment, without readings, and return when all was followed."""
        await self.way.put([Message(at_us, TICK, clock_message(at_us), 0)])
        await self.until_through()
        await self.until_dispatched()

    async def behind(self) -> int:
        """How many of the messages sent the slower group has not committed; shows how things are.

        **Raises**: Broken when a service has ended, or nothing has moved for a long time.
        """
        positions = await self.database.positions()
        done = [sum(at.next_offset for at in positions[group].values()) for group in GROUPS]
        # A group may be ahead of what the broker has told us to be in the log.
        lag = max(0, sum(self.sender.end_offsets.values()) - min(done))
        if lag > 0:
            self._require_progress(sum(done), f"the services stand still, {lag:,} messages behind")
        self.state.lag = lag
        self.state.sent = self.sender.readings
        self.state.stored = sum(at.stored for at in positions[GROUPS[0]].values())
        self.state.readings_per_s = 0.0
        if self.state.step == FLOOD:
            elapsed_s = time.monotonic() - self.begun_s
            self.state.readings_per_s = sum(at.received for at in positions[GROUPS[0]].values()) / elapsed_s
        if self.picture.due():
            await self.show()
        return lag

    async def show(self) -> None:
        """Show how things are now."""
        self.state.alerts = await self.database.alerts_by_severity()
        self.state.newest = await self.database.newest_alerts(ALERTS_SHOWN)
        self.picture.show(self.state)

    async def _send(self, messages: Iterable[Message]) -> None:
        everything = self.arranged(list(messages))
        for first in range(0, len(everything), SLICE):
            await self.way.put(everything[first : first + SLICE])
            while True:
                if await self.behind() <= LAG_LIMIT:
                    break
                await asyncio.sleep(LOOK_EVERY_S)

    def _require_progress(self, done: int, otherwise: str) -> None:
        self.services.require_running()
        last, since_s = self._progress
        if done != last:
            self._progress = done, time.monotonic()
        elif time.monotonic() - since_s > STUCK_AFTER_S:
            raise Broken(f"{otherwise.capitalize()}: no progress for {STUCK_AFTER_S:.0f} s.")
