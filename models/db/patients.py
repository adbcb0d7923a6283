"""Patients and what was decided about them, from the log into the tables and back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.changes import PlacedChange
from models.clock import to_datetime, to_us
from models.db.pool import Connection
from models.errors import Broken
from models.messages import SCHEMA, Change, Origin, Register

_ORGANISATIONS = """
    INSERT INTO organisation (organisation_id)
    SELECT DISTINCT unnest($1::uuid[])
    ON CONFLICT ON CONSTRAINT organisation_pkey DO NOTHING
"""

_PATIENTS = """
    INSERT INTO patient (
        patient_id, organisation_id, origin, huisarts, wijk, language,
        cluster_id, topic, log_partition, log_offset, registered_at
    )
    SELECT
        patient_id, organisation_id, origin, huisarts, wijk, language, $1, $2, log_partition, log_offset, at
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::integer[], $10::bigint[], $11::timestamptz[]
    ) WITH ORDINALITY AS given (
        patient_id, organisation_id, origin, huisarts, wijk, language, log_partition, log_offset, at, place
    )
    ORDER BY place
    ON CONFLICT ON CONSTRAINT patient_pkey DO NOTHING
"""

_UNKNOWN = """
    SELECT given.patient_id FROM unnest($1::uuid[]) AS given (patient_id)
    LEFT JOIN patient USING (patient_id)
    WHERE patient.patient_id IS NULL
    LIMIT 1
