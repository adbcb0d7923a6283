"""Who works with the service, and where: organisations, people, their roles, where messages to them go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg

from models.access import Role
from models.db.pool import Connection
from models.errors import BadInput, NotThere, Outdated
from models.messages import Origin
from models.register import Channel, Organisation, OrganisationKind


@dataclass(frozen=True, slots=True)
class Post:
    """As what somebody acts where, from when until when."""

    organisation_id: UUID
    role: Role
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works with the service, or a system."""

    person_id: UUID
    name: str
    is_system: bool
    left_at: datetime | None
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """Where messages to an organisation or a person go."""

    address_id: UUID
    organisation_id: UUID | None
    person_id: UUID | None
    channel: Channel
    address: str


async def begin(
    connection: Connection, organisation: Organisation, person_id: UUID, person_name: str
) -> bool:
    """Makes the first organisation and its administrator; False where there are people already."""
    made: bool = await connection.fetchval(
        "SELECT begin_register($1, $2, $3, $4, $5)",
        organisation.organisation_id, organisation.name, organisation.kind, person_id, person_name,
    )  # fmt: skip
    return made


async def organisations(
    connection: Connection, wanted: Sequence[UUID] | None = None
) -> dict[UUID, Organisation]:
    """All organisations, or those of these that there are; what nobody has entered is not among them."""
    rows = await connection.fetch(
        """
        SELECT organisation_id, name, kind, origin, version FROM organisation
        WHERE kind IS NOT NULL AND ($1::uuid[] IS NULL OR organisation_id = ANY($1))
        ORDER BY name, organisation_id
        """,
        None if wanted is None else list(wanted),
    )
    return {
        row["organisation_id"]: Organisation(
            organisation_id=row["organisation_id"],
            name=row["name"],
            kind=OrganisationKind(row["kind"]),
            origin=None if row["origin"] is None else Origin(row["origin"]),
            version=row["version"],
        )
        for row in rows
    }


async def colleagues(connection: Connection, organisation_id: UUID) -> dict[UUID, str]:
    """The people who have a role at an organisation today, by name; systems are none."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT p.name, p.person_id FROM person AS p JOIN person_role AS r USING (person_id)
        WHERE r.organisation_id = $1 AND NOT p.is_system AND r.from_at <= statement_timestamp()
          AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
          AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
        ORDER BY p.name, p.person_id
        """,
        organisation_id,
    )
    return {row["person_id"]: row["name"] for row in rows}


async def add_organisations(connection: Connection, new: Sequence[Organisation]) -> None:
    """Enters organisations, also those that a registration named before.

    **Raises**: BadInput when one was entered already.
    """
    entered = await connection.fetch(
        """
        INSERT INTO organisation AS o (organisation_id, name, kind, origin)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
        ON CONFLICT ON CONSTRAINT organisation_pkey DO UPDATE SET
            name = excluded.name, kind = excluded.kind, origin = excluded.origin, version = o.version + 1
        WHERE o.kind IS NULL
        RETURNING organisation_id
        """,
        [one.organisation_id for one in new],
        [one.name for one in new],
        [one.kind for one in new],
        [one.origin for one in new],
    )
    if len(entered) < len(new):
        raise BadInput(where="organisation_id", expected="a new organisation", found="one that is there")


async def change_organisation(
    connection: Connection, organisation_id: UUID, version: int, name: str, kind: OrganisationKind
) -> None:
    """Another name or kind. **Raises**: NotThere; Outdated when somebody changed it after `version`."""
    changed = await connection.fetchval(
        """
        UPDATE organisation SET name = $3, kind = $4, version = version + 1
        WHERE organisation_id = $1 AND version = $2 RETURNING version
        """,
        organisation_id, version, name, kind,
    )  # fmt: skip
    if changed is None:
        if not await organisations(connection, [organisation_id]):
            raise NotThere("There is no such organisation.")
        raise Outdated(f"Somebody changed this organisation after version {version}: look again.")


