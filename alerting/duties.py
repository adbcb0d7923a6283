"""What one alerting service does for all of them, the elected one, beside reading the log."""

import asyncio
import time

from alerting.holding_back import look_after_incidents
from alerting.publisher import Publisher
from models import logs, metrics
from models.db.election import stand
from models.db.pool import Connection, Pool
from models.errors import TryAgain
from models.settings import Settings

log = logs.get(__name__)

ROUND_EVERY_S = 2.0
INCIDENTS_EVERY_S = 5.0


async def on_duty(pool: Pool, settings: Settings, *, stop: asyncio.Event) -> None:
    """Stands for election until elected, then goes the rounds; until `stop`.

    The lock is of the connection: who loses it, or is killed, is not the elected one any more, and whatever
    it would still write fails.
    """
    while not stop.is_set():
        try:
            async with pool.connection() as connection:
                if await stand(connection):
                    await _rounds(connection, settings, stop)
        except TryAgain as error:
            log.warning("duties_interrupted", why=str(error))
        await _pause(stop, ROUND_EVERY_S)


async def _rounds(connection: Connection, settings: Settings, stop: asyncio.Event) -> None:
    log.info("elected")
    metrics.ALERTING_ELECTED.set(1)
    publisher = Publisher(settings)
    incidents_at_s = time.monotonic()
    try:
        while not stop.is_set():
            if time.monotonic() >= incidents_at_s:
                incidents_at_s = time.monotonic() + INCIDENTS_EVERY_S
                await look_after_incidents(connection, settings)
            await publisher.publish(connection)
            await _pause(stop, ROUND_EVERY_S)
    finally:
        metrics.ALERTING_ELECTED.set(0)
        # Whoever comes next tells these.
        metrics.ALERTING_REQUESTS_UNTOLD.set(0)
        metrics.ALERTING_REQUESTS_WAIT.set(0)
        metrics.ALERTING_INCIDENTS_OPEN.set(0)
        metrics.ALERTING_INCIDENTS_HELD_BACK.set(0)
        await publisher.close()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits, unless the service is to end."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
