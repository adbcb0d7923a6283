"""Alerts for people: the worklist by pages, one alert with all that belongs to it, names beside ids."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.alerts import Alert, AlertHappening, AlertState
from models.clock import to_datetime, to_us
from models.db.alerts import alert_of, happening_of
from models.db.outbox import message_of
from models.db.pool import Connection
from models.escalations import Message
from models.findings import Severity, Signal

# The fences show whole patients. A huisarts, and whoever sees a patient only because something was handed to
# them, sees the alerts that were handed to their organisation; in an emergency everybody sees all.
_SHOWN = """(
    (SELECT declared_role()) = 'engineer'
    OR EXISTS (SELECT FROM patient_seen_whole AS v WHERE v.patient_id = {a}.patient_id)
    OR EXISTS (
        SELECT FROM alert_handed_here AS h WHERE (h.patient_id, h.alert_id) = ({a}.patient_id, {a}.alert_id)
    )
)"""

_URGENCY = """CASE
    WHEN {a}.severity = 'high' THEN 0 WHEN {a}.signal = 'silence' THEN 1
    WHEN {a}.severity = 'medium' THEN 2 ELSE 3
END"""


def shown(alias: str) -> str:
    """SQL: whether the declared user is to see the alert that goes by this alias."""
    return _SHOWN.format(a=alias)


def urgency(alias: str) -> str:
    """SQL: the rank of an alert in worklists: high, silence, medium, low. There is an index by it."""
    return _URGENCY.format(a=alias)


# The page first, what stands beside each alert after: for as many rows as are shown.
_PAGE = """
WITH page AS (
    SELECT a.*, {urgency} AS urgency FROM alert AS a LEFT JOIN patient AS p USING (patient_id)
    WHERE {where}
    ORDER BY {urgency}, a.opened_at, a.alert_id
    LIMIT $1
)
SELECT a.*, p.wijk, o.name AS owner_name, s.due_at AS next_at, s.why AS next_why, (
    SELECT count(*) FROM escalation AS e WHERE (e.patient_id, e.alert_id) = (a.patient_id, a.alert_id)
    AND e.over_at IS NULL
) AS escalations
FROM page AS a LEFT JOIN patient AS p USING (patient_id)
LEFT JOIN person AS o ON o.person_id = a.owner
LEFT JOIN escalation_step AS s
    ON (s.patient_id, s.alert_id) = (a.patient_id, a.alert_id) AND s.state = 'due'
ORDER BY a.urgency, a.opened_at, a.alert_id
"""

_KEYS = f"""
SELECT a.patient_id, a.alert_id FROM alert AS a WHERE a.alert_id = ANY($1::uuid[]) AND {shown("a")}
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are looked for; what is None, is not asked for. Without `state`: those not resolved."""

    state: AlertState | None = None
    severity: Severity | None = None
    signal: Signal | None = None
    organisation_id: UUID | None = None
    owner: UUID | None = None
    wijk: str | None = None
    held_back: bool = False
    """Also those that are shown to nobody for now."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the worklist: after the alert with this urgency, time and id."""

    urgency: int
    opened_at_us: int
    alert_id: UUID


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the worklist. **Units**: `next_us` in microseconds since 1970 UTC.

    `escalations`: how many are open.
    """

    alert: Alert
    place: Place
    wijk: str | None
    owner_name: str | None
    next_us: int | None
    next_why: str | None
    escalations: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside one alert: its history, its messages, when somebody looks next.

    `happened`: each event with its number. **Units**: `next_us` in microseconds since 1970 UTC.
    """

    happened: tuple[tuple[int, AlertHappening], ...]
    messages: tuple[Message, ...]
    wijk: str | None
    next_us: int | None
    next_why: str | None


async def list_alerts(
    connection: Connection, wanted: Wanted, *, limit: int, after: Place | None = None
) -> list[Listed]:
    """A page of the alerts that the declared user may see: high first, silence next, the oldest first.

    Canaries are in no worklist.
    """
    given: list[object] = [limit]
    where = ["a.origin <> 'canary'", shown("a"), *_conditions(wanted, given)]
    if after is not None:
        given += [after.urgency, to_datetime(after.opened_at_us), after.alert_id]
        last = len(given)
        where.append(f"({urgency('a')}, a.opened_at, a.alert_id) > (${last - 2}, ${last - 1}, ${last})")
    rows = await connection.fetch(_PAGE.format(urgency=urgency("a"), where=" AND ".join(where)), *given)
    return [_listed(row) for row in rows]


