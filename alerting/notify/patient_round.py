"""What patients are told without anybody asking: please measure again, and that their nurse has looked.

`due_for_patients` is pure; `queue_for_patients` is one round of the dispatcher, in one transaction. Message
ids follow from what they are about: whatever runs twice, a patient is told once.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid5

from alerting.notify.to_patient import About, PatientText, message_to_patient
from models import logs
from models.clock import HOUR_US
from models.db import patient_messages as stored
from models.db.patient_messages import Pending, Seen
from models.db.pool import Connection, Pool
from models.db.positions import dispatch_now_us
from models.errors import TryAgain
from models.escalations import Message
from models.findings import Severity, Signal
from models.settings import Settings

log = logs.get(__name__)

SEEN_WITHIN_US = HOUR_US
"""Alerts acknowledged within this are one look of the nurse; what is older than this is no news."""
AT_ONCE = 1_000
_EVERY_S = 5.0

_SAYS_NOTHING = [signal.value for signal in Signal if signal.technical]
"""That nothing came from a device, its patient did not see: they are told nothing of it."""


def due_for_patients(pending: Sequence[Pending], seen: Sequence[Seen], now_us: int) -> list[Message]:
    """The messages that these come to. **Units**: `now_us` in microseconds since 1970 UTC."""
    return [*(_measure_again(one, now_us) for one in pending), *(_seen(one, now_us) for one in seen)]


async def queue_for_patients(connection: Connection, now_us: int, *, tell_seen: bool) -> int:
    """One round: queues what is new, withdraws what is answered; how many were queued.

    **Units**: `now_us` in microseconds since 1970 UTC, by the clock that the dispatcher goes by.
    """
    await stored.withdraw_answered(connection, now_us)
    pending = await stored.pending_requests(connection, now_us, AT_ONCE)
    seen: list[Seen] = []
    if tell_seen:
        looked = await stored.newly_seen(connection, now_us, SEEN_WITHIN_US, _SAYS_NOTHING)
        apps = await stored.apps_of(connection, [one.patient_id for one in looked], now_us) if looked else {}
        seen = [one for one in looked if one.patient_id in apps]
    return await stored.queue(connection, due_for_patients(pending, seen, now_us))


def _measure_again(one: Pending, now_us: int) -> Message:
    facts = {
        "text": PatientText.MEASURE_AGAIN,
        "about": one.kind,
        "until_us": one.due_us,
        "request_id": str(one.request_id),
    }
    return message_to_patient(
        uuid5(one.request_id, "to_patient"),
        About(one.patient_id, one.organisation_id, one.origin),
        Severity.MEDIUM,
        facts,
        now_us=now_us,
        deliver_by_us=one.due_us,
    )


def _seen(one: Seen, now_us: int) -> Message:
    return message_to_patient(
        uuid5(one.alert_id, f"seen/{one.acknowledged_us}"),
        About(one.patient_id, one.organisation_id, one.origin),
        Severity.LOW,
        {"text": PatientText.SEEN_BY_NURSE},
        now_us=now_us,
        deliver_by_us=one.acknowledged_us + 24 * HOUR_US,
    )


async def run(pool: Pool, settings: Settings, stop: asyncio.Event) -> None:
    """One round after the other until told to stop; whatever runs beside it does no harm.

    **Raises**: as `Pool.transaction`, but for what waiting mends.
    """
    while not stop.is_set():
        try:
            async with pool.transaction() as connection:
                now_us = await dispatch_now_us(connection, settings)
                queued = await queue_for_patients(connection, now_us, tell_seen=settings.tell_patients_seen)
            if queued:
                log.info("patients_told", messages=queued)
        except TryAgain as error:
            log.warning("patients_wait", why=str(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _EVERY_S)
