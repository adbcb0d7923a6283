"""The alerts, their reasons and their history; and the word to who listens that something changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.access import Role
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState, HandOver, HeldBack
from models.clock import to_datetime, to_datetime_or_none, to_us, to_us_or_none
from models.db.pool import Connection
from models.db.steps import Look, bring_forward, drop_next
from models.errors import TryAgain
from models.findings import Severity, Signal
from models.messages import Origin
from models.programmes import CANARY

CHANNEL = "thuiswacht_alert"

_JSON = json.JSONEncoder(allow_nan=False)

# Locked, so that what people do with them at this moment comes before or after, never in between.
_LOAD = """
SELECT a.* FROM alert AS a
WHERE (a.patient_id, a.alert_id) IN (
    SELECT o.patient_id, o.alert_id FROM alert AS o
    WHERE o.patient_id = ANY($1::uuid[]) AND o.state <> 'resolved'
    UNION
    SELECT l.patient_id, l.alert_id FROM unnest($1::uuid[], $2::timestamptz[]) AS touched (patient_id, since)
    JOIN finding AS f USING (patient_id)
    JOIN alert_finding AS l USING (patient_id, finding_id)
    WHERE f.cleared_at IS NULL OR f.cleared_at >= touched.since OR f.opened_at >= touched.since
)
ORDER BY a.patient_id, a.created_at, a.alert_id
FOR UPDATE OF a
"""

_LOCK = """
SELECT a.* FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
JOIN alert AS a USING (patient_id, alert_id)
ORDER BY a.patient_id, a.created_at, a.alert_id
FOR UPDATE OF a
"""

_LOAD_REASONS = """
SELECT l.patient_id, l.alert_id, l.finding_id
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
JOIN alert_finding AS l USING (patient_id, alert_id)
JOIN alert AS a USING (patient_id, alert_id)
ORDER BY l.patient_id, l.joined_at, a.created_at, l.finding_id
"""

_LOAD_HEARD = """
SELECT DISTINCT (e.why ->> 'remark_id')::uuid AS remark_id
FROM unnest($1::uuid[], $2::text[]) AS wanted (patient_id, remark_id)
JOIN alert_event AS e USING (patient_id)
WHERE e.event IN ('opened', 'remarked') AND e.why ->> 'remark_id' = wanted.remark_id
"""

_WRITE = """
INSERT INTO alert (
    patient_id, alert_id, organisation_id, origin, signal, severity, state, opened_at, cleared_at, retracted,
    quiet, held_back, owner, version, resolved_at, outcome, follows, unconfirmed, responsible_role,
    responsible_organisation_id, acknowledged_at, resolve_by, snoozed_until, handed_to_role,
    handed_to_organisation_id, handed_to_person_id, hand_over_until, step_no, stepped_at, policy, sent,
    recheck_at
)
SELECT * FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
    $9::timestamptz[], $10::boolean[], $11::boolean[], $12::text[], $13::uuid[], $14::integer[],
    $15::timestamptz[], $16::text[], $17::uuid[], $18::boolean[], $19::text[], $20::uuid[],
    $21::timestamptz[], $22::timestamptz[], $23::timestamptz[], $24::text[], $25::uuid[],
    $26::uuid[], $27::timestamptz[],
    $28::integer[], $29::timestamptz[], $30::text[], $31::boolean[], $32::timestamptz[]
)
ON CONFLICT (patient_id, alert_id) DO UPDATE SET
    severity = excluded.severity,
    state = excluded.state,
    cleared_at = excluded.cleared_at,
    retracted = excluded.retracted,
    quiet = excluded.quiet,
    unconfirmed = excluded.unconfirmed,
    held_back = excluded.held_back,
    version = excluded.version,
    resolved_at = excluded.resolved_at,
    outcome = excluded.outcome,
    owner = excluded.owner,
    responsible_role = excluded.responsible_role,
    responsible_organisation_id = excluded.responsible_organisation_id,
    acknowledged_at = excluded.acknowledged_at,
    resolve_by = excluded.resolve_by,
    snoozed_until = excluded.snoozed_until,
    handed_to_role = excluded.handed_to_role,
    handed_to_organisation_id = excluded.handed_to_organisation_id,
    handed_to_person_id = excluded.handed_to_person_id,
    hand_over_until = excluded.hand_over_until,
    step_no = excluded.step_no,
    stepped_at = excluded.stepped_at,
    policy = excluded.policy,
    sent = excluded.sent,
    recheck_at = excluded.recheck_at
