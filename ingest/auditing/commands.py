"""`thuiswacht audit`."""

import json
from pathlib import Path
from uuid import UUID

import click

from ingest.on_command import acting_options

APPLICATION = "thuiswacht-audit"


@click.group()
def audit() -> None:
    """Who looked at whom: whether that record is whole, and what in it is worth a second look."""


@audit.command()
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `audit checkpoint` wrote earlier, kept where nobody of this database can write.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
def verify(checkpoint: Path | None, as_json: bool, postgres: str | None) -> None:
    """Look through the whole audit log for rows that were edited, deleted, swapped or added behind its back.

    Who rewrites a chain to its very end, head included, is found by a checkpoint alone: give one. Works as
    thuiswacht_audit. Exit code 0: it is whole; 1: it is not, and each place is listed.
    """
    import asyncio

    from ingest.auditing.verifying import Verified, record, verify_log
    from models.audit import Outcome
    from models.checkpoint import read
    from models.db.pool import connected
    from models.settings import load_settings

    settings = load_settings(postgres=postgres)
    mark = None if checkpoint is None else read(checkpoint.read_bytes())

    async def run() -> Verified:
        async with connected(settings.postgres_dsn, role="thuiswacht_audit", application=APPLICATION) as pool:
            verified = await verify_log(pool, mark)
            outcome = Outcome.FAILED if verified.flaws else Outcome.ALLOWED
            await record(pool, "audit.verify", outcome, f"{verified.rows} rows, {len(verified.flaws)} flaws")
        return verified

    verified = asyncio.run(run())
    if as_json:
        flaws = [{"shard": f.shard, "number": f.number, "what": f.what} for f in verified.flaws]
        click.echo(json.dumps({"rows": verified.rows, "flaws": flaws}))
    else:
        for flaw in verified.flaws:
            click.echo(f"shard {flaw.shard}, row {flaw.number}: {flaw.what}")
        told = f"{len(verified.flaws)} flaws" if verified.flaws else "whole"
        without = "" if mark else " (without a checkpoint: a rewritten end would not show)"
        click.echo(f"{verified.rows} rows: {told}{without}.")
    if verified.flaws:
        raise click.exceptions.Exit(1)


@audit.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write; not over one.",
)
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
def checkpoint(out: Path, postgres: str | None) -> None:
    """Write down where each chain of the audit log ends now: keep the file where nobody of this database can.

    Holds hashes and numbers, nothing of patients or staff. Works as thuiswacht_audit.
    """
    import asyncio

    from ingest.auditing.verifying import record, take_checkpoint
    from ingest.on_command import require_new
    from models.audit import Outcome
    from models.db.pool import connected
    from models.settings import load_settings

    settings = load_settings(postgres=postgres)
    require_new(out)

    async def run() -> tuple[str, int]:
        async with connected(settings.postgres_dsn, role="thuiswacht_audit", application=APPLICATION) as pool:
            taken = await take_checkpoint(pool)
            await record(pool, "audit.checkpoint", Outcome.ALLOWED, f"{taken[1]} rows")
        return taken

    content, rows = asyncio.run(run())
    with out.open("x", encoding="utf-8") as file:
        file.write(content + "\n")
    click.echo(f"{out}: {rows} rows.")


@audit.command()
@acting_options()
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="How far back.")
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
def review(
    person_id: UUID,
    organisation_id: UUID | None,
    role: str | None,
    postgres: str | None,
    days: int,
    language: str,
    as_json: bool,
) -> None:
    """List looks that are worth a second look: without a relation, at odd hours, in unusual number.

    For a privacy officer, about their own organisation. A flag accuses nobody: each says why in a sentence.
    """
    import asyncio

    from ingest.auditing import reviewing
    from ingest.auditing.review import Flag
    from ingest.on_command import acting_as, who_of
    from models.access import Action
    from models.audit import Kind
    from models.clock import DAY_US, HOUR_US, wall_now_us
    from models.db.pool import connected
    from models.settings import load_settings

    settings = load_settings(postgres=postgres)
    until_us = wall_now_us()
    since_us = (until_us - days * DAY_US) // HOUR_US * HOUR_US

    async def run() -> tuple[list[Flag], dict[str, str]]:
        who = who_of(person_id, organisation_id, role)
        async with (
            connected(settings.postgres_dsn, role="thuiswacht_people", application=APPLICATION) as pool,
            acting_as(pool, who, Action.AUDIT_REVIEW, Kind.READ) as deed,
        ):
            found = await reviewing.flags(deed.connection, since_us, until_us)
            deed.touched += reviewing.patients_of(found)
            return found, await reviewing.names(deed.connection, found)

    found, named = asyncio.run(run())
    if as_json:
        click.echo(json.dumps(reviewing.structure(found, named), ensure_ascii=False))
        return
    for flag in found:
        click.echo(f"{named.get(flag.user_id, flag.user_id)}: {flag.nl if language == 'nl' else flag.en}")
        if flag.emergency is not None:
            click.echo(f"    audit verdict {flag.emergency.emergency_id} --justified|--not-justified")
    click.echo(f"{len(found)} to look at.")


@audit.command()
@acting_options()
@click.argument("emergency_id", type=click.UUID)
@click.option("--justified/--not-justified", required=True, default=None, help="What the review says.")
def verdict(
    person_id: UUID,
    organisation_id: UUID | None,
    role: str | None,
    postgres: str | None,
    emergency_id: UUID,
    justified: bool,
) -> None:
    """Close the review of an emergency access; never of one's own."""
    import asyncio

    from ingest.auditing import reviewing
    from ingest.on_command import acting_as, who_of
    from models.access import Action
    from models.audit import Kind
    from models.db.pool import connected
    from models.looks import Verdict
    from models.settings import load_settings

    settings = load_settings(postgres=postgres)
    said = Verdict.JUSTIFIED if justified else Verdict.NOT_JUSTIFIED

    async def run() -> None:
        who = who_of(person_id, organisation_id, role)
        async with (
            connected(settings.postgres_dsn, role="thuiswacht_people", application=APPLICATION) as pool,
            acting_as(pool, who, Action.AUDIT_REVIEW, Kind.UPDATE) as deed,
        ):
            deed.details = f"verdict: {said}"
            closed = await reviewing.give_verdict(deed.connection, deed.user, emergency_id, said)
            deed.touched.append(closed.patient_id)

    asyncio.run(run())
    click.echo(f"{emergency_id}: {said}.")
