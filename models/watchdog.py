"""A service that has work and makes no progress ends itself, so that whoever started it starts it again.

In a thread of its own: it notices a main loop that is blocked as well. The end is at once, without tidying
up, for what would tidy up may be what hangs. Nothing is lost by it: what was not committed comes again.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from models import logs
from models.probes import Health

log = logs.get(__name__)

EXIT_STUCK = 70
LOOK_EVERY_S = 1.0
PAUSE_S = 10.0
"""Who comes to look so late was itself stopped, as the whole process may have been: that is no stall."""


@contextmanager
def watched(health: Health, after_s: float) -> Generator[None]:
    """Watches a service until the end of the block. **Units**: `after_s`, the longest stall, in seconds."""
    stop = threading.Event()
    watching = threading.Thread(
        target=watch, args=(health, after_s, stop, end_at_once), name="watchdog", daemon=True
    )
    watching.start()
    try:
        yield
    finally:
        stop.set()
        watching.join()


def watch(
    health: Health,
    after_s: float,
    stop: threading.Event,
    end: Callable[[str], None],
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Looks again and again, and calls `end` with what to say when nothing got on for too long."""
    looked_at_s = monotonic()
    every_s = min(LOOK_EVERY_S, after_s / 4)
    while not stop.wait(every_s):
        now_s = monotonic()
        late_s, looked_at_s = now_s - looked_at_s - every_s, now_s
        if late_s > PAUSE_S:
            health.moved()
            continue
        stalled_s, what = health.stall()
        if stalled_s > after_s:
            end(f"No progress for {stalled_s:.0f} s with {what}, at most {after_s:g} s are allowed")
            return


def end_at_once(why: str) -> None:
    """Says why, and where each thread is (names of functions only), and ends the process."""
    log.error("stuck", why=f"{why}. The process ends itself; it goes on where it was when it is started.")
    faulthandler.dump_traceback(sys.stderr)
    sys.stderr.flush()
    os._exit(EXIT_STUCK)
