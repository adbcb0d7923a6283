"""Keeps watch, one service for all: sends canaries, looks for them, beats the heart while all is well."""

import asyncio
import time
from dataclasses import dataclass, field

from alerting.watch.beat import beat
from alerting.watch.canary import KIND, Flock, Song, canaries, introduction, minute_us, said_of, song
from alerting.watch.heart import Limits, Signs, Wrong, wrong
from ingest.log import Writer
from models import logs, metrics
from models.clock import HOUR_US, SECOND_US, wall_now_us
from models.db import watch
from models.db.election import Duty, stand
from models.db.pool import Connection, Pool
from models.db.positions import dispatch_now_us
from models.db.trouble import raise_trouble, resolve_trouble
from models.errors import TryAgain
from models.escalations import Trouble
from models.findings import Severity
from models.settings import Settings

log = logs.get(__name__)

LOOK_EVERY_S = 1.0
STAND_EVERY_S = 2.0
PRUNE_EVERY_S = 3_600.0
KEPT_US = 48 * HOUR_US
"""For so long what came of a canary is kept: long enough to look into a bad night."""

SUBJECT = "canaries"


async def run(pool: Pool, settings: Settings, stop: asyncio.Event) -> None:
    """Stands for election until elected, then keeps watch; until `stop`.

    While the database is away nobody is elected, and nobody beats the heart: the watcher outside alarms.
    """
    while not stop.is_set():
        try:
            async with pool.connection() as connection:
                if await stand(connection, Duty.WATCH):
                    await _keep_watch(connection, settings, stop)
        except TryAgain as error:
            log.warning("watch_interrupted", why=str(error))
        await _pause(stop, STAND_EVERY_S)


async def _keep_watch(connection: Connection, settings: Settings, stop: asyncio.Event) -> None:
    log.info("elected", duty="watch")
    metrics.WATCH_ELECTED.set(1)
    # In the time of a simulation a minute may last for a moment, or for ever.
    keeps_canaries = settings.canary_every_s > 0 and settings.dispatch_time == "wall"
    aviary = Aviary(settings) if keeps_canaries else None
    beats_at_s = time.monotonic() + settings.heartbeat_every_s
    try:
        while not stop.is_set():
            if aviary is not None:
                await aviary.round(connection)
            if time.monotonic() >= beats_at_s:
                beats_at_s = time.monotonic() + settings.heartbeat_every_s
                await look_and_beat(connection, settings, aviary)
            await _pause(stop, LOOK_EVERY_S)
    finally:
        _say_nothing_more()
        if aviary is not None:
            await aviary.close()


def _say_nothing_more() -> None:
    """Whoever is elected next tells all this."""
    metrics.WATCH_ELECTED.set(0)
    metrics.WATCH_CANARY_LATE.set(0)
    metrics.WATCH_CANARY_WAIT.clear()
    metrics.WATCH_STEPS_OVERDUE.set(0)
    metrics.WATCH_TROUBLE.clear()
    metrics.WATCH_WRONG.clear()


