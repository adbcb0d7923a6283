"""The command `gateway`."""

import click


@click.command()
@click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. Default: THUISWACHT_KAFKA.")
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
@click.option("--topic", metavar="NAME", help="The topic of the log. Default: THUISWACHT_TOPIC.")
@click.option("--host", "gateway_host", metavar="ADDRESS", help="Default: THUISWACHT_GATEWAY_HOST.")
@click.option("--port", "gateway_port", type=int, metavar="PORT", help="Default: THUISWACHT_GATEWAY_PORT.")
@click.option("--probes-port", type=int, metavar="PORT", help="Port of /metrics, /healthz, /readyz; 0: none.")
def gateway(
    kafka: str | None,
    postgres: str | None,
    topic: str | None,
    gateway_host: str | None,
    gateway_port: int | None,
    probes_port: int | None,
) -> None:
    """The front gate: devices, vendors and hospital systems deliver here, in FHIR or plain JSON.

    What is answered with 2xx is in the log; where that cannot be had in time the answer is 503, and whoever
    sent it sends it again. Needs THUISWACHT_GATEWAY_KEY, the same for all instances: start as many as you
    like, side by side. Listens on this machine alone; for others put a TLS proxy before it. Refuses to start
    when anything is insecure or half done. Runs until SIGTERM or Ctrl-C, which finish the requests in flight.
    """
    import asyncio

    import uvloop

    from models import logs
    from models.settings import load_settings

    settings = load_settings(
        kafka=kafka,
        postgres=postgres,
        topic=topic,
        gateway_host=gateway_host,
        gateway_port=gateway_port,
        probes_port=probes_port,
    )
    logs.configure(settings.log_level)

    from ingest.gateway.delivery.service import read_configuration, serve
    from ingest.service import until_told

    configuration = read_configuration(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_told(lambda stop: serve(configuration, stop)))
