"""Transitions into the database, all in one transaction: alert, history, next look, escalations, messages."""

from collections.abc import Sequence

from alerting.notify.putting import put_messages
from alerting.transition import Transition
from models.db.alerts import write_alerts
from models.db.escalations import write_escalations
from models.db.outbox import accepted
from models.db.pool import Connection
from models.db.steps import Look, drop_next, set_next
from models.escalations import EscalationState, Message


async def carry_out(
    connection: Connection, transitions: Sequence[Transition], *, heard: bool = False
) -> list[Message]:
    """Writes what was decided about alerts that the caller locked; gives the messages with their numbers.

    Among them are those that waited already and took others in. `heard` as in `write_alerts`.
    """
    events = [event for t in transitions for event in t.events]
    await write_alerts(connection, [t.alert for t in transitions], [], events, looks_set=True, heard=heard)
    looks = [Look(t.alert, t.next_us, t.why) for t in transitions if t.next_us is not None]
    await set_next(connection, looks)
    await drop_next(connection, [t.alert for t in transitions if t.next_us is None], "over")
    escalations = [e for t in transitions for e in t.escalations]
    await write_escalations(connection, escalations)
    for one in escalations:
        if one.state is EscalationState.ACCEPTED and one.accepted_at_us is not None:
            await accepted(connection, one.patient_id, one.escalation_id, one.accepted_at_us)
    return await put_messages(connection, [m for t in transitions for m in t.messages])
