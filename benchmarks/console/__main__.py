"""How fast the console is for a whole centre: 50 nurses, 5,000 open alerts among 40,000 patients.

`python -m benchmarks.console [--seconds N] [--json FILE]`: a real Postgres, and `thuiswacht console` as a
process of its own. Nurses work by HTTP as their browsers would, each with a live connection; then a Chromium
beside them says when a new alert is on the screen, and alone when a year of glucose readings is drawn.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.console.centre import Centre, Sizes, opened
from benchmarks.console.nurses import Tally, at_work
from benchmarks.console.screen import alerts_on_screen, browser, year_drawn
from benchmarks.machine import describe
from ingest.gateway.login.door import COOKIE
from models.access import Action
from models.clock import wall_now_us
from models.db.declared import acting
from models.db.open_patients import Sought, list_open
from models.db.pool import connected
from simulators.load.meter import Meter
from simulators.stack import Stack

SLOW_GENERATOR_MS = 25.0
"""A generator that is later than this, one time in twenty, shows in the figures."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number of durations are spread. **Units**: milliseconds."""

    number: int
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What the same machine does at best, one request after the other. **Units**: milliseconds, medians."""

    empty_page: float
    query: float
    list: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. **Units**: milliseconds; `cpu_s` in processor seconds for each second, by process."""

    sizes: Sizes
    seconds: float
    thinking_s: float
    ceilings: Ceilings
    requests: dict[str, Spread]
    beaten: int
    failed: dict[str, int]
    told: int
    cpu_s: dict[str, float]
    generator_late_p95: float
    on_screen: Spread
    year_drawn: float
    year_drawing: float
    year_points: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured. **Units**: seconds."""

    sizes: Sizes
    seconds: float = 60.0
    thinking_s: float = 20.0
    alerts: int = 50
    times: int = 5


async def measure(stack: Stack, wanted: Wanted) -> Measured:
    """Everything, in one run over one database."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        async with opened(stack, Path(folder), wanted.sizes) as centre:
            ceilings = await _ceilings(centre)
            meter = Meter({"console": centre.console_pid})
            before, own_before, begun_s = meter.seconds(), _own_s(), time.perf_counter()
            await at_work(centre, tally, wanted.seconds, wanted.thinking_s)
            elapsed_s = time.perf_counter() - begun_s
            after, own_after = meter.seconds(), _own_s()
            centre.services.require_running()
            async with browser(centre) as context:
                work = asyncio.create_task(at_work(centre, Tally(), 2.0 * wanted.alerts, wanted.thinking_s))
                try:
                    on_screen = await alerts_on_screen(context, centre, wanted.alerts, apart_s=0.3)
                finally:
                    work.cancel()
                    await asyncio.gather(work, return_exceptions=True)
                drawn, drawing, points = await year_drawn(context, centre, wanted.times)
    cpu_s = {name: (after[name] - before[name]) / elapsed_s for name in ("console", "postgres")}
    return Measured(
        sizes=wanted.sizes,
        seconds=wanted.seconds,
        thinking_s=wanted.thinking_s,
        ceilings=ceilings,
        requests={kind: spread(took) for kind, took in sorted(tally.took_ms.items())},
        beaten=tally.beaten,
        failed=tally.failed,
        told=tally.told,
        cpu_s={**cpu_s, "generator": (own_after - own_before) / elapsed_s},
        generator_late_p95=spread(tally.late_ms).p95,
        on_screen=spread(on_screen),
        year_drawn=drawn,
        year_drawing=drawing,
        year_points=points,
    )


def spread(took_ms: Sequence[float]) -> Spread:
    """How durations are spread.

    >>> spread([float(n) for n in range(1, 101)])
    Spread(number=100, p50=51.0, p95=96.0, p99=100.0, longest=100.0)
    """
    in_order = sorted(took_ms) or [0.0]

    def at(part: float) -> float:
        return round(in_order[min(int(part * len(in_order)), len(in_order) - 1)], 1)

    return Spread(len(took_ms), at(0.5), at(0.95), at(0.99), round(in_order[-1], 1))


