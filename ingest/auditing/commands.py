"""`thuiswacht audit`."""

import json
from pathlib import Path

import click


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
    from models.db.pool import connect
    from models.settings import load_settings

    settings = load_settings(postgres=postgres)
    mark = None if checkpoint is None else read(checkpoint.read_bytes())

    async def run() -> Verified:
        pool = await connect(settings.postgres_dsn, role="thuiswacht_audit", application="thuiswacht-audit")
        try:
            verified = await verify_log(pool, mark)
            outcome = Outcome.FAILED if verified.flaws else Outcome.ALLOWED
            await record(pool, "audit.verify", outcome, f"{verified.rows} rows, {len(verified.flaws)} flaws")
        finally:
            await pool.close()
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
    from models.audit import Outcome
    from models.db.pool import connect
    from models.settings import load_settings

    settings = load_settings(postgres=postgres)

    async def run() -> tuple[str, int]:
        pool = await connect(settings.postgres_dsn, role="thuiswacht_audit", application="thuiswacht-audit")
        try:
            taken = await take_checkpoint(pool)
            await record(pool, "audit.checkpoint", Outcome.ALLOWED, f"{taken[1]} rows")
        finally:
            await pool.close()
        return taken

    content, rows = asyncio.run(run())
    with out.open("x", encoding="utf-8") as file:
        file.write(content + "\n")
    click.echo(f"{out}: {rows} rows.")
