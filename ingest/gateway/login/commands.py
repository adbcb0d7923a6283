"""The commands `account` (trials only) and `client`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import click

if TYPE_CHECKING:
    from models.db.pool import Pool

Result = TypeVar("Result")

_POSTGRES = click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
_ORGANISATION = click.option(
    "--organisation",
    "organisation_id",
    type=click.UUID,
    required=True,
    help="Id of a registered organisation.",
)


@click.group()
def account() -> None:
    """Local accounts of a trial database; in a live one people log in at their organisation."""


@account.command("add")
@click.argument("name")
@_ORGANISATION
@click.option("--role", required=True, metavar="ROLE", help="nurse, huisarts, coordinator, …")
@click.option("--person-name", metavar="TEXT", help="What to call them. Default: NAME.")
@click.option(
    "--generate", is_flag=True, help="Make a password and print it once, in place of asking for one."
)
@_POSTGRES
def add_account(
    name: str, organisation_id: UUID, role: str, person_name: str | None, generate: bool, postgres: str | None
) -> None:
    """Add an account: asks for a password, and prints the secret of its second factor, once."""
    import secrets

    from ingest.gateway.login import administration

    if generate:
        password = secrets.token_urlsafe(15)
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    wanted = administration.WantedAccount(name, person_name or name, organisation_id, role, password)
    added = _run(postgres, lambda pool: administration.add_account(pool, wanted))
    click.echo(f"Account {added.name} was added.")
    if generate:
        click.echo(f"Password (shown once): {password}")
    click.echo(f"Second factor (shown once), to type or to scan: {added.totp_secret}\n{added.otpauth}")


@account.command("list")
@_POSTGRES
def list_accounts(postgres: str | None) -> None:
    """List the accounts: name, role, organisation."""
    from ingest.gateway.login import administration

    for one in _run(postgres, administration.list_accounts):
        click.echo(f"{one.name}  {one.user.role}  {one.user.organisation_id}")


@account.command("remove")
@click.argument("name")
@_POSTGRES
def remove_account(name: str, postgres: str | None) -> None:
    """Remove an account, and end its sessions."""
    from ingest.gateway.login import administration

    _run(postgres, lambda pool: administration.remove_account(pool, name))
    click.echo(f"Account {name} was removed; its sessions have ended.")


@click.group()
def client() -> None:
    """Systems that log in by themselves, with a key of their own (OAuth 2, private_key_jwt)."""


@client.command("add")
@click.argument("client_id")
@click.option(
    "--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, metavar="FILE.pem",
    help="Its public key.",
)  # fmt: skip
@_ORGANISATION
@click.option("--name", metavar="TEXT", help="What to call it. Default: CLIENT_ID.")
@_POSTGRES
def add_client(
    client_id: str, key: Path, organisation_id: UUID, name: str | None, postgres: str | None
) -> None:
    """Register a system: from now on what its key signs gets a token, in the role `service`."""
    from ingest.gateway.login import administration

    wanted = administration.WantedClient(
        client_id, name or client_id, organisation_id, key.read_text("utf-8")
    )
    _run(postgres, lambda pool: administration.add_client(pool, wanted))
    click.echo(f"Client {client_id} was added.")


@client.command("list")
@_POSTGRES
def list_clients(postgres: str | None) -> None:
    """List the systems: id, organisation."""
    from ingest.gateway.login import administration

    for one in _run(postgres, administration.list_clients):
        click.echo(f"{one.client_id}  {one.user.organisation_id}")


@client.command("remove")
@click.argument("client_id")
@_POSTGRES
def remove_client(client_id: str, postgres: str | None) -> None:
    """Remove a system, and end its tokens."""
    from ingest.gateway.login import administration

    _run(postgres, lambda pool: administration.remove_client(pool, client_id))
    click.echo(f"Client {client_id} was removed; its tokens have ended.")


def _run(postgres: str | None, work: "Callable[[Pool], Awaitable[Result]]") -> Result:
    import asyncio

    from models.db.pool import connected
    from models.settings import load_settings

    dsn = load_settings(postgres=postgres).postgres_dsn

    async def run() -> Result:
        async with connected(
            dsn, role="thuiswacht_login", application="thuiswacht-administration", max_size=1
        ) as pool:
            return await work(pool)

    return asyncio.run(run())