"""

_CHANGES = """
    INSERT INTO patient_change (
        patient_id, organisation_id, change_id, cluster_id, topic, log_partition, log_offset,
        valid_from, effective_from, correction, change
    )
    SELECT
        given.patient_id, patient.organisation_id, given.change_id, $1, $2, given.log_partition,
        given.log_offset, given.valid_from, given.effective_from, given.correction, given.change::jsonb
    FROM unnest(
        $3::uuid[], $4::uuid[], $5::integer[], $6::bigint[], $7::timestamptz[], $8::timestamptz[],
        $9::boolean[], $10::text[]
    ) AS given (
        patient_id, change_id, log_partition, log_offset, valid_from, effective_from, correction, change
    )
    JOIN patient USING (patient_id)
    ON CONFLICT ON CONSTRAINT patient_change_pkey DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as registered; known from the offset of the registration on."""

    patient_id: UUID
    organisation_id: UUID
    origin: Origin
    huisarts: str | None
    wijk: str | None
    language: str
    known_from: int


async def store_changes(
    connection: Connection, cluster_id: str, topic: str, changes: Sequence[PlacedChange]
) -> None:
    """Store changes in the order given, that of the log; a registration makes patient and organisation.

    **Raises**: Broken for a change of a patient who is not registered: it should have been refused before.
    """
    if not changes:
        return
    await _register(connection, cluster_id, topic, changes)
    unknown = await connection.fetchval(_UNKNOWN, [placed.change.patient_id for placed in changes])
    if unknown is not None:
        raise Broken(f"A change is of patient {unknown}, who is not registered: it should have been refused.")
    await connection.execute(
        _CHANGES,
        cluster_id,
        topic,
        [placed.change.patient_id for placed in changes],
        [placed.change.change_id for placed in changes],
        [placed.partition for placed in changes],
        [placed.offset for placed in changes],
        [to_datetime(placed.change.valid_from_us) for placed in changes],
        [to_datetime(placed.effective_from_us) for placed in changes],
        [placed.change.correction for placed in changes],
        [placed.change.change.model_dump_json(by_alias=True, exclude_unset=True) for placed in changes],
    )


async def load_patients(
    connection: Connection, cluster_id: str, topic: str, partition: int, below_offset: int | None = None
) -> list[Patient]:
    """The patients of a partition in the order of the log; with an offset, those registered below it."""
    rows = await connection.fetch(
        """
        SELECT patient_id, organisation_id, origin, huisarts, wijk, language, log_offset
        FROM patient
        WHERE (cluster_id, topic, log_partition) = ($1, $2, $3) AND ($4::bigint IS NULL OR log_offset < $4)
        ORDER BY log_offset
        """,
        cluster_id, topic, partition, below_offset,
    )  # fmt: skip
    return [
        Patient(
            patient_id=row["patient_id"],
            organisation_id=row["organisation_id"],
            origin=Origin(row["origin"]),
            huisarts=row["huisarts"],
            wijk=row["wijk"],
            language=row["language"],
            known_from=row["log_offset"],
        )
        for row in rows
    ]


async def load_change_ids(
    connection: Connection, cluster_id: str, topic: str, partition: int
) -> list[tuple[UUID, UUID]]:
    """Patient and id of every change of a partition, so that one that is sent again is known."""
    rows = await connection.fetch(
        """
        SELECT patient_id, change_id FROM patient_change
        WHERE (cluster_id, topic, log_partition) = ($1, $2, $3)
        """,
        cluster_id, topic, partition,
    )  # fmt: skip
    return [(row["patient_id"], row["change_id"]) for row in rows]


async def load_changes(
    connection: Connection,
    cluster_id: str,
    topic: str,
    partition: int,
    below_offset: int | None = None,
    patient_ids: Sequence[UUID] | None = None,
) -> list[PlacedChange]:
    """The changes of a partition in the order of the log, of all patients or of some."""
    rows = await connection.fetch(
        """
        SELECT patient_id, change_id, log_offset, valid_from, effective_from, correction, change::text
        FROM patient_change
        WHERE (cluster_id, topic, log_partition) = ($1, $2, $3) AND ($4::bigint IS NULL OR log_offset < $4)
          AND ($5::uuid[] IS NULL OR patient_id = ANY ($5))
        ORDER BY log_offset
        """,
        cluster_id, topic, partition, below_offset, None if patient_ids is None else list(patient_ids),
    )  # fmt: skip
    return [_placed(row, partition) for row in rows]


async def load_changes_of(connection: Connection, patient_id: UUID) -> list[PlacedChange]:
    """All changes of one patient in the order of the log; none for a patient who is not stored (yet)."""
    rows = await connection.fetch(
        """
        SELECT
            patient_id, change_id, log_partition, log_offset,
            valid_from, effective_from, correction, change::text
        FROM patient_change
        WHERE patient_id = $1
        ORDER BY log_partition, log_offset
        """,
        patient_id,
    )
    return [_placed(row, row["log_partition"]) for row in rows]


async def _register(
    connection: Connection, cluster_id: str, topic: str, changes: Sequence[PlacedChange]
) -> None:
    placed_contents = ((placed, placed.change.change.only) for placed in changes)
    new = [(placed, content) for placed, content in placed_contents if isinstance(content, Register)]
    if not new:
        return
    # The organisation's name comes from elsewhere, perhaps later: no registration waits for it.
    await connection.execute(_ORGANISATIONS, [content.organisation_id for _, content in new])
    await connection.execute(
        _PATIENTS,
        cluster_id,
        topic,
        [placed.change.patient_id for placed, _ in new],
        [content.organisation_id for _, content in new],
        [content.origin.value for _, content in new],
        [content.huisarts for _, content in new],
        [content.wijk for _, content in new],
        [content.language for _, content in new],
        [placed.partition for placed, _ in new],
        [placed.offset for placed, _ in new],
        [to_datetime(placed.effective_from_us) for placed, _ in new],
    )


def _placed(row: asyncpg.Record, partition: int) -> PlacedChange:
    envelope = {
        "schema": SCHEMA,
        "type": "change",
        "change_id": str(row["change_id"]),
        "patient_id": str(row["patient_id"]),
        "valid_from_us": to_us(row["valid_from"]),
        "correction": row["correction"],
    }
    # Read as it came, from JSON: strictly, Python's lists are not the tuples that the message has.
    message = f'{json.dumps(envelope)[:-1]}, "change": {row["change"]}}}'
    return PlacedChange(
        partition=partition,
        offset=row["log_offset"],
        change=Change.model_validate_json(message),
        effective_from_us=to_us(row["effective_from"]),
    )
