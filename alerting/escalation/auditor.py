"""Looks after the dispatchers: no open alert that nobody will look at again, no step that nobody takes.

It mends what it can, and says so in any case: an alert that had no next step has one, and a technical alert.
"""

import asyncio
from dataclasses import dataclass

from models import logs, metrics
from models.clock import MINUTE_US, SECOND_US, wall_now_us
from models.db.oversight import (
    due_steps,
    late_messages,
    look_now,
    may_audit,
    untold_escalations,
    without_step,
)
from models.db.pool import Connection, Pool
from models.db.positions import dispatch_now_us
from models.db.steps import Look, set_next
from models.db.trouble import raise_trouble, resolve_trouble
from models.db.watch import AUDITOR, give_sign
from models.errors import TryAgain
from models.escalations import Trouble
from models.findings import Severity
from models.settings import Settings

log = logs.get(__name__)

AUDIT_EVERY_S = 30.0
AT_ONCE = 1_000
GRACE_US = MINUTE_US
"""So long past their time messages may be, for the ladder to have seen it."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What one round found, by number."""

    without_step: int
    overdue_steps: int
    late_messages: int
    untold_escalations: int


async def run(pool: Pool, settings: Settings, *, stop: asyncio.Event) -> None:
    """Goes round until `stop`; while the database is away it waits for it."""
    while not stop.is_set():
        try:
            await audit(pool, settings)
        except TryAgain as error:
            log.warning("audit_waits", why=str(error))
        try:
            await asyncio.wait_for(stop.wait(), AUDIT_EVERY_S)
        except TimeoutError:
            continue


async def audit(pool: Pool, settings: Settings) -> Audit | None:
    """One round; None when another auditor is at it.

    **Raises**: TryAgain when the database is away.
    """
    async with pool.transaction() as connection:
        if not await may_audit(connection):
            return None
        now_us = await dispatch_now_us(connection, settings)
        found = Audit(
            await _mend_without_step(connection, now_us),
            await _overdue(connection, now_us, settings.dispatch_overdue_minutes),
            await _late(connection, now_us),
            await _untold(connection, now_us),
        )
        await give_sign(connection, AUDITOR, wall_now_us())
    metrics.DISPATCH_WITHOUT_STEP.set(found.without_step)
    metrics.DISPATCH_OVERDUE_MESSAGES.set(found.late_messages)
    metrics.DISPATCH_UNTOLD_ESCALATIONS.set(found.untold_escalations)
    metrics.DISPATCH_AUDITED.set(wall_now_us() / SECOND_US)
    return found


async def _mend_without_step(connection: Connection, now_us: int) -> int:
    alerts = await without_step(connection, AT_ONCE)
    await set_next(connection, [Look(alert, now_us, "had_no_next_step") for alert in alerts])
    details = f"{len(alerts)} alerts had no next step, and are looked at now"
    await _tell(connection, Trouble.NO_NEXT_STEP, "alerts", len(alerts), now_us, details, mends=False)
    return len(alerts)


async def _overdue(connection: Connection, now_us: int, minutes: int) -> int:
    due = await due_steps(connection, now_us, now_us - minutes * MINUTE_US)
    metrics.DISPATCH_DUE.set(due.steps)
    metrics.DISPATCH_LAG.set(max(due.oldest_s, 0.0))
    details = (
        f"{due.overdue} steps are due for more than {minutes} minutes, the oldest for {due.oldest_s:.0f} s"
    )
    await _tell(connection, Trouble.OVERDUE_STEP, "steps", due.overdue, now_us, details)
    return due.overdue


async def _late(connection: Connection, now_us: int) -> int:
    keys = await late_messages(connection, now_us - GRACE_US, AT_ONCE)
    await look_now(connection, keys, now_us, "message_past_its_time")
    details = f"{len(keys)} messages are past the time in which they should be there"
    await _tell(connection, Trouble.UNDELIVERED, "messages", len(keys), now_us, details)
    return len(keys)


async def _untold(connection: Connection, now_us: int) -> int:
    keys = await untold_escalations(connection, now_us - GRACE_US, AT_ONCE)
    await look_now(connection, keys, now_us, "escalation_without_message")
    details = f"{len(keys)} escalations are open that no message carries"
    await _tell(connection, Trouble.UNREACHABLE_STEP, "escalations", len(keys), now_us, details)
    return len(keys)


async def _tell(
    connection: Connection,
    trouble: Trouble,
    subject: str,
    number: int,
    now_us: int,
    details: str,
    *,
    mends: bool = True,
) -> None:
    """A technical alert where anything was found; where nothing is any more, and `mends`, it is over."""
    if number:
        log.error("audit_found", trouble=trouble.value, subject=subject, number=number)
        await raise_trouble(
            connection, trouble, subject,
            organisation_id=None, severity=Severity.HIGH, now_us=now_us, details=details,
        )  # fmt: skip
    elif mends:
        await resolve_trouble(connection, trouble, subject, now_us=now_us)
