"""Devices that patients have at home and that were not heard of for long."""

from dataclasses import dataclass
from uuid import UUID

from models.clock import to_datetime, to_us, to_us_or_none
from models.db.pool import Connection

# Whether a reading is missing is the engine's verdict, by the schedule of each programme. So devices are
# looked at of patients of whom it says so; looking for the newest reading of all devices would take seconds.
_OF_WHOM_DATA_MISS = """
WITH missing AS (
    SELECT a.patient_id, min(a.opened_at) AS since FROM alert AS a
    WHERE a.signal = 'silence' AND a.state <> 'resolved' AND a.cleared_at IS NULL AND NOT a.retracted
    GROUP BY a.patient_id
)
SELECT l.patient_id, l.device_id, l.kind, l.handed_out_at, m.since, (
    SELECT max(newest.taken_at) FROM kind AS k CROSS JOIN LATERAL (
        SELECT r.taken_at FROM reading AS r
        WHERE r.patient_id = l.patient_id AND r.kind = k.number AND r.taken_at >= $1
          AND r.device_id = l.device_id
        ORDER BY r.taken_at DESC LIMIT 1
    ) AS newest
) AS newest_at
FROM missing AS m JOIN device_loan AS l USING (patient_id)
WHERE l.returned_at IS NULL
ORDER BY newest_at NULLS FIRST, l.handed_out_at, l.device_id
LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Lent:
    """A device at the home of a patient about whom data are missing.

    `newest_us`: its newest reading, None where there is none within what was looked at; `missing_us`: since
    when data are missing. **Units**: microseconds since 1970 UTC.
    """

    patient_id: UUID
    device_id: str
    kind: str
    handed_out_us: int
    missing_us: int
    newest_us: int | None


async def devices_of_whom_data_miss(connection: Connection, since_us: int, at_most: int) -> list[Lent]:
    """Of patients whom one may see: those that were silent longest first, looking back to `since_us`."""
    rows = await connection.fetch(_OF_WHOM_DATA_MISS, to_datetime(since_us), at_most)
    return [
        Lent(
            patient_id=row["patient_id"],
            device_id=row["device_id"],
            kind=row["kind"],
            handed_out_us=to_us(row["handed_out_at"]),
            missing_us=to_us(row["since"]),
            newest_us=to_us_or_none(row["newest_at"]),
        )
        for row in rows
    ]