def lines(measured: Measured) -> list[str]:
    """What came of it."""
    sizes = measured.sizes
    cpu = ", ".join(f"{name} {share:.2f}" for name, share in measured.cpu_s.items())
    told = [
        (
            f"{sizes.nurses} nurses, {sizes.alerts:,} open alerts, {sizes.patients:,} patients; "
            f"{measured.seconds:.0f} s, something done every {measured.thinking_s:.0f} s by each"
        ),
        (
            f"at best, one after the other: empty page {measured.ceilings.empty_page:.1f} ms, "
            f"query of the list alone {measured.ceilings.query:.1f} ms, list {measured.ceilings.list:.1f} ms"
        ),
        f"{'milliseconds':<18}{'number':>8}{'p50':>9}{'p95':>9}{'p99':>9}{'longest':>9}",
    ]
    every = {**measured.requests, "alert on screen": measured.on_screen}
    told += [
        f"{kind:<18}{one.number:>8}{one.p50:>9.1f}{one.p95:>9.1f}{one.p99:>9.1f}{one.longest:>9.1f}"
        for kind, one in every.items()
    ]
    told += [
        (
            f"a year of glucose, {measured.year_points:,} points: drawn {measured.year_drawn:.0f} ms after "
            f"navigation, {measured.year_drawing:.0f} ms of it drawing"
        ),
        (
            f"processor seconds a second: {cpu}; browsers told {measured.told:,} times; "
            f"{measured.beaten} acts came too late and were refused"
        ),
    ]
    if measured.failed:
        told.append(f"FAILED: {measured.failed}")
    if measured.generator_late_p95 > SLOW_GENERATOR_MS:
        told.append(f"the generator was itself late, by {measured.generator_late_p95:.0f} ms at p95")
    return told


async def _ceilings(centre: Centre, times: int = 40) -> Ceilings:
    headers = {"Cookie": f"{COOKIE}={centre.tokens[0]}", "HX-Request": "true"}
    async with httpx.AsyncClient(base_url=centre.url, headers=headers, timeout=60) as client:
        empty = await _median_of(client, "/console/delays", times)
        listed = await _median_of(client, "/console/worklist/rows?limit=50", times)
    took: list[float] = []
    dsn, nurse = centre.settings.postgres_dsn, centre.nurses[0]
    async with connected(dsn, role="thuiswacht_people", application="benchmark", max_size=1) as pool:
        for _ in range(times):
            async with acting(pool, nurse, Action.ALERT_READ) as connection:
                begun_s = time.perf_counter()
                await list_open(connection, Sought(), limit=51, now_us=wall_now_us())
                took.append((time.perf_counter() - begun_s) * 1e3)
    return Ceilings(empty_page=empty, query=spread(took).p50, list=listed)


async def _median_of(client: httpx.AsyncClient, path: str, times: int) -> float:
    took: list[float] = []
    for _ in range(times):
        begun_s = time.perf_counter()
        (await client.get(path)).raise_for_status()
        took.append((time.perf_counter() - begun_s) * 1e3)
    return spread(took).p50


def _own_s() -> float:
    times = psutil.Process().cpu_times()
    return times.user + times.system


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    sizes = Sizes()
    parser.add_argument("--nurses", type=int, default=sizes.nurses)
    parser.add_argument("--alerts", type=int, default=sizes.alerts)
    parser.add_argument("--patients", type=int, default=sizes.patients)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the nurses work")
    parser.add_argument("--thinking", type=float, default=20.0, help="seconds between two deeds of a nurse")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    sys.stdout.write(describe() + "\n")
    wanted = Wanted(
        Sizes(patients=given.patients, alerts=given.alerts, nurses=given.nurses),
        seconds=given.seconds,
        thinking_s=given.thinking,
    )
    with Stack(allow_in_memory=False) as stack:
        measured = asyncio.run(measure(stack, wanted))
    sys.stdout.write("\n".join(lines(measured)) + "\n")
    if given.json is not None:
        given.json.write_text(json.dumps(asdict(measured)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
