"""Technical alerts: what is wrong with the service itself, or with whom it talks to. Nothing of patients."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg

from models.clock import to_datetime, to_us
from models.db.pool import Connection
from models.escalations import Channel, Trouble
from models.findings import Severity

# The worst severity that it had while open stays; what is said of it is the newest.
_RAISE = """
INSERT INTO technical_alert AS t (
    technical_alert_id, trouble, subject, organisation_id, severity, opened_at, last_at, details
)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
ON CONFLICT (trouble, subject) WHERE resolved_at IS NULL DO UPDATE SET
    last_at = greatest(t.last_at, excluded.last_at), times = t.times + 1, details = excluded.details,
    severity = CASE
        WHEN array_position(ARRAY['low', 'medium', 'high'], excluded.severity)
            > array_position(ARRAY['low', 'medium', 'high'], t.severity)
        THEN excluded.severity ELSE t.severity
    END
RETURNING times = 1 AS is_new
"""

_RESOLVE = """
UPDATE technical_alert SET resolved_at = greatest($3, opened_at), resolved_by = $4
WHERE trouble = $1 AND subject = $2 AND resolved_at IS NULL
RETURNING true
"""

_LOAD = """
SELECT * FROM technical_alert WHERE resolved_at IS NULL OR $1 ORDER BY opened_at, technical_alert_id
"""


_GIVEN_UP = "SELECT * FROM messages_given_up($1)"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """How many messages to an organisation (None: to patients) could not be delivered by a channel, and why.

    **Units**: `newest_us` in microseconds since 1970 UTC, in the time of the dispatcher.
    """

    to_id: UUID | None
    channel: Channel
    why: str
    number: int
    newest_us: int


@dataclass(frozen=True, slots=True)
class TechnicalAlert:
    """Trouble as it is stored. **Units**: times in microseconds since 1970 UTC.

    `times` is how often it was noticed since it opened, `details` what was said of it last.
    """

    technical_alert_id: UUID
    trouble: Trouble
    subject: str
    organisation_id: UUID | None
    severity: Severity
    opened_at_us: int
    last_at_us: int
    times: int
    details: str
    resolved_at_us: int | None = None
    resolved_by: UUID | None = None


async def raise_trouble(
    connection: Connection,
    trouble: Trouble,
    subject: str,
    *,
    organisation_id: UUID | None,
    severity: Severity,
    now_us: int,
    details: str,
) -> bool:
    """Opens a technical alert, or counts one more where it is open; whether it is a new one.

    `subject` (an organisation, a channel, a policy) and `details` never speak of a patient.
    """
    is_new: bool = await connection.fetchval(
        _RAISE, uuid4(), trouble, subject, organisation_id, severity, to_datetime(now_us), details
    )
    return is_new


async def resolve_trouble(
    connection: Connection, trouble: Trouble, subject: str, *, now_us: int, by: UUID | None = None
) -> bool:
    """Closes a technical alert: by a person, or with None because it mended; False where none was open."""
    found = await connection.fetchval(_RESOLVE, trouble, subject, to_datetime(now_us), by)
    return found is not None


async def load_trouble(connection: Connection, *, resolved_too: bool = False) -> list[TechnicalAlert]:
    """The technical alerts that are open, or all, the oldest first."""
    return [_trouble_of(row) for row in await connection.fetch(_LOAD, resolved_too)]


async def given_up(connection: Connection, since_us: int) -> list[GivenUp]:
    """Messages that nobody took, the newest first; of no patient, for who sees to the flow."""
    return [
        GivenUp(
            row["to_id"], Channel(row["channel"]), row["why"] or "", row["number"], to_us(row["newest_at"])
        )
        for row in await connection.fetch(_GIVEN_UP, to_datetime(since_us))
    ]


def _trouble_of(row: asyncpg.Record) -> TechnicalAlert:
    return TechnicalAlert(
        technical_alert_id=row["technical_alert_id"],
        trouble=Trouble(row["trouble"]),
        subject=row["subject"],
        organisation_id=row["organisation_id"],
        severity=Severity(row["severity"]),
        opened_at_us=to_us(row["opened_at"]),
        last_at_us=to_us(row["last_at"]),
        times=row["times"],
        details=row["details"],
        resolved_at_us=None if row["resolved_at"] is None else to_us(row["resolved_at"]),
        resolved_by=row["resolved_by"],
    )
