"""How much the front gate takes, and how long it takes: open loop, everything on the same processors.

`python -m benchmarks.gateway [--gates N] [--seconds N] [--ways plain,fhir,bundle] [--json FILE]`: a real
broker, a real Postgres with fsync, an ingest worker and one or two `thuiswacht gateway` processes. Latencies
are from the moment at which a request was planned.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.gateway.ground import opened
from benchmarks.gateway.measuring import Measured, ceilings, lines, measure
from benchmarks.gateway.requests import BUNDLE, PLAIN, SINGLE, Way
from benchmarks.machine import describe
from simulators.stack import Stack

WAYS = {"plain": PLAIN, "fhir": SINGLE, "bundle": BUNDLE}
READING_BYTES = 110
"""About what a reading takes in a message of the log; a message around them as much again."""


async def run(stack: Stack, ways: Sequence[Way], *, gates: int, seconds: float, homes: int) -> list[Measured]:
    """Each way in, one after the other, over one database."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(stack, Path(folder), gates, homes) as ground:
            measured: list[Measured] = []
            for way in ways:
                message = b"x" * READING_BYTES * (way.readings + 2)
                at_best = await ceilings(ground, way, [message] * (40_000 // way.readings))
                measured.append(await measure(ground, way, seconds, at_best))
                sys.stdout.write("\n".join(lines(measured[-1])) + "\n")
                sys.stdout.flush()
            return measured


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gates", type=int, choices=(1, 2), default=1, help="processes of the gate")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long at half of the most")
    parser.add_argument("--homes", type=int, default=2_000, help="patients, each with a device")
    parser.add_argument("--ways", default=",".join(WAYS), help="of " + ", ".join(WAYS))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    sys.stdout.write(describe() + "\n")
    ways = [WAYS[name] for name in given.ways.split(",")]
    with Stack(allow_in_memory=False) as stack:
        measured = asyncio.run(run(stack, ways, gates=given.gates, seconds=given.seconds, homes=given.homes))
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(one) for one in measured]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
