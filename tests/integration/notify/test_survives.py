"""Outages, deaths and company: nothing is lost, order is kept, copies share their id."""

import asyncio
import os
import random
import signal
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from alerting.notify.channels.webhook import Webhook
from alerting.notify.sender import send_due
from alerting.notify.sending import Limits, Sender
from models.clock import HOUR_US, MINUTE_US
from models.db.pool import Connection, connect
from models.escalations import MessageState
from tests.integration.killing import another_connection, until
from tests.integration.notify.conftest import KEY
from tests.integration.notify.post import Post
from tests.notes import NOW_US, PRACTICE
from tests.receivers.authority import Authority
from tests.receivers.https import Endpoint, Reply, Request

RECORDING = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'test.dying' AND wait_event_type = 'Lock' AND datname = current_database()
"""
DYING = Path(__file__).with_name("dying_sender.py")
SIGNALS = ("fluid", "breathing", "pressure", "glucose", "infection", "activity")


async def test_a_day_of_outage_loses_nothing_and_keeps_the_order(
    post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    """In virtual time: messages of six patients come in all day, to an endpoint in trouble for 24 hours."""
    await post.address(PRACTICE, "webhook", receiver.url())
    chance = random.Random(5)
    patients = [await post.patient() for _ in range(6)]
    taken: list[str] = []
    trouble = [Reply(500), Reply(503, {"Retry-After": "1800"}), Reply(drops=True)]

    def decide(request: Request) -> Reply:
        if now_us < NOW_US + 24 * HOUR_US:
            reply = chance.choice(trouble)
            if reply.drops:
                # Read whole, and then cut off: they have it, and we cannot know.
                taken.append(request.message_id)
            return reply
        taken.append(request.message_id)
        return Reply(204)

    receiver.decide = decide
    order: dict[UUID, list[str]] = defaultdict(list)
    now_us = NOW_US
    for hour in range(27):
        if hour % 4 == 0 and hour < 24:
            for patient in patients:
                sent = await post.hand_over(patient, signal=SIGNALS[hour // 4], due_at_us=now_us)
                if str(sent.message_id) not in order[patient]:
                    order[patient].append(str(sent.message_id))
        for quarter in range(4):
            now_us = NOW_US + hour * HOUR_US + quarter * 15 * MINUTE_US
            await send_due(post.pool, {webhook.name: webhook}, now_us)
    stored = await post.all_messages()
    assert [message.state for message in stored] == [MessageState.DELIVERED] * len(stored)
    assert {str(message.message_id) for message in stored} == set(taken)
    assert sum(len(message.alerts) for message in stored) == 36
    for ids in order.values():
        # The order in which each was first taken is the order in which they were written.
        assert [first for first in dict.fromkeys(taken) if first in ids] == ids
    assert len(receiver.requests) > len(stored)
    assert await post.trouble() == []


async def test_several_senders_share_the_work_and_keep_the_order(
    database: str, post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    patients = [await post.patient() for _ in range(10)]
    order: dict[UUID, list[str]] = defaultdict(list)
    for n in range(4):
        for patient in patients:
            # Of another kind each time, so that they do not join.
            sent = await post.hand_over(patient, signal=SIGNALS[n], kind="question")
            order[patient].append(str(sent.message_id))

    async def at(_: Connection) -> int:
        return NOW_US

    pools = [await connect(database, role="thuiswacht_dispatch", application="test") for _ in range(3)]
    try:
        senders = [Sender(pool, {webhook.name: webhook}, at) for pool in pools]
        for _ in range(4):
            await asyncio.gather(*(sender.round() for sender in senders))
    finally:
        for pool in pools:
            await pool.close()
    came = [request.message_id for request in receiver.requests]
    assert len(came) == len(set(came)) == 40
    for ids in order.values():
        assert [message_id for message_id in came if message_id in ids] == ids


@dataclass
class Dying:
    """Starts senders that die at a named point."""

    database: str
    authority: Authority

    async def start(self, point: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, str(DYING), point, self.database, str(self.authority.file), KEY.hex(),
            str(NOW_US),
            stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )  # fmt: skip

    async def dies_at(self, point: str) -> None:
        """It gets there, and is killed."""
        dying = await self.start(point)
        assert dying.stdout is not None
        async with asyncio.timeout(100):
            assert (await dying.stdout.readline()).decode().strip() == point
        await kill(dying)


async def kill(dying: asyncio.subprocess.Process) -> None:
    dying.send_signal(signal.SIGKILL)
    assert await dying.wait() == -signal.SIGKILL


@pytest.fixture
def dying(database: str, authority: Authority) -> Dying:
    return Dying(database, authority)


@pytest.mark.parametrize(("point", "copies"), [("claimed", 0), ("sent", 1)])
async def test_what_a_dead_sender_held_is_sent_after_its_hold_under_the_same_id(
    dying: Dying, post: Post, receiver: Endpoint, webhook: Webhook, point: str, copies: int
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    sent = await post.hand_over()
    await dying.dies_at(point)
    stored = await post.now(sent)
    assert (stored.state, stored.attempts, stored.delivered_at_us) == (MessageState.ATTEMPTED, 1, None)
    # Nobody else touches it while the dead one could still be sending.
    assert await send_due(post.pool, {webhook.name: webhook}, NOW_US) == 0
    await its_hold_is_over(post)
    assert await send_due(post.pool, {webhook.name: webhook}, NOW_US) == 1
    assert [request.message_id for request in receiver.requests] == [str(sent.message_id)] * (copies + 1)
    stored = await post.now(sent)
    assert (stored.state, stored.attempts) == (MessageState.DELIVERED, 2)


async def test_who_is_killed_while_recording_has_recorded_nothing(
    dying: Dying, database: str, post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    sent = await post.hand_over()
    async with another_connection(database) as blocker, blocker.transaction():
        # The message is written by then, and with it in one transaction that its escalation has arrived.
        await blocker.execute("LOCK TABLE escalation IN SHARE MODE")
        sender = await dying.start("recorded")
        await until(post.admin, RECORDING, 1)
        await kill(sender)
    stored = await post.now(sent)
    assert (stored.state, await post.escalation_delivered_us(sent)) == (MessageState.ATTEMPTED, None)
    await its_hold_is_over(post)
    assert await send_due(post.pool, {webhook.name: webhook}, NOW_US) == 1
    assert [request.message_id for request in receiver.requests] == [str(sent.message_id)] * 2
    assert await post.escalation_delivered_us(sent) == NOW_US


async def test_what_was_recorded_before_the_death_is_not_sent_again(
    dying: Dying, post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    sent = await post.hand_over()
    await dying.dies_at("recorded")
    await its_hold_is_over(post)
    assert await send_due(post.pool, {webhook.name: webhook}, NOW_US) == 0
    assert [request.message_id for request in receiver.requests] == [str(sent.message_id)]
    assert (await post.now(sent)).state is MessageState.DELIVERED


@pytest.mark.parametrize(("point", "copies"), [("claimed", 0), ("sent", 1)])
async def test_resolved_while_its_sender_was_dead_it_is_not_sent_again(
    dying: Dying, post: Post, receiver: Endpoint, webhook: Webhook, point: str, copies: int
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    sent = await post.hand_over()
    await dying.dies_at(point)
    await post.resolve(sent)
    await its_hold_is_over(post)
    await send_due(post.pool, {webhook.name: webhook}, NOW_US)
    assert len(receiver.requests) == copies
    assert (await post.now(sent)).state is MessageState.WITHDRAWN


async def its_hold_is_over(post: Post) -> None:
    await post.admin.execute("UPDATE message SET claimed_until = clock_timestamp()")


async def test_who_was_too_slow_does_not_undo_what_another_recorded(
    post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    """A sender whose claim ran out comes back with a failure, after another has delivered the message."""
    await post.address(PRACTICE, "webhook", receiver.url())
    sent = await post.hand_over()
    receiver.script.append(Reply(hangs=True))

    async def at(_: Connection) -> int:
        return NOW_US

    slow = asyncio.create_task(
        Sender(post.pool, {webhook.name: webhook}, at, Limits(attempt_s=14.0, hold_s=0.0)).round()
    )
    async with asyncio.timeout(30):
        await receiver.came.wait()
    await post.admin.execute("UPDATE message SET claimed_until = clock_timestamp()")
    assert await send_due(post.pool, {webhook.name: webhook}, NOW_US) == 1
    receiver.released.set()
    await slow
    stored = await post.now(sent)
    assert (stored.state, stored.attempts) == (MessageState.DELIVERED, 2)


async def test_it_runs_until_told_to_stop_and_waits_for_what_is_on_its_way(
    post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    receiver.usual = Reply(hangs=True)
    sent = await post.hand_over()

    async def at(_: Connection) -> int:
        return NOW_US

    stop = asyncio.Event()
    running = asyncio.create_task(
        Sender(post.pool, {webhook.name: webhook}, at, Limits(attempt_s=2.0)).run(stop)
    )
    async with asyncio.timeout(30):
        await receiver.came.wait()
    stop.set()
    async with asyncio.timeout(30):
        await running
    stored = await post.now(sent)
    assert (stored.state, stored.why) == (MessageState.ATTEMPTED, "timeout")
