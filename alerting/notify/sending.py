"""Sends what is due: claims, sends outside any transaction, records. Any number of senders work side by side.

1. Claim: in one short transaction messages become *attempted*, and are held for a while by the wall's clock.
2. Read what there is to say, and decide whether to send at all; nothing is locked.
3. Send, within the channel's time.
4. Record what came of it, together with everything that follows from it.

Who dies between 3 and 4 leaves a message that was sent and looks as if it was not: it is sent again after the
hold, under the same id.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import TypeAlias

from alerting.escalation.delivery import NOT_DELIVERED
from alerting.notify.channels import Channel, Finish, Later, Outgoing, Receipt, Refused
from alerting.notify.endpoints import Endpoints
from alerting.notify.facts import Facts, carried, load_facts
from alerting.notify.outbox import (
    Never,
    NotThisWay,
    Outcome,
    Send,
    Withdraw,
    after,
    decide,
    give_up_at_us,
    given_up,
    withdrawn,
)
from alerting.notify.patience import UNANSWERED_US, patience_of
from alerting.notify.putting import put_messages
from models import logs, metrics
from models.alerts import AlertState
from models.db import sending
from models.db.alerts import lock_alerts
from models.db.pool import Connection, Pool
from models.db.sending import Taken
from models.db.steps import Look, bring_forward, end_wait
from models.db.trouble import raise_trouble
from models.errors import TryAgain
from models.escalations import Channel as ChannelName
from models.escalations import Message, MessageState

log = logs.get(__name__)

_AT_A_TIME = 200
_POLL_S = 1.0
_HOUSEKEEPING_S = 10.0
_AFTER_OUTAGE_S = 2.0

Channels: TypeAlias = Mapping[ChannelName, Channel]
Clock: TypeAlias = Callable[[Connection], Awaitable[int]]
"""Now, by which dues and waits are counted. **Units**: microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`at_once`: so many messages in all. `hold_s`: so much longer than an attempt may take is a claim.

    `attempt_s`: so long an attempt takes at most, whatever the patience with its channel.
    """

    at_once: int = 32
    hold_s: float = 60.0
    attempt_s: float = 60.0


class Sender:
    """One of any number of senders."""

    def __init__(self, pool: Pool, channels: Channels, clock: Clock, limits: Limits | None = None) -> None:
        self._pool = pool
        self._channels = channels
        self._clock = clock
        self._limits = limits or Limits()
        self._endpoints = Endpoints()
        self._running = 0
        self._ended = asyncio.Event()
        self._handled = 0
        self._chance = SystemRandom()

    async def round(self) -> int:
        """Until nothing is due any more at this moment. **Raises**: as `Pool.transaction`."""
        self._handled = 0
        async with asyncio.TaskGroup() as tasks:
            while await self._fill(tasks) or self._running:
                self._ended.clear()
                if self._running:
                    await self._ended.wait()
        await self.keep_house()
        return self._handled

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until told to stop; what is on its way then is waited for. **Raises**: RefuseToStart."""
        housekeeping_s = 0.0
        async with asyncio.TaskGroup() as tasks:
            while not stop.is_set():
                wait_s = _POLL_S
                try:
                    await self._fill(tasks)
                    if time.monotonic() >= housekeeping_s:
                        await self.keep_house()
                        housekeeping_s = time.monotonic() + _HOUSEKEEPING_S
                except TryAgain as error:
                    log.warning("sending_waits", why=str(error))
                    wait_s = max(_AFTER_OUTAGE_S, error.after_s)
                await _first_of(stop, self._ended, wait_s)
                self._ended.clear()

    async def keep_house(self) -> None:
        """Gives up what was tried for long enough, though nobody is trying it now; counts what waits."""
        async with self._pool.connection() as connection:
            now_us = await self._clock(connection)
            late = await sending.too_late(connection, now_us, _AT_A_TIME)
            await sending.close_unanswered(connection, now_us, now_us - UNANSWERED_US, _AT_A_TIME)
            waiting = await sending.waiting(connection, now_us)
        for message in late:
            outcome = given_up(message, message.why or "not tried in time", now_us)
            await self._record(outcome, now_us, message.attempts)
        for name in ChannelName:
            number, oldest_s = waiting.get(name, (0, 0.0))
            metrics.NOTIFY_WAITING.labels(name).set(number)
            metrics.NOTIFY_WAIT.labels(name).set(oldest_s)

    async def _fill(self, tasks: asyncio.TaskGroup) -> bool:
        """Begins what there is room for; whether there was any."""
        began = False
        while room := self._limits.at_once - self._running:
            async with self._pool.transaction() as connection:
                now_us = await self._clock(connection)
                found = await sending.due(connection, now_us, room, self._endpoints.busy(now_us))
                mine = [message for message in found if self._endpoints.begin(message)]
                await sending.take(connection, [self._taken(message) for message in mine], now_us)
            for message in mine:
                self._running += 1
                taken = replace(
                    message,
                    state=MessageState.ATTEMPTED,
                    attempts=message.attempts + 1,
                    attempted_at_us=now_us,
                    give_up_at_us=give_up_at_us(message),
                )
                tasks.create_task(self._handle(taken))
            began = began or bool(mine)
            if len(found) < room:
                break
        return began

    def _taken(self, message: Message) -> Taken:
        return Taken(message, self._attempt_s(message.channel) + self._limits.hold_s, give_up_at_us(message))

    def _attempt_s(self, channel: ChannelName) -> float:
        return min(patience_of(channel).timeout_s, self._limits.attempt_s)

    async def _handle(self, message: Message) -> None:
        receipt: Receipt | None = None
        now_us = message.attempted_at_us or 0
        try:
            outcome, receipt, now_us = await self._attempt(message)
            await self._record(outcome, now_us, message.attempts)
            self._handled += 1
        except TryAgain as error:
            # It stays claimed until its hold is over, and is sent again then.
            log.warning("message_left", channel=message.channel, why=str(error))
        finally:
            self._endpoints.end(message, receipt, now_us, self._chance.random())
            self._running -= 1
            self._ended.set()

    async def _attempt(self, message: Message) -> tuple[Outcome, Receipt | None, int]:
        channel = self._channels.get(message.channel)
        async with self._pool.transaction() as connection:
            now_us = await self._clock(connection)
            facts = await load_facts(connection, message, channel, now_us)
            prepared = await _prepare(connection, facts, channel, now_us)
        if isinstance(prepared, Outcome):
            return prepared, None, now_us
        sends, outgoing, finish = prepared
        if finish is not None:
            outgoing = replace(outgoing, content=await finish())
        began_s = time.monotonic()
        receipt = await _send(sends, outgoing, self._attempt_s(message.channel))
        metrics.NOTIFY_SENDING.labels(message.channel).observe(time.monotonic() - began_s)
        async with self._pool.connection() as connection:
            now_us = await self._clock(connection)
        return after(message, receipt, now_us, self._chance.random()), receipt, now_us

    async def _record(self, outcome: Outcome, now_us: int, held_attempts: int) -> None:
        message = outcome.message
        is_delivered = message.state is MessageState.DELIVERED
        async with self._pool.transaction() as connection:
            # Alerts first, as everybody who writes both; only where something follows for them.
            keys = [(message.patient_id, key) for key in message.alerts]
            alerts = await lock_alerts(connection, keys if is_delivered or outcome.ladder else [])
            stored = await sending.record(
                connection, message, outcome.next_attempt_us, held_attempts=held_attempts
            )
            if not stored:
                log.info("message_taken_over", channel=message.channel)
                return
            open_ = [alert for alert in alerts if alert.state is not AlertState.RESOLVED]
            if is_delivered:
                await sending.arrived(connection, message.patient_id, carried(message), now_us)
                await end_wait(connection, open_, NOT_DELIVERED, now_us, "message delivered")
            if outcome.follow is not None:
                await put_messages(connection, [outcome.follow])
            if outcome.ladder:
                await bring_forward(connection, [Look(alert, now_us, "message given up") for alert in open_])
            await _tell(connection, outcome, now_us)
        metrics.NOTIFY_MESSAGES.labels(message.channel, message.state).inc()


