"""`thuiswacht rights`."""

import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click

from ingest.acting import Acting
from ingest.on_command import acting_as, acting_options, require_new, who_of
from models.access import Action
from models.audit import Kind

Result = TypeVar("Result")
Options = dict[str, Any]

_patient = click.argument("patient_id", type=click.UUID)
_reason = click.option(
    "--reason", required=True, help="Why: what the patient asked, when. No names: it is on record."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
_moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"])


@click.group()
def rights() -> None:
    """What a patient has a right to: who looked, a copy, to object, to have corrected, to have destroyed.

    Each is done by somebody for the patient (--as), decided by the same policy as in the API, and on record
    with its reason.
    """


@rights.command()
@_patient
@acting_options()
@_reason
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
@_json
def looks(language: str, as_json: bool, **options: Any) -> None:
    """Tell who looked at a patient's data: when, what, on which ground; a sentence for each."""
    from ingest.rights import service
    from ingest.rights.looks import structure

    found = _done(
        Action.LOOKS_READ, Kind.READ, options,
        lambda deed, patient_id: service.looks(deed.connection, patient_id, deed.require),
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(structure(found), ensure_ascii=False))
        return
    for look in found:
        click.echo(look.nl if language == "nl" else look.en)


@rights.command()
@_patient
@acting_options()
@_reason
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write; not over one.",
)
def copy(out: Path, **options: Any) -> None:
    """Write everything that is held of a patient into a file, as one FHIR R4 bundle."""
    from ingest.rights import service
    from models.clock import wall_now_us
    from models.identity import Keys
    from models.settings import identity_key, load_settings

    require_new(out)
    keys = Keys(identity_key(load_settings(postgres=options["postgres"])))
    # Nobody else on this machine reads it.
    out.touch(mode=0o600, exist_ok=False)
    try:
        copied = _done(
            Action.COPY_MAKE, Kind.READ, options,
            lambda deed, patient_id: service.copy(
                deed.connection, keys, patient_id, deed.require, wall_now_us()
            ),
        )  # fmt: skip
        out.write_text(json.dumps(copied, ensure_ascii=False, indent=1), encoding="utf-8")
    except BaseException:
        out.unlink()
        raise
    click.echo(f"{out}: {len(copied['entry'])} resources.")


@rights.command("object")
@_patient
@acting_options()
@_reason
@click.option("--against", type=click.UUID, help="The organisation that may not look. Default: one's own.")
@click.option("--take-back", is_flag=True, help="The patient takes the objection back.")
def object_(against: UUID | None, take_back: bool, **options: Any) -> None:
    """Write down that a patient objects to an organisation's looking, or takes that back."""
    from ingest.rights import service
    from ingest.rights.destruction import require_reason

    reason = options["reason"]
    require_reason(reason)

    async def act(deed: Acting, patient_id: UUID) -> None:
        if take_back:
            await service.take_objection_back(deed.connection, deed.user, patient_id, against)
        else:
            await service.object_to(deed.connection, deed.user, patient_id, against, reason)

    _done(Action.OBJECTION_RECORD, Kind.UPDATE, options, act)
    click.echo("Taken back." if take_back else "The organisation does not see this patient any more.")


@rights.command()
@_patient
@acting_options()
@_reason
@click.option("--kind", required=True, metavar="KIND", help="What was measured, such as body_weight.")
@click.option(
    "--taken-at", type=_moment, required=True, help="When, in UTC, to the microsecond it was sent with."
)
@click.option("--device", required=True, help="The id of the device that it came from.")
@click.option("--value", type=float, help="What it should have been, with --unit.")
@click.option("--unit", help="Unit of --value, such as kg.")
@click.option("--code", help="What it should have been, of a kind with answers.")
@click.option("--take-back", is_flag=True, help="It should not be there at all.")
@click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. Default: THUISWACHT_KAFKA.")
@click.option("--topic", metavar="NAME", help="The topic of the log. Default: THUISWACHT_TOPIC.")
def correct(
    kind: str,
    taken_at: datetime,
    device: str,
    value: float | None,
    unit: str | None,
    code: str | None,
    take_back: bool,
    kafka: str | None,
    topic: str | None,
    **options: Any,
) -> None:
    """Correct a reading, or take it back. Nothing is edited: the correction goes through the log."""
    from ingest.rights import service
    from ingest.rights.corrections import Identity, Wanted
    from ingest.rights.destruction import require_reason
    from models.clock import to_us, wall_now_us

    if sum((take_back, value is not None, code is not None)) != 1:
        raise click.UsageError("give one of --value with --unit, --code, --take-back")
    require_reason(options["reason"])
    taken_at_us = to_us(taken_at.replace(tzinfo=UTC))

    def act(deed: Acting, patient_id: UUID) -> Awaitable[Any]:
        identity = Identity(patient_id, kind, taken_at_us, device)
        wanted = Wanted(value, unit, code)
        return service.correct_reading(deed.connection, deed.user, identity, wanted, wall_now_us())

    correction = _done(Action.CORRECTION_MAKE, Kind.UPDATE, options, act)
    told = _tell(options["postgres"], kafka, topic)
    click.echo("Taken back." if correction.is_void else f"Corrected, as revision {correction.revision}.")
    if correction.is_too_late:
        click.echo(
            "It is more than seven days old: the record shows the correction, the rules do not look back."
        )
    if told is None:
        click.echo("The log is away: the correction waits. Try `thuiswacht rights tell` later.")


