"""`thuiswacht simulate`."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from simulators.gate.options import gate_options

if TYPE_CHECKING:
    from simulators.cohorts.destination import Destination
    from simulators.scenarios.scenario import Scenario

DEFAULT_START = "2026-03-02"
"""A Monday, so that two runs without dates are the same run; the clocks go forward in its fourth week."""
LONGEST_DAYS = 3_650
MOST_PATIENTS = 1_000_000
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


def _list_scenarios(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    """Shows the scenarios that come with Thuiswacht, each with a sentence."""
    if not given or ctx.resilient_parsing:
        return
    from simulators.scenarios.files import packaged

    scenarios = packaged()
    longest = max(map(len, scenarios))
    for name, said in scenarios.items():
        click.echo(f"{name:{longest}}  {said.about}")
    ctx.exit()


@click.command()
@click.option(
    "--scenario",
    default="home",
    show_default=True,
    metavar="NAME|FILE.toml",
    help="Who is simulated and what happens to them; the options below say otherwise where they are given.",
)
@click.option(
    "--list-scenarios",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_scenarios,
    help="Show the scenarios that come with Thuiswacht, each with a sentence.",
)
@click.option("--patients", type=click.IntRange(1, MOST_PATIENTS), help="Default: the scenario's, as below.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS))
@click.option("--seed", type=click.IntRange(0, 2**63 - 1))
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="The first simulated day.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Simulated seconds per second.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="At most so many readings a second."
)
@click.option(
    "--out",
    default="-",
    show_default=True,
    metavar="FILE|-|kafka|FOLDER/|FILE.parquet",
    help="A file or - for one message a line; the log in Kafka; a folder for a cohort that evaluate and "
    "backtest read (readings, registrations, labels, and their sums); or its readings alone.",
)
@click.option("--labels", type=_NEW_FILE, help="What was planted, to here.")
@click.option("--registrations", type=_NEW_FILE, help="With FILE.parquet: the register's changes, to here.")
@click.option(
    "--trouble",
    multiple=True,
    metavar="NAME=SHARE",
    help="How often something goes wrong, such as late=0.05 or duplicate=0; may be repeated.",
)
@click.option("--deteriorations", type=click.FloatRange(0, 1000), help="Times as many as usual.")
@click.option(
    "--tick", "tick_s", type=click.IntRange(1, 86_400), default=900, help="Seconds between clock ticks."
)
@click.option(
    "--via",
    type=click.Choice(["log", "http"]),
    default="log",
    show_default=True,
    help="With --out kafka: uploads into the log itself, or through a front gate that runs.",
)
@gate_options(formats=True)
@click.option("--kafka", metavar="HOST:PORT", help="Default: THUISWACHT_KAFKA.")
@click.option("--topic", help="Default: THUISWACHT_TOPIC.")
@click.option("--partitions", type=click.IntRange(1, 10_000), help="Make the topic, where it does not exist.")
@click.option("--postgres", metavar="DSN", help="The database that reads the log; a live one is refused.")
@click.option(
    "--json", "as_json", is_flag=True, help="Say what was done as one JSON object, on standard error."
)
def simulate(
    scenario: str,
    patients: int | None,
    days: int | None,
    seed: int | None,
    start: datetime | None,
    speed: float | None,
    rate: float | None,
    out: str,
    labels: Path | None,
    registrations: Path | None,
    trouble: tuple[str, ...],
    deteriorations: float | None,
    tick_s: int,
    via: str,
    gate: str | None,
    client_id: str | None,
    key: Path | None,
    secret: Path | None,
    form: str,
    person_id: UUID | None,
    kafka: str | None,
    topic: str | None,
    partitions: int | None,
    postgres: str | None,
    as_json: bool,
) -> None:
    """Simulate patients at home: the same arguments give the same log, to the byte.

    Patients measure, forget, get worse and better; devices send late, twice, in other units, or nonsense.
    With --out kafka everything goes to the log, which must belong to a trial database; otherwise to files.

    With --via http uploads go through the front gate, as a client that is registered; the patients are
    included in the register first. The gate has to run with THUISWACHT_GATEWAY_TIME=told for days that are
    not today's, and `thuiswacht register publish` beside it.
    """
    import asyncio
    from dataclasses import asdict

    from models.settings import load_settings
    from simulators.cohorts.destination import Destination
    from simulators.gate.simulating import Given, put_through_gate, wanted
    from simulators.pace import Pace
    from simulators.scenarios.files import load_scenario
    from simulators.scenarios.scenario import Scenario
    from simulators.simulate import newest_programmes, put_out, write_labels
    from simulators.wire import Encoder

    settings = load_settings(kafka=kafka, topic=topic, postgres=postgres)
    said = load_scenario(scenario).changed(
        trouble,
        patients=patients,
        days=days,
        seed=seed,
        start=None if start is None else start.date(),
        deteriorations=deteriorations,
    )
    destination = Destination.of(out, registrations, labels)
    through = None
    if via == "http":
        given = Given(out, gate, client_id, key, secret, form, person_id)
        through = asyncio.run(wanted(settings, given))
    made = Scenario.of(
        said,
        newest_programmes(settings.programmes),
        registers=through is None,
        organisation=None if through is None else through.organisation_id,
    )
    if destination is not None:
        _write(made, destination, as_json=as_json)
        return
    encoder, pace = Encoder(made, tick_s * 1_000_000), Pace(speed, rate)
    if through is not None:
        done = asyncio.run(put_through_gate(through, settings, made, encoder, pace, quiet=as_json))
    else:
        done = asyncio.run(put_out(out, settings, made, encoder, pace, partitions=partitions, quiet=as_json))
    if labels is not None:
        write_labels(made, labels)
    if as_json:
        click.echo(json.dumps(asdict(done) | _planted(made)), err=True)


def _write(made: "Scenario", destination: "Destination", *, as_json: bool) -> None:
    """Runs a scenario into files, and says how many readings they hold."""
    from simulators.cohorts.cohort import write_to
    from simulators.simulate import show_progress

    found = write_to(made, destination, tell=None if as_json else show_progress)
    if as_json:
        told = {"patients": len(made.population), "days": made.days, "readings": found.readings}
        click.echo(json.dumps(told | {"digest": found.digest} | _planted(made)), err=True)
    else:
        where = destination.folder or destination.readings
        told = f"{found.readings:,} readings of {len(made.population):,} patients in {where}"
        show_progress(f"{told}, digest {found.digest[:12]}", end="\n")


def _planted(made: "Scenario") -> dict[str, int]:
    """How many deteriorations a rule could have found."""
    from models.labels import About

    ours = [label for label in made.labels() if label.about is About.PATIENT and not label.cut_off]
    return {"deteriorations_planted": len(ours)}
