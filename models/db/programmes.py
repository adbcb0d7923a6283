"""The programmes that patients can be enrolled in, and the versions that were used, as they were at first."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg

from models.db.pool import Connection
from models.programmes import Catalogue, Offered, OfferedLimit


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


async def offer(connection: Connection, offered: Sequence[Offered]) -> None:
    """Tells the register what patients can be enrolled in; what others offer besides stays."""
    await connection.execute(
        """
        INSERT INTO programme_catalogue AS c (programme, version, offered)
        SELECT * FROM unnest($1::text[], $2::integer[], $3::jsonb[]) ORDER BY 1, 2
        ON CONFLICT ON CONSTRAINT programme_catalogue_pkey DO UPDATE SET
            offered = excluded.offered, offered_at = excluded.offered_at
        WHERE c.offered IS DISTINCT FROM excluded.offered
        """,
        [one.programme for one in offered],
        [one.version for one in offered],
        [json.dumps(asdict(one)) for one in offered],
    )


async def catalogue(connection: Connection) -> Catalogue:
    """All programmes that patients can be enrolled in."""
    rows = await connection.fetch("SELECT offered FROM programme_catalogue")
    return Catalogue(map(_offered, rows))


async def rule_texts(connection: Connection, programmes: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """Programme, rule, what the rule says in Dutch and in English: as in the newest version in use."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (v.programme, r.key)
            v.programme, r.key, r.value #>> '{text,nl}', r.value #>> '{text,en}'
        FROM programme_version AS v CROSS JOIN LATERAL jsonb_each(v.content -> 'rules') AS r
        WHERE v.programme = ANY ($1::text[])
        ORDER BY v.programme, r.key, v.version DESC
        """,
        list(programmes),
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _offered(row: asyncpg.Record) -> Offered:
    content: dict[str, Any] = json.loads(row["offered"])
    content["limits"] = {name: OfferedLimit(**limit) for name, limit in content["limits"].items()}
    content["schedules"] = tuple(content["schedules"])
    return Offered(**content)
