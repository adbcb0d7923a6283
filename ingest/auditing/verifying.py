"""Every chain of the audit log from its first row to its last, beside a checkpoint kept elsewhere."""

from dataclasses import dataclass, replace
from uuid import UUID

from ingest.on_command import SOURCE
from models.audit import SHARDS, Event, Flaw, Head, Kind, Outcome, Verification
from models.checkpoint import Checkpoint, written
from models.clock import wall_now_us
from models.db import audit as rows
from models.db.pool import Pool
from models.errors import BadInput

NOBODY = "command-line"
"""User of a row that tells of a command for which nobody had to say who they are."""


@dataclass(frozen=True, slots=True)
class Verified:
    """How many rows were looked through, and what does not hold."""

    rows: int
    flaws: list[Flaw]


async def verify_log(pool: Pool, checkpoint: Checkpoint | None) -> Verified:
    """Looks through all shards, each as it was at one moment.

    **Raises**: BadInput when the checkpoint is of another database.
    """
    async with pool.transaction() as connection:
        await rows.stand_still(connection)
        if checkpoint is not None and checkpoint.database != (here := await rows.database_of(connection)):
            raise BadInput(
                where="checkpoint", expected=f"one of {here}", found=f"one of {checkpoint.database}"
            )
        strays = await rows.has_strays(connection)
    flaws = [Flaw(SHARDS, 0, "rows belong to a chain that does not exist")] if strays else []
    count = 0
    for shard in range(SHARDS):
        mark = None if checkpoint is None else checkpoint.heads.get(shard)
        verified = await _verify_shard(pool, shard, mark)
        flaws += verified.flaws
        count += verified.rows
    return Verified(count, flaws)


async def take_checkpoint(pool: Pool) -> tuple[str, int]:
    """The content of a checkpoint file, and how many rows it stands for."""
    async with pool.transaction() as connection:
        await rows.stand_still(connection)
        heads = await rows.heads(connection)
        content = written(await rows.database_of(connection), wall_now_us(), list(heads.values()))
    return content, sum(head.number for head in heads.values())


async def record(pool: Pool, code: str, outcome: Outcome, details: str) -> None:
    """Puts on record that the log was looked through or written out."""
    async with pool.transaction() as connection:
        await rows.write(connection, replace(by_nobody(code, Kind.EXECUTE), outcome=outcome, details=details))


def by_nobody(code: str, kind: Kind, organisation_id: UUID | None = None) -> Event:
    """A row about a command that stands on a role in the database alone."""
    return Event(
        event_code=code,
        action=kind,
        happened_us=wall_now_us(),
        user_id=NOBODY,
        user_role="thuiswacht_audit",
        identifier_type="none",
        identifier="-",
        authorisation_protocol="role in the database",
        source=SOURCE,
        organisation_id=organisation_id,
    )


async def _verify_shard(pool: Pool, shard: int, checkpoint: Head | None) -> Verified:
    async with pool.transaction() as connection:
        await rows.stand_still(connection)
        base, head = (await rows.bases(connection)).get(shard), (await rows.heads(connection)).get(shard)
        verification = Verification(shard, base, checkpoint)
        async for entry in rows.chain(connection, shard):
            verification.take(entry)
    return Verified(verification.rows, verification.flaws(head))
