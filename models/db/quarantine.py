"""What was refused, with the bytes it came in: nothing that arrived is lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from models.clock import to_datetime
from models.columns import Notice, Refusal
from models.db.pool import Connection
from models.errors import Broken

_LONGEST_TEXT = 500

_MESSAGES = """
    INSERT INTO quarantine_message (
        cluster_id, topic, log_partition, log_offset, organisation_id, raw, received_at
    )
    SELECT
        $1, $2, given.log_partition, given.log_offset, patient.organisation_id, given.raw, given.received_at
    FROM unnest($3::integer[], $4::bigint[], $5::bytea[], $6::timestamptz[], $7::uuid[])
        AS given (log_partition, log_offset, raw, received_at, patient_id)
    LEFT JOIN patient USING (patient_id)
    ON CONFLICT ON CONSTRAINT quarantine_message_pkey DO NOTHING
"""

_REFUSALS = """
    INSERT INTO quarantine (
        cluster_id, topic, log_partition, log_offset, log_position, patient_id, organisation_id,
        reason, field, expected, found, readings, device_id, notice_at, notice_code
    )
    SELECT
        $1, $2, given.log_partition, given.log_offset, given.log_position, given.patient_id,
        patient.organisation_id, given.reason, given.field, given.expected, given.found, given.readings,
        given.device_id, given.notice_at, given.notice_code
    FROM unnest(
        $3::integer[], $4::bigint[], $5::integer[], $6::uuid[],
        $7::text[], $8::text[], $9::text[], $10::text[], $11::integer[],
        $12::text[], $13::timestamptz[], $14::smallint[]
    ) AS given (
        log_partition, log_offset, log_position, patient_id, reason, field, expected, found, readings,
        device_id, notice_at, notice_code
    )
    LEFT JOIN patient USING (patient_id)
    ON CONFLICT ON CONSTRAINT quarantine_pkey DO NOTHING
"""


async def quarantine(
    connection: Connection,
    cluster_id: str,
    topic: str,
    refusals: Sequence[Refusal],
    raw: Mapping[tuple[int, int], bytes],
    received_at_us: Mapping[tuple[int, int], int] | None = None,
) -> None:
    """Keep what was refused, within the transaction of the offset; what is kept already stays as it is.

    `raw` has the bytes, and `received_at_us` where known the receipt, of each message by (partition, offset).
    Changes of the same batch are to be stored before, so that patients' organisations are known.

    **Raises**: Broken when the bytes of a refused message are missing, before anything is written.
    """
    if not refusals:
        return
    patients: dict[tuple[int, int], UUID | None] = {}
    for refusal in refusals:
        patients.setdefault((refusal.partition, refusal.offset), _patient_of(refusal))
    if missing := patients.keys() - raw.keys():
        raise Broken(
            f"The bytes of refused messages are missing, at (partition, offset) {sorted(missing)[:5]}."
        )
    times = received_at_us or {}
    places = sorted(patients)
    await connection.execute(
        _MESSAGES,
        cluster_id,
        topic,
        [partition for partition, _ in places],
        [offset for _, offset in places],
        [raw[place] for place in places],
        [_time(times.get(place)) for place in places],
        [patients[place] for place in places],
    )
    await connection.execute(
        _REFUSALS,
        cluster_id,
        topic,
        [refusal.partition for refusal in refusals],
        [refusal.offset for refusal in refusals],
        [refusal.position for refusal in refusals],
        [_patient_of(refusal) for refusal in refusals],
        [refusal.reason.value for refusal in refusals],
        [storable(refusal.field) for refusal in refusals],
        [storable(refusal.expected) for refusal in refusals],
        [storable(refusal.found) for refusal in refusals],
        [refusal.readings for refusal in refusals],
        *_columns([refusal.notice for refusal in refusals]),
    )


def storable(text: str) -> str:
    r"""A text as Postgres can hold it, cut where it is long: the exact one is in the raw bytes.

    >>> storable("a\x00b\ud800")
    'a\\x00b\\ud800'
    """
    visible = text[:_LONGEST_TEXT].replace("\0", r"\x00")
    return visible.encode("utf-8", "backslashreplace").decode("utf-8")


def _patient_of(refusal: Refusal) -> UUID | None:
    try:
        return None if refusal.patient_id is None else UUID(refusal.patient_id)
    except ValueError:
        return None


def _columns(
    notices: Sequence[Notice | None],
) -> tuple[list[str | None], list[datetime | None], list[int | None]]:
    return (
        [None if notice is None else notice.device_id for notice in notices],
        [None if notice is None else to_datetime(notice.at_us) for notice in notices],
        [None if notice is None else notice.code for notice in notices],
    )


def _time(at_us: int | None) -> datetime | None:
    return None if at_us is None else to_datetime(at_us)