@rights.command()
@click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. Default: THUISWACHT_KAFKA.")
@click.option("--topic", metavar="NAME", help="The topic of the log. Default: THUISWACHT_TOPIC.")
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
def tell(kafka: str | None, topic: str | None, postgres: str | None) -> None:
    """Tell the log of the corrections that wait for it. Safe to run at any time, also twice at once."""
    from models.errors import TryAgain

    told = _tell(postgres, kafka, topic)
    if told is None:
        raise TryAgain("The log is away; the corrections wait.")
    click.echo(f"{told} told.")


@rights.command()
@_patient
@acting_options()
@_reason
@click.option("--really", is_flag=True, help="Do it. Without this, only what would happen is shown.")
@click.option(
    "--interest-of-another",
    is_flag=True,
    help="Refuse: somebody else has a considerable interest in keeping it.",
)
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
@_json
def destroy(really: bool, interest_of_another: bool, language: str, as_json: bool, **options: Any) -> None:
    """Destroy all that is held of a patient who asks for it; say what stays, and why.

    Shows first; nothing can bring it back. The follow-up must have ended (`thuiswacht register`).
    """
    from ingest.rights.destruction import Destruction, destroy_on_request, preview, structure
    from models.clock import wall_now_us
    from models.retention import OBSTACLES, STAYS

    reason = options["reason"]

    def act(deed: Acting, patient_id: UUID) -> Awaitable[Destruction]:
        if not really and not interest_of_another:
            return preview(deed.connection, patient_id, deed.require, wall_now_us())
        return destroy_on_request(
            deed.connection,
            patient_id,
            deed.require,
            deed.decision,
            reason,
            interest_of_another=interest_of_another,
        )

    found = _done(Action.DESTRUCTION, Kind.DELETE if really else Kind.READ, options, act)
    if as_json:
        click.echo(json.dumps(structure(found), ensure_ascii=False))
    else:
        for table, count in found.rows.items():
            click.echo(f"{'destroyed' if found.is_done else 'would be destroyed'}: {table} {count}")
        for kept in STAYS:
            said = (kept.what.nl, kept.why.nl) if language == "nl" else (kept.what.en, kept.why.en)
            click.echo(" ".join(said))
    if found.obstacle is not None:
        said = OBSTACLES[found.obstacle]
        click.echo(said.nl if language == "nl" else said.en, err=True)
        raise click.exceptions.Exit(1)


@rights.command()
@acting_options()
@click.option("--at", type=_moment, help="As if it were that day; in a live database not one to come.")
@click.option("--really", is_flag=True, help="Do it. Without this, only what would happen is shown.")
def retention(
    person_id: UUID,
    organisation_id: UUID | None,
    role: str | None,
    postgres: str | None,
    at: datetime | None,
    really: bool,
) -> None:
    """Let go of records 20 years after their last change, and of the audit log after 5 years. Shows first.

    Records: those that the person may destroy. The audit log: of the whole installation, from the beginning
    of each chain on; works as thuiswacht_audit.
    """
    import asyncio

    from ingest.rights.letting_go import let_go
    from models.clock import to_us, wall_now_us
    from models.settings import load_settings

    settings = load_settings(postgres=postgres)
    at_us = wall_now_us() if at is None else to_us(at.replace(tzinfo=UTC))
    who = who_of(person_id, organisation_id, role)
    gone = asyncio.run(let_go(settings.postgres_dsn, who, at_us, really=really))
    for patient_id, obstacle in gone.records.items():
        click.echo(f"{patient_id}: {obstacle or ('destroyed' if really else 'may go')}")
    told = "let go of" if really else "may go"
    click.echo(f"{len(gone.records)} records older than 20 years; {gone.audit_rows} audit rows {told}.")


def _done(
    action: Action, kind: Kind, options: Options, act: Callable[[Acting, UUID], Awaitable[Result]]
) -> Result:
    """Does something with a patient as the options say, in one transaction that is on record."""
    import asyncio

    from models.db.pool import connected
    from models.settings import load_settings

    settings = load_settings(postgres=options["postgres"])
    who = who_of(options["person_id"], options["organisation_id"], options["role"])

    async def run() -> Result:
        patient_id, reason = options["patient_id"], options["reason"]
        async with (
            connected(
                settings.postgres_dsn, role="thuiswacht_people", application="thuiswacht-rights"
            ) as pool,
            acting_as(pool, who, action, kind, patient_id=patient_id, reason=reason) as deed,
        ):
            return await act(deed, patient_id)

    return asyncio.run(run())


def _tell(postgres: str | None, kafka: str | None, topic: str | None) -> int | None:
    import asyncio

    from ingest.log import Writer
    from ingest.rights.telling import tell_if_possible
    from models.db.pool import connected
    from models.settings import load_settings

    settings = load_settings(postgres=postgres, kafka=kafka, topic=topic)

    async def run() -> int | None:
        dsn = settings.postgres_dsn
        async with connected(dsn, role="thuiswacht_register", application="thuiswacht-rights") as pool:
            return await tell_if_possible(pool, Writer(settings))

    work: Coroutine[Any, Any, int | None] = run()
    return asyncio.run(work)
