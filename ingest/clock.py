"""The clock: writes into every partition of the log what time it is, every second."""

import asyncio
import json
import time

from ingest.log import Writer
from models import logs, metrics
from models.clock import SECOND_US, wall_now_us
from models.errors import TryAgain
from models.messages import SCHEMA
from models.probes import Health
from models.settings import Settings

log = logs.get(__name__)

GROUP = "clock"
TICK_S = 1.0
"""How often the clock ticks: what the rules know of silence and of deadlines is late by this much at most."""


def tick(now_us: int) -> bytes:
    """The message that says what time it is."""
    return json.dumps({"schema": SCHEMA, "type": "clock", "now_us": now_us}, separators=(",", ":")).encode()


async def run_clock(settings: Settings, *, stop: asyncio.Event, health: Health) -> None:
    """Ticks until `stop`. While the broker is away it waits, and then goes on from the present.

    Two clocks at once do no harm as long as their hosts agree. Who reads them never goes back: of two that
    differ the one ahead is believed, and one that is wrong by hours moves its partitions ahead for good.
    """
    while not stop.is_set():
        health.progress()
        try:
            async with Writer(settings) as writer:
                await _tick_on(writer, stop, health)
        except TryAgain as error:
            health.set("broker", False, str(error))
            metrics.LOG_RETRIES.labels(GROUP, "broker").inc()
            metrics.LOG_AWAY.labels(GROUP, "broker").set(1)
            log.warning("away", group=GROUP, what="broker", why=str(error))
            await _pause(stop, 1.0)


async def _tick_on(writer: Writer, stop: asyncio.Event, health: Health) -> None:
    due_s = time.monotonic()
    while not stop.is_set():
        now_us = wall_now_us()
        await writer.write_to_all(tick(now_us))
        health.progress()
        health.set("broker", True)
        metrics.LOG_AWAY.labels(GROUP, "broker").set(0)
        metrics.CLOCK_BEHIND.set((wall_now_us() - now_us) / SECOND_US)
        for partition in writer.partitions:
            metrics.CLOCK_TICKS.labels(str(partition)).inc()
        # In step with the second, and never two at once after a pause.
        due_s = max(due_s + TICK_S, time.monotonic())
        await _pause(stop, due_s - time.monotonic())


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
