"""Steps that are due, and to whom alerts were handed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.access import Role
from models.alerts import Alert
from models.clock import to_datetime, to_datetime_or_none, to_us, to_us_or_none
from models.db.alerts import alert_of
from models.db.pool import Connection
from models.escalations import Escalation, EscalationState, Party, Recipient, RequestKind

# Whoever holds an alert is deciding about it, and the step is there when they are done: nobody waits.
_CLAIM = """
SELECT a.*, s.number, s.due_at, s.why
FROM escalation_step AS s JOIN alert AS a USING (patient_id, alert_id)
WHERE s.state = 'due' AND s.due_at <= $1
ORDER BY s.rank DESC, s.due_at
LIMIT $2
FOR UPDATE OF a, s SKIP LOCKED
"""

_DONE = """
UPDATE escalation_step AS s SET state = 'done', done_at = clock_timestamp(), outcome = d.outcome
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[]) AS d (patient_id, alert_id, number, outcome)
WHERE (s.patient_id, s.alert_id, s.number) = (d.patient_id, d.alert_id, d.number)
"""

_LOAD = """
SELECT e.* FROM unnest($1::uuid[], $2::uuid[]) AS wanted (patient_id, alert_id)
JOIN escalation AS e USING (patient_id, alert_id)
ORDER BY e.patient_id, e.asked_at, e.escalation_id
"""

_WRITE = """
INSERT INTO escalation (
    patient_id, escalation_id, alert_id, organisation_id, step_no, recipient, request, to_role,
    to_organisation_id, asked_at, asked_by, reason, state, question, answer_by, delivered_at, accepted_at,
    accepted_by, answered_at, answer, referral_avoided, over_at, version
)
SELECT * FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::integer[], $6::text[], $7::text[], $8::text[],
    $9::uuid[], $10::timestamptz[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::timestamptz[],
    $16::timestamptz[], $17::timestamptz[], $18::uuid[], $19::timestamptz[], $20::text[], $21::boolean[],
    $22::timestamptz[], $23::integer[]
)
ON CONFLICT ON CONSTRAINT escalation_pkey DO UPDATE SET
    state = excluded.state, delivered_at = excluded.delivered_at, accepted_at = excluded.accepted_at,
    accepted_by = excluded.accepted_by, answered_at = excluded.answered_at, answer = excluded.answer,
    referral_avoided = excluded.referral_avoided, over_at = excluded.over_at, version = excluded.version
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A step that is due, and its alert; both are ours until the end of the transaction.

    **Units**: microseconds since 1970 UTC.
    """

    alert: Alert
    number: int
    due_us: int
    why: str


async def claim(connection: Connection, now_us: int, limit: int) -> list[Claimed]:
    """Steps that are due, the worst first, with their alerts: locked, and of nobody else meanwhile."""
    rows = await connection.fetch(_CLAIM, to_datetime(now_us), limit)
    return [Claimed(alert_of(row), row["number"], to_us(row["due_at"]), row["why"]) for row in rows]


async def done(connection: Connection, steps: Sequence[tuple[Claimed, str]]) -> None:
    """These steps were taken, with what came of them."""
    if steps:
        rows = [(s.alert.patient_id, s.alert.alert_id, s.number, outcome) for s, outcome in steps]
        await connection.execute(_DONE, *_columns(rows))


async def load_escalations(connection: Connection, alerts: Collection[Alert]) -> list[Escalation]:
    """All escalations of these alerts, of each in the order in which they were asked."""
    if not alerts:
        return []
    rows = await connection.fetch(_LOAD, [a.patient_id for a in alerts], [a.alert_id for a in alerts])
    return [escalation_of(row) for row in rows]


async def load_by_id(
    connection: Connection, patient_id: UUID, escalations: Collection[UUID]
) -> list[Escalation]:
    """These escalations of a patient, in the order in which they are named."""
    rows = await connection.fetch(
        "SELECT * FROM escalation WHERE patient_id = $1 AND escalation_id = ANY($2::uuid[])",
        patient_id,
        list(escalations),
    )
    by_id = {row["escalation_id"]: escalation_of(row) for row in rows}
    return [by_id[key] for key in escalations if key in by_id]


async def write_escalations(connection: Connection, escalations: Collection[Escalation]) -> None:
    """Stores escalations as they are now."""
    if escalations:
        await connection.execute(_WRITE, *_columns(map(_escalation_row, escalations)))


def escalation_of(row: asyncpg.Record) -> Escalation:
    """An escalation from a row with all columns of its table."""
    return Escalation(
        escalation_id=row["escalation_id"],
        alert_id=row["alert_id"],
        patient_id=row["patient_id"],
        organisation_id=row["organisation_id"],
        step_no=row["step_no"],
        recipient=Recipient(row["recipient"]),
        request=RequestKind(row["request"]),
        to=Party(Role(row["to_role"]), row["to_organisation_id"]),
        asked_at_us=to_us(row["asked_at"]),
        reason=row["reason"],
        state=EscalationState(row["state"]),
        asked_by=row["asked_by"],
        question=row["question"],
        answer_by_us=to_us_or_none(row["answer_by"]),
        delivered_at_us=to_us_or_none(row["delivered_at"]),
        accepted_at_us=to_us_or_none(row["accepted_at"]),
        accepted_by=row["accepted_by"],
        answered_at_us=to_us_or_none(row["answered_at"]),
        answer=row["answer"],
        referral_avoided=row["referral_avoided"],
        over_at_us=to_us_or_none(row["over_at"]),
        version=row["version"],
    )


def _escalation_row(e: Escalation) -> tuple[object, ...]:
    return (
        e.patient_id, e.escalation_id, e.alert_id, e.organisation_id, e.step_no, e.recipient, e.request,
        e.to.role, e.to.organisation_id, to_datetime(e.asked_at_us), e.asked_by, e.reason, e.state,
        e.question, to_datetime_or_none(e.answer_by_us), to_datetime_or_none(e.delivered_at_us),
        to_datetime_or_none(e.accepted_at_us), e.accepted_by, to_datetime_or_none(e.answered_at_us),
        e.answer, e.referral_avoided, to_datetime_or_none(e.over_at_us), e.version,
    )  # fmt: skip


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
