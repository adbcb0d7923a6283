"""The register's tables: registrations, what was decided about them, relations, and the outbox to the log.

Who changes a registration first moves its version, by compare-and-set: of two at once one waits, and then
finds that it is outdated. So a patient's changes are numbered in the order of their commits.
"""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg

from models.db.declared import REFUSED
from models.db.identity import free_number, write_identities
from models.db.pool import Connection
from models.errors import BadInput, NotAllowed, Outdated
from models.identity import Keys
from models.messages import AnyChange, Origin
from models.register import (
    Care,
    Decided,
    Device,
    Inclusion,
    Registered,
    Untold,
    change_of,
    content_of,
)

_CARE = ", ".join(field.name for field in fields(Care))

_REGISTER = """
    INSERT INTO registration (patient_id, organisation_id, origin)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[])
"""
_TREATED = """
    INSERT INTO treatment_relation (patient_id, organisation_id, by)
    SELECT patient_id, organisation_id, $3
    FROM unnest($1::uuid[], $2::uuid[]) AS t (patient_id, organisation_id)
"""
_CHANGES = """
    INSERT INTO register_change (
        patient_id, organisation_id, number, change_id, valid_from_us, correction, change, by
    )
    SELECT
        patient_id, organisation_id,
        row_number() OVER (PARTITION BY patient_id ORDER BY place)
            + coalesce((SELECT max(c.number) FROM register_change AS c WHERE c.patient_id = n.patient_id), 0),
        change_id, valid_from_us, correction, change, $7
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[], $6::jsonb[]) WITH ORDINALITY
        AS n (patient_id, organisation_id, change_id, valid_from_us, correction, change, place)
    ORDER BY place
"""
_WRITE_CARE = f"""
    INSERT INTO patient_care (patient_id, organisation_id, version, by, {_CARE})
    SELECT patient_id, organisation_id, version, $4, {_CARE} FROM unnest(
        $1::uuid[], $2::uuid[], $3::integer[],
        $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::uuid[],
        $12::date[], $13::timestamptz[], $14::uuid[], $15::boolean[]
    ) AS w (patient_id, organisation_id, version, {_CARE})
"""
_LEND = """
    INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at, by)
    SELECT *, clock_timestamp(), $5 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
"""
_RETURNED = """
    UPDATE device_loan SET returned_at = clock_timestamp()
    WHERE patient_id = $1 AND device_id = $2 AND returned_at IS NULL RETURNING device_id
"""
_MOVE = """
    UPDATE registration SET version = version + 1
    WHERE patient_id = $1 AND version = $2 RETURNING organisation_id, origin
"""


async def include(connection: Connection, keys: Keys, inclusions: Sequence[Inclusion], by: UUID) -> None:
    """Stores new patients, all or none, with what is to be told of them.

    **Raises**: BadInput when a number is another patient's, or a device is with somebody else.
    """
    whose = [(one.patient_id, one.organisation_id) for one in inclusions]
    patients, organisations = _columns(whose, 2)
    await connection.execute(_REGISTER, patients, organisations, [one.origin.value for one in inclusions])
    relations = [(one.patient_id, centre) for one in inclusions for centre in dict.fromkeys(one.treated_by)]
    await connection.execute(_TREATED, *_columns(relations, 2), by)
    await _write_care(connection, [(*one, 1) for one in whose], [one.care for one in inclusions], by)
    await write_identities(connection, keys, {one.patient_id: one.identity for one in inclusions})
    await _lend(connection, [((one.patient_id, one.organisation_id), one.devices) for one in inclusions], by)
    await _write_changes(
        connection,
        [
            # A millisecond apart: sorted by time they are in order, too.
            (*whose, uuid4(), one.valid_from_us + place * 1_000, False, change)
            for one, whose in zip(inclusions, whose, strict=True)
            for place, change in enumerate(one.changes)
        ],
        by,
    )


async def registered(connection: Connection, patient_id: UUID) -> Registered:
    """A patient as the register has them. **Raises**: NotAllowed when there is none to be seen."""
    row = await connection.fetchrow(
        "SELECT organisation_id, origin, version FROM registration WHERE patient_id = $1", patient_id
    )
    if row is None:
        raise NotAllowed(REFUSED)
    care = await connection.fetchrow(
        f"SELECT {_CARE} FROM patient_care WHERE patient_id = $1 ORDER BY version DESC LIMIT 1", patient_id
    )
    changes = await connection.fetch(
        "SELECT valid_from_us, change FROM register_change WHERE patient_id = $1 ORDER BY number", patient_id
    )
    return Registered(
        patient_id=patient_id,
        organisation_id=row["organisation_id"],
        origin=Origin(row["origin"]),
        version=row["version"],
        care=Care() if care is None else Care(**care),
        changes=tuple((change["valid_from_us"], change_of(change["change"])) for change in changes),
    )


