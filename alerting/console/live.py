"""What is new, told to every browser at once: only *changed*; each then fetches what it may see of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from alerting.console.delays import Course, Delay, Heard, Stage, delays, followed
from models import logs
from models.clock import wall_now_us
from models.db.live import listening, newest_event, open_since, positions_of, sign_of
from models.db.pool import Connection, Pool
from models.db.positions import ALERTING_GROUP
from models.db.watch import AUDITOR
from models.errors import TryAgain
from models.escalations import Trouble
from models.settings import Settings

log = logs.get(__name__)

LOOK_EVERY_S = 2.0
KEEP_ALIVE_S = 15.0
TOGETHER_S = 0.25
"""What changes so soon after each other is told once: a burst of alerts is one look at the list."""


@dataclass(slots=True)
class Hub:
    """What all pages of this process know of the world outside their own requests."""

    settings: Settings
    event_no: int = 0
    delays: Sequence[Delay] = ()
    _course: Course = ()
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Listens until `stop`; while the database is away, says so on every screen."""
        away_since_us: int | None = None
        while not stop.is_set():
            try:
                async with listening(pool, self._heard.set) as connection:
                    away_since_us = None
                    await self._follow(connection, stop)
            except TryAgain as error:
                log.warning("away", what="database", why=str(error))
                away_since_us = away_since_us or wall_now_us()
                await self._tell(self.event_no, [Delay(Stage.DATABASE, away_since_us)])
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), error.after_s)
        async with self._news:
            self._news.notify_all()

    async def events(self, still: Callable[[], Awaitable[bool]], stop: asyncio.Event) -> AsyncIterator[str]:
        """Server-sent events for one browser, for as long as `still` says that somebody is logged in.

        The first says *changed* whatever was heard before: who was cut off looks again, and misses nothing.
        While the database is away there is nothing to look at: *away* says since when.
        """
        yield "retry: 1000\n\n"
        told: tuple[int, Sequence[Delay]] | None = None
        while not stop.is_set():
            if (now := (self.event_no, self.delays)) != told:
                told = now
                away = next((one for one in self.delays if one.stage is Stage.DATABASE), None)
                if away is not None:
                    yield f"event: away\ndata: {(away.since_us or wall_now_us()) // 1_000}\n\n"
                else:
                    yield f"id: {self.event_no}\nevent: changed\ndata: {len(self.delays)}\n\n"
                await asyncio.sleep(TOGETHER_S)
                continue
            try:
                async with asyncio.timeout(KEEP_ALIVE_S), self._news:
                    await self._news.wait()
            except TimeoutError:
                if not await _is_still(still):
                    yield "event: ended\ndata:\n\n"
                    return
                yield ": still here\n\n"

    async def look(self, connection: Connection) -> Mapping[Stage, Heard]:
        """What was heard of each stage; those that never were are left out."""
        groups = {
            self.settings.storing_group: Stage.STORING,
            self.settings.consumer_group or ALERTING_GROUP: Stage.ALERTING,
        }
        found = await positions_of(connection, list(groups))
        heard = {groups[group]: Heard(*position) for group, position in found.items()}
        sign_us = await sign_of(connection, AUDITOR)
        overdue_us = await open_since(connection, Trouble.OVERDUE_STEP)
        heard[Stage.DISPATCHING] = Heard(sign_us, None, overdue_us)
        heard[Stage.CANARY] = Heard(None, None, await open_since(connection, Trouble.CANARY_LATE))
        return heard

    async def _follow(self, connection: Connection, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._heard.clear()
            await self._tell(await newest_event(connection), await self._behind(connection))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), LOOK_EVERY_S)

    async def _behind(self, connection: Connection) -> Sequence[Delay]:
        heard, now_us = await self.look(connection), wall_now_us()
        self._course = followed(self._course, heard, now_us)
        return delays(heard, now_us, self._course, by_wall=self.settings.dispatch_time == "wall")

    async def _tell(self, event_no: int, behind: Sequence[Delay]) -> None:
        if (event_no, behind) == (self.event_no, self.delays):
            return
        self.event_no, self.delays = event_no, behind
        async with self._news:
            self._news.notify_all()


async def _is_still(still: Callable[[], Awaitable[bool]]) -> bool:
    """Whether somebody is logged in; nobody is logged out because the database cannot say so."""
    try:
        return await still()
    except TryAgain:
        return True
