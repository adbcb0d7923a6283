"""What is new, told to every browser at once: only *changed*; each then fetches what it may see of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

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
TOGETHER_S = 0.6
"""What changes so soon after each other is told once: a burst of alerts is one look at the list."""
APART_S = 0.005
PLACES = 50
"""Browsers are told one after the other, so that they do not all ask at once: within a quarter second."""

News = tuple[int, Sequence[Delay]]
"""How often something changed, as far as this process heard, and what is late."""


@dataclass(slots=True)
class Hub:
    """What all pages of this process know of the world outside their own requests."""

    settings: Settings
    changes: int = 0
    delays: Sequence[Delay] = ()
    _newest: int = 0
    _course: Course = ()
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _places: set[int] = field(default_factory=set[int])

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Listens until `stop`; while the database is away, says so on every screen."""
        away_since_us: int | None = None
        while not stop.is_set():
            try:
                async with listening(pool, lambda _: self._heard.set()) as connection:
                    away_since_us = None
                    await self._follow(connection, stop)
            except TryAgain as error:
                log.warning("away", what="database", why=str(error))
                away_since_us = away_since_us or wall_now_us()
                await self._tell(self.changes, [Delay(Stage.DATABASE, away_since_us)])
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), error.after_s)
        async with self._news:
            self._news.notify_all()

    async def events(self, still: Callable[[], Awaitable[bool]], stop: asyncio.Event) -> AsyncGenerator[str]:
        """Server-sent events for one browser, for as long as `still` says that somebody is logged in.

        The first says *changed* whatever was heard before: who was cut off looks again, and misses nothing.
        """
        place = next(n for n in count() if n not in self._places)
        self._places.add(place)
        try:
            yield "retry: 1000\n\n"
            told: News | None = None
            while not stop.is_set():
                if (now := (self.changes, self.delays)) != told:
                    for one in news(told, now):
                        yield one
                    told = now
                    await asyncio.sleep(TOGETHER_S)
                elif await self._is_told(KEEP_ALIVE_S):
                    await asyncio.sleep(place % PLACES * APART_S)
                elif await _is_still(still):
                    yield ": still here\n\n"
                else:
                    yield "event: ended\ndata:\n\n"
                    return
        finally:
            self._places.discard(place)

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

    async def _is_told(self, within_s: float) -> bool:
        """Whether anything is told within this time."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _follow(self, connection: Connection, stop: asyncio.Event) -> None:
        """Tells of each commit that is heard of, and of each number of an event that is new.

        The number alone would not do: it is given before the commit, so that what is committed later may
        have the lower one, or one that was seen already.
        """
        while not stop.is_set():
            is_heard = self._heard.is_set()
            self._heard.clear()
            newest = await newest_event(connection)
            changes = self.changes + (is_heard or newest != self._newest)
            self._newest = newest
            await self._tell(changes, await self._behind(connection))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), LOOK_EVERY_S)

    async def _behind(self, connection: Connection) -> Sequence[Delay]:
        heard, now_us = await self.look(connection), wall_now_us()
        self._course = followed(self._course, heard, now_us)
        return delays(heard, now_us, self._course, by_wall=self.settings.dispatch_time == "wall")

    async def _tell(self, changes: int, behind: Sequence[Delay]) -> None:
        if (changes, behind) == (self.changes, self.delays):
            return
        self.changes, self.delays = changes, behind
        async with self._news:
            self._news.notify_all()


def news(told: News | None, now: News) -> Iterator[str]:
    r"""What a browser is told that was told the former, or nothing yet.

    *changed* and *delayed*, each where there is something to look at; while the database is away there is
    not, and *away* says since when.

    >>> list(news((6, ()), (7, ())))
    ['event: changed\ndata:\n\n']
    >>> list(news((7, ()), (7, [Delay(Stage.STORING, 0)])))
    ['event: delayed\ndata:\n\n']
    """
    changes, behind = now
    away = _away(behind)
    if away is not None:
        yield f"event: away\ndata: {(away.since_us or wall_now_us()) // 1_000}\n\n"
        return
    is_back = told is None or _away(told[1]) is not None
    if is_back or (told is not None and told[1] != behind):
        yield "event: delayed\ndata:\n\n"
    if is_back or (told is not None and told[0] != changes):
        yield "event: changed\ndata:\n\n"


def _away(behind: Sequence[Delay]) -> Delay | None:
    return next((one for one in behind if one.stage is Stage.DATABASE), None)


async def _is_still(still: Callable[[], Awaitable[bool]]) -> bool:
    """Whether somebody is logged in; nobody is logged out because the database cannot say so."""
    try:
        return await still()
    except TryAgain:
        return True
