"""When a patient's devices were last heard of, and how full their batteries were then."""

from dataclasses import dataclass
from uuid import UUID

from models.clock import DAY_US, to_datetime, to_us
from models.db.pool import Connection
from models.kinds import KIND_BY_NAME

# Not longer ago: whoever wears a sensor sends a hundred thousand readings a year.
_HEARD = """
SELECT device_id, max(taken_at) AS heard_at,
    (array_agg(value ORDER BY taken_at DESC, revision DESC) FILTER (WHERE kind = $4 AND NOT void))[1]
        AS battery
FROM reading WHERE patient_id = $1 AND taken_at > $2 AND taken_at <= $3
GROUP BY device_id
"""
LOOKED_BACK_US = 30 * DAY_US


@dataclass(frozen=True, slots=True)
class Heard:
    """A device's newest reading. **Units**: microseconds since 1970 UTC; percent, None where not told."""

    at_us: int
    battery: float | None


async def last_heard(connection: Connection, patient_id: UUID, now_us: int) -> dict[str, Heard]:
    """The devices that sent something in the last 30 days. **Units**: microseconds since 1970 UTC."""
    rows = await connection.fetch(
        _HEARD,
        patient_id,
        to_datetime(now_us - LOOKED_BACK_US),
        to_datetime(now_us + DAY_US),
        KIND_BY_NAME["battery"].number,
    )
    return {row["device_id"]: Heard(to_us(row["heard_at"]), row["battery"]) for row in rows}
