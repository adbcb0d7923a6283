"""`thuiswacht load`."""

from pathlib import Path
from uuid import UUID

import click

from simulators.gate.options import gate_options

MOST_PATIENTS = 1_000_000
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--profile",
    type=click.Choice(["steady", "morning", "herd", "burst", "backlog"]),
    default="steady",
    show_default=True,
    help="Evenly; as people measure from half past six to a quarter past ten; 10,000 devices back after an "
    "outage; half of it in bursts; or fresh uploads behind a million readings.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=500.0,
    show_default=True,
    help="Uploads a second, in the mean; each holds one reading, alarming ones two to four.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    help="How long; with --find-max, how long a rate must be held (300 unless given).",
)
@click.option(
    "--via",
    type=click.Choice(["log", "http"]),
    default="log",
    show_default=True,
    help="Into Kafka, or through the front gate.",
)
@click.option("--patients", type=click.IntRange(10, MOST_PATIENTS), default=12_500, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=7, show_default=True)
@click.option("--stack", is_flag=True, help="Start Kafka, Postgres and all services for this run alone.")
@click.option("--find-max", is_flag=True, help="Find the highest rate that is held, from --rate on.")
@click.option(
    "--probe-seconds",
    type=click.FloatRange(min=1),
    default=20.0,
    show_default=True,
    help="With --find-max: how long rates are tried before the best is held for --seconds.",
)
@click.option(
    "--resolution",
    type=click.FloatRange(0.001, 0.5),
    default=0.05,
    show_default=True,
    help="With --find-max: how near to the true one, as a share of it.",
)
@click.option("--alarms", type=click.FloatRange(0), default=5.0, show_default=True, help="A second.")
@click.option(
    "--backlog",
    type=click.IntRange(1, 100_000_000),
    default=1_000_000,
    show_default=True,
    help="With --profile backlog: readings that lie before what is fresh.",
)
@click.option(
    "--lag-limit-ms",
    type=click.FloatRange(min=0),
    default=25.0,
    show_default=True,
    help="A run in which the generator itself was later than this at p99 is void.",
)
@click.option("--json", "json_file", type=_OUT, metavar="FILE", help="All figures, for machines.")
@click.option(
    "--histogram",
    type=_OUT,
    metavar="FILE",
    help="HdrHistogram log: a line for each second and stage. Not with --find-max.",
)
@gate_options(formats=False)
@click.option("--kafka", metavar="HOST:PORT", help="Default: THUISWACHT_KAFKA.")
@click.option("--topic", help="Default: THUISWACHT_TOPIC.")
@click.option("--postgres", metavar="DSN", help="Default: THUISWACHT_POSTGRES. A live database is refused.")
def load(
    profile: str,
    rate: float,
    seconds: float,
    via: str,
    patients: int,
    seed: int,
    stack: bool,
    find_max: bool,
    probe_seconds: float,
    resolution: float,
    alarms: float,
    backlog: int,
    lag_limit_ms: float,
    json_file: Path | None,
    histogram: Path | None,
    gate: str | None,
    client_id: str | None,
    key: Path | None,
    secret: Path | None,
    person_id: UUID | None,
    kafka: str | None,
    topic: str | None,
    postgres: str | None,
) -> None:
    """Load the whole flow, and measure it from the moment at which each upload was planned.

    An open loop: what is due is sent whether or not what was sent before was answered, so nothing that is
    slow can make the load lighter. Before any figure is printed, every reading is looked up in the database,
    and the findings and alerts are compared with what had to be found.

    \b
      thuiswacht load --stack                           one command, servers of its own
      thuiswacht load --stack --find-max --rate 2000    the highest rate held for five minutes
      thuiswacht load --stack --profile backlog         how soon what is fresh alerts behind a million
      thuiswacht load --profile herd --json herd.json   against the servers of the settings

    Against servers of the settings, `ingest`, `alerting` and `clock` have to run there, and for --via http
    `gateway` and `register publish`; the database must be a trial one. Patients of a seed are entered once.

    \b
    Exit codes: 0 measured · 1 something is missing, altered or too much: no figures
                65 bad input · 75 VOID, the generator was the bottleneck: no figures; or something is away
                78 refused, as by a live database
    """  # noqa: D301 (click wants the backspace itself)
    from click.core import ParameterSource

    from simulators.gate.simulating import Given
    from simulators.load.loading import Asked, carry_out
    from simulators.load.schedule import Profile, Wanted

    context = click.get_current_context()
    if find_max and context.get_parameter_source("seconds") is ParameterSource.DEFAULT:
        seconds = 300.0
    wanted = Wanted(Profile(profile), rate, seconds, seed, alarms_per_s=alarms, backlog=backlog)
    given = Given("kafka", gate, client_id, key, secret, "json", person_id) if via == "http" else None
    asked = Asked(
        wanted,
        patients,
        stack,
        given,
        lag_limit_ms,
        probe_seconds if find_max else None,
        resolution,
        json_file,
        histogram,
    )
    carry_out(asked, kafka=kafka, topic=topic, postgres=postgres)