@dataclass(slots=True)
class Aviary:
    """Keeps the canaries of a log, and a producer to send with."""

    settings: Settings
    flock: Flock = field(default_factory=lambda: Flock(()))
    _writer: Writer | None = None
    _sang_us: int = 0
    _prune_at_s: float = field(default_factory=time.monotonic)

    def is_in_time(self) -> bool:
        """Whether readings come out as alerts, in every partition."""
        known = bool(self.flock.canaries)
        return known and self.flock.is_in_time(wall_now_us(), self.settings.canary_late_s)

    async def round(self, connection: Connection) -> None:
        """Sends what is to be sent, looks what came out, and says what is late."""
        now_us = wall_now_us()
        sings_us = minute_us(now_us, self.settings.canary_every_s)
        if self._sang_us == 0:
            # The first song comes with the next minute: then they are known for sure.
            self._sang_us = sings_us
        await self._introduce(now_us)
        await self._look(connection)
        if sings_us > self._sang_us:
            self._sang_us = sings_us
            await self._sing(sings_us)
            await self._tell(connection, wall_now_us())
        self._measure(wall_now_us())
        if time.monotonic() >= self._prune_at_s:
            self._prune_at_s = time.monotonic() + PRUNE_EVERY_S
            await watch.prune(connection, self.flock.canaries, now_us - KEPT_US)

    async def close(self) -> None:
        """Gives the producer up; with the next one they are introduced again, which changes nothing."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.__aexit__()

    async def _introduce(self, now_us: int) -> None:
        if self._writer is not None:
            return
        try:
            self._writer = await Writer(self.settings).__aenter__()
            if not self.flock.canaries:
                self.flock = Flock(canaries(len(self._writer.partitions)))
            for canary in self.flock.canaries:
                every_s = self.settings.canary_every_s
                await self._writer.write(canary, *introduction(canary, every_s, now_us))
        except TryAgain as error:
            log.warning("canaries_not_sent", why=str(error))
            await self.close()

    async def _sing(self, sings_us: int) -> None:
        songs = self.flock.sing(sings_us, wall_now_us())
        if self._writer is None:
            return
        try:
            await self._writer.write_many(
                [(one.canary, song(one.canary, one.taken_at_us, one.sent_at_us)) for one in songs]
            )
        except TryAgain as error:
            log.warning("canaries_not_sent", why=str(error))
            await self.close()
        else:
            self.flock.sent(songs)

    async def _look(self, connection: Connection) -> None:
        songs: list[Song] = self.flock.on_their_way()
        if not songs:
            return
        out = await watch.alerted(connection, [one.finding for one in songs])
        stored = await watch.stored(connection, KIND.number, [one.reading for one in songs])
        now_us = wall_now_us()
        for delay_s in self.flock.stored(stored, now_us):
            metrics.WATCH_CANARY_DELAY.labels("stored").observe(delay_s)
        for delay_s in self.flock.came_out(out, now_us):
            metrics.WATCH_CANARY_DELAY.labels("alert").observe(delay_s)

    async def _tell(self, connection: Connection, now_us: int) -> None:
        """Once a minute: a technical alert while some are late, closed when all came out again."""
        late = self.flock.late(now_us, self.settings.canary_late_s)
        if late:
            log.error("canary_late", why=said_of(late))
            await raise_trouble(
                connection,
                Trouble.CANARY_LATE,
                SUBJECT,
                organisation_id=None,
                severity=Severity.HIGH,
                now_us=now_us,
                details=said_of(late),
            )
        elif self.is_in_time():
            await resolve_trouble(connection, Trouble.CANARY_LATE, SUBJECT, now_us=now_us)

    def _measure(self, now_us: int) -> None:
        for partition in range(len(self.flock.canaries)):
            waits_s = self.flock.waits_s(partition, now_us)
            metrics.WATCH_CANARY_WAIT.labels(str(partition)).set(waits_s)
        metrics.WATCH_CANARY_LATE.set(len(self.flock.late(now_us, self.settings.canary_late_s)))


async def look_and_beat(connection: Connection, settings: Settings, aviary: Aviary | None) -> None:
    """Sends a heartbeat if all is well; says what is wrong if not."""
    now_us = wall_now_us()
    signs = Signs(
        canary_in_time=None if aviary is None else aviary.is_in_time(),
        steps_overdue_s=await watch.overdue_s(connection, await dispatch_now_us(connection, settings)),
        auditor_silent_s=await watch.silent_s(connection, watch.AUDITOR, now_us),
    )
    troubles = await watch.open_troubles(connection)
    for trouble in Trouble:
        metrics.WATCH_TROUBLE.labels(trouble).set(troubles.get(trouble, 0))
    metrics.WATCH_STEPS_OVERDUE.set(signs.steps_overdue_s)
    found = list(wrong(signs, Limits(settings.watch_limit_s, settings.watch_limit_s)))
    for what in Wrong:
        metrics.WATCH_WRONG.labels(what).set(what in found)
    if found:
        log.error("heartbeat_held_back", wrong=[str(what) for what in found])
        metrics.WATCH_HEARTBEATS.labels("held_back").inc()
    elif settings.heartbeat_url is not None and await beat(settings.heartbeat_url.get_secret_value()):
        metrics.WATCH_HEARTBEATS.labels("sent").inc()
        metrics.WATCH_HEARTBEAT_AT.set(wall_now_us() / SECOND_US)
    elif settings.heartbeat_url is not None:
        metrics.WATCH_HEARTBEATS.labels("failed").inc()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits, unless the service is to end."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
