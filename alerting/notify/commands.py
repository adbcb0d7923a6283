"""The command `webhook`."""

from uuid import UUID

import click


@click.group()
def webhook() -> None:
    """What receivers of webhooks need: nothing here is stored, everything follows from the key."""


@webhook.command()
@click.argument("address_id", type=click.UUID)
def secret(address_id: UUID) -> None:
    """Prints the secret by which a receiver checks what we sign; tell it by a safe way, once.

    ADDRESS_ID is what `POST /directory/addresses` answered. The secret is derived from
    THUISWACHT_WEBHOOK_KEY; while THUISWACHT_WEBHOOK_KEY_BEFORE is set too, the former one counts as well.
    The same secret signs FHIR transactions and messages to the app of a vendor at that address.
    """
    from alerting.notify.channels.webhook import as_told, secret_of
    from models.errors import RefuseToStart
    from models.settings import load_settings

    keys = load_settings().webhook_keys
    if not keys:
        raise RefuseToStart(
            "There is no key to derive secrets from: make one with `openssl rand -base64 32` and set it as "
            "THUISWACHT_WEBHOOK_KEY, here and for `thuiswacht dispatch`."
        )
    click.echo(as_told(secret_of(keys[0], address_id)))
