"""The commands `thuiswacht quarantine …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import click

from ingest.on_command import acting_as, acting_options, who_of
from models.access import Action
from models.audit import Kind
from models.columns import Reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ingest.acting import Acting
    from models.db.refused import Shown

_Done = TypeVar("_Done")
_reason = click.option("--reason", type=click.Choice([one.value for one in Reason]), help="Only for this.")


@click.group()
def quarantine() -> None:
    """Readings that were refused, of patients whom one may see; the look is on record.

    What these print is about patients: handle it as such.
    """


@quarantine.command("list")
@acting_options()
@_reason
@click.option("--retried", is_flag=True, help="Also what was tried again.")
def list_(*, reason: str | None, retried: bool, **options: Any) -> None:
    """List what was refused, the newest first: place, reason, field, what was expected and what was found."""
    from ingest.quarantine.acts import look

    async def work(act: Acting) -> Sequence[Shown]:
        return await look(act, None if reason is None else Reason(reason), retried_too=retried)

    for one in _do(work, Action.QUARANTINE_READ, Kind.READ, options):
        about = " ".join(filter(None, (one.source, one.device_id, one.kind)))
        click.echo(
            f"{one.partition}-{one.offset}  {one.patient_id}  {one.reason}  {one.field or '-'}: "
            f"expected {one.expected}, found {one.found}  {about}"
        )


@quarantine.command()
@acting_options()
@_reason
@click.argument("places", metavar="[PARTITION-OFFSET]...", nargs=-1)
def retry(*, reason: str | None, places: tuple[str, ...], **options: Any) -> None:
    """Have refused messages tried again: some, or with --reason all that were refused for it.

    Needs `thuiswacht register publish`, which tells the log. What is refused once more is listed anew.
    """
    from ingest.quarantine.acts import try_again
    from ingest.quarantine.forms import RetryForm
    from ingest.register.forms import filled_in

    form = filled_in(RetryForm, {"places": places, "reason": reason})

    async def work(act: Acting) -> int:
        return await try_again(act, form)

    click.echo(f"{_do(work, Action.QUARANTINE_RETRY, Kind.UPDATE, options)} messages are tried again.")


def _do(
    work: Callable[[Acting], Awaitable[_Done]], action: Action, kind: Kind, options: dict[str, Any]
) -> _Done:
    import asyncio

    from models.db.pool import connected
    from models.settings import load_settings

    person_id: UUID = options["person_id"]
    who = who_of(person_id, options["organisation_id"], options["role"])
    dsn = load_settings(postgres=options["postgres"]).postgres_dsn

    async def act_so() -> _Done:
        async with (
            connected(dsn, role="thuiswacht_people", application="thuiswacht-cli", max_size=2) as pool,
            acting_as(pool, who, action, kind) as act,
        ):
            return await work(act)

    return asyncio.run(act_so())
