"""What programmes find and cost on patients who do not exist, beside what was published.

`python -m benchmarks.clinical calibration`, `table`, `burden`, each with `--help`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.clinical import burden, table
from benchmarks.clinical.trial import REPORTED_ON, Lives, Trial
from simulators.patients import statistics

QUICK = 4
"""A quick run has so many times fewer patients and days, of two seeds: to see that it works."""
VARIED_SEEDS = 4


def run_calibration(wishes: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """Simulated beside published; whether all of it holds."""
    patients = 300 if wishes.quick else statistics.PATIENTS
    found = statistics.calibration(patients=patients)
    print(statistics.table(found))
    holds = all(one.holds for one in found)
    return {"patients": patients, "statistics": [asdict(one) | {"holds": one.holds} for one in found]}, holds


def run_table(wishes: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """Each rule on the same heart-failure cohort."""
    trial = table.try_table(_lives(table.FULL, wishes), _tell)
    rows = table.tried(trial, wishes.draws)
    held = table.orderings(rows)
    _print(table.lines(rows, held))
    return {"lives": _said(trial), **table.content(rows, held)}, True


def run_burden(wishes: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """The Dutch load, hypertension and heart failure as shipped; and under other numbers."""
    pressures_lives, hearts_lives = _lives(burden.PRESSURES, wishes), _lives(burden.HEARTS, wishes)
    pressures = burden.try_pressures(pressures_lives, _tell)
    reproduced = burden.reproduced(pressures, wishes.draws)
    print("hypertension")
    _print(burden.lines_of_reproduced(reproduced))
    content: dict[str, Any] = {"aims": burden.AIMS, "reproduced": asdict(reproduced)}
    hearts = burden.try_hearts(hearts_lives, _tell)
    for name, trial in (("hypertension", pressures), ("heart failure", hearts)):
        loads = burden.loads(trial, wishes.draws)
        print(name)
        for load in loads.values():
            _print(burden.lines(load))
        of_each = {version: asdict(load) for version, load in loads.items()}
        content[name.replace(" ", "_")] = {"lives": _said(trial), "versions": of_each}
    if wishes.vary:
        content["varied"] = _varied(hearts_lives, pressures_lives, wishes)
    return content, True


def _varied(hearts: Lives, pressures: Lives, wishes: argparse.Namespace) -> list[dict[str, Any]]:
    few = [replace(lives, seeds=lives.seeds[: wishes.vary_seeds]) for lives in (hearts, pressures)]
    print(burden.VARIED_HEAD)
    found: list[dict[str, Any]] = []
    for one in burden.varied(few[0], few[1], _tell, wishes.draws):
        print(burden.line_of_varied(one), flush=True)
        found.append(asdict(one))
    return found


def _lives(full: Lives, wishes: argparse.Namespace) -> Lives:
    seeds = wishes.seeds
    if wishes.quick:
        return replace(full, patients=full.patients // QUICK, days=full.days // QUICK, seeds=seeds[:2])
    return replace(full, seeds=seeds)


def _said(trial: Trial) -> dict[str, Any]:
    """Who was simulated, with the digest of each cohort."""
    return {
        **asdict(replace(trial.lives, seeds=list(trial.lives.seeds))),
        "patient_days": float(trial.followed.days.sum()),
        "events": int(trial.events.counts.sum()),
        "events_with_signs": int((trial.events.counts & trial.events.detectable).sum()),
        "cohorts": [asdict(one) for one in trial.cohorts],
    }


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _print(lines: Any) -> None:
    for line in lines:
        print(line, flush=True)


def _seeds(text: str) -> Sequence[int]:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line (`arguments`, where it is called by others); 1 where a statistic is not held."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clinical", description=__doc__)
    parser.add_argument("--json", type=Path, help="figures, seeds and digests of the cohorts, to a file")
    parser.add_argument(
        "--quick", action="store_true", help="a few patients for some weeks: to see that it works"
    )
    parser.add_argument("--draws", type=int, default=table.DRAWS, help="resamples of an interval")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in (("calibration", run_calibration), ("table", run_table), ("burden", run_burden)):
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        if run is not run_calibration:
            command.add_argument("--seeds", type=_seeds, default=REPORTED_ON, help="as 101-120, the default")
        if run is run_burden:
            command.add_argument(
                "--vary", action="store_true", help="also with each group of numbers ± 30 %%"
            )
            command.add_argument("--vary-seeds", type=int, default=VARIED_SEEDS, help="of so many seeds")
    wishes = parser.parse_args(arguments)
    content, right = wishes.run(wishes)
    if wishes.json is not None:
        content = {"command": wishes.command, "quick": wishes.quick, "draws": wishes.draws, **content}
        text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
        wishes.json.write_text(f"{text}\n", encoding="utf-8")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
