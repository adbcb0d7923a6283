"""The commands `policy check` and `roster show`: whether files are right, and who is responsible when."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from models.errors import BadInput
from models.escalations import Recipient

RECIPIENTS = click.Choice([recipient.value for recipient in Recipient])


@click.group()
def policy() -> None:
    """Checks who is asked when: policies, rosters, the list of teleconsultation."""


@policy.command()
@click.argument("files", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))
def check(files: Sequence[Path]) -> None:
    """Says all that is wrong with each FILE, with its line, and draws what is right.

    A FILE is a policy, a roster or a list of teleconsultation; of a folder, all are looked at, and whether
    anybody or any alert is left out. Without FILE: all that comes with Thuiswacht.

    Exit codes: 0 all are right, 65 some are not.
    """
    from alerting.escalation.checking import PACKAGED
    from alerting.escalation.checking import check as check_all
    from alerting.yaml_files import BadFile

    checked = check_all(files or PACKAGED)
    for line in checked.drawn():
        click.echo(line)
    if checked.errors:
        raise BadFile(checked.errors)


@click.group()
def roster() -> None:
    """Says who is responsible at a moment."""


@roster.command()
@click.option(
    "--at", "at", metavar="TIME", help="ISO 8601, in Europe/Amsterdam where it has no offset. Default: now."
)
@click.option("--recipient", "names", multiple=True, type=RECIPIENTS, help="Only for these.")
@click.option(
    "--rosters",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of roster files, in place of those that come with Thuiswacht.",
)
def show(at: str | None, names: Sequence[str], folder: Path | None) -> None:
    """Prints who answers for each recipient at TIME, from when until when by the clocks of Amsterdam."""
    from alerting.escalation.calendar import local
    from alerting.escalation.drawing import columns
    from alerting.escalation.roster_files import PACKAGED, load_rosters
    from models.clock import wall_now_us

    at_us = wall_now_us() if at is None else _moment_us(at)
    book = load_rosters(folder or PACKAGED)
    rows = [("asked", "answers", "duty", "shift", "from", "until", "title")]
    for recipient in map(Recipient, names or [one.value for one in Recipient]):
        duty = book.on_duty(recipient, at_us)
        times = _written(local(duty.from_us)), _written(local(duty.until_us))
        rows.append((recipient, duty.recipient, duty.name, duty.shift, *times, book.title(duty).nl))
    click.echo(f"at {_written(local(at_us))}")
    for line in columns(rows):
        click.echo(line)


def _written(at: datetime) -> str:
    """A local time with its offset, which tells the two apart that a clock shows twice."""
    return f"{at:%a %Y-%m-%d %H:%M}{at:%z}"


def _moment_us(text: str) -> int:
    """**Units**: microseconds since 1970 UTC. **Raises**: BadInput."""
    from alerting.escalation.calendar import AMSTERDAM
    from models.clock import to_us

    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(where="--at", expected="a time as 2026-12-25T23:00", found=text) from error
    if at.tzinfo is not None:
        return to_us(at)
    first, second = (at.replace(tzinfo=AMSTERDAM, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        expected = "a time with its offset: the clocks change, and this one comes twice or not at all"
        raise BadInput(where="--at", expected=f"{expected}, as {text}+01:00", found=text)
    return to_us(first)
