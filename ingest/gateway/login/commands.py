"""The command `account`, for trials."""

from collections.abc import Awaitable, Callable
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
