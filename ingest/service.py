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
from models.watchdog import watched

log = logs.get(__name__)


async def serve(
    make_handler: Callable[[Pool, Callable[[], None]], Handler[Prepared]],
    settings: Settings,
    *,
    role: Role,
    application: str,
    beside: Callable[[Pool, asyncio.Event], Awaitable[None]] | None = None,
) -> None:
    """Runs a handler over the log until SIGTERM or SIGINT; then the batch in flight is committed.

    `make_handler` is given what to call when work that takes long gets on: who is silent for too long, with
    work to do, is ended (see `models.watchdog`).
    `beside` is what the service does meanwhile; it ends when its event is set.

    **Raises**: RefuseToStart, Broken: whatever waiting does not mend.
    """
    health = Health(stall_after_s=settings.stall_timeout_s)
    pool = await connect(
        settings.postgres_dsn, role=role, application=application, max_size=settings.postgres_connections
    )
    probes = serving(health, settings.probes_host, settings.probes_port)
    with watched(health, settings.stall_exit_s), probes:
        try:
            handler = make_handler(pool, health.moved)

            def works(stop: asyncio.Event) -> list[Awaitable[None]]:
                reading = run(handler, settings, stop=stop, health=health)
                return [reading] if beside is None else [reading, beside(pool, stop)]

            log.info("started", group=handler.group, topic=settings.topic)
            await until_told(lambda stop: together(stop, *works(stop)))
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


async def together(stop: asyncio.Event, *works: Awaitable[None]) -> None:
    """Until one of them ends, by itself or with an error; then all are told to end."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
    for task in tasks:
        await task
