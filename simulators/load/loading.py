"""`thuiswacht load`: the ground, a run or a search on it, and where the figures go."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import click

from models.errors import BadInput
from models.settings import Settings, load_settings
from simulators.gate.simulating import Given
from simulators.load.figures import write_histograms
from simulators.load.ground import Ground, on_servers, settings_of, with_services
from simulators.load.homes import Homes, homes_of
from simulators.load.pacing import Void
from simulators.load.report import Report, as_json, as_text, report, search_text
from simulators.load.run import Ran, run
from simulators.load.schedule import Profile, Wanted
from simulators.load.search import Highest, Next, Outcome, Tried, next_step
from simulators.stack import Stack

WARM_UP_S, WARM_UP_PER_S = 3.0, 100.0
SHORT_STEPS, LONG_STEPS = 20, 5
"""So many steps of a search have patients enough whose uploads alarm; hardly any takes more."""
MOST_UPLOADS = 50_000_000
"""More do not fit into memory with all that is noted of each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say. `through`: by HTTP, and who we are there; `probe_s`: to find the highest rate."""

    wanted: Wanted
    patients: int
    own_stack: bool
    through: Given | None
    lag_limit_ms: float
    probe_s: float | None
    resolution: float
    json_file: Path | None
    histogram: Path | None


def carry_out(asked: Asked, **where: str | None) -> None:
    """Does it, and tells what came of it. To be called in the main thread. **Raises**: as `run`."""
    _require_sense(asked, where)
    homes = homes_of(asked.wanted.seed, asked.patients)
    if not asked.own_stack:
        asyncio.run(_on_servers(asked, load_settings(**where), homes))
        return
    with Stack(allow_in_memory=False, say=tell) as stack:
        asyncio.run(_on_stack(asked, stack, homes))


async def _on_servers(asked: Asked, settings: Settings, homes: Homes) -> None:
    async with on_servers(settings, homes, asked.through) as ground:
        await measure(asked, ground)


async def _on_stack(asked: Asked, stack: Stack, homes: Homes) -> None:
    with tempfile.TemporaryDirectory(prefix="thuiswacht-load-") as folder:
        tell("starting the services and registering the patients")
        async with with_services(
            settings_of(stack),
            homes,
            Path(folder),
            kafka=stack.kafka_kind,
            by_http=asked.through is not None,
        ) as ground:
            await warm_up(ground, asked.wanted)
            await measure(asked, ground)


async def warm_up(ground: Ground, wanted: Wanted) -> None:
    """What services do for the first time they do slowly; nobody measures that. **Raises**: as `run`."""
    tell("warming up")
    # One alarm of them: whoever alarmed cannot do so again.
    alarms_per_s = 1 / WARM_UP_S if wanted.alarms_per_s else 0.0
    few = replace(
        wanted, profile=Profile.STEADY, rate=WARM_UP_PER_S, seconds=WARM_UP_S, alarms_per_s=alarms_per_s
    )
    await run(ground, few, lag_limit_ms=inf, tell=lambda _: None)


async def measure(asked: Asked, ground: Ground) -> None:
    """A run, or a search; what came of it on standard output and in the files. **Raises**: as `run`."""
    try:
        if asked.probe_s is not None:
            await search(asked, asked.probe_s, partial(_try, asked, ground))
            return
        ran, found = await _run(asked, ground, asked.wanted)
    except Void as void:
        _write(asked.json_file, {"void": True, "why": str(void)})
        raise
    click.echo(as_text(found))
    _write(asked.json_file, as_json(found))
    if asked.histogram is not None:
        write_histograms(asked.histogram, ran.begin_us, ran.stages.named())


async def _run(asked: Asked, ground: Ground, wanted: Wanted, *, gives_up: bool = False) -> tuple[Ran, Report]:
    ran = await run(ground, wanted, lag_limit_ms=asked.lag_limit_ms, gives_up=gives_up, tell=tell)
    via = "http" if ground.entrance is not None else "log"
    postgres = await ground.database.version()
    return ran, report(ran, wanted, patients=asked.patients, via=via, kafka=ground.kafka, postgres=postgres)


async def search(
    asked: Asked, probe_s: float, attempt: Callable[[Next], Awaitable[tuple[Tried, Report | None]]]
) -> None:
    """Tries rates until the highest that is held is known, and tells it. **Raises**: as `next_step`."""
    wanted, tried, reports = asked.wanted, list[Tried](), list[dict[str, Any]]()
    while True:
        step = next_step(tried, wanted.rate, probe_s, wanted.seconds, asked.resolution)
        if isinstance(step, Highest):
            break
        one, found = await attempt(step)
        tell(f"{one.rate:,.1f} uploads/s for {one.seconds:g} s: {one.outcome}{one.why and f', {one.why}'}")
        tried.append(one)
        reports.append({**asdict(one), "report": None if found is None else as_json(found)})
    click.echo(search_text(step, tried))
    _write(asked.json_file, {**asdict(step), "resolution": asked.resolution, "steps": reports})


async def _try(asked: Asked, ground: Ground, step: Next) -> tuple[Tried, Report | None]:
    alarms_per_s = alarms_of_step(asked, step, len(ground.homes) - ground.homes.ordinary)
    wanted = replace(asked.wanted, rate=step.rate, seconds=step.seconds, alarms_per_s=alarms_per_s)
    try:
        _, found = await _run(asked, ground, wanted, gives_up=True)
    except Void as void:
        return Tried(step.rate, step.seconds, Outcome.VOID, str(void).partition(". ")[0]), None
    why = found.held
    outcome = Outcome.HELD if why is None else Outcome.NOT_HELD
    return Tried(step.rate, step.seconds, outcome, why or ""), found


def alarms_of_step(asked: Asked, step: Next, kept: int) -> float:
    """Alarming uploads a second: so few that patients are left who can alarm when the best rate is held.

    `kept`: patients for alarming uploads, each for one.
    """
    if not asked.wanted.alarms_per_s:
        return 0.0
    whole_s = LONG_STEPS * asked.wanted.seconds + SHORT_STEPS * (asked.probe_s or 0.0)
    return min(asked.wanted.alarms_per_s, max(kept / whole_s, 1 / step.seconds))


def tell(line: str) -> None:
    """Where a long work is: a line on standard error."""
    sys.stderr.write(f"load: {line}\n")
    sys.stderr.flush()


def _require_sense(asked: Asked, where: Mapping[str, str | None]) -> None:
    wanted, given = asked.wanted, asked.through
    if wanted.uploads > MOST_UPLOADS:
        expected = f"at most {MOST_UPLOADS:,} uploads in a run"
        raise BadInput(where="--rate × --seconds", expected=expected, found=f"{wanted.uploads:,}")
    if not wanted.uploads:
        expected = "one upload at least"
        raise BadInput(
            where="--rate × --seconds", expected=expected, found=f"{wanted.rate * wanted.seconds:g}"
        )
    if asked.own_stack and any(where.values()):
        named = ", ".join(f"--{name}" for name, value in where.items() if value)
        raise BadInput(where="--stack", expected="servers of its own, and no others named", found=named)
    if asked.own_stack and given is not None and (given.client_id or given.gate):
        raise BadInput(where="--stack", expected="its own gate and client", found="--gate or --client")
    if asked.probe_s is not None and wanted.profile is Profile.BACKLOG:
        raise BadInput(where="--find-max", expected="a profile that can be held", found="backlog")
    if asked.probe_s is not None and asked.histogram is not None:
        raise BadInput(where="--histogram", expected="a single run", found="--find-max")
    for name, file in (("--json", asked.json_file), ("--histogram", asked.histogram)):
        if file is not None and not file.parent.is_dir():
            raise BadInput(where=name, expected="a file in a folder that is there", found=str(file))


def _write(file: Path | None, content: Mapping[str, Any]) -> None:
    if file is not None:
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