async def keys_of(connection: Connection, alerts: Collection[UUID]) -> dict[UUID, tuple[UUID, UUID]]:
    """Patient and id of the alerts with these ids that there are and that the declared user may see."""
    rows = await connection.fetch(_KEYS, list(alerts))
    return {row["alert_id"]: (row["patient_id"], row["alert_id"]) for row in rows}


async def find_alert(connection: Connection, key: tuple[UUID, UUID]) -> Alert | None:
    """An alert by patient and id, as it is now, without keeping it from others."""
    row = await connection.fetchrow("SELECT * FROM alert WHERE (patient_id, alert_id) = ($1, $2)", *key)
    return None if row is None else alert_of(row)


async def load_beside(connection: Connection, alert: Alert) -> Beside:
    """History, messages and next look of one alert."""
    key = alert.patient_id, alert.alert_id
    happened = await connection.fetch(
        "SELECT * FROM alert_event WHERE (patient_id, alert_id) = ($1, $2) ORDER BY event_no", *key
    )
    messages = await connection.fetch(
        "SELECT * FROM message WHERE patient_id = $1 AND alerts @> ARRAY[$2::uuid] "
        "ORDER BY written_at, number",
        *key,
    )
    step = await connection.fetchrow(
        "SELECT due_at, why FROM escalation_step "
        "WHERE (patient_id, alert_id) = ($1, $2) AND state = 'due'",
        *key,
    )  # fmt: skip
    return Beside(
        happened=tuple((row["event_no"], happening_of(row)) for row in happened),
        messages=tuple(map(message_of, messages)),
        wijk=await connection.fetchval("SELECT wijk FROM patient WHERE patient_id = $1", alert.patient_id),
        next_us=None if step is None else to_us(step["due_at"]),
        next_why=None if step is None else step["why"],
    )


async def find_successor(connection: Connection, alert: Alert) -> Alert | None:
    """Another alert of this one's patient and signal that is not resolved: there is room for one."""
    row = await connection.fetchrow(
        "SELECT * FROM alert "
        "WHERE (patient_id, signal) = ($1, $2) AND state <> 'resolved' AND alert_id <> $3",
        alert.patient_id, alert.signal, alert.alert_id,
    )  # fmt: skip
    return None if row is None else alert_of(row)


async def names_of(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of people and organisations; those without are left out."""
    wanted = list(set(ids))
    rows = await connection.fetch(
        """
        SELECT person_id AS id, name FROM person WHERE person_id = ANY($1::uuid[])
        UNION ALL
        SELECT organisation_id, name FROM organisation
        WHERE organisation_id = ANY($1::uuid[]) AND name IS NOT NULL
        """,
        wanted,
    )
    return {row["id"]: row["name"] for row in rows}


async def is_there(
    connection: Connection, patient_id: UUID, role: str, organisation_id: UUID, person_id: UUID | None
) -> bool:
    """Whether somebody (with an id: this person) has this role today where the patient is treated."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM person_role AS r JOIN person AS p USING (person_id)
            WHERE (r.role, r.organisation_id) = ($2, $3) AND ($4::uuid IS NULL OR r.person_id = $4)
              AND r.from_at <= statement_timestamp()
              AND (r.until_at IS NULL OR r.until_at > statement_timestamp())
              AND (p.left_at IS NULL OR p.left_at > statement_timestamp())
        ) AND EXISTS (
            SELECT FROM treatment_relation AS t WHERE (t.patient_id, t.organisation_id) = ($1, $3)
              AND t.from_at <= statement_timestamp()
              AND (t.until_at IS NULL OR t.until_at > statement_timestamp())
        )
        """,
        patient_id, role, organisation_id, person_id,
    )  # fmt: skip
    return found


def _conditions(wanted: Wanted, given: list[object]) -> list[str]:
    """What is asked for as SQL; its values are put behind those that are given already."""
    where = ["a.state <> 'resolved'"] if wanted.state is None else []
    if not wanted.held_back:
        where.append("a.held_back IS NULL")
    for column, value in (
        ("a.state", wanted.state),
        ("a.severity", wanted.severity),
        ("a.signal", wanted.signal),
        ("a.organisation_id", wanted.organisation_id),
        ("a.owner", wanted.owner),
        ("p.wijk", wanted.wijk),
    ):
        if value is not None:
            given.append(value)
            where.append(f"{column} = ${len(given)}")
    return where


def _listed(row: asyncpg.Record) -> Listed:
    alert = alert_of(row)
    return Listed(
        alert=alert,
        place=Place(row["urgency"], alert.opened_at_us, alert.alert_id),
        wijk=row["wijk"],
        owner_name=row["owner_name"],
        next_us=None if row["next_at"] is None else to_us(row["next_at"]),
        next_why=row["next_why"],
        escalations=row["escalations"],
    )
