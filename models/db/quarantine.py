"""What was refused, with the bytes it came in: nothing that arrived is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        reason, field, expected, found, readings, notice_at, notice_code, device_id, source, kind,
        retry_of_partition, retry_of_offset
    )
    SELECT
        $1, $2, given.log_partition, given.log_offset, given.log_position, given.patient_id,
        patient.organisation_id, given.reason, given.field, given.expected, given.found, given.readings,
        given.notice_at, given.notice_code, given.device_id, given.source, given.kind,
        given.retry_of_partition, given.retry_of_offset
    FROM unnest(
        $3::integer[], $4::bigint[], $5::integer[], $6::uuid[],
        $7::text[], $8::text[], $9::text[], $10::text[], $11::integer[],
        $12::timestamptz[], $13::smallint[], $14::text[], $15::text[], $16::text[],
        $17::integer[], $18::bigint[]
    ) AS given (
        log_partition, log_offset, log_position, patient_id, reason, field, expected, found, readings,
        notice_at, notice_code, device_id, source, kind, retry_of_partition, retry_of_offset
    )
    LEFT JOIN patient USING (patient_id)
    ON CONFLICT ON CONSTRAINT quarantine_pkey DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of which something was refused; what it says of its sender where that can be read.

    `kinds` are those of its readings by place, `retry_of` is the partition and offset of the refused message
    that it repeats. **Units**: `received_at_us` in microseconds since 1970 UTC.
    """

    raw: bytes
    received_at_us: int | None = None
    device_id: str | None = None
    source: str | None = None
    kinds: tuple[str | None, ...] = ()
    retry_of: tuple[int, int] | None = None


async def quarantine(
    connection: Connection,
    cluster_id: str,
    topic: str,
    refusals: Sequence[Refusal],
    messages: Mapping[tuple[int, int], Message],
) -> None:
    """Keep what was refused, within the transaction of the offset; what is kept already stays as it is.

    `messages` has each refused message by (partition, offset). Changes of the same batch are to be stored
    before, so that patients' organisations are known.

    **Raises**: Broken when a refused message is missing, before anything is written.
    """
    if not refusals:
        return
    patients: dict[tuple[int, int], UUID | None] = {}
    for refusal in refusals:
        patients.setdefault((refusal.partition, refusal.offset), _patient_of(refusal))
    if missing := patients.keys() - messages.keys():
        raise Broken(
            f"The bytes of refused messages are missing, at (partition, offset) {sorted(missing)[:5]}."
        )
    places = sorted(patients)
    await connection.execute(
        _MESSAGES,
        cluster_id,
        topic,
        [partition for partition, _ in places],
        [offset for _, offset in places],
        [messages[place].raw for place in places],
        [_time(messages[place].received_at_us) for place in places],
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
        *_senders([(refusal, messages[refusal.partition, refusal.offset]) for refusal in refusals]),
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


def _columns(notices: Sequence[Notice | None]) -> tuple[list[datetime | None], list[int | None]]:
    return (
        [None if notice is None else to_datetime(notice.at_us) for notice in notices],
        [None if notice is None else notice.code for notice in notices],
    )


def _senders(
    refused: Sequence[tuple[Refusal, Message]],
) -> tuple[list[str | None], list[str | None], list[str | None], list[int | None], list[int | None]]:
    return (
        [
            _storable_or_none(message.device_id if refusal.notice is None else refusal.notice.device_id)
            for refusal, message in refused
        ],
        [_storable_or_none(message.source) for _, message in refused],
        [
            message.kinds[refusal.position] if 0 <= refusal.position < len(message.kinds) else None
            for refusal, message in refused
        ],
        [None if message.retry_of is None else message.retry_of[0] for _, message in refused],
        [None if message.retry_of is None else message.retry_of[1] for _, message in refused],
    )


def _storable_or_none(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _time(at_us: int | None) -> datetime | None:
    return None if at_us is None else to_datetime(at_us)
