"""Who messages are from and to: the names of organisations, whom to ring there, where their messages go."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from models.db.pool import Connection
from models.escalations import Channel
from models.messages import Origin

# Who has entered several telephones has meant the newest.
_ORGANISATIONS = """
SELECT o.organisation_id, o.name, o.origin, (
    SELECT a.address FROM message_address AS a
    WHERE a.organisation_id = o.organisation_id AND a.channel = 'phone'
      AND (a.until_at IS NULL OR a.until_at > statement_timestamp())
    ORDER BY a.from_at DESC, a.address_id LIMIT 1
) AS telephone
FROM organisation AS o WHERE o.organisation_id = ANY($1::uuid[])
"""

_ADDRESSES = """
SELECT address_id, address, person_id FROM message_address
WHERE (organisation_id = $1 OR person_id = $2) AND channel = $3
  AND (until_at IS NULL OR until_at > statement_timestamp())
ORDER BY from_at, address_id
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """An organisation as the directory has it; nobody entered what is None."""

    organisation_id: UUID
    name: str | None
    origin: Origin | None
    telephone: str | None

    @property
    def invented(self) -> bool:
        """Whether nobody works there: simulated, or the canary's."""
        return self.origin is not None and self.origin is not Origin.REAL


@dataclass(frozen=True, slots=True)
class Place:
    """Where messages go now. With a person, it is theirs alone."""

    address_id: UUID
    address: str
    person_id: UUID | None


async def load_listed(connection: Connection, organisations: Collection[UUID]) -> dict[UUID, Listed]:
    """Those of these organisations that there are."""
    rows = await connection.fetch(_ORGANISATIONS, list(organisations))
    return {
        row["organisation_id"]: Listed(
            row["organisation_id"],
            row["name"],
            None if row["origin"] is None else Origin(row["origin"]),
            row["telephone"],
        )
        for row in rows
    }


async def load_places(
    connection: Connection, organisation_id: UUID, person_id: UUID | None, channel: Channel
) -> list[Place]:
    """The addresses of a channel: of the person, if there are any, else of the organisation."""
    rows = await connection.fetch(_ADDRESSES, organisation_id, person_id, channel)
    places = [Place(row["address_id"], row["address"], row["person_id"]) for row in rows]
    own = [place for place in places if place.person_id is not None]
    return own or places
