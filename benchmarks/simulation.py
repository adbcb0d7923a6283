"""How fast patients are simulated on one core, and how fast their readings are encoded, sent and written.

`python -m benchmarks.simulation [--scenario NAME] [--patients N] [--days N]`
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.ground import fresh_ground
from benchmarks.machine import describe
from models.clock import MINUTE_US
from simulators.cohorts.cohort import write_cohort
from simulators.scenarios.files import load_scenario
from simulators.scenarios.scenario import Day, Scenario
from simulators.send import open_sender
from simulators.simulate import newest_programmes
from simulators.stack import Stack
from simulators.wire import Encoder

SEED = 7


def generate(scenario: Scenario) -> tuple[list[Day], float]:
    """All days as columns, and how many readings that was per second."""
    begun_s = time.perf_counter()
    days = list(scenario)
    return days, sum(day.uploads.readings for day in days) / (time.perf_counter() - begun_s)


async def send(stack: Stack, scenario: Scenario, days: list[Day]) -> float:
    """Readings per second from columns to acknowledged messages in the log, with keys and clock ticks."""
    settings = await fresh_ground(stack)
    encoder = Encoder(scenario, 15 * MINUTE_US)
    async with open_sender(settings, scenario.patient_texts) as sender:
        begun_s = time.perf_counter()
        for day in days:
            await sender.put(encoder.day(day))
        await sender.flush()
        return sender.readings / (time.perf_counter() - begun_s)


def written(scenario: Scenario) -> float:
    """Readings per second from nothing to the files of a cohort; hashing and Parquet have a second core."""
    with tempfile.TemporaryDirectory(prefix="cohort-") as folder:
        begun_s = time.perf_counter()
        return write_cohort(scenario, Path(folder)).readings / (time.perf_counter() - begun_s)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="home")
    parser.add_argument("--patients", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=60)
    wishes = parser.parse_args()
    said = load_scenario(wishes.scenario).changed(patients=wishes.patients, days=wishes.days, seed=SEED)
    scenario, again = (Scenario.of(said, newest_programmes(None)) for _ in range(2))
    days, generated = generate(scenario)
    as_files = written(again)
    with Stack(allow_in_memory=False) as stack:
        sent = asyncio.run(send(stack, scenario, days))
        print(f"{describe()}, {stack.kafka_kind}")
    print(
        f"generated as columns {generated:,.0f} readings/s, written as a cohort {as_files:,.0f} readings/s, "
        f"encoded and sent {sent:,.0f} readings/s"
    )


if __name__ == "__main__":
    sys.exit(main())
