"""The commands `thuiswacht alerts …`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from ingest.on_command import acting_as, acting_options, who_of
from models.access import Action
from models.alerts import AlertState
from models.audit import Kind
from models.findings import Severity, Signal

if TYPE_CHECKING:
    from alerting.explain.vocabulary import Language
    from ingest.acting import Acting
    from models.settings import Settings

_language = click.option(
    "--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True, help="Of the table."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")


@click.group()
def alerts() -> None:
    """Which alerts there are, and all about one: as somebody, who may see them; the look is on record.

    What these print is about patients: handle it as such.
    """


@alerts.command("list")
@acting_options()
@click.option(
    "--state", type=click.Choice([one.value for one in AlertState]), help="Default: those not resolved."
)
@click.option("--severity", type=click.Choice([one.value for one in Severity]))
@click.option("--signal", type=click.Choice([one.value for one in Signal]))
@click.option("--of", "of_organisation", type=click.UUID, help="Only those of this organisation.")
@click.option("--owner", type=click.UUID, help="Only what this person has.")
@click.option("--wijk", help="Only of patients in this neighbourhood.")
@click.option("--held-back", is_flag=True, help="Also those that are held back for now.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--after", help="As the page before says at its end.")
@_language
@_json
def list_(
    *,
    state: str | None,
    severity: str | None,
    signal: str | None,
    of_organisation: UUID | None,
    owner: UUID | None,
    wijk: str | None,
    held_back: bool,
    limit: int,
    after: str | None,
    language: str,
    as_json: bool,
    **options: Any,
) -> None:
    """The worklist: high first, silence right after, of each the oldest first."""
    from alerting.worklist.looking import page
    from alerting.worklist.table import worklist
    from models.db.worklist import Wanted

    wanted = Wanted(
        state=None if state is None else AlertState(state),
        severity=None if severity is None else Severity(severity),
        signal=None if signal is None else Signal(signal),
        organisation_id=of_organisation,
        owner=owner,
        wijk=wijk,
        held_back=held_back,
    )
    found = _look(options, lambda act, _: page(act, wanted, limit=limit, after=after))
    _say(found, worklist, language, as_json=as_json)


@alerts.command()
@click.argument("alert_id", metavar="ALERT_ID", type=click.UUID)
@acting_options()
@_language
@_json
def show(alert_id: UUID, *, language: str, as_json: bool, **options: Any) -> None:
    """One alert: reasons, escalations, messages, history, who looks next and when."""
    from alerting.worklist.looking import show
    from alerting.worklist.rules import load_rules
    from alerting.worklist.table import one_alert

    found = _look(options, lambda act, settings: show(act, load_rules(settings), alert_id))
    _say(found, one_alert, language, as_json=as_json)


def _look(
    options: Mapping[str, Any], look: Callable[[Acting, Settings], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Looks as the options say, in one transaction that is on record."""
    import asyncio

    from models.db.pool import connected
    from models.settings import load_settings

    settings = load_settings(postgres=options["postgres"])
    who = who_of(options["person_id"], options["organisation_id"], options["role"])

    async def run() -> dict[str, Any]:
        async with (
            connected(
                settings.postgres_dsn, role="thuiswacht_people", application="thuiswacht-alerts", max_size=2
            ) as pool,
            acting_as(pool, who, Action.ALERT_READ, Kind.READ) as act,
        ):
            return await look(act, settings)

    return asyncio.run(run())


def _say(
    found: dict[str, Any],
    as_text: Callable[[dict[str, Any], Language], str],
    language: str,
    *,
    as_json: bool,
) -> None:
    from alerting.explain.vocabulary import Language

    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2, default=_plain))
    else:
        click.echo(as_text(found, Language(language)), nl=False)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