async def people(connection: Connection, wanted: UUID | None = None) -> list[Person]:
    """Everybody, or one, with all roles they have or had."""
    rows = await connection.fetch(
        "SELECT * FROM person WHERE $1::uuid IS NULL OR person_id = $1 ORDER BY name, person_id", wanted
    )
    posts = await connection.fetch(
        """
        SELECT person_id, organisation_id, role, from_at, until_at FROM person_role
        WHERE $1::uuid IS NULL OR person_id = $1 ORDER BY from_at, role
        """,
        wanted,
    )
    held: dict[UUID, list[Post]] = {}
    for row in posts:
        post = Post(row["organisation_id"], Role(row["role"]), row["from_at"], row["until_at"])
        held.setdefault(row["person_id"], []).append(post)
    return [
        Person(
            person_id=row["person_id"],
            name=row["name"],
            is_system=row["is_system"],
            left_at=row["left_at"],
            posts=tuple(held.get(row["person_id"], ())),
        )
        for row in rows
    ]


async def add_person(
    connection: Connection, name: str, *, is_system: bool = False, person_id: UUID | None = None
) -> UUID:
    """Enters somebody, without any role yet."""
    new = person_id or uuid4()
    await connection.execute(
        "INSERT INTO person (person_id, name, is_system) VALUES ($1, $2, $3)", new, name, is_system
    )
    return new


async def leave(connection: Connection, person_id: UUID) -> None:
    """Somebody leaves: from now on they may do nothing. **Raises**: NotThere."""
    if not await connection.fetchval(
        """
        UPDATE person SET left_at = clock_timestamp(), version = version + 1
        WHERE person_id = $1 AND left_at IS NULL RETURNING true
        """,
        person_id,
    ):
        raise NotThere("There is no such person, or they have left already.")


async def give_role(
    connection: Connection, person_id: UUID, organisation_id: UUID, role: Role, until: datetime | None = None
) -> None:
    """Somebody may act as this there, from now on. **Raises**: NotThere; BadInput for an end that is over."""
    try:
        await connection.execute(
            """
            INSERT INTO person_role (person_id, organisation_id, role, until_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT ON CONSTRAINT person_role_pkey DO UPDATE SET
                from_at = clock_timestamp(), until_at = excluded.until_at
            """,
            person_id, organisation_id, role, until,
        )  # fmt: skip
    except asyncpg.ForeignKeyViolationError:
        raise NotThere("There is no such person, or no such organisation.") from None
    except asyncpg.CheckViolationError:
        raise BadInput(where="until", expected="a moment to come", found="one that is over") from None


async def end_role(connection: Connection, person_id: UUID, organisation_id: UUID, role: Role) -> None:
    """Somebody may no longer act as this there. **Raises**: NotThere."""
    if not await connection.fetchval(
        """
        UPDATE person_role SET until_at = clock_timestamp()
        WHERE (person_id, organisation_id, role) = ($1, $2, $3)
          AND (until_at IS NULL OR until_at > clock_timestamp())
        RETURNING true
        """,
        person_id, organisation_id, role,
    ):  # fmt: skip
        raise NotThere("They have no such role there.")


async def addresses(connection: Connection) -> list[Address]:
    """Where messages go, now."""
    rows = await connection.fetch(
        """
        SELECT address_id, organisation_id, person_id, channel, address FROM message_address
        WHERE until_at IS NULL OR until_at > statement_timestamp() ORDER BY from_at, address_id
        """
    )
    return [
        Address(
            address_id=row["address_id"],
            organisation_id=row["organisation_id"],
            person_id=row["person_id"],
            channel=Channel(row["channel"]),
            address=row["address"],
        )
        for row in rows
    ]


async def add_address(connection: Connection, new: Address) -> None:
    """From now on messages go there too. **Raises**: NotThere; BadInput when they do already."""
    try:
        await connection.execute(
            """
            INSERT INTO message_address (address_id, organisation_id, person_id, channel, address)
            VALUES ($1, $2, $3, $4, $5)
            """,
            new.address_id, new.organisation_id, new.person_id, new.channel, new.address,
        )  # fmt: skip
    except asyncpg.ForeignKeyViolationError:
        raise NotThere("There is no such person, or no such organisation.") from None
    except asyncpg.UniqueViolationError:
        raise BadInput(where="address", expected="a new address", found="one that is there") from None


async def end_address(connection: Connection, address_id: UUID) -> None:
    """From now on no messages go there. **Raises**: NotThere."""
    if not await connection.fetchval(
        """
        UPDATE message_address SET until_at = clock_timestamp()
        WHERE address_id = $1 AND until_at IS NULL RETURNING true
        """,
        address_id,
    ):
        raise NotThere("There is no such address.")
