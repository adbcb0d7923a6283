"""`thuiswacht alerting`: the service on the command line."""

import asyncio
from pathlib import Path

import click


@click.command()
@click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. [THUISWACHT_KAFKA]")
@click.option("--topic", help="The topic of the log. [THUISWACHT_TOPIC]")
@click.option(
    "--programmes",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of programme files, in place of those that come with Thuiswacht. [THUISWACHT_PROGRAMMES]",
)
@click.option(
    "--probes-port", type=int, help="Port of /metrics, /healthz, /readyz; 0: none. [THUISWACHT_PROBES_PORT]"
)
def alerting(kafka: str | None, topic: str | None, programmes: Path | None, probes_port: int | None) -> None:
    """Evaluates the rules on every reading, and keeps findings and alerts.

    Reads the log as consumer group thuiswacht.alerting and writes to the database of THUISWACHT_POSTGRES.
    Several may run at once: Kafka shares the patients among them. Ends on Ctrl-C or SIGTERM, with the batch
    in flight committed; may be killed at any time and goes on where it was.
    """
    from alerting.service import serve
    from models import logs
    from models.settings import load_settings

    settings = load_settings(kafka=kafka, topic=topic, programmes=programmes, probes_port=probes_port)
    logs.configure(settings.log_level)
    asyncio.run(serve(settings))
