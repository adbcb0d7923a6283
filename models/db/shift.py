"""The shift: who handles alerts here today, how much there is to do, and how fast it goes of late."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from models.access import POLICY, Action, Role
from models.alerts import Alert
from models.clock import HOUR_US, to_datetime, to_us
from models.db.pool import Connection
from models.db.worklist import shown
from models.escalations import Party

LOOKED_BACK_US = 8 * HOUR_US
"""So long back one looks for how fast alerts are handled."""

_COLLEAGUES = """
SELECT p.person_id, p.name, r.role FROM person_role AS r JOIN person AS p USING (person_id)
WHERE r.organisation_id = $1 AND r.role = ANY($2::text[]) AND NOT p.is_system
  AND r.from_at <= statement_timestamp() AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
  AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
ORDER BY r.role = $3 DESC, p.name, p.person_id
"""

_OPEN = f"""
SELECT
    count(*) FILTER (WHERE awake AND held_back IS NULL) AS open,
    count(*) FILTER (
        WHERE awake AND held_back IS NULL AND severity = 'high' AND owner IS NULL
    ) AS high_of_nobody,
    count(*) FILTER (WHERE owner = (SELECT declared_person())) AS mine,
    count(*) FILTER (
        WHERE hand_over_until > $1 AND handed_to_role = (SELECT declared_role())
        AND handed_to_organisation_id = (SELECT declared_organisation())
        AND (handed_to_person_id IS NULL OR handed_to_person_id = (SELECT declared_person()))
        AND owner <> (SELECT declared_person())
    ) AS offered,
    count(*) FILTER (WHERE NOT awake) AS snoozed,
    count(*) FILTER (WHERE held_back IS NOT NULL) AS held_back,
    array_agg(DISTINCT owner) FILTER (WHERE owner IS NOT NULL) AS owners
FROM (
    SELECT a.*, a.snoozed_until IS NULL OR a.snoozed_until <= $1 AS awake FROM alert AS a
    WHERE a.state <> 'resolved' AND a.origin <> 'canary' AND {shown("a")}
) AS unresolved
"""

_HANDLED = """
SELECT a.owner, count(*) AS number, count(DISTINCT date_trunc('hour', a.resolved_at)) AS hours,
    max(a.resolved_at) AS last_at
FROM alert AS a
WHERE a.organisation_id = (SELECT declared_organisation()) AND a.state = 'resolved'
  AND a.resolved_at > $1 AND a.resolved_at <= $2 AND a.owner IS NOT NULL
  AND a.outcome NOT IN ('by_itself', 'ended')
GROUP BY a.owner
"""

_NOTES = """
SELECT DISTINCT ON (e.alert_id) e.alert_id, e.happened_at, e.by, e.why ->> 'text' AS text
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
JOIN alert_event AS e USING (patient_id, alert_id)
WHERE e.event = 'noted'
ORDER BY e.alert_id, e.event_no DESC
"""


_THERE = """
SELECT EXISTS (
    SELECT FROM person_role AS r JOIN person AS p USING (person_id)
    WHERE (r.role, r.organisation_id) = ($2, $3) AND ($4::uuid IS NULL OR r.person_id = $4)
      AND r.from_at <= statement_timestamp() AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
      AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
) AND NOT EXISTS (
    SELECT FROM unnest($1::uuid[]) AS w (patient_id) WHERE NOT EXISTS (
        SELECT FROM treatment_relation AS t
        WHERE (t.patient_id, t.organisation_id) = (w.patient_id, $3) AND t.from_at <= statement_timestamp()
          AND (t.until_at IS NULL OR t.until_at > statement_timestamp())
    )
)
"""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who may handle alerts here today."""

    person_id: UUID
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is open, as far as the declared user may see it; `owners`: who has something of it."""

    open: int
    high_of_nobody: int
    mine: int
    offered: int
    snoozed: int
    held_back: int
    owners: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Handled:
    """What one person closed of late, in how many hours of the clock. **Units**: `last_us` since 1970 UTC."""

    person_id: UUID
    number: int
    hours: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Note:
    """The last note of an alert. **Units**: `at_us` in microseconds since 1970 UTC."""

    at_us: int
    by: str
    text: str


async def colleagues(connection: Connection, organisation_id: UUID, first: Role) -> list[Colleague]:
    """Who may handle alerts at an organisation today; those of the role `first` first."""
    rows = await connection.fetch(
        _COLLEAGUES, organisation_id, [role.value for role in POLICY[Action.ALERT_HANDLE]], first.value
    )
    return [Colleague(row["person_id"], row["name"], Role(row["role"])) for row in rows]


async def are_there(
    connection: Connection, patients: Collection[UUID], to: Party, person_id: UUID | None
) -> bool:
    """Whether somebody (with an id: this person) has this role today where all these patients are treated."""
    found: bool = await connection.fetchval(
        _THERE, list(patients), to.role.value, to.organisation_id, person_id
    )
    return found


async def waiting(connection: Connection, now_us: int) -> Waiting:
    """What there is to do. **Units**: microseconds since 1970 UTC."""
    (row,) = await connection.fetch(_OPEN, to_datetime(now_us))
    counts = {
        name: row[name] for name in ("open", "high_of_nobody", "mine", "offered", "snoozed", "held_back")
    }
    return Waiting(**counts, owners=frozenset(row["owners"] or ()))


async def handled(connection: Connection, now_us: int) -> list[Handled]:
    """What people at the declared organisation closed of late. **Units**: microseconds since 1970 UTC."""
    rows = await connection.fetch(_HANDLED, to_datetime(now_us - LOOKED_BACK_US), to_datetime(now_us))
    return [Handled(row["owner"], row["number"], row["hours"], to_us(row["last_at"])) for row in rows]


async def last_notes(connection: Connection, alerts: Sequence[Alert]) -> dict[UUID, Note]:
    """The last note of each of these alerts that has one."""
    rows = await connection.fetch(
        _NOTES, [alert.patient_id for alert in alerts], [alert.alert_id for alert in alerts]
    )
    return {row["alert_id"]: Note(to_us(row["happened_at"]), row["by"], row["text"] or "") for row in rows}
