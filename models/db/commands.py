"""`thuiswacht migrate`."""

import json

import click


@click.command()
@click.option(
    "--postgres",
    metavar="DSN",
    help="Address of the database, as a user who may create roles. Default: THUISWACHT_POSTGRES.",
)
@click.option(
    "--purpose",
    type=click.Choice(["live", "trial"]),
    required=True,
    help="What an empty database becomes, for ever: live (real patients) or trial (all else).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
def migrate(postgres: str | None, purpose: str, as_json: bool) -> None:
    """Bring a database to the schema that this version needs.

    Safe to run at every deploy, also twice at once: what is there already is left alone. Makes tables, the
    roles of the services (thuiswacht_ingest, thuiswacht_alerting, …; nobody logs in as these) and the kinds.
    """
    import asyncio

    from models.db.migrate import migrate as run
    from models.settings import load_settings

    dsn = load_settings(postgres=postgres).postgres_dsn
    applied = asyncio.run(run(dsn, purpose="live" if purpose == "live" else "trial"))
    if as_json:
        click.echo(json.dumps({"purpose": purpose, "applied": applied}))
        return
    for name in applied:
        click.echo(f"applied {name}")
    click.echo(f"The database is up to date ({purpose}).")
