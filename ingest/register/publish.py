"""Tells the log what was decided in the register: each change at least once, those of a patient in order.

What is to be told stands in Postgres, written with the decision. A change is handed to Kafka after the one
before it of the same patient was confirmed, and marked as told when it is confirmed itself. Killed between
the two, the next elected service tells it again under the same change_id; who reads the log takes it once.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence

from ingest.log import Writer
from ingest.quarantine.telling import tell_again
from ingest.rights.telling import tell
from models import logs, metrics
from models.db import corrections, refused, register
from models.db.election import Duty, stand
from models.db.installation import require_migrated
from models.db.pool import Connection, Pool, connected
from models.errors import TryAgain
from models.probes import Health
from models.register import Untold, message_of
from models.settings import Settings

log = logs.get(__name__)

GROUP = "register"
AT_ONCE = 1_000
ROUND_EVERY_S = 0.5
"""How long a decision waits at most before it is told, when all is well."""
STAND_EVERY_S = 2.0


async def run_publisher(settings: Settings, *, stop: asyncio.Event, health: Health) -> None:
    """Stands for election, and tells what is to be told; until `stop`. While others are away it waits.

    **Raises**: RefuseToStart when the database was not migrated, or does not let us in.
    """
    dsn = settings.postgres_dsn
    async with connected(
        dsn, role="thuiswacht_register", application="thuiswacht-register", max_size=2
    ) as pool:
        while not stop.is_set():
            health.progress()
            try:
                await _serve(pool, settings, stop, health)
            except TryAgain as error:
                health.set("database", False, str(error))
                if error.is_away:
                    health.moved()
                metrics.LOG_RETRIES.labels(GROUP, "database").inc()
                log.warning("away", group=GROUP, what="database", why=str(error))
            await _pause(stop, STAND_EVERY_S)


def waves(untold: Sequence[Untold]) -> Iterator[list[Untold]]:
    """In each wave at most one change of a patient: what comes after it waits until it is confirmed.

    **Shape**: `untold` in the order of each patient's numbers.
    """
    rest = list(untold)
    while rest:
        first: dict[object, Untold] = {}
        later: list[Untold] = []
        for change in rest:
            if change.patient_id in first:
                later.append(change)
            else:
                first[change.patient_id] = change
        yield list(first.values())
        rest = later


class Publisher:
    """Keeps a producer, from the first change to tell on. One service at a time does this, the elected."""

    def __init__(self, settings: Settings, health: Health | None = None) -> None:
        self._settings = settings
        self._health = health
        self._writer: Writer | None = None

    async def publish(self, connection: Connection) -> int:
        """Tells what is to be told, as far as Kafka takes it; how many changes it took.

        Corrections of readings go the same way, after the changes, and then what is to be tried again.
        """
        untold = await register.to_tell(connection, AT_ONCE)
        self._begin(untold)
        taken = 0
        try:
            for wave in waves(untold):
                await self._write(wave)
                await register.told(connection, wave)
                taken += len(wave)
                self._moved()
                metrics.REGISTER_CHANGES_TOLD.inc(len(wave))
            if await corrections.to_tell(connection, 1):
                await tell(connection, await self._opened())
            if await refused.to_try(connection, 1):
                await tell_again(connection, await self._opened())
            self._begin(())
            self._say(ok=True)
        except TryAgain as error:
            self._moved()
            log.warning("changes_not_told", why=str(error), changes=len(untold) - taken)
            self._say(ok=False, why=str(error))
            await self.close()
        number, waited_s = await register.waiting(connection)
        metrics.REGISTER_CHANGES_WAITING.set(number)
        metrics.REGISTER_CHANGES_WAIT.set(waited_s)
        return taken

    async def close(self) -> None:
        """Gives the producer up."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.__aexit__()

    async def _write(self, wave: Sequence[Untold]) -> None:
        writer = await self._opened()
        await writer.write_many([(change.patient_id, encoded(change)) for change in wave])

    async def _opened(self) -> Writer:
        if self._writer is None:
            # Not idempotent: that keeps the order among those in flight, and of a patient there is one.
            self._writer = await Writer(self._settings).__aenter__()
        return self._writer

    def _begin(self, untold: Sequence[Untold]) -> None:
        """Says whether there is work, which has to get on."""
        if self._health is not None and untold:
            self._health.begin("changes to tell")
        elif self._health is not None:
            self._health.finish("changes to tell")

    def _moved(self) -> None:
        if self._health is not None:
            self._health.moved()

    def _say(self, *, ok: bool, why: str = "") -> None:
        metrics.LOG_AWAY.labels(GROUP, "broker").set(not ok)
        if self._health is not None:
            self._health.set("broker", ok, why)


def encoded(change: Untold) -> bytes:
    """The message of a change."""
    return json.dumps(message_of(change), separators=(",", ":")).encode()


async def _serve(pool: Pool, settings: Settings, stop: asyncio.Event, health: Health) -> None:
    async with pool.connection() as connection:
        await require_migrated(connection)
        health.set("database", True)
        if not await stand(connection, Duty.REGISTER):
            # Another one tells; this one is there in case it goes.
            health.finish("changes to tell")
            health.set("broker", True)
            return
        log.info("elected", duty="register")
        metrics.REGISTER_ELECTED.set(1)
        publisher = Publisher(settings, health)
        try:
            while not stop.is_set():
                taken = await publisher.publish(connection)
                health.progress()
                if taken < AT_ONCE:
                    await _pause(stop, ROUND_EVERY_S)
        finally:
            metrics.REGISTER_ELECTED.set(0)
            # Whoever comes next tells these.
            metrics.REGISTER_CHANGES_WAITING.set(0)
            metrics.REGISTER_CHANGES_WAIT.set(0)
            await publisher.close()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits, unless the service is to end."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
