"""When somebody, or the ladder, looks at an alert next: at most one moment for each."""

from collections.abc import Collection
from dataclasses import dataclass

from models.alerts import Alert
from models.clock import to_datetime
from models.db.pool import Connection

_SET = """
INSERT INTO escalation_step (patient_id, alert_id, organisation_id, due_at, rank, why)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::smallint[], $6::text[])
ON CONFLICT (patient_id, alert_id) WHERE state = 'due' DO UPDATE SET
    due_at = excluded.due_at, rank = excluded.rank, why = excluded.why
"""

_BRING_FORWARD = """
INSERT INTO escalation_step AS s (patient_id, alert_id, organisation_id, due_at, rank, why)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::smallint[], $6::text[])
ON CONFLICT (patient_id, alert_id) WHERE state = 'due' DO UPDATE SET
    due_at = least(s.due_at, excluded.due_at), rank = excluded.rank,
    why = CASE WHEN excluded.due_at < s.due_at THEN excluded.why ELSE s.why END
"""

_WAIT_ENDED = """
UPDATE escalation_step AS s SET due_at = $3, why = $5
FROM unnest($1::uuid[], $2::uuid[]) AS ended (patient_id, alert_id)
WHERE (s.patient_id, s.alert_id) = (ended.patient_id, ended.alert_id)
  AND s.state = 'due' AND s.why = $4 AND s.due_at > $3
"""

_DROP = """
UPDATE escalation_step AS s SET state = 'dropped', done_at = clock_timestamp(), outcome = $3
FROM unnest($1::uuid[], $2::uuid[]) AS over (patient_id, alert_id)
WHERE (s.patient_id, s.alert_id) = (over.patient_id, over.alert_id) AND s.state = 'due'
"""


@dataclass(frozen=True, slots=True)
class Look:
    """When to look at an alert next, and why then. **Units**: microseconds since 1970 UTC."""

    alert: Alert
    due_us: int
    why: str


async def set_next(connection: Connection, looks: Collection[Look]) -> None:
    """Each of these alerts (locked by the caller) is looked at then, and not at any time set before."""
    if looks:
        await connection.execute(_SET, *zip(*map(_look_row, looks), strict=True))


async def bring_forward(connection: Connection, looks: Collection[Look]) -> None:
    """Each of these alerts (locked by the caller) is looked at then at the latest."""
    if looks:
        await connection.execute(_BRING_FORWARD, *zip(*map(_look_row, looks), strict=True))


async def end_wait(
    connection: Connection, alerts: Collection[Alert], waited_for: str, now_us: int, why: str
) -> None:
    """What these alerts (locked by the caller) waited for has come: who waited for that looks now.

    **Units**: microseconds since 1970 UTC.
    """
    if alerts:
        await connection.execute(
            _WAIT_ENDED,
            [alert.patient_id for alert in alerts],
            [alert.alert_id for alert in alerts],
            to_datetime(now_us),
            waited_for,
            why,
        )


async def drop_next(connection: Connection, alerts: Collection[Alert], why: str) -> None:
    """Nobody has to look at these alerts (locked by the caller) any more."""
    if alerts:
        await connection.execute(_DROP, [a.patient_id for a in alerts], [a.alert_id for a in alerts], why)


def _look_row(look: Look) -> tuple[object, ...]:
    alert = look.alert
    key = alert.patient_id, alert.alert_id, alert.organisation_id
    return *key, to_datetime(look.due_us), alert.severity.rank, look.why
