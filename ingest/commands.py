"""The commands `ingest` and `clock`."""

import click


@click.command()
@click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. Default: THUISWACHT_KAFKA.")
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
@click.option("--topic", metavar="NAME", help="The topic of the log. Default: THUISWACHT_TOPIC.")
@click.option("--probes-port", type=int, metavar="PORT", help="Port of /metrics, /healthz, /readyz; 0: none.")
def ingest(kafka: str | None, postgres: str | None, topic: str | None, probes_port: int | None) -> None:
    """Stores every reading of the log, once, and what cannot be stored in quarantine.

    Runs until SIGTERM or Ctrl-C, which finish the batch in flight. Start as many as you like, up to one for
    each partition of the log: they share the work. While Kafka or Postgres is away it waits and goes on by
    itself. Everything else is set by THUISWACHT_… variables; see the README.
    """
    import asyncio

    from models import logs
    from models.settings import load_settings

    settings = load_settings(kafka=kafka, postgres=postgres, topic=topic, probes_port=probes_port)
    logs.configure(settings.log_level)
    # What is wrong with the settings is said before anything is compiled.
    _ = settings.postgres_dsn

    from ingest.service import serve
    from ingest.worker import IngestHandler, warm_up

    warm_up()
    asyncio.run(
        serve(
            lambda pool, _: IngestHandler(pool, settings),
            settings,
            role="thuiswacht_ingest",
            application="thuiswacht-ingest",
        )
    )


@click.command()
@click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. Default: THUISWACHT_KAFKA.")
@click.option("--topic", metavar="NAME", help="The topic of the log. Default: THUISWACHT_TOPIC.")
@click.option("--probes-port", type=int, metavar="PORT", help="Port of /metrics, /healthz, /readyz; 0: none.")
def clock(kafka: str | None, topic: str | None, probes_port: int | None) -> None:
    """Writes the time into every partition of the log, once a second.

    The rules know no other clock: without one, silence is not noticed. Runs until SIGTERM or Ctrl-C. A second
    one on another machine does no harm as long as both machines keep time: a machine that is ahead moves
    the rules ahead for good. Not for simulated time: `demo` and `simulate` bring their own.
    """
    import asyncio

    from ingest.clock import run_clock
    from ingest.service import until_told
    from models import logs
    from models.probes import Health, serving
    from models.settings import load_settings
    from models.watchdog import watched

    settings = load_settings(kafka=kafka, topic=topic, probes_port=probes_port)
    logs.configure(settings.log_level)
    health = Health(needs=("broker",), stall_after_s=settings.stall_timeout_s)
    probes = serving(health, settings.probes_host, settings.probes_port)
    with watched(health, settings.stall_exit_s), probes:
        asyncio.run(until_told(lambda stop: run_clock(settings, stop=stop, health=health)))
