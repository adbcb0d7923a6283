"""The command `api`."""

import click


@click.command()
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
@click.option("--host", "api_host", metavar="ADDRESS", help="Where to listen. Default: THUISWACHT_API_HOST.")
@click.option("--port", "api_port", type=int, metavar="PORT", help="Default: THUISWACHT_API_PORT.")
@click.option("--probes-port", type=int, metavar="PORT", help="Port of /metrics, /healthz, /readyz; 0: none.")
def api(postgres: str | None, api_host: str | None, api_port: int | None, probes_port: int | None) -> None:
    """Serves the API: login, and everything that people and systems may do.

    Needs THUISWACHT_PUBLIC_URL and somebody who can tell who people are: an OpenID provider
    (THUISWACHT_OIDC_…), or in a trial database THUISWACHT_LOCAL_ACCOUNTS=true. Listens on this machine alone;
    for others put a TLS proxy before it. Refuses to start when anything is insecure or half done. Runs until
    SIGTERM or Ctrl-C.
    """
    import asyncio

    from ingest.gateway.configuration import read_configuration
    from models import logs
    from models.settings import load_settings

    settings = load_settings(postgres=postgres, api_host=api_host, api_port=api_port, probes_port=probes_port)
    logs.configure(settings.log_level)
    # What is wrong with the settings is said before anything large is loaded.
    configuration = read_configuration(settings)
    _ = settings.postgres_dsn

    from alerting.gateway.service import serve
    from ingest.service import until_told

    asyncio.run(until_told(lambda stop: serve(settings, configuration, stop)))
