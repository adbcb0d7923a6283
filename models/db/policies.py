"""Policies, rosters and lists of teleconsultation as they were when anybody first went by them."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from models.db.pool import Connection


class PolicyKind(StrEnum):
    """What a version is a version of."""

    POLICY = "policy"
    ROSTER = "roster"
    TELECONSULTATION = "teleconsultation"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version of something that alerts go by; `content` is all of it, as JSON."""

    kind: PolicyKind
    name: str
    version: int
    hash: str
    content: str

    @property
    def key(self) -> tuple[PolicyKind, str, int]:
        """What it is a version of, and which."""
        return self.kind, self.name, self.version


async def recorded(connection: Connection) -> list[PolicyVersion]:
    """All versions that were ever gone by."""
    rows = await connection.fetch(
        "SELECT kind, name, version, hash, content FROM policy_version ORDER BY 1, 2, 3"
    )
    return [PolicyVersion(PolicyKind(row[0]), *row[1:]) for row in rows]


async def record(connection: Connection, versions: Collection[PolicyVersion]) -> list[PolicyVersion]:
    """Records the versions where nobody did before; gives each as it was recorded first.

    Nobody can change or delete a row: no role has more than the right to add one.
    """
    if not versions:
        return []
    ordered = sorted(versions, key=lambda one: one.key)
    kinds, names, numbers = [v.kind for v in ordered], [v.name for v in ordered], [v.version for v in ordered]
    await connection.execute(
        """
        INSERT INTO policy_version (kind, name, version, hash, content)
        SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::jsonb[])
        ON CONFLICT ON CONSTRAINT policy_version_pkey DO NOTHING
        """,
        kinds, names, numbers, [v.hash for v in ordered], [v.content for v in ordered],
    )  # fmt: skip
    rows = await connection.fetch(
        """
        SELECT kind, name, version, hash, content FROM policy_version
        WHERE (kind, name, version) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::integer[]))
        ORDER BY kind, name, version
        """,
        kinds, names, numbers,
    )  # fmt: skip
    return [PolicyVersion(PolicyKind(row[0]), *row[1:]) for row in rows]