async def _prepare(
    connection: Connection, facts: Facts, channel: Channel | None, now_us: int
) -> tuple[Channel, Outgoing, Finish | None] | Outcome:
    # Unless it is sent, this was no attempt: nobody has to be corrected who got nothing.
    claimed = facts.note.message
    message = replace(claimed, attempts=claimed.attempts - 1)
    match decide(facts.note, facts.way):
        case Withdraw(why=why):
            return withdrawn(message, why, now_us)
        case NotThisWay(why=why):
            return given_up(message, why, now_us)
        case Never(why=why):
            return given_up(message, why, now_us, altogether=True)
        case Send(address=address) if channel is not None:
            content = await channel.compose(connection, facts.note)
            if isinstance(content, Refused):
                return given_up(message, content.why, now_us)
            ready, finish = (content, None) if isinstance(content, bytes) else (b"", content)
            return channel, Outgoing(facts.note, ready, address), finish
        case Send():
            return given_up(message, "the channel is not set up", now_us)


async def _send(channel: Channel, outgoing: Outgoing, timeout_s: float) -> Receipt:
    try:
        async with asyncio.timeout(timeout_s):
            return await channel.send(outgoing)
    except TimeoutError:
        return Later("timeout")


async def _tell(connection: Connection, outcome: Outcome, now_us: int) -> None:
    noticed = outcome.noticed
    if noticed is not None:
        await raise_trouble(
            connection,
            noticed.trouble,
            noticed.subject,
            organisation_id=outcome.message.organisation_id,
            severity=noticed.severity,
            now_us=now_us,
            details=noticed.details,
        )
        log.warning("message_given_up", channel=outcome.message.channel, why=outcome.message.why)


async def _first_of(stop: asyncio.Event, ended: asyncio.Event, timeout_s: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, ended)]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