"""

# In the update that is made anyway, after its events were written: a second one would cost as much again.
_WRITE_HEARD = (
    _WRITE.rstrip()
    + """,
    heard_event_no = (
        SELECT max(e.event_no) FROM alert_event AS e
        WHERE (e.patient_id, e.alert_id) = (excluded.patient_id, excluded.alert_id)
    )
"""
)

_JOIN = """
INSERT INTO alert_finding (patient_id, alert_id, finding_id, joined_at, organisation_id)
SELECT r.patient_id, r.alert_id, r.finding_id, r.joined_at, a.organisation_id
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
    AS r (patient_id, alert_id, finding_id, joined_at)
JOIN alert AS a USING (patient_id, alert_id)
ON CONFLICT DO NOTHING
"""

_TELL = """
INSERT INTO alert_event (
    patient_id, alert_id, organisation_id, happened_at, event, from_value, to_value, by, why
)
SELECT patient_id, alert_id, organisation_id, happened_at, event, from_value, to_value, by, why
FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::jsonb[]
) WITH ORDINALITY AS t (
    patient_id, alert_id, organisation_id, happened_at, event, from_value, to_value, by, why, place
)
ORDER BY place
"""


_COUNT_FINDINGS = """
SELECT log_partition, count(*) AS number FROM finding
WHERE cleared_at IS NULL AND NOT retracted AND log_partition = ANY($1::integer[]) AND programme <> $2
GROUP BY log_partition
"""

_COUNT_ALERTS = """
SELECT p.log_partition, a.severity, count(*) AS number
FROM alert AS a JOIN patient AS p USING (patient_id)
WHERE a.state <> 'resolved' AND a.origin <> 'canary'
    AND (p.cluster_id, p.topic) = ($1, $2) AND p.log_partition = ANY($3::integer[])
GROUP BY p.log_partition, a.severity
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """A finding that belongs to an alert. **Units**: `joined_at_us` in microseconds since 1970 UTC."""

    patient_id: UUID
    alert_id: UUID
    finding_id: UUID
    joined_at_us: int = 0


async def load_alerts(connection: Connection, since_us: Mapping[UUID, int]) -> list[Alert]:
    """The alerts of patients that are not resolved, or that a finding as in `load_findings` belongs to.

    Locked until the end of the transaction; in the order of patient and creation.
    """
    rows = await connection.fetch(
        _LOAD, list(since_us), [to_datetime(max(at_us, 0)) for at_us in since_us.values()]
    )
    return [alert_of(row) for row in rows]