async def lock(connection: Connection, patient_id: UUID) -> None:
    """From here on nobody else changes this registration, until our transaction ends: for who saw no version.

    **Raises**: NotAllowed when there is none to be seen.
    """
    found = await connection.fetchval(
        "SELECT 1 FROM registration WHERE patient_id = $1 FOR UPDATE", patient_id
    )
    if found is None:
        raise NotAllowed(REFUSED)


async def move_version(connection: Connection, patient_id: UUID, version: int) -> None:
    """Takes the next version of a registration, of which `version` was seen; others wait for our commit.

    **Raises**: Outdated when somebody else took it first.
    """
    if await connection.fetchrow(_MOVE, patient_id, version) is None:
        raise Outdated(f"Somebody changed this patient after version {version}: look again, then decide.")


async def change(connection: Connection, keys: Keys, who: Registered, decided: Decided, by: UUID) -> None:
    """Stores what was decided about a patient whose version was moved before they were read.

    **Raises**: BadInput when a number is another patient's, or a device is not where it should be.
    """
    whose = who.patient_id, who.organisation_id
    if decided.care is not None:
        await _write_care(connection, [(*whose, who.version)], [decided.care], by)
    if decided.identity is not None:
        await write_identities(connection, keys, {who.patient_id: decided.identity})
    if decided.frees_number:
        await free_number(connection, who.patient_id)
    await _lend(connection, [(whose, decided.hand_out)], by)
    for device_id in decided.take_back:
        if await connection.fetchval(_RETURNED, who.patient_id, device_id) is None:
            raise BadInput(where="device_id", expected="a device that the patient has", found="another")
    if decided.treats_no_more is not None:
        await end_relation(connection, "treatment_relation", who.patient_id, decided.treats_no_more)
    if decided.treats is not None:
        await begin_relation(connection, "treatment_relation", who.patient_id, decided.treats, by)
    await _write_changes(
        connection,
        [(*whose, uuid4(), decided.valid_from_us, decided.correction, one) for one in decided.changes],
        by,
    )


async def devices_of(
    connection: Connection, patient_id: UUID
) -> list[tuple[Device, datetime, datetime | None]]:
    """What a patient has at home, or had: when it was handed out, and returned."""
    rows = await connection.fetch(
        """
        SELECT device_id, kind, handed_out_at, returned_at FROM device_loan
        WHERE patient_id = $1 ORDER BY handed_out_at, device_id
        """,
        patient_id,
    )
    return [(Device(row["device_id"], row["kind"]), row["handed_out_at"], row["returned_at"]) for row in rows]


async def ended_among(connection: Connection, patients: Sequence[UUID]) -> dict[UUID, UUID | None]:
    """Whose follow-up has ended, of these, and which registration stays where theirs was a double."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (patient_id) patient_id, ended_at, merged_into FROM patient_care
        WHERE patient_id = ANY($1::uuid[]) ORDER BY patient_id, version DESC
        """,
        list(patients),
    )
    return {row["patient_id"]: row["merged_into"] for row in rows if row["ended_at"] is not None}


async def last_of(connection: Connection, patients: Sequence[UUID]) -> UUID | None:
    """Of the registrations of one person the one that is followed, or else the one that ended last."""
    found: UUID | None = await connection.fetchval(
        """
        SELECT patient_id FROM (
            SELECT DISTINCT ON (patient_id) patient_id, ended_at FROM patient_care
            WHERE patient_id = ANY($1::uuid[]) ORDER BY patient_id, version DESC
        ) AS newest
        ORDER BY ended_at DESC NULLS FIRST, patient_id LIMIT 1
        """,
        list(patients),
    )
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """How an organisation stands, or stood, to a patient."""

    organisation_id: UUID
    from_at: datetime
    until_at: datetime | None


async def relations_of(connection: Connection, table: str, patient_id: UUID) -> list[Standing]:
    """All that stand in `treatment_relation`, `consent` or `objection` for a patient."""
    rows = await connection.fetch(
        f"SELECT organisation_id, from_at, until_at FROM {table} WHERE patient_id = $1 ORDER BY from_at",
        patient_id,
    )
    return [Standing(*row) for row in rows]


