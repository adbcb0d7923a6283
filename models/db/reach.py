"""Who could be asked about patients: their practice, who treats them, and the organisations of each kind."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from models.db.pool import Connection
from models.escalations import Channel
from models.messages import Origin
from models.register import OrganisationKind

_OF_PATIENTS = """
SELECT p.patient_id, p.origin, c.huisarts_id, array(
    SELECT t.organisation_id FROM treatment_relation AS t
    WHERE t.patient_id = p.patient_id AND t.from_at <= statement_timestamp()
      AND (t.until_at IS NULL OR t.until_at > statement_timestamp())
    ORDER BY t.from_at, t.organisation_id
) AS treated_by
FROM patient AS p LEFT JOIN LATERAL (
    SELECT huisarts_id FROM patient_care WHERE patient_care.patient_id = p.patient_id
    ORDER BY version DESC LIMIT 1
) AS c ON true
WHERE p.patient_id = ANY($1::uuid[])
"""

# Those reachable first, the longest first: among several of a kind, the one that is in use.
_ORGANISATIONS = """
SELECT o.organisation_id, o.kind, o.origin,
    coalesce(array_agg(a.channel) FILTER (WHERE a.channel <> 'phone'), '{}') AS channels
FROM organisation AS o LEFT JOIN message_address AS a ON a.organisation_id = o.organisation_id
    AND (a.until_at IS NULL OR a.until_at > statement_timestamp())
WHERE o.kind IS NOT NULL AND (o.organisation_id = ANY($1::uuid[]) OR o.kind = ANY($2::text[]))
GROUP BY o.organisation_id
ORDER BY min(a.from_at) NULLS LAST, o.organisation_id
"""


@dataclass(frozen=True, slots=True)
class Around:
    """Who is around a patient: the practice, and who treats them, the longest first."""

    patient_id: UUID
    origin: Origin
    huisarts_id: UUID | None
    treated_by: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Reachable:
    """An organisation, and by which channels messages to it have an address."""

    organisation_id: UUID
    kind: OrganisationKind
    origin: Origin | None
    channels: frozenset[Channel]


async def load_around(connection: Connection, patients: Collection[UUID]) -> list[Around]:
    """Who is around these patients today."""
    rows = await connection.fetch(_OF_PATIENTS, list(patients))
    return [
        Around(row["patient_id"], Origin(row["origin"]), row["huisarts_id"], tuple(row["treated_by"]))
        for row in rows
    ]


async def load_reachable(
    connection: Connection, wanted: Collection[UUID], kinds: Collection[OrganisationKind]
) -> list[Reachable]:
    """These organisations and all of these kinds; those that can be reached first, the longest first."""
    rows = await connection.fetch(_ORGANISATIONS, list(wanted), list(kinds))
    return [
        Reachable(
            organisation_id=row["organisation_id"],
            kind=OrganisationKind(row["kind"]),
            origin=None if row["origin"] is None else Origin(row["origin"]),
            channels=frozenset(map(Channel, row["channels"])),
        )
        for row in rows
    ]
