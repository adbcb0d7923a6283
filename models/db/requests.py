"""Measurement requests: what the gate asked and what became of it, and which of that is still to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.clock import to_datetime, to_us
from models.db.pool import Connection
from models.requests import MeasurementRequest, RequestStatus

# What is said again changes nothing, so that nothing is told twice.
_WRITE = """
INSERT INTO measurement_request AS r (
    patient_id, kind, taken_at, request_id, organisation_id, origin, log_partition, due_at, reason, status,
    value, former, asked_at, changed_at
)
SELECT *, said_at FROM unnest(
    $1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::text[], $7::integer[],
    $8::timestamptz[], $9::text[], $10::text[], $11::double precision[], $12::double precision[],
    $13::timestamptz[]
) AS said (
    patient_id, kind, taken_at, request_id, organisation_id, origin, log_partition, due_at, reason, status,
    value, former, said_at
)
ON CONFLICT ON CONSTRAINT measurement_request_pkey DO UPDATE SET
    due_at = excluded.due_at, reason = excluded.reason, status = excluded.status, value = excluded.value,
    former = excluded.former, changed_at = excluded.changed_at, version = r.version + 1,
    written_at = clock_timestamp()
WHERE (r.due_at, r.reason, r.status, r.value, r.former)
    IS DISTINCT FROM (excluded.due_at, excluded.reason, excluded.status, excluded.value, excluded.former)
"""

_WITHDRAW = """
UPDATE measurement_request AS r SET
    status = 'withdrawn', changed_at = $2, version = r.version + 1, written_at = clock_timestamp()
WHERE r.patient_id = $1 AND r.status <> 'withdrawn'
  AND NOT EXISTS (
    SELECT FROM unnest($3::text[], $4::timestamptz[]) AS still (kind, taken_at)
    WHERE (still.kind, still.taken_at) = (r.kind, r.taken_at)
  )
"""

_TO_PUBLISH = """
SELECT patient_id, kind, taken_at, request_id, origin, due_at, reason, status, version
FROM measurement_request
WHERE published_version < version
ORDER BY written_at
LIMIT $1
"""

_PUBLISHED = """
UPDATE measurement_request AS r SET published_version = told.version
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::integer[])
    AS told (patient_id, kind, taken_at, version)
WHERE (r.patient_id, r.kind, r.taken_at) = (told.patient_id, told.kind, told.taken_at)
  AND r.published_version < told.version
"""

_WAITING = """
SELECT count(*) AS number,
    coalesce(extract(epoch FROM clock_timestamp() - min(written_at)), 0)::float8 AS longest_s
FROM measurement_request WHERE published_version < version
"""


@dataclass(frozen=True, slots=True)
class ToPublish:
    """A change of a request that nobody has been told yet: no value, nothing that says who it is.

    **Units**: times in microseconds since 1970 UTC.
    """

    patient_id: UUID
    kind: str
    taken_at_us: int
    request_id: UUID
    origin: str
    due_us: int
    reason: str
    status: RequestStatus
    version: int


async def write_requests(connection: Connection, requests: Sequence[MeasurementRequest]) -> None:
    """Stores requests as they are now, each once; what is stored already stays as it is."""
    if not requests:
        return
    columns = zip(*map(_row, requests), strict=True)
    await connection.execute(_WRITE, *(list(column) for column in columns))


async def withdraw_others(
    connection: Connection, patient_id: UUID, said_at_us: int, still: Sequence[MeasurementRequest]
) -> None:
    """Withdraws the requests of a patient that are not among those which were found from scratch."""
    await connection.execute(
        _WITHDRAW,
        patient_id,
        to_datetime(said_at_us),
        [request.kind for request in still],
        [to_datetime(request.taken_at_us) for request in still],
    )


async def to_publish(connection: Connection, at_most: int) -> list[ToPublish]:
    """What is to be told, the longest waiting first."""
    rows = await connection.fetch(_TO_PUBLISH, at_most)
    return [
        ToPublish(
            patient_id=row["patient_id"],
            kind=row["kind"],
            taken_at_us=to_us(row["taken_at"]),
            request_id=row["request_id"],
            origin=row["origin"],
            due_us=to_us(row["due_at"]),
            reason=row["reason"],
            status=RequestStatus(row["status"]),
            version=row["version"],
        )
        for row in rows
    ]


async def published(connection: Connection, told: Sequence[ToPublish]) -> None:
    """Marks what the broker has confirmed; what changed since is still to be told."""
    await connection.execute(
        _PUBLISHED,
        [one.patient_id for one in told],
        [one.kind for one in told],
        [to_datetime(one.taken_at_us) for one in told],
        [one.version for one in told],
    )


async def waiting(connection: Connection) -> tuple[int, float]:
    """How many changes are still to be told, and for how many seconds the oldest of them has waited."""
    row = await connection.fetchrow(_WAITING)
    return (0, 0.0) if row is None else (row["number"], row["longest_s"])


def _row(request: MeasurementRequest) -> tuple[object, ...]:
    return (
        request.patient_id,
        request.kind,
        to_datetime(request.taken_at_us),
        request.request_id,
        request.organisation_id,
        request.origin,
        request.log_partition,
        to_datetime(request.due_us),
        request.reason,
        request.status,
        request.value,
        request.former,
        to_datetime(request.said_at_us),
    )