async def lock_alerts(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> list[Alert]:
    """Alerts by patient and id, as they are now, locked until the end of the transaction."""
    if not keys:
        return []
    rows = await connection.fetch(_LOCK, [patient_id for patient_id, _ in keys], [key for _, key in keys])
    return [alert_of(row) for row in rows]


async def load_by_id(connection: Connection, patient_id: UUID, alerts: Sequence[UUID]) -> list[Alert]:
    """These alerts of a patient as they are now, in the order in which they are named; not locked."""
    rows = await connection.fetch(
        "SELECT * FROM alert WHERE patient_id = $1 AND alert_id = ANY($2::uuid[])", patient_id, list(alerts)
    )
    by_id = {row["alert_id"]: alert_of(row) for row in rows}
    return [by_id[key] for key in alerts if key in by_id]


async def load_reasons(connection: Connection, alerts: Sequence[Alert]) -> list[Reason]:
    """The findings of these alerts; the last one named is the latest that a finding belongs to."""
    if not alerts:
        return []
    rows = await connection.fetch(
        _LOAD_REASONS, [alert.patient_id for alert in alerts], [alert.alert_id for alert in alerts]
    )
    return [Reason(row["patient_id"], row["alert_id"], row["finding_id"]) for row in rows]


async def load_heard(connection: Connection, remarks: Mapping[UUID, UUID]) -> set[UUID]:
    """Which of these remarks, each with its patient, are in an alert of theirs already.

    The alerts of the patients are locked by the caller: nobody else hears them meanwhile.
    """
    if not remarks:
        return set()
    rows = await connection.fetch(_LOAD_HEARD, list(remarks.values()), [str(key) for key in remarks])
    return {row["remark_id"] for row in rows}


async def count_open(
    connection: Connection, cluster_id: str, topic: str, partitions: Sequence[int]
) -> tuple[Mapping[int, int], Mapping[tuple[int, Severity], int]]:
    """How many findings hold in each partition, and how many alerts of each severity are not resolved.

    The canaries are in no figure.
    """
    findings = await connection.fetch(_COUNT_FINDINGS, list(partitions), CANARY)
    alerts = await connection.fetch(_COUNT_ALERTS, cluster_id, topic, list(partitions))
    return (
        {row["log_partition"]: row["number"] for row in findings},
        {(row["log_partition"], Severity(row["severity"])): row["number"] for row in alerts},
    )


async def write_alerts(
    connection: Connection,
    alerts: Sequence[Alert],
    reasons: Sequence[Reason],
    happenings: Sequence[AlertHappening],
    *,
    looks_set: bool = False,
    heard: bool = False,
) -> None:
    """Stores alerts as they are now, their new reasons (findings stored before) and what happened, in order.

    Whoever listens on the channel hears the id of each alert when the transaction commits. Somebody looks at
    each that is not resolved as soon as that: whoever writes may say when otherwise (`models.db.steps`), and
    with `looks_set` does so for each of them.
    With `heard` the dispatcher writes, of alerts that are there, and knows of all that has happened to them.
    Of a canary's alert nobody hears, and nobody looks at it but the watch.

    **Raises**: TryAgain where somebody else opened an alert of the same patient and signal meanwhile.
    """
    events = [_happening_row(happening) for happening in happenings]
    if heard:
        await _execute(connection, _TELL, events)
    # Those that close come first: only then is there room for another open one of the same signal.
    in_order = sorted(alerts, key=lambda alert: alert.state is not AlertState.RESOLVED)
    try:
        await _execute(
            connection, _WRITE_HEARD if heard else _WRITE, [_alert_row(alert) for alert in in_order]
        )
    except asyncpg.UniqueViolationError as error:
        open_ones = [(a.patient_id, a.signal) for a in alerts if a.state is not AlertState.RESOLVED]
        is_ours = len(set(open_ones)) < len(open_ones)
        if is_ours or error.constraint_name != "alert_one_open_per_signal":
            raise
        # A recheck, a new finding and somebody's undo may open one at the same moment: who comes second looks
        # again, and finds the first one's.
        said = "An alert for this signal of a patient was opened at this moment."
        raise TryAgain(said, is_away=False) from None
    await _execute(
        connection,
        _JOIN,
        [(r.patient_id, r.alert_id, r.finding_id, to_datetime(r.joined_at_us)) for r in reasons],
    )
    if not heard:
        await _execute(connection, _TELL, events)
    canaries = {alert.alert_id for alert in alerts if alert.origin is Origin.CANARY}
    if not looks_set:
        await _look_again(connection, [a for a in alerts if a.alert_id not in canaries], happenings)
    told = [key for key in dict.fromkeys(h.alert_id for h in happenings) if key not in canaries]
    if told:
        await connection.execute(
            "SELECT pg_notify($1, alert_id::text) FROM unnest($2::uuid[]) AS t (alert_id)", CHANNEL, told
        )


async def _look_again(
    connection: Connection, alerts: Sequence[Alert], happenings: Sequence[AlertHappening]
) -> None:
    # Who was told of a resolved alert hears what changes of it.
    last_us: dict[UUID, tuple[int, str]] = {h.alert_id: (h.happened_at_us, h.event) for h in happenings}
    looks: list[Look] = []
    over: list[Alert] = []
    for alert in alerts:
        hears = alert.sent and alert.alert_id in last_us
        if alert.state is not AlertState.RESOLVED or hears:
            looks.append(Look(alert, *last_us.get(alert.alert_id, (alert.opened_at_us, "changed"))))
        else:
            over.append(alert)
    await bring_forward(connection, looks)
    await drop_next(connection, over, "resolved")


async def _execute(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        await connection.execute(statement, *(list(column) for column in zip(*rows, strict=True)))


def _alert_row(alert: Alert) -> tuple[object, ...]:
    return (
        alert.patient_id,
        alert.alert_id,
        alert.organisation_id,
        alert.origin,
        alert.signal,
        alert.severity,
        alert.state,
        to_datetime(alert.opened_at_us),
        to_datetime_or_none(alert.cleared_at_us),
        alert.retracted,
        alert.quiet,
        alert.held_back,
        alert.owner,
        alert.version,
        to_datetime_or_none(alert.resolved_at_us),
        alert.outcome,
        alert.follows,
        alert.unconfirmed,
        alert.responsible_role,
        alert.responsible_organisation_id,
        to_datetime_or_none(alert.acknowledged_at_us),
        to_datetime_or_none(alert.resolve_by_us),
        to_datetime_or_none(alert.snoozed_until_us),
        *_hand_over_row(alert.hand_over),
        alert.step_no,
        to_datetime_or_none(alert.stepped_at_us),
        alert.policy,
        alert.sent,
        to_datetime_or_none(alert.recheck_at_us),
    )


def _hand_over_row(hand_over: HandOver | None) -> tuple[object, ...]:
    if hand_over is None:
        return None, None, None, None
    return (
        hand_over.role,
        hand_over.organisation_id,
        hand_over.person_id,
        to_datetime(hand_over.until_us),
    )


def _happening_row(happening: AlertHappening) -> tuple[object, ...]:
    return (
        happening.patient_id,
        happening.alert_id,
        happening.organisation_id,
        to_datetime(happening.happened_at_us),
        happening.event,
        happening.from_value,
        happening.to_value,
        happening.by,
        _JSON.encode(dict(happening.why)),
    )


def happening_of(row: asyncpg.Record) -> AlertHappening:
    """An event from a row with all columns of its table."""
    return AlertHappening(
        alert_id=row["alert_id"],
        patient_id=row["patient_id"],
        organisation_id=row["organisation_id"],
        happened_at_us=to_us(row["happened_at"]),
        event=AlertEvent(row["event"]),
        from_value=row["from_value"],
        to_value=row["to_value"],
        by=row["by"],
        why=json.loads(row["why"] or "{}"),
    )


def alert_of(row: asyncpg.Record) -> Alert:
    """An alert from a row with all columns of its table."""
    return Alert(
        alert_id=row["alert_id"],
        patient_id=row["patient_id"],
        organisation_id=row["organisation_id"],
        signal=Signal(row["signal"]),
        severity=Severity(row["severity"]),
        opened_at_us=to_us(row["opened_at"]),
        origin=Origin(row["origin"]),
        state=AlertState(row["state"]),
        cleared_at_us=to_us_or_none(row["cleared_at"]),
        retracted=row["retracted"],
        quiet=row["quiet"],
        held_back=None if row["held_back"] is None else HeldBack(row["held_back"]),
        owner=row["owner"],
        version=row["version"],
        resolved_at_us=to_us_or_none(row["resolved_at"]),
        outcome=row["outcome"],
        follows=row["follows"],
        unconfirmed=row["unconfirmed"],
        responsible_role=Role(row["responsible_role"]),
        responsible_organisation_id=row["responsible_organisation_id"],
        acknowledged_at_us=to_us_or_none(row["acknowledged_at"]),
        resolve_by_us=to_us_or_none(row["resolve_by"]),
        snoozed_until_us=to_us_or_none(row["snoozed_until"]),
        hand_over=_hand_over(row),
        step_no=row["step_no"],
        stepped_at_us=to_us_or_none(row["stepped_at"]),
        policy=row["policy"],
        sent=row["sent"],
        recheck_at_us=to_us_or_none(row["recheck_at"]),
    )


def _hand_over(row: asyncpg.Record) -> HandOver | None:
    if row["hand_over_until"] is None:
        return None
    return HandOver(
        Role(row["handed_to_role"]),
        row["handed_to_organisation_id"],
        row["handed_to_person_id"],
        to_us(row["hand_over_until"]),
    )
