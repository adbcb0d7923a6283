"""The worklist by patients: who has an alert that is not resolved, the most severe first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import asyncpg

from models.alerts import Alert
from models.clock import to_datetime, to_us
from models.db.alerts import alert_of
from models.db.pool import Connection
from models.db.worklist import shown, urgency
from models.findings import Severity, Signal

# The index gives the alerts in their order; of each patient the worst one counts. A scalar subquery, so that
# it is asked for one alert after the other, and only until the page is full. Not every filter asks for $2.
_PAGE = """
WITH page AS MATERIALIZED (
    SELECT a.patient_id, {urgency_a} AS urgency, a.opened_at, a.alert_id FROM alert AS a
    WHERE $2::timestamptz IS NOT NULL AND {open_a} AND a.alert_id = (
        SELECT w.alert_id FROM alert AS w WHERE w.patient_id = a.patient_id AND {open_w}
        ORDER BY {urgency_w}, w.opened_at, w.alert_id LIMIT 1
    ) {sought}
    ORDER BY {urgency_a}, a.opened_at, a.alert_id
    LIMIT $1
)
SELECT r.*, p.wijk, o.name AS owner_name, s.due_at AS next_at, s.why AS next_why
FROM page CROSS JOIN LATERAL (
    SELECT a.* FROM alert AS a WHERE a.patient_id = page.patient_id AND {open_a}
) AS r
LEFT JOIN patient AS p ON p.patient_id = page.patient_id
LEFT JOIN person AS o ON o.person_id = r.owner
LEFT JOIN escalation_step AS s
    ON (s.patient_id, s.alert_id) = (r.patient_id, r.alert_id) AND s.state = 'due'
ORDER BY page.urgency, page.opened_at, page.alert_id, {urgency_r}, r.opened_at, r.alert_id
"""

_IDS = """
SELECT DISTINCT a.patient_id FROM alert AS a
WHERE $2::timestamptz IS NOT NULL AND {open_a} {sought}
LIMIT $1
"""

_SIGNALS = f"""
SELECT a.alert_id, a.patient_id, a.signal FROM alert AS a
WHERE a.alert_id = ANY($1::uuid[]) AND {shown("a")}
"""

_OPEN = "{a}.state <> 'resolved' AND {a}.origin <> 'canary' AND {shown}"
_AWAKE = " AND ({a}.snoozed_until IS NULL OR {a}.snoozed_until <= $2)"
_RELEASED = " AND {a}.held_back IS NULL"

_SOUGHT = "EXISTS (SELECT FROM alert AS m WHERE m.patient_id = a.patient_id AND {open_m} AND {where})"
_BY_PROGRAMME = """EXISTS (
    SELECT FROM alert_finding AS l JOIN finding AS f USING (patient_id, finding_id)
    WHERE (l.patient_id, l.alert_id) = (m.patient_id, m.alert_id) AND f.programme = {value}
)"""
_IN_WIJK = "EXISTS (SELECT FROM patient AS p WHERE p.patient_id = a.patient_id AND p.wijk = {value})"

_REASONS = """
SELECT l.alert_id, f.finding_id, f.programme, f.version, f.rule, f.severity, f.retracted,
    f.cleared_at IS NULL AND NOT f.retracted AS holds
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
JOIN alert_finding AS l USING (patient_id, alert_id)
JOIN finding AS f USING (patient_id, finding_id)
ORDER BY f.severity = 'high' DESC, f.severity = 'medium' DESC, f.opened_at DESC, f.finding_id
"""


class SoughtOwner(StrEnum):
    """Whose alerts are looked for."""

    MINE = "mine"
    """One's own, and what is offered to oneself."""
    NOBODY = "nobody"
    OTHERS = "others"


class SoughtState(StrEnum):
    """Which alerts are looked for; without, those that are not snoozed."""

    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    OFFERED = "offered"
    UNCONFIRMED = "unconfirmed"
    CLEARED = "cleared"
    RETRACTED = "retracted"


MOST_SEARCHED = 10_000
"""Of more patients with open alerts than these, a name is not looked for among all."""

