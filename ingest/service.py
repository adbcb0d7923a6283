"""A service that reads the log: its probes, its signals, its end."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from ingest.handler import Handler, Prepared
from ingest.loop import run
from models import logs
from models.db.pool import Pool, Role, connect
from models.probes import Health, serving
from models.settings import Settings

log = logs.get(__name__)


async def serve(
    make_handler: Callable[[Pool], Handler[Prepared]], settings: Settings, *, role: Role, application: str
) -> None:
    """Runs a handler over the log until SIGTERM or SIGINT; then the batch in flight is committed.

    **Raises**: RefuseToStart, Broken: whatever waiting does not mend.
    """
    health = Health(stall_after_s=settings.stall_timeout_s)
    pool = await connect(
        settings.postgres_dsn, role=role, application=application, max_size=settings.postgres_connections
    )
    with serving(health, settings.probes_host, settings.probes_port):
        try:
            handler = make_handler(pool)
            log.info("started", group=handler.group, topic=settings.topic)
            await until_told(lambda stop: run(handler, settings, stop=stop, health=health))
            log.info("stopped", group=handler.group)
        finally:
            await pool.close()


async def until_told(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Does work that ends soon after its event is set; SIGTERM and SIGINT set it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        await work(stop)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
