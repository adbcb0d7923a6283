"""`thuiswacht simulate`."""

import json
from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

DEFAULT_START = "2026-03-02"
"""A Monday, so that two runs without dates are the same run; the clocks go forward in its fourth week."""
LONGEST_DAYS = 3_650
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MOST_PATIENTS = 1_000_000


@click.command()
@click.option("--patients", type=click.IntRange(1, MOST_PATIENTS), default=100, show_default=True)
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=30, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=7, show_default=True)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=DEFAULT_START,
    show_default=True,
    help="The first simulated day.",
)
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Simulated seconds per second.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="At most so many readings a second."
)
@click.option(
    "--out",
    default="-",
    show_default=True,
    metavar="FILE|-|kafka",
    help="A file or - for one message a line, or the log in Kafka.",
)
@click.option(
    "--labels", type=click.Path(dir_okay=False, path_type=Path), help="Planted deteriorations, to here."
)
@click.option(
    "--trouble",
    multiple=True,
    metavar="NAME=SHARE",
    help="How often something goes wrong, such as late=0.05 or duplicate=0; may be repeated.",
)
@click.option("--deteriorations", type=click.FloatRange(0, 1000), default=1.0, help="Times as many as usual.")
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
@click.option("--gate", metavar="URL", help="With --via http. Default: the gate's address in the settings.")
@click.option("--client", "client_id", metavar="ID", help="As which client (`thuiswacht clients`).")
@click.option("--key", type=_FILE, metavar="FILE.pem", help="Its private key; or --secret.")
@click.option("--secret", type=_FILE, metavar="FILE", help="The secret with which it signs.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["fhir", "json"]),
    default="json",
    show_default=True,
    help="What the client writes: FHIR Bundles, or plain JSON.",
)
@click.option(
    "--as",
    "person_id",
    type=click.UUID,
    envvar="THUISWACHT_PERSON",
    metavar="ID",
    help="Who includes the patients, with their devices: an engineer of the client's organisation.",
)
@click.option("--kafka", metavar="HOST:PORT", help="Default: THUISWACHT_KAFKA.")
@click.option("--topic", help="Default: THUISWACHT_TOPIC.")
@click.option("--partitions", type=click.IntRange(1, 10_000), help="Make the topic, where it does not exist.")
@click.option("--postgres", metavar="DSN", help="The database that reads the log; a live one is refused.")
@click.option(
    "--json", "as_json", is_flag=True, help="Say what was done as one JSON object, on standard error."
)
def simulate(
    patients: int,
    days: int,
    seed: int,
    start: datetime,
    speed: float | None,
    rate: float | None,
    out: str,
    labels: Path | None,
    trouble: tuple[str, ...],
    deteriorations: float,
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

    Patients with heart failure and high blood pressure measure, forget, get worse and better; devices send
    late, twice, in other units, or nonsense. With --out kafka everything goes to the log, which must belong
    to a trial database; otherwise to a file, one message a line.

    With --via http uploads go through the front gate, as a client that is registered; the patients are
    included in the register first. The gate has to run with THUISWACHT_GATEWAY_TIME=told for days that are
    not today's, and `thuiswacht register publish` beside it.
    """
    import asyncio
    from dataclasses import asdict

    from models.labels import About
    from models.settings import load_settings
    from simulators.devices.trouble import Rates
    from simulators.gate.simulating import Given, put_through_gate, wanted
    from simulators.pace import Pace
    from simulators.scenarios.scenario import Scenario
    from simulators.simulate import newest_programmes, put_out, write_labels
    from simulators.wire import Encoder

    settings = load_settings(kafka=kafka, topic=topic, postgres=postgres)
    through = None
    if via == "http":
        given = Given(out, gate, client_id, key, secret, form, person_id)
        through = asyncio.run(wanted(settings, given))
    scenario = Scenario(
        seed=seed,
        patients=patients,
        days=days,
        start=start.date(),
        programmes=newest_programmes(settings.programmes),
        rates=Rates().changed(trouble),
        deteriorations=deteriorations,
        registers=through is None,
        organisation=None if through is None else through.organisation_id,
    )
    encoder = Encoder(scenario, tick_s * 1_000_000)
    pace = Pace(speed, rate)
    if through is not None:
        done = asyncio.run(put_through_gate(through, settings, scenario, encoder, pace, quiet=as_json))
    else:
        done = asyncio.run(
            put_out(out, settings, scenario, encoder, pace, partitions=partitions, quiet=as_json)
        )
    if labels is not None:
        write_labels(scenario, labels)
    if as_json:
        ours = [label for label in scenario.labels() if label.about is About.PATIENT and not label.cut_off]
        planted = {"deteriorations_planted": len(ours)}
        click.echo(json.dumps(asdict(done) | planted), err=True)
