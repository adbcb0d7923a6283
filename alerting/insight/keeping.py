"""Keeps the reports up to date: who looks first when a day is over counts it, for all services."""

import asyncio
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from alerting.engine.local_days import AMSTERDAM
from alerting.insight.report import reports_of
from alerting.insight.wijken import Wijken
from models import logs
from models.clock import to_datetime
from models.db import figures
from models.db.pool import Connection, Pool
from models.db.positions import ALERTING_GROUP, log_clock_us
from models.errors import TryAgain
from models.figures import Window
from models.settings import Settings

log = logs.get(__name__)

LOOKS_EVERY_S = 10.0
RENEWED_AFTER_DAYS: Mapping[int, int] = {4: 1, 13: 7, 52: 7}
"""Periods in weeks, with how many days old their figures may become."""


async def keep_figures(pool: Pool, settings: Settings, wijken: Wijken, stop: asyncio.Event) -> None:
    """Looks now and then whether figures are due, and counts; until `stop`."""
    stopped = asyncio.ensure_future(stop.wait())
    while not stopped.done():
        counting = asyncio.ensure_future(look_after_figures(pool, settings, wijken))
        # Of a large region it takes minutes: who is to stop does not wait for it, and nothing is half done.
        await asyncio.wait((counting, stopped), return_when=asyncio.FIRST_COMPLETED)
        counting.cancel()
        try:
            await counting
        except TryAgain as error:
            log.warning("figures_interrupted", why=str(error))
        except asyncio.CancelledError:
            return
        await asyncio.wait((stopped,), timeout=LOOKS_EVERY_S)


async def look_after_figures(pool: Pool, settings: Settings, wijken: Wijken) -> list[Window]:
    """Counts what is due, one period after the other; nothing while another service counts."""
    async with pool.connection() as connection:
        now_us = await log_clock_us(connection, settings.consumer_group or ALERTING_GROUP)
        until = None if now_us is None else to_datetime(now_us).astimezone(AMSTERDAM).date()
        due = [] if until is None else due_windows(await figures.counted_until(connection), until)
    counted: list[Window] = []
    for window in due:
        async with pool.transaction() as connection:
            if not await figures.is_counting_alone(connection):
                break
            began_s = time.monotonic()
            await count(connection, window, wijken)
        log.info("counted", weeks=window.weeks, until=str(window.until), took_s=time.monotonic() - began_s)
        counted.append(window)
    return counted


def due_windows(counted_until: Mapping[int, date], today: date) -> list[Window]:
    """The periods whose figures are too old; they go up to and including yesterday.

    >>> due_windows({4: date(2026, 11, 29), 13: date(2026, 11, 29)}, date(2026, 11, 30))
    [Window(until=datetime.date(2026, 11, 30), weeks=4), Window(until=datetime.date(2026, 11, 30), weeks=52)]
    """
    return [
        Window(today, weeks)
        for weeks, days in RENEWED_AFTER_DAYS.items()
        if weeks not in counted_until or counted_until[weeks] <= today - timedelta(days=days)
    ]


async def count(connection: Connection, window: Window, wijken: Wijken) -> None:
    """Counts one period for every scope, and puts its reports in place of those before."""
    gathered = figures.gather(connection, window, beginning(window.since), beginning(window.until))
    async for scope, counts in gathered:
        # Away from the loop that reads the log: of a region this takes a while.
        for report in await asyncio.to_thread(list, reports_of(counts, window, wijken)):
            await figures.write_report(
                connection, scope, report.programme, window, report.model_dump_json(exclude_defaults=True)
            )


def beginning(day: date) -> datetime:
    """The first moment of a day in Europe/Amsterdam.

    >>> beginning(date(2026, 11, 30)).isoformat()
    '2026-11-30T00:00:00+01:00'
    """
    return datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM)
