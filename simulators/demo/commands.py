"""`thuiswacht demo`."""

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from simulators.commands import DEFAULT_START, LONGEST_DAYS

EXIT_DIFFERENT = 1


@click.command()
@click.option("--patients", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=60, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=7, show_default=True)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=DEFAULT_START,
    show_default=True,
    help="The first simulated day.",
)
@click.option("--headless", is_flag=True, help="Lines instead of a picture that redraws itself.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="The report as JSON, to here."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead of a table.")
@click.option(
    "--live-seconds",
    type=click.IntRange(0, 3_600),
    default=20,
    show_default=True,
    help="Stretch at live speed.",
)
@click.option(
    "--receivers/--no-receivers",
    default=True,
    show_default=True,
    help="Escalations to a mail server and a webhook receiver on this machine.",
)
@click.option(
    "--console/--no-console",
    default=True,
    show_default=True,
    help="The console, with a login for a nurse and one for a huisarts.",
)
@click.option(
    "--gate/--no-gate",
    default=True,
    show_default=True,
    help="A fifth of the patients delivers over HTTP, in FHIR and plain JSON, through the front gate.",
)
@click.option(
    "--kafka", metavar="HOST:PORT", help="A broker that already runs. Else THUISWACHT_KAFKA, else ours."
)
@click.option(
    "--postgres", metavar="DSN", help="An empty database that exists. Else THUISWACHT_POSTGRES, else ours."
)
def demo(
    patients: int,
    days: int,
    seed: int,
    start: datetime,
    headless: bool,
    report: Path | None,
    as_json: bool,
    live_seconds: int,
    receivers: bool,
    console: bool,
    gate: bool,
    kafka: str | None,
    postgres: str | None,
) -> None:
    """Watch simulated patients flow through real servers and services, and what the rules find.

    Starts Kafka, Postgres and the services, streams the simulated days through them as fast as they follow,
    then a stretch at live speed, and ends with a table. In between, alerts that nobody took on are escalated,
    and some of what arrives is shown. The console is there meanwhile, at the address that is printed. In a
    terminal all of it then stays up, at wall speed, until Ctrl-C. Leaves nothing running. Exits with 1 when
    sent is not stored + duplicate + quarantined, to the reading, an alert that had to come did not, or a
    message did not arrive.
    """
    from simulators.demo.report import Report, table
    from simulators.demo.run import Wishes, run

    moving = not headless and sys.stderr.isatty()
    wishes = Wishes(
        patients=patients,
        days=days,
        seed=seed,
        start=start.date(),
        live_s=live_seconds,
        moving=moving,
        kafka=kafka,
        postgres=postgres,
        receivers=receivers,
        console=console,
        gate=gate,
        stays=moving and console,
    )

    def tell(found: Report) -> None:
        text = json.dumps(found.as_json(), indent=2)
        if report is not None:
            report.write_text(text + "\n", encoding="utf-8")
        click.echo(text if as_json else table(found))

    found = run(wishes, tell)
    if found.differences:
        for difference in found.differences:
            click.echo(f"thuiswacht: {difference}", err=True)
        sys.exit(EXIT_DIFFERENT)
