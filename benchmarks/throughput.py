"""How fast both workers drain a topic that is full: stored and rule-checked readings per second.

`python -m benchmarks.throughput [--readings N] [--json FILE]`: real servers of its own, ingest and alerting
as processes, single-reading and 60-reading uploads, 0 and 1 % duplicates, the ceilings in the same run.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.ceilings import Ceilings, measure, preload
from benchmarks.ground import PARTITIONS, fresh_ground
from benchmarks.load import Load, Shape, one_each, sixty_each
from benchmarks.machine import describe
from ingest.log import cluster_of
from models.db.pool import connect
from models.db.positions import Position
from models.errors import Broken
from models.settings import Settings
from simulators.demo.database import GROUPS, Database
from simulators.demo.services import Services
from simulators.load.meter import Meter
from simulators.send import open_sender
from simulators.stack import Stack

WORKERS = ("ingest", "alerting")
WARM_UP_ROUNDS = 2
LOOK_EVERY_S = 0.05
GIVE_UP_AFTER_S = 240.0
STOPPED_AT_MOST_MS = 300_000
"""So long a worker may be held while the topic fills, without losing its partitions."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One case. **Units**: readings per second; processor microseconds per reading, by process."""

    name: str
    readings: int
    stored_per_s: float
    checked_per_s: float
    both_per_s: float
    cpu_us: dict[str, float]
    ceilings: Ceilings

    @property
    def of_the_ceiling(self) -> float:
        """Share of the lower ceiling that stored and checked readings reach."""
        return self.both_per_s / min(self.ceilings.copy, self.ceilings.fetch)


async def drain(stack: Stack, shape: Shape, ceilings: Ceilings) -> Measured:
    """Fill a topic while both workers are held, let them go, and time them."""
    settings = await fresh_ground(stack)
    load = Load(shape)
    pool = await connect(settings.postgres_dsn, role="thuiswacht_read", application="throughput", max_size=2)
    with tempfile.TemporaryDirectory() as folder, _workers(settings, Path(folder)) as services:
        try:
            database = Database(pool, await cluster_of(settings), settings.topic, PARTITIONS)
            sent = await _warm_up(settings, load)
            await _until(database, services, sent)
            with _held(services):
                rounds = range(WARM_UP_ROUNDS, WARM_UP_ROUNDS + shape.rounds)
                messages, readings = await preload(settings, load, rounds)
                meter = Meter({name: process.pid for name, process in services.processes.items()})
                before = meter.seconds()
                begun_s = time.perf_counter()
            done_s = await _until(database, services, sent + messages)
            after = meter.seconds()
            elapsed_s = {group: at_s - begun_s for group, at_s in done_s.items()}
        finally:
            await pool.close()
    cpu_us = {name: (after[name] - before[name]) / readings * 1e6 for name in after}
    stored_s, checked_s = (elapsed_s[group] for group in GROUPS)
    return Measured(
        shape.name,
        readings,
        readings / stored_s,
        readings / checked_s,
        readings / max(stored_s, checked_s),
        cpu_us,
        ceilings,
    )


async def _warm_up(settings: Settings, load: Load) -> int:
    """Register everybody and send a few rounds; how many messages that was."""
    async with open_sender(settings, load.scenario.patient_texts) as sender:
        registrations = load.registrations()
        await sender.put(registrations)
        await sender.flush()
    messages, _ = await preload(settings, load, range(WARM_UP_ROUNDS))
    return len(registrations) - 1 + PARTITIONS + messages


async def _until(database: Database, services: Services, messages: int) -> dict[str, float]:
    """When each group had committed so many messages."""
    done_s: dict[str, float] = {}
    begun_s = time.perf_counter()
    while len(done_s) < len(GROUPS):
        positions = await database.positions()
        now_s = time.perf_counter()
        for group in GROUPS:
            if group not in done_s and _offsets(positions[group]) >= messages:
                done_s[group] = now_s
        services.require_running()
        if now_s - begun_s > GIVE_UP_AFTER_S:
            behind = {group: messages - _offsets(positions[group]) for group in GROUPS}
            raise Broken(f"Not through after {GIVE_UP_AFTER_S:.0f} s; messages behind: {behind}.")
        await asyncio.sleep(LOOK_EVERY_S)
    return done_s


def _offsets(positions: dict[int, Position]) -> int:
    return sum(at.next_offset for at in positions.values())


@contextmanager
def _workers(settings: Settings, folder: Path) -> Generator[Services]:
    environment = {
        "THUISWACHT_KAFKA": settings.kafka,
        "THUISWACHT_POSTGRES": settings.postgres_dsn,
        "THUISWACHT_TOPIC": settings.topic,
        "THUISWACHT_SESSION_TIMEOUT_MS": str(STOPPED_AT_MOST_MS),
        "THUISWACHT_LOG_LEVEL": "WARNING",
    }
    services = Services(environment, folder)
    try:
        for name in WORKERS:
            services.start(name)
        yield services
    finally:
        services.stop()


@contextmanager
def _held(services: Services) -> Generator[None]:
    for process in services.processes.values():
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in services.processes.values():
            process.send_signal(signal.SIGCONT)


async def _all(stack: Stack, readings: int, patients: int) -> list[Measured]:
    found: list[Measured] = []
    for kind in (one_each, sixty_each):
        ceilings = await measure(stack, kind(readings, patients))
        for duplicates in (0.0, 0.01):
            found.append(await drain(stack, kind(readings, patients, duplicates), ceilings))
            print(line(found[-1]), flush=True)
    return found


def line(measured: Measured) -> str:
    """One case as text."""
    cpu = "  ".join(f"{name} {us:.1f}" for name, us in measured.cpu_us.items())
    total = sum(measured.cpu_us.values())
    return (
        f"{measured.name}: stored {measured.stored_per_s:,.0f}/s, checked {measured.checked_per_s:,.0f}/s, "
        f"both {measured.both_per_s:,.0f}/s = {measured.of_the_ceiling:.0%} of the ceiling "
        f"(COPY {measured.ceilings.copy:,.0f}/s, fetch {measured.ceilings.fetch:,.0f}/s)\n"
        f"    processor µs a reading: {cpu}  together {total:.1f}"
    )


def run(readings: int, patients: int) -> tuple[str, list[Measured]]:
    """All cases on servers of their own; what they ran on, and what was measured."""
    with Stack(allow_in_memory=False) as stack:
        found = asyncio.run(_all(stack, readings, patients))
        return f"{describe()}, {stack.kafka_kind}", found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--readings",
        type=int,
        default=400_000,
        help="of single-reading uploads; four times as many of the others",
    )
    parser.add_argument("--patients", type=int, default=5_000)
    parser.add_argument("--json", metavar="FILE")
    wishes = parser.parse_args()
    machine, found = run(wishes.readings, wishes.patients)
    print(machine)
    if wishes.json:
        cases = [asdict(one) | {"of_the_ceiling": one.of_the_ceiling} for one in found]
        text = json.dumps({"machine": machine, "cases": cases}, indent=2)
        Path(wishes.json).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
