"""Pulling: a recipient's messages by their numbers, each once more as often as they ask."""

from typing import Any
from uuid import UUID

from alerting.notify.body import body_of
from alerting.notify.facts import carried, note_of, who_is_named
from ingest.acting import Acting
from models.alerts import Alert
from models.db import correspondents, outbox
from models.db.positions import dispatch_now_us
from models.errors import BadInput
from models.settings import Settings

PAGE, LARGEST_PAGE = 100, 500


async def pull(act: Acting, settings: Settings, after: int, limit: int) -> dict[str, Any]:
    """Messages after a number, in order, and how far they go.

    **Raises**: BadInput for a number that was never given out: whoever has it speaks of another database.
    """
    newest = await outbox.newest_number(act.connection, act.user.organisation_id)
    if after > newest:
        raise BadInput(where="after", expected=f"a number that there is, up to {newest}", found=str(after))
    now_us = await dispatch_now_us(act.connection, settings)
    messages = await outbox.pull(act.connection, after, limit, now_us)
    alerts: dict[UUID, Alert] = {a.alert_id: a for a in await outbox.alerts_told(act.connection, messages)}
    handed = {e.escalation_id: e for e in await outbox.escalations_told(act.connection, messages)}
    told = [[alerts[key] for key in message.alerts if key in alerts] for message in messages]
    named: set[UUID] = set()
    for message, about in zip(messages, told, strict=True):
        named |= who_is_named(message, about)
    listed = await correspondents.load_listed(act.connection, named)
    bodies: list[dict[str, Any]] = []
    for message, about in zip(messages, told, strict=True):
        by = [handed[key] for key in carried(message) if key in handed]
        bodies.append(body_of(note_of(message, about, by, listed, now_us), settings.public_url))
        act.touched.append(message.patient_id)
    last = messages[-1].number if messages else after
    act.details = f"after {after} up to {last}"
    return {"messages": bodies, "last": last, "newest": newest}
