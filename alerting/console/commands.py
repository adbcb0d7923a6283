"""The command `console`."""

import click


@click.command()
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
@click.option("--host", "api_host", metavar="ADDRESS", help="Where to listen. Default: THUISWACHT_API_HOST.")
@click.option("--port", "console_port", type=int, metavar="PORT", help="Default: THUISWACHT_CONSOLE_PORT.")
@click.option("--probes-port", type=int, metavar="PORT", help="Port of /metrics, /healthz, /readyz; 0: none.")
def console(
    postgres: str | None, api_host: str | None, console_port: int | None, probes_port: int | None
) -> None:
    """Serves the screens for nurses, huisartsen, coordinators and administrators.

    Needs what `thuiswacht api` needs: THUISWACHT_PUBLIC_URL, as browsers see it, THUISWACHT_IDENTITY_KEY, and
    an OpenID provider or, in a trial database, THUISWACHT_LOCAL_ACCOUNTS=true. Behind one TLS proxy with the
    API they share their logins. Refuses to start when anything is insecure or half done. Runs until SIGTERM.
    """
    import asyncio

    from ingest.gateway.configuration import read_configuration
    from models import logs
    from models.settings import load_settings

    settings = load_settings(
        postgres=postgres, api_host=api_host, console_port=console_port, probes_port=probes_port
    )
    logs.configure(settings.log_level)
    configuration = read_configuration(settings)
    _ = settings.postgres_dsn

    from alerting.console.service import serve
    from ingest.service import until_told

    asyncio.run(until_told(lambda stop: serve(settings, configuration, stop)))
