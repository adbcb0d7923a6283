"""How a command is told by which gate, as which client, and who includes the patients."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Option = Callable[[Any], Any]
Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["fhir", "json"]),
    default="json",
    show_default=True,
    help="What the client writes: FHIR Bundles, or plain JSON.",
)
_BEFORE: tuple[Option, ...] = (
    click.option(
        "--gate", metavar="URL", help="With --via http. Default: the gate's address in the settings."
    ),
    click.option("--client", "client_id", metavar="ID", help="As which client (`thuiswacht clients`)."),
    click.option("--key", type=_FILE, metavar="FILE.pem", help="Its private key; or --secret."),
    click.option("--secret", type=_FILE, metavar="FILE", help="The secret with which it signs."),
)
_WHO = click.option(
    "--as",
    "person_id",
    type=click.UUID,
    envvar="THUISWACHT_PERSON",
    metavar="ID",
    help="With --via http: who includes the patients, with their devices: an engineer of the client's "
    "organisation.",
)


def gate_options(*, formats: bool) -> Callable[[Command], Command]:
    """Adds `gate`, `client_id`, `key`, `secret`, `person_id`; with `formats` also `form`: what is sent."""
    options = (*_BEFORE, *((_FORMAT,) if formats else ()), _WHO)

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add
