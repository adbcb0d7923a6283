"""What administrators see beside the directory: versions of programmes in use, systems, devices."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from models.db.pool import Connection
from models.errors import BadInput, NotThere


@dataclass(frozen=True, slots=True)
class SystemKey:
    """By what a system is known: `kind` is public_key, hmac or certificate."""

    number: int
    kind: str
    from_at: datetime
    until_at: datetime | None
    used_on: date | None


@dataclass(frozen=True, slots=True)
class System:
    """A system that comes by itself."""

    client_id: str
    person_id: UUID
    organisation_id: UUID
    added_at: datetime
    revoked_at: datetime | None
    names_patients: bool
    keys: tuple[SystemKey, ...]


@dataclass(frozen=True, slots=True)
class DevicesOut:
    """Devices of a kind that are with people; `lately`: handed out in the last 30 days."""

    organisation_id: UUID
    kind: str
    devices: int
    lately: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class EnrolledIn:
    """A patient in a version of a programme; `register_version` is that of the registration, for changes."""

    patient_id: UUID
    version: int
    register_version: int


async def count_enrolled(connection: Connection) -> dict[tuple[str, int], int]:
    """How many patients each version of each programme has."""
    rows = await connection.fetch("SELECT programme, version, patients FROM count_enrolled()")
    return {(row["programme"], row["version"]): row["patients"] for row in rows}


async def enrolled_before(
    connection: Connection, programme: str, version: int, *, limit: int
) -> list[EnrolledIn]:
    """Patients whom the declared user may see in an older version, the oldest version first."""
    rows = await connection.fetch(
        """
        SELECT e.patient_id, e.version, r.version AS register_version
        FROM enrolled_now() AS e JOIN registration AS r USING (patient_id)
        WHERE e.programme = $1 AND e.version < $2 ORDER BY e.version, r.entered_at, e.patient_id LIMIT $3
        """,
        programme, version, limit,
    )  # fmt: skip
    return [EnrolledIn(*row) for row in rows]


async def list_systems(connection: Connection) -> list[System]:
    """All systems, those that were revoked last."""
    rows = await connection.fetch(
        "SELECT client_id, person_id, organisation_id, added_at, removed_at, names_patients, keys "
        "FROM list_clients() ORDER BY removed_at NULLS FIRST, client_id"
    )
    return [System(*tuple(row)[:-1], keys=_keys(row["keys"])) for row in rows]


def _keys(text: str) -> tuple[SystemKey, ...]:
    return tuple(
        SystemKey(
            one["number"],
            one["kind"],
            datetime.fromisoformat(one["from_at"]),
            None if one["until_at"] is None else datetime.fromisoformat(one["until_at"]),
            None if one["used_on"] is None else date.fromisoformat(one["used_on"]),
        )
        for one in json.loads(text)
    )


async def add_system(
    connection: Connection, client_id: str, person_id: UUID, organisation_id: UUID, key: str
) -> None:
    """A system that acts as this person, with its key (PEM). **Raises**: BadInput for a taken id."""
    added = await connection.fetchval(
        "SELECT add_system($1, $2, $3, $4)", client_id, person_id, organisation_id, key
    )
    if not added:
        raise BadInput(
            where="client_id", expected="an id that no system has or had", found="one that is taken"
        )


async def remove_system(connection: Connection, client_id: str) -> None:
    """From now on it gets no token. **Raises**: NotThere."""
    if not await connection.fetchval("SELECT remove_system($1)", client_id):
        raise NotThere("There is no such system, or it was revoked already.")


async def count_devices_out(connection: Connection) -> list[DevicesOut]:
    """How many devices are out, by organisation and kind; not which ones."""
    rows = await connection.fetch(
        "SELECT organisation_id, kind, devices, lately, oldest_at FROM count_devices_out() ORDER BY 3 DESC, 2"
    )
    return [DevicesOut(*row) for row in rows]
