"""The versions of programmes that patients are or were in, as they were when the first one was enrolled."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.db.pool import Connection


@dataclass(frozen=True, slots=True)
class UsedVersion:
    """A version in use; `content` is all of it, as JSON."""

    programme: str
    version: int
    programme_hash: str
    content: str


async def recorded(connection: Connection) -> list[UsedVersion]:
    """All versions that were ever used."""
    rows = await connection.fetch(
        "SELECT programme, version, programme_hash, content FROM programme_version ORDER BY 1, 2"
    )
    return [UsedVersion(*row) for row in rows]


async def first_use(connection: Connection, versions: Sequence[UsedVersion]) -> list[UsedVersion]:
    """Records the versions where nobody did before; gives each as it was recorded first."""
    names = [one.programme for one in versions], [one.version for one in versions]
    await connection.execute(
        """
        INSERT INTO programme_version (programme, version, programme_hash, content)
        SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::jsonb[]) ORDER BY 1, 2
        ON CONFLICT ON CONSTRAINT programme_version_pkey DO NOTHING
        """,
        *names, [one.programme_hash for one in versions], [one.content for one in versions],
    )  # fmt: skip
    rows = await connection.fetch(
        """
        SELECT programme, version, programme_hash, content FROM programme_version
        WHERE (programme, version) IN (SELECT * FROM unnest($1::text[], $2::integer[]))
        ORDER BY programme, version
        """,
        *names,
    )  # fmt: skip
    return [UsedVersion(*row) for row in rows]
