"""One way in, measured: the most it takes, how long that lasts at half of it, and what nobody beats."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Generator as Yields
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiokafka import AIOKafkaProducer

from benchmarks.gateway.generator import Generator, Run, poisson
from benchmarks.gateway.ground import Ground
from benchmarks.gateway.requests import Way
from ingest.log import connection_options
from models.errors import Broken
from simulators.load.meter import Meter
from simulators.stack.ports import accepts_connections, free_port

CONNECTIONS = 64
LAG_LIMIT_S = 0.010
"""A generator that is later than this, one time in twenty, is part of what is measured: the run is void."""
LATE_AT_MOST_S = 1.0
"""A rate is kept up when the last answers come within this of the last request."""
STEPS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
SEED = 7
_ROUND = 500
_WAIT_S = 90.0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """**Units**: milliseconds."""

    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What nobody beats here. **Units**: requests per second, messages per second."""

    bare_route: float
    bare_messages: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One way in. **Units**: requests per second; processor microseconds a request, by process."""

    name: str
    readings: int
    gates: int
    most_per_s: float
    half_per_s: float
    at_half: Percentiles
    lag_p95_ms: float
    cpu_us: dict[str, float]
    busy: dict[str, float]
    accepted: int
    ceilings: Ceilings

    @property
    def is_void(self) -> bool:
        """Whether the generator itself was too late for its latencies to mean anything."""
        return self.lag_p95_ms > LAG_LIMIT_S * 1e3


async def measure(ground: Ground, way: Way, seconds: float, ceilings: Ceilings) -> Measured:
    """The most, then half of it; all that was accepted is counted in the database before it says so."""
    before = await ground.stored()
    async with Generator(ground.ports, CONNECTIONS, way.mark) as generator:
        accepted = 0
        warm = await generator.closed_loop(ground.requests.make(way, _warm_up(way)))
        accepted += _all_accepted(way, warm)
        tried = await _closed(generator, ground, way, seconds / 2)
        accepted += _all_accepted(way, tried)
        most_per_s, counted, cpu_us, busy = await _most(generator, ground, way, tried.per_s, seconds / 2)
        accepted += counted
        await ground.until_followed()
        half = await _open(generator, ground, way, most_per_s / 2, seconds)
        accepted += _all_accepted(way, half)
    await ground.require_stored(before + accepted)
    return Measured(
        name=way.name,
        readings=way.readings,
        gates=len(ground.ports),
        most_per_s=most_per_s,
        half_per_s=half.per_s,
        at_half=percentiles(half.latency_s),
        lag_p95_ms=percentiles(half.lag_s).p95,
        cpu_us=cpu_us,
        busy=busy,
        accepted=accepted,
        ceilings=ceilings,
    )


async def _most(
    generator: Generator, ground: Ground, way: Way, start_per_s: float, seconds: float
) -> tuple[float, int, dict[str, float], dict[str, float]]:
    """The highest rate that is kept up in an open loop, downwards from what a closed one reached."""
    accepted = 0
    for share in STEPS:
        await ground.until_followed()
        at_s = poisson(share * start_per_s, seconds, SEED)
        requests = ground.requests.make(way, len(at_s))
        meter = Meter(ground.workers())
        before = meter.seconds()
        run = await generator.open_loop(requests, at_s)
        spent = {name: after - before[name] for name, after in meter.seconds().items()}
        spent["generator"] = run.own_s
        accepted += _all_accepted(way, run)
        if run.elapsed_s <= seconds + LATE_AT_MOST_S:
            number = len(run.latency_s)
            return (
                number / run.elapsed_s,
                accepted,
                {name: spent_s / number * 1e6 for name, spent_s in spent.items()},
                {name: spent_s / run.elapsed_s for name, spent_s in spent.items()},
            )
    raise Broken(f"{way.name}: no rate is kept up, down to {STEPS[-1]:.0%} of {start_per_s:.0f} a second.")


async def _closed(generator: Generator, ground: Ground, way: Way, seconds: float) -> Run:
    """As many as can be, for about so long: requests are prepared for rounds that get longer."""
    number = max(CONNECTIONS, _ROUND // way.readings)
    while True:
        run = await generator.closed_loop(ground.requests.make(way, number))
        if run.elapsed_s > seconds / 2:
            return run
        _all_accepted(way, run)
        ground.also_accepted += run.accepted
        number = int(number * min(8.0, seconds / max(run.elapsed_s, 0.01)))


async def _open(generator: Generator, ground: Ground, way: Way, per_s: float, seconds: float) -> Run:
    at_s = poisson(per_s, seconds, SEED)
    return await generator.open_loop(ground.requests.make(way, len(at_s)), at_s)


def _warm_up(way: Way) -> int:
    return max(2 * CONNECTIONS, 2_000 // way.readings)


def _all_accepted(way: Way, run: Run) -> int:
    """**Raises**: Broken when not everything was accepted: then nothing of it may be printed."""
    wanted = len(run.latency_s) * way.readings
    if run.accepted != wanted:
        said = b"\n".join(run.refusals).decode(errors="replace")
        raise Broken(
            f"{way.name}: {run.accepted} of {wanted} readings were accepted; statuses {dict(run.statuses)}:"
            f"\n{said}"
        )
    return run.accepted


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """How durations are spread, in milliseconds.

    >>> percentiles([n / 1000 for n in range(1, 101)])
    Percentiles(p50=50.5, p95=95.0, p99=99.0, longest=100.0)
    """
    at = np.percentile(np.array(seconds or [0.0]) * 1e3, [50, 95, 99, 100])
    return Percentiles(*(round(float(one), 1) for one in at))


async def ceilings(ground: Ground, way: Way, messages: Sequence[bytes]) -> Ceilings:
    """The same server with a route that only reads, and bare bytes of the same size into the broker."""
    number = max(CONNECTIONS, 6_000 // way.readings)
    with _bare_server() as port:
        async with Generator([port], CONNECTIONS, b'"accepted"') as generator:
            await generator.closed_loop(ground.requests.make(way, number))
            run = await generator.closed_loop(ground.requests.make(way, number))
    return Ceilings(run.per_s, await _produced(ground, messages))


async def _produced(ground: Ground, messages: Sequence[bytes]) -> float:
    producer: Any = AIOKafkaProducer(**connection_options(ground.settings), acks="all")
    await producer.start()
    try:
        begun_s = time.perf_counter()
        sent: list[Any] = [
            await producer.send(ground.spare_topic, one, partition=place % ground.partitions)
            for place, one in enumerate(messages)
        ]
        await asyncio.gather(*sent)
        return len(messages) / (time.perf_counter() - begun_s)
    finally:
        await producer.stop()


@contextmanager
def _bare_server() -> Yields[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.gateway.bare", str(port)])
    try:
        begun_s = time.perf_counter()
        while not accepts_connections(port):
            if process.poll() is not None or time.perf_counter() - begun_s > _WAIT_S:
                raise Broken("The bare server did not start.")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def lines(measured: Measured) -> list[str]:
    """What came of it, and what bounds it."""
    at = measured.at_half
    rate = f"{measured.most_per_s:,.0f} requests/s"
    if measured.readings > 1:
        rate += f" = {measured.most_per_s * measured.readings:,.0f} Observations/s"
    cost = _shares(measured.cpu_us, "{:.0f}")
    busy = _shares(measured.busy, "{:.2f}")
    told = [
        f"{measured.name}, {measured.gates} gate process(es), stored = accepted = {measured.accepted:,}",
        f"  most, open loop: {rate}",
        (
            f"  at half, {measured.half_per_s:,.0f}/s, from the planned moment: p50 {at.p50} ms, "
            f"p95 {at.p95}, p99 {at.p99}, longest {at.longest}; "
            f"generator late by {measured.lag_p95_ms} ms at p95"
        ),
        f"  processor microseconds a request at the most: {cost}",
        f"  processors busy: {busy}",
        (
            f"  ceilings of this run: bare route {measured.ceilings.bare_route:,.0f} requests/s, "
            f"bare messages {measured.ceilings.bare_messages:,.0f}/s"
        ),
    ]
    if measured.is_void:
        told.append("  VOID: the generator itself was late.")
    return told


def _shares(of: Mapping[str, float], form: str) -> str:
    return ", ".join(f"{name} {form.format(one)}" for name, one in sorted(of.items(), key=lambda x: -x[1]))
