"""The command `clients`: the systems that deliver, or fetch, by themselves."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import click

if TYPE_CHECKING:
    from ingest.delivery.clients.registry import Made, WantedKey
    from models.db.pool import Pool
    from models.settings import Settings

Result = TypeVar("Result")
Command = TypeVar("Command", bound=Callable[..., Any])

_POSTGRES = click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
_KEY_OPTIONS = (
    click.option(
        "--key",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE.pem",
        help="Its public key: it signs for a token (OAuth 2, private_key_jwt).",
    ),
    click.option(
        "--hmac",
        is_flag=True,
        help="A secret with which it signs each request; made here and shown once, or see --secret-file. "
        "Sealed with THUISWACHT_GATEWAY_KEY.",
    ),
    click.option(
        "--secret-file",
        type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
        metavar="FILE|-",
        help="With --hmac: the secret that a vendor chose, from a file or (-) standard input.",
    ),
    click.option(
        "--certificate",
        metavar="FILE|SUBJECT",
        help="Its certificate, which your proxy verifies: a file, known by its SHA-256, or the name in it, "
        "such as CN=hub.example,O=Example.",
    ),
)


def _key_options(command: Command) -> Command:
    for option in reversed(_KEY_OPTIONS):
        command = option(command)
    return command


@click.group()
def clients() -> None:
    """Systems that deliver readings or fetch messages by themselves, and the keys by which they are known.

    A system has one or several keys: a public key (it signs for a token of ten minutes), a secret (it signs
    each request), or a certificate that the proxy before us verifies.
    """


@clients.command("add")
@click.argument("client_id")
@_key_options
@click.option(
    "--organisation",
    "organisation_id",
    type=click.UUID,
    required=True,
    help="Id of a registered organisation.",
)
@click.option("--name", metavar="TEXT", help="What to call it. Default: CLIENT_ID.")
@click.option(
    "--names-patients",
    is_flag=True,
    help="It may say for which of its organisation's patients it delivers, also by BSN (a hospital's). "
    "Without: it speaks for the devices that are on loan alone.",
)
@click.option(
    "--rate",
    "per_second",
    type=click.FloatRange(min=0, min_open=True, max=100_000),
    help="Requests a second in the long run, at each instance of the gate. Default: 50.",
)
@click.option("--burst", type=click.IntRange(1, 1_000_000), help="And at once. Default: four seconds' worth.")
@click.option("--adapter", metavar="NAME", help="Of a vendor's cloud: which adapter reads its webhooks.")
@_POSTGRES
def add(
    client_id: str,
    key: Path | None,
    hmac: bool,
    secret_file: Path | None,
    certificate: str | None,
    organisation_id: UUID,
    name: str | None,
    names_patients: bool,
    per_second: float | None,
    burst: int | None,
    adapter: str | None,
    postgres: str | None,
) -> None:
    """Register a system, with one of --key, --hmac and --certificate. It acts in the role `service`.

    \b
      thuiswacht clients add hub-17 --organisation ID --hmac
      thuiswacht clients add vendor-a --organisation ID --key vendor-a.pem --rate 200
      thuiswacht clients add hospital --organisation ID --certificate CN=epd.example --names-patients
    """  # noqa: D301 (the backspace tells click not to rewrap the list)
    from ingest.delivery.clients import registry
    from models.clock import wall_now_us
    from models.db.clients import PER_SECOND

    settings = _settings(postgres)
    wanted = registry.WantedClient(
        client_id,
        name or client_id,
        organisation_id,
        _wanted(key, hmac, secret_file, certificate),
        names_patients=names_patients,
        per_second=per_second or PER_SECOND,
        burst=burst,
        adapter=adapter,
    )
    sealing = _sealing(settings, needed=hmac)
    made = _run(settings, lambda pool: registry.add_client(pool, wanted, sealing, wall_now_us()))
    click.echo(f"Client {client_id} was added.")
    _tell(made)


@clients.command("rotate")
@click.argument("client_id")
@_key_options
@click.option(
    "--keep",
    "keep_h",
    type=click.FloatRange(0, 24 * 365),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="For so long its keys of that kind go on to count; 0: they end at once, their tokens too.",
)
@_POSTGRES
def rotate(
    client_id: str,
    key: Path | None,
    hmac: bool,
    secret_file: Path | None,
    certificate: str | None,
    keep_h: float,
    postgres: str | None,
) -> None:
    """Give a system another key, beside the one that it has until that ends."""
    from ingest.delivery.clients import registry
    from models.clock import wall_now_us

    settings = _settings(postgres)
    wanted, sealing = _wanted(key, hmac, secret_file, certificate), _sealing(settings, needed=hmac)
    keep_s = round(keep_h * 3600)
    made = _run(
        settings,
        lambda pool: registry.rotate_key(
            pool, client_id, wanted, sealing, keep_s=keep_s, now_us=wall_now_us()
        ),
    )
    ends = f"those before it end in {keep_h:g} hours" if keep_s else "those before it have ended"
    click.echo(f"Client {client_id} has key {made.number}; {ends}.")
    _tell(made)


@clients.command("revoke")
@click.argument("client_id")
@click.option("--key", "number", type=click.IntRange(1), metavar="NUMBER", help="Only this key of it.")
@_POSTGRES
def revoke(client_id: str, number: int | None, postgres: str | None) -> None:
    """End a system, or one key of it, at once, its tokens too. Its id is not given again."""
    from ingest.delivery.clients import registry
    from models.clock import wall_now_us

    settings = _settings(postgres)
    _run(settings, lambda pool: registry.revoke(pool, client_id, number, wall_now_us()))
    what = "" if number is None else f"Key {number} of "
    click.echo(f"{what}{'client' if what else 'Client'} {client_id} was revoked; its tokens have ended.")


@clients.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, for scripts.")
@_POSTGRES
def list_(as_json: bool, postgres: str | None) -> None:
    """List the systems: organisation, what they may, their keys with age and day of last use; no secrets."""
    import json

    from ingest.delivery.clients import registry
    from ingest.delivery.clients.listing import lines_of, structure
    from models.clock import wall_now_us

    found = _run(_settings(postgres), registry.list_clients)
    now_us = wall_now_us()
    if as_json:
        click.echo(json.dumps([structure(one, now_us) for one in found]))
        return
    for one in found:
        click.echo("\n".join(lines_of(one, now_us)))


def _wanted(key: Path | None, hmac: bool, secret_file: Path | None, certificate: str | None) -> "WantedKey":
    from ingest.delivery.clients.registry import WantedKey

    if sum((key is not None, hmac, certificate is not None)) != 1:
        raise click.UsageError("Give one of --key, --hmac and --certificate.")
    if secret_file is not None and not hmac:
        raise click.UsageError("--secret-file comes with --hmac.")
    if key is not None:
        return WantedKey(public_key=key.read_text("utf-8"))
    if certificate is not None:
        file = Path(certificate)
        return WantedKey(certificate=file.read_bytes()) if file.is_file() else WantedKey(subject=certificate)
    if secret_file is None:
        return WantedKey(hmac=True)
    text = sys.stdin.read() if str(secret_file) == "-" else secret_file.read_text("utf-8")
    return WantedKey(hmac=True, secret=text)


def _sealing(settings: "Settings", *, needed: bool) -> Any:
    from ingest.delivery.clients.sealing import Sealing
    from models.settings import gateway_key

    return Sealing(gateway_key(settings)) if needed else None


def _settings(postgres: str | None) -> "Settings":
    from models.settings import load_settings

    return load_settings(postgres=postgres)


def _tell(made: "Made") -> None:
    if made.secret is not None:
        click.echo(f"Its secret (shown once), to sign each request with: {made.secret}")


def _run(settings: "Settings", work: "Callable[[Pool], Awaitable[Result]]") -> Result:
    import asyncio

    from models.db.pool import connected

    async def run() -> Result:
        async with connected(
            settings.postgres_dsn,
            role="thuiswacht_login",
            application="thuiswacht-administration",
            max_size=1,
        ) as pool:
            return await work(pool)

    return asyncio.run(run())