_STATES = {
    SoughtState.ACKNOWLEDGED: "m.state = 'acknowledged'",
    SoughtState.SNOOZED: "m.snoozed_until > $2",
    SoughtState.OFFERED: "m.hand_over_until > $2",
    SoughtState.UNCONFIRMED: "m.unconfirmed",
    SoughtState.CLEARED: "m.cleared_at IS NOT NULL",
    SoughtState.RETRACTED: "m.retracted",
}
_OWNERS = {
    SoughtOwner.NOBODY: "m.owner IS NULL",
    SoughtOwner.OTHERS: "m.owner <> (SELECT declared_person())",
    SoughtOwner.MINE: """(m.owner = (SELECT declared_person()) OR m.hand_over_until > $2
        AND m.handed_to_role = (SELECT declared_role())
        AND m.handed_to_organisation_id = (SELECT declared_organisation())
        AND (m.handed_to_person_id IS NULL OR m.handed_to_person_id = (SELECT declared_person())))""",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """Which patients are looked for: those with an alert that fits all of this; None is not asked for.

    `held_back`: also alerts that are shown to nobody for now. `asleep`: also those that are snoozed.
    `patients`: only these.
    """

    severity: Severity | None = None
    signal: Signal | None = None
    programme: str | None = None
    wijk: str | None = None
    owner: SoughtOwner | None = None
    state: SoughtState | None = None
    held_back: bool = False
    asleep: bool = False
    patients: tuple[UUID, ...] | None = None


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert in a worklist. **Units**: `next_us` in microseconds since 1970 UTC."""

    alert: Alert
    wijk: str | None
    owner_name: str | None
    next_us: int | None
    next_why: str | None


@dataclass(frozen=True, slots=True)
class OpenReason:
    """A finding of an alert, as far as a worklist tells of it."""

    finding_id: UUID
    programme: str
    version: int
    rule: str
    severity: Severity
    holds: bool
    retracted: bool


async def list_open(
    connection: Connection, sought: Sought, *, limit: int, now_us: int
) -> list[tuple[OpenAlert, ...]]:
    """Patients with all their unresolved alerts, the worst first, as the declared user may see them.

    **Units**: microseconds since 1970 UTC, of the time by which alerts are handled.
    """
    given: list[object] = [limit, to_datetime(now_us)]
    sql = _page_of(sought, given)
    # To plan it takes longer than to run it: all its tables are fenced.
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    found: dict[UUID, list[OpenAlert]] = {}
    for row in await connection.fetch(sql, *given):
        found.setdefault(row["patient_id"], []).append(_open_alert(row))
    return [tuple(alerts) for alerts in found.values()]


async def list_ids(connection: Connection, sought: Sought, *, now_us: int) -> list[UUID]:
    """The patients of the whole list, in no order: those among whom a name is looked for."""
    given: list[object] = [MOST_SEARCHED, to_datetime(now_us)]
    condition = "".join(f"AND {one} " for one in _conditions(sought, given))
    rows = await connection.fetch(_IDS.format(open_a=_open("a", sought), sought=condition), *given)
    return [row["patient_id"] for row in rows]


async def signals_of(connection: Connection, alerts: Collection[UUID]) -> dict[UUID, tuple[UUID, Signal]]:
    """Patient and signal of these alerts, as far as the declared user may see them."""
    rows = await connection.fetch(_SIGNALS, list(alerts))
    return {row["alert_id"]: (row["patient_id"], Signal(row["signal"])) for row in rows}


async def sees_anybody(connection: Connection) -> bool:
    """Whether there is any patient whom the declared user may see for what they do."""
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM visible_patient)")
    return found


async def reasons_of(connection: Connection, alerts: Sequence[Alert]) -> dict[UUID, tuple[OpenReason, ...]]:
    """The findings of each of these alerts, the worst first."""
    rows = await connection.fetch(
        _REASONS, [alert.patient_id for alert in alerts], [alert.alert_id for alert in alerts]
    )
    found: dict[UUID, list[OpenReason]] = {alert.alert_id: [] for alert in alerts}
    for row in rows:
        found[row["alert_id"]].append(
            OpenReason(
                finding_id=row["finding_id"],
                programme=row["programme"],
                version=row["version"],
                rule=row["rule"],
                severity=Severity(row["severity"]),
                holds=row["holds"],
                retracted=row["retracted"],
            )
        )
    return {alert_id: tuple(reasons) for alert_id, reasons in found.items()}


def _page_of(sought: Sought, given: list[object]) -> str:
    """The statement for what is sought; its values are put behind those that are given already."""
    return _PAGE.format(
        sought="".join(f"AND {one} " for one in _conditions(sought, given)),
        **{f"open_{alias}": _open(alias, sought) for alias in ("a", "w")},
        **{f"urgency_{alias}": urgency(alias) for alias in ("a", "w", "r")},
    )


def _open(alias: str, sought: Sought) -> str:
    condition = _OPEN.format(a=alias, shown=shown(alias))
    if not sought.asleep and sought.state is not SoughtState.SNOOZED:
        condition += _AWAKE.format(a=alias)
    if not sought.held_back:
        condition += _RELEASED.format(a=alias)
    return condition


def _conditions(sought: Sought, given: list[object]) -> list[str]:
    def value(of: object) -> str:
        given.append(of)
        return f"${len(given)}"

    about_alert: list[str] = []
    if sought.severity is not None:
        about_alert.append(f"m.severity = {value(sought.severity)}")
    if sought.signal is not None:
        about_alert.append(f"m.signal = {value(sought.signal)}")
    if sought.owner is not None:
        about_alert.append(_OWNERS[sought.owner])
    if sought.state is not None:
        about_alert.append(_STATES[sought.state])
    if sought.programme is not None:
        about_alert.append(_BY_PROGRAMME.format(value=value(sought.programme)))
    found: list[str] = []
    if sought.wijk is not None:
        found.append(_IN_WIJK.format(value=value(sought.wijk)))
    if sought.patients is not None:
        found.append(f"a.patient_id = ANY({value(list(sought.patients))}::uuid[])")
    if about_alert:
        found.append(_SOUGHT.format(open_m=_open("m", sought), where=" AND ".join(about_alert)))
    return found


def _open_alert(row: asyncpg.Record) -> OpenAlert:
    return OpenAlert(
        alert=alert_of(row),
        wijk=row["wijk"],
        owner_name=row["owner_name"],
        next_us=None if row["next_at"] is None else to_us(row["next_at"]),
        next_why=row["next_why"],
    )
