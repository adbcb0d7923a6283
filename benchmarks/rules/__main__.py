"""How fast the rule engine is, and beside what: its ceilings, itself with more patients, its peers.

`python -m benchmarks.rules engine`, `scaling`, `region`, `backtest`, `peers`, each with `--help`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.rules import backtest, engine, region, scaling
from benchmarks.rules.peers import side_by_side

Found = Sequence[Any]
YEAR = 400
"""Days: as long as anything is looked back at."""


def run_engine(wishes: argparse.Namespace) -> Found:
    """All cases, each told when it is measured."""
    size = replace(engine.FULL, live=wishes.readings)
    if wishes.patients is not None:
        size = replace(size, patients=wishes.patients, streamed=max(1, wishes.patients // 10))
    return _told(engine.measure(size), engine.line)


def run_scaling(wishes: argparse.Namespace) -> Found:
    """Every size of both mixes, and what each adds to the one before; what a year does to memory."""
    found: list[Any] = []
    for mix, patients in ((scaling.AT_HOME, wishes.home), (scaling.BY_THE_MINUTE, wishes.worn)):
        of_mix = _told(scaling.measure(mix, patients, wishes.days, wishes.readings), scaling.line)
        print("\n".join(scaling.comparison(of_mix)))
        found += of_mix
    return [
        *found,
        *_told(scaling.measure(scaling.AT_HOME, wishes.year, YEAR, wishes.readings), scaling.line),
    ]


def run_region(wishes: argparse.Namespace) -> Found:
    """The whole way of one file."""
    size = region.FULL if wishes.full else region.Size(wishes.patients, wishes.days)
    return _told([region.measure(size, wishes.folder)], region.text)


def run_backtest(wishes: argparse.Namespace) -> Found:
    """Two versions on the same region."""
    size = region.FULL if wishes.full else region.Size(wishes.patients, wishes.days)
    return _told([backtest.measure(size, wishes.folder)], backtest.text)


def run_peers(wishes: argparse.Namespace) -> Found:
    """Everybody on the same rules and readings, our engine first."""
    ours: list[Any] = []

    def line(one: side_by_side.Result) -> str:
        ours.append(one)
        return side_by_side.line(one, ours[0])

    size = side_by_side.Size(
        wishes.patients, wishes.days, twin=wishes.twin, zen=wishes.zen, esper=wishes.esper
    )
    return _told(side_by_side.measure(size), line)


def _told(measured: Iterable[Any], line: Callable[[Any], str]) -> Found:
    found: list[Any] = []
    for one in measured:
        print(line(one), flush=True)
        found.append(one)
    return found


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",") if each]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rules", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="the figures once more, for programs")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("engine", help="readings a second on one core, beside what memory allows")
    one.set_defaults(run=run_engine)
    one.add_argument("--patients", type=int, help="default 100,000; a tenth of them with wearables")
    one.add_argument("--readings", type=int, default=engine.FULL.live, help="of each live case")
    one = commands.add_parser("scaling", help="time a reading and memory a patient as patients become more")
    one.set_defaults(run=run_scaling)
    one.add_argument("--home", type=_numbers, default=[1_000, 10_000, 100_000, 1_000_000])
    one.add_argument("--worn", type=_numbers, default=[1_000, 3_000, 10_000])
    one.add_argument("--days", type=int, default=45, help="before time is taken: windows are full then")
    one.add_argument("--year", type=_numbers, default=[10_000], help=f"the same after {YEAR} days")
    one.add_argument("--readings", type=int, default=1_000_000, help="that are timed")
    for name, run, what in (
        ("region", run_region, "a region's readings from a Parquet file, on two cores"),
        ("backtest", run_backtest, "two versions of all programmes on the same file, with the report"),
    ):
        one = commands.add_parser(name, help=what)
        one.set_defaults(run=run)
        one.add_argument("--full", action="store_true", help="40,000 patients, a year, 73 million readings")
        one.add_argument("--patients", type=int, default=4_000)
        one.add_argument("--days", type=int, default=91)
        one.add_argument(
            "--folder", type=Path, help="where the file is for a while; 1.2 GB for a whole region"
        )
    one = commands.add_parser("peers", help="the same rules by others")
    one.set_defaults(run=run_peers)
    one.add_argument("--patients", type=int, default=20_000)
    one.add_argument("--days", type=int, default=60)
    for peer, patients in (("esper", 2_000), ("zen", 200), ("twin", 20)):
        one.add_argument(f"--{peer}", type=int, default=patients, help="the first patients only")
    return parser


def _plain(array: np.ndarray[Any, Any]) -> Any:
    """A matrix of patients by its sums."""
    return array.sum(axis=-1).tolist()


def main() -> None:
    """Command line."""
    wishes = _parser().parse_args()
    print(describe(), flush=True)
    found = wishes.run(wishes)
    if wishes.json:
        told = {"machine": describe(), wishes.command: [asdict(one) for one in found]}
        wishes.json.write_text(json.dumps(told, indent=2, default=_plain) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