async def begin_relation(
    connection: Connection,
    table: str,
    patient_id: UUID,
    organisation_id: UUID,
    by: UUID,
    until: datetime | None = None,
) -> None:
    """An organisation treats a patient (`treatment_relation`), or may look (`consent`), from now on.

    What holds already stays as it is. **Raises**: BadInput when it would end before it begins.
    """
    try:
        await connection.execute(
            f"""
            INSERT INTO {table} (patient_id, organisation_id, until_at, by)
            SELECT $1, $2, $3, $4 WHERE NOT EXISTS (
                SELECT FROM {table} WHERE patient_id = $1 AND organisation_id = $2
                AND (until_at IS NULL OR until_at > clock_timestamp())
            )
            """,
            patient_id, organisation_id, until, by,
        )  # fmt: skip
    except asyncpg.CheckViolationError:
        raise BadInput(where="until", expected="a moment to come", found="one that is over") from None
    except asyncpg.UniqueViolationError:
        raise Outdated("Somebody did the same at this moment: look again.") from None


async def end_relation(connection: Connection, table: str, patient_id: UUID, organisation_id: UUID) -> bool:
    """It ends now; False where there was none."""
    found = await connection.fetchval(
        f"""
        UPDATE {table} SET until_at = clock_timestamp()
        WHERE patient_id = $1 AND organisation_id = $2 AND from_at <= clock_timestamp()
          AND (until_at IS NULL OR until_at > clock_timestamp())
        RETURNING 1
        """,
        patient_id, organisation_id,
    )  # fmt: skip
    return found is not None


async def declare_emergency(
    connection: Connection,
    patient_id: UUID,
    person_id: UUID,
    organisation_id: UUID,
    hours: float,
    reason: str,
) -> UUID:
    """Lets one look for some hours, under review. **Raises**: NotAllowed when there is no such patient."""
    emergency_id = uuid4()
    try:
        await connection.execute(
            """
            INSERT INTO emergency_access (
                emergency_id, patient_id, person_id, organisation_id, until_at, reason
            )
            VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 hour' - interval '1 second', $6)
            """,
            emergency_id, patient_id, person_id, organisation_id, hours, reason,
        )  # fmt: skip
    except asyncpg.ForeignKeyViolationError:
        raise NotAllowed(REFUSED) from None
    return emergency_id


async def to_tell(connection: Connection, at_most: int) -> list[Untold]:
    """What is to be told, the longest waiting first, and of each patient from the first untold one on."""
    rows = await connection.fetch(
        """
        SELECT patient_id, number, change_id, valid_from_us, correction, change FROM register_change
        WHERE told_at IS NULL AND patient_id IN (
            SELECT patient_id FROM register_change WHERE told_at IS NULL ORDER BY decided_at LIMIT $1
        )
        ORDER BY patient_id, number
        """,
        at_most,
    )
    return [Untold(*list(row)[:-1], content=json.loads(row["change"])) for row in rows]


async def told(connection: Connection, changes: Sequence[Untold]) -> None:
    """Marks what the broker has confirmed."""
    await connection.execute(
        "UPDATE register_change SET told_at = clock_timestamp() WHERE change_id = ANY($1::uuid[])",
        [change.change_id for change in changes],
    )


async def waiting(connection: Connection) -> tuple[int, float]:
    """How many changes are still to be told, and for how many seconds the oldest of them has waited."""
    row = await connection.fetchrow(
        """
        SELECT count(*) AS number,
            coalesce(extract(epoch FROM clock_timestamp() - min(decided_at)), 0)::float8 AS longest_s
        FROM register_change WHERE told_at IS NULL
        """
    )
    return (0, 0.0) if row is None else (row["number"], row["longest_s"])


async def _write_care(
    connection: Connection, whose: Sequence[tuple[UUID, UUID, int]], care: Sequence[Care], by: UUID
) -> None:
    columns = [*_columns(whose, 3), by, *_columns([astuple(one) for one in care], 11)]
    try:
        await connection.execute(_WRITE_CARE, *columns)
    except asyncpg.ForeignKeyViolationError as error:
        if error.constraint_name != "patient_care_informed_by_fkey":
            raise
        raise BadInput(
            where="informed_by", expected="the id of a person in the register", found="another"
        ) from None


async def _lend(
    connection: Connection, whose: Sequence[tuple[tuple[UUID, UUID], Sequence[Device]]], by: UUID
) -> None:
    lent = [(*who, device.device_id, device.kind) for who, devices in whose for device in devices]
    if not lent:
        return
    try:
        await connection.execute(_LEND, *_columns(lent, 4), by)
    except asyncpg.UniqueViolationError:
        raise BadInput(
            where="device_id",
            expected="a device that is in nobody's home",
            found="one that was not returned yet",
        ) from None


async def _write_changes(
    connection: Connection, changes: Sequence[tuple[UUID, UUID, UUID, int, bool, AnyChange]], by: UUID
) -> None:
    if changes:
        rows = [(*head, json.dumps(content_of(content))) for *head, content in changes]
        await connection.execute(_CHANGES, *_columns(rows, 6), by)


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    return [[row[place] for row in rows] for place in range(width)]
