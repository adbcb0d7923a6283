"""What becomes of messages at real endpoints, and what is stored of it."""

import asyncio
import json
import ssl

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from alerting.notify.channels.webhook import Webhook, as_told, secret_of
from alerting.notify.sender import send_due
from alerting.notify.sending import Limits, Sender
from models.clock import DAY_US, MINUTE_US, SECOND_US
from models.db.pool import Connection
from models.escalations import Channel, Message, MessageKind, MessageState
from models.findings import Severity
from models.messages import Origin
from tests import notes
from tests.integration.notify.conftest import KEY
from tests.integration.notify.post import Post
from tests.notes import CENTRE_NAME, CENTRE_PHONE, HOSPITAL, NOW_US, PRACTICE
from tests.receivers.https import Endpoint, Reply, endpoint


async def test_what_is_due_is_delivered_signed_and_its_escalation_has_arrived(
    post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    address_id = await post.address(PRACTICE, "webhook", receiver.url())
    sent = await post.hand_over()
    later = await post.hand_over(due_at_us=NOW_US + 1)
    assert await send_due(post.pool, {webhook.name: webhook}, NOW_US) == 1
    [request] = receiver.requests
    body = Verifier(as_told(secret_of(KEY, address_id))).verify(request.body, dict(request.headers))
    assert body["message_id"] == request.message_id == str(sent.message_id)
    assert next(iter(body)) == "responsible"
    assert (body["responsible"]["organisation"], body["responsible"]["telephone"]) == (
        CENTRE_NAME,
        CENTRE_PHONE,
    )
    stored = await post.now(sent)
    assert (stored.state, stored.attempts, stored.delivered_at_us) == (MessageState.DELIVERED, 1, NOW_US)
    assert await post.escalation_delivered_us(sent) == NOW_US
    assert stored.accepted_at_us is None
    assert (await post.now(later)).state is MessageState.DUE
    assert await send_due(post.pool, {webhook.name: webhook}, NOW_US) == 0


@pytest.mark.parametrize(
    ("reply", "why", "wait_us"),
    [
        (Reply(500), "http 500", (1, 5 * SECOND_US)),
        (Reply(429, {"Retry-After": "120"}), "http 429", (120 * SECOND_US, 120 * SECOND_US)),
        (Reply(503, {"Retry-After": "99999"}), "http 503", (3600 * SECOND_US, 3600 * SECOND_US)),
        (Reply(404), "http 404", (1, 5 * SECOND_US)),
        (Reply(drops=True), "connection lost", (1, 5 * SECOND_US)),
        (Reply(hangs=True), "timeout", (1, 5 * SECOND_US)),
    ],
)
async def test_what_may_be_better_later_is_tried_again_under_the_same_id(
    post: Post, receiver: Endpoint, webhook: Webhook, reply: Reply, why: str, wait_us: tuple[int, int]
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    sent = await post.hand_over()
    receiver.script.append(reply)

    async def at(_: Connection) -> int:
        return NOW_US

    sender = Sender(post.pool, {webhook.name: webhook}, at, Limits(attempt_s=1.0))
    assert await sender.round() == 1
    stored, next_us = await post.now(sent), await post.next_attempt_us(sent)
    assert (stored.state, stored.why) == (MessageState.ATTEMPTED, why)
    assert next_us is not None
    assert wait_us[0] <= next_us - NOW_US <= wait_us[1]
    assert await send_due(post.pool, {webhook.name: webhook}, next_us - 1) == 0
    assert await send_due(post.pool, {webhook.name: webhook}, next_us) == 1
    assert (await post.now(sent)).state is MessageState.DELIVERED
    assert [request.message_id for request in receiver.requests] == [str(sent.message_id)] * 2
    assert await post.trouble() == []


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(410), "http 410"),
        (Reply(400), "http 400"),
        (Reply(422), "http 422"),
        (Reply(307, {"Location": "https://localhost/elsewhere"}), "redirect"),
    ],
)
async def test_what_will_not_be_better_goes_by_the_next_channel_and_somebody_hears(
    post: Post, receiver: Endpoint, webhook: Webhook, reply: Reply, why: str
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    receiver.usual = reply
    sent = await post.hand_over(body=json.dumps({"channels": ["kafka", "email"]}))
    assert await send_due(post.pool, {webhook.name: webhook}, NOW_US) >= 1
    assert len(receiver.requests) == 1
    [first, second, third] = await post.all_messages()
    assert (first.message_id, first.state, first.why) == (sent.message_id, MessageState.GIVEN_UP, why)
    assert (second.channel, second.escalation_id) == (Channel.KAFKA, sent.escalation_id)
    # Neither is set up here: each is given up in turn, until nothing is left.
    assert (second.state, second.why) == (MessageState.GIVEN_UP, "the channel is not set up")
    assert (third.channel, third.state) == (Channel.EMAIL, MessageState.GIVEN_UP)
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert ("undelivered", f"webhook to {PRACTICE}") in await post.trouble()
    look = await post.admin.fetchrow(
        "SELECT due_at, why FROM escalation_step WHERE alert_id = $1", sent.alerts[0]
    )
    assert look is not None
    assert look["why"] in {"message given up", "changed"}


async def test_nobody_is_sent_what_needs_no_sending_any_more(
    post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    resolved, over = await post.hand_over(), await post.hand_over()
    await post.resolve(resolved)
    await post.admin.execute(
        "UPDATE escalation SET state = 'withdrawn', over_at = now() WHERE escalation_id = $1",
        over.escalation_id,
    )
    await send_due(post.pool, {webhook.name: webhook}, NOW_US)
    assert receiver.requests == []
    found = [await post.now(one) for one in (resolved, over)]
    assert [(one.state, one.why) for one in found] == [
        (MessageState.WITHDRAWN, "resolved"), (MessageState.WITHDRAWN, "escalation withdrawn"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("patient", "practice"), [("simulated", "real"), ("canary", "real"), ("real", "simulated")]
)
async def test_real_and_simulated_never_mix(
    post: Post, receiver: Endpoint, webhook: Webhook, patient: str, practice: str
) -> None:
    other = notes.uuid4()
    await post.organisation(other, "Andere praktijk", Origin(practice))
    await post.address(other, "webhook", receiver.url())
    sent = await post.hand_over(to=other, origin=Origin(patient), body=json.dumps({"channels": ["kafka"]}))
    await send_due(post.pool, {webhook.name: webhook}, NOW_US)
    assert receiver.requests == []
    [stored] = await post.all_messages()
    assert (stored.message_id, stored.state) == (sent.message_id, MessageState.GIVEN_UP)
    assert stored.why is not None
    assert "recipients" in stored.why
    assert len(await post.trouble()) == 1


async def test_one_bad_night_is_one_message(post: Post, receiver: Endpoint, webhook: Webhook) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    patient = await post.patient()
    due_us = NOW_US + 10 * MINUTE_US
    first = await post.hand_over(patient, due_at_us=due_us)
    second = await post.hand_over(patient, signal="breathing", due_at_us=due_us + 1)
    elsewhere = await post.hand_over(patient, to=HOSPITAL, signal="glucose", due_at_us=due_us)
    third = await post.hand_over(patient, signal="pressure", severity=Severity.HIGH)
    assert first.message_id == second.message_id == third.message_id != elsewhere.message_id
    await send_due(post.pool, {webhook.name: webhook}, NOW_US)
    [request] = receiver.requests
    body = json.loads(request.body)
    assert (len(body["alerts"]), len(body["escalations"]), body["severity"]) == (3, 3, "high")
    arrived = await post.admin.fetchval("SELECT count(*) FROM escalation WHERE delivered_at IS NOT NULL")
    assert arrived == 3
    # What has been sent takes nothing in any more.
    fourth = await post.hand_over(patient, signal="heart_rate")
    assert fourth.message_id != first.message_id


async def test_a_slow_endpoint_holds_up_nobody_else(
    post: Post, receiver: Endpoint, webhook: Webhook, server_tls: ssl.SSLContext
) -> None:
    receiver.usual = Reply(hangs=True)
    await post.address(HOSPITAL, "webhook", receiver.url())
    for _ in range(12):
        await post.hand_over(to=HOSPITAL, severity=Severity.HIGH)
    async with endpoint(server_tls) as quick:
        await post.address(PRACTICE, "webhook", quick.url())
        mine = [await post.hand_over() for _ in range(6)]

        async def at(_: Connection) -> int:
            return NOW_US

        sender = Sender(post.pool, {webhook.name: webhook}, at, Limits(at_once=4, attempt_s=8.0))
        stop = asyncio.Event()
        running = asyncio.create_task(sender.run(stop))
        async with asyncio.timeout(60):
            while len(quick.requests) < len(mine):
                quick.came.clear()
                await quick.came.wait()
        assert receiver.most_at_once <= 2
        assert len(receiver.requests) <= 4
        stop.set()
        receiver.released.set()
        await running


async def test_a_later_message_waits_for_the_earlier_but_not_for_another_dead_channel(
    post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    receiver.script.append(Reply(500))
    patient = await post.patient()
    first = await post.hand_over(patient)
    await send_due(post.pool, {webhook.name: webhook}, NOW_US)
    second = await post.hand_over(patient, signal="breathing", severity=Severity.HIGH)
    third = await post.hand_over(patient, signal="pressure", channel=Channel.KAFKA)
    await send_due(post.pool, {webhook.name: webhook}, NOW_US)
    assert [request.message_id for request in receiver.requests] == [str(first.message_id)]
    assert (await post.now(second)).attempts == 0
    # Kafka is not set up here, so it was tried and given up; what counts is that it had its turn.
    assert (await post.now(third)).state is MessageState.GIVEN_UP
    await send_due(post.pool, {webhook.name: webhook}, NOW_US + MINUTE_US)
    assert [request.message_id for request in receiver.requests][1:] == [
        str(first.message_id),
        str(second.message_id),
    ]


async def test_a_correction_follows_what_it_corrects(
    post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    await post.address(PRACTICE, "webhook", receiver.url())
    never_sent, sent = await post.hand_over(), await post.hand_over()
    await post.resolve(never_sent)
    corrections: list[Message] = []
    for message in (never_sent, sent):
        alert = notes.alert(patient_id=message.patient_id, alert_id=notes.uuid4(), signal="breathing")
        correction = notes.message(
            notes.escalation(alert), kind=MessageKind.CORRECTION, corrects=message.message_id, number=None,
            escalation_id=None,
        )  # fmt: skip
        corrections.append(await post.put(correction, alert))
    await send_due(post.pool, {webhook.name: webhook}, NOW_US)
    bodies = [json.loads(request.body) for request in receiver.requests]
    assert [(body["type"], body["corrects"]) for body in bodies] == [
        ("thuiswacht.escalation", None), ("thuiswacht.correction", str(sent.message_id)),
    ]  # fmt: skip
    needless = await post.now(corrections[0])
    assert (needless.state, needless.why) == (MessageState.WITHDRAWN, "what it corrects was never sent")


async def test_who_never_answers_is_given_up_in_time(
    post: Post, receiver: Endpoint, webhook: Webhook
) -> None:
    receiver.usual = Reply(500)
    await post.address(PRACTICE, "webhook", receiver.url())
    sent = await post.hand_over()
    now_us = NOW_US
    while (await post.now(sent)).state is not MessageState.GIVEN_UP:
        now_us = (await post.next_attempt_us(sent) or now_us) + 1
        assert now_us < NOW_US + 4 * DAY_US
        if now_us > NOW_US + DAY_US:
            now_us += DAY_US
        await send_due(post.pool, {webhook.name: webhook}, now_us)
    assert now_us >= NOW_US + 3 * DAY_US
    assert await post.trouble() == [("undelivered", f"webhook to {PRACTICE}")]
