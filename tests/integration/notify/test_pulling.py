"""Messages are pulled by their numbers: without a gap, again as often as wanted, by who may."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Request

from alerting.gateway.messages import routes
from alerting.notify.sender import send_due
from alerting.worklist.handling import Rules
from ingest.acting import Known
from ingest.gateway.problems import answer
from models.access import Role, User, decide
from models.db.pool import Pool
from models.errors import ThuiswachtError
from models.escalations import Channel, MessageState
from models.settings import Settings
from tests import shipped
from tests.integration.notify.post import Post
from tests.notes import CENTRE_NAME, CENTRE_PHONE, HOSPITAL, NOW_US, PRACTICE

RULES = Rules(shipped.policies(), shipped.rosters(), Settings(public_url="https://thuiswacht.example.org"))


class Api:
    """The route, as a system of each organisation calls it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def pull(self, who: str = "practice", **query: int) -> Mapping[str, Any]:
        got = await self._client.get("/messages", params=query, headers={"x-who": who})
        got.raise_for_status()
        found: Mapping[str, Any] = got.json()
        return found

    async def status(self, who: str, **query: Any) -> int:
        return (await self._client.get("/messages", params=query, headers={"x-who": who})).status_code


@pytest.fixture
async def api(post: Post, people: Pool) -> AsyncIterator[Api]:
    users: dict[str, Known] = {}
    for name, organisation_id, role in (
        ("practice", PRACTICE, Role.SERVICE),
        ("hospital", HOSPITAL, Role.SERVICE),
        ("nurse", PRACTICE, Role.NURSE),
    ):
        person_id = uuid4()
        await post.admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Systeem')", person_id)
        await post.admin.execute(
            "INSERT INTO person_role VALUES ($1, $2, $3)", person_id, organisation_id, role.value
        )
        users[name] = Known(User(person_id, organisation_id, role), "session")

    async def identify(request: Request) -> Known:
        return users[request.headers["x-who"]]

    app = FastAPI()
    app.add_exception_handler(ThuiswachtError, answer)
    app.include_router(routes.router)
    app.state.pool, app.state.identify, app.state.decide, app.state.alert_rules = (
        people,
        identify,
        decide,
        RULES,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://test") as client:
        yield Api(client)


async def test_a_recipient_shows_that_nothing_is_missing(post: Post, api: Api) -> None:
    sent = [await post.hand_over(channel=Channel.PULL) for _ in range(3)]
    sent.append(await post.hand_over(channel=Channel.WEBHOOK))
    other = await post.hand_over(channel=Channel.PULL, to=HOSPITAL)
    await send_due(post.pool, {}, NOW_US)
    numbers: list[int] = []
    last, newest = 0, 1
    while last < newest:
        page = await api.pull(after=last, limit=2)
        numbers += [body["number"] for body in page["messages"]]
        last, newest = page["last"], page["newest"]
    assert numbers == list(range(1, 5))
    assert (await api.pull(after=last))["messages"] == []
    states = [(await post.now(message)).state for message in sent]
    # What goes by another channel is there as well, and its state is that of its own channel.
    assert states == [MessageState.DELIVERED] * 3 + [MessageState.GIVEN_UP]
    assert [await post.escalation_delivered_us(message) is None for message in sent] == [False] * 3 + [True]
    assert (await post.now(other)).state is MessageState.DUE


async def test_what_was_not_asked_beyond_has_not_arrived_and_comes_again(post: Post, api: Api) -> None:
    sent = await post.hand_over(channel=Channel.PULL)
    body: dict[str, Any] = {}
    for _ in range(2):
        [body] = (await api.pull(after=0))["messages"]
        assert body["message_id"] == str(sent.message_id)
        assert (await post.now(sent)).state is MessageState.DUE
    assert next(iter(body)) == "responsible"
    assert (body["responsible"]["organisation"], body["responsible"]["telephone"]) == (
        CENTRE_NAME,
        CENTRE_PHONE,
    )
    alert: dict[str, Any] = body["alerts"][0]
    escalation: dict[str, Any] = body["escalations"][0]
    assert (alert["signal"], escalation["reason"]) == ("fluid", "drie kilo erbij in vijf dagen")
    assert escalation["link"].startswith("https://thuiswacht.example.org/console/huisarts/")
    # What was pulled takes nothing in any more: who has it would never know.
    joining = await post.hand_over(sent.patient_id, channel=Channel.PULL, signal="breathing")
    assert joining.number == 2


async def test_who_asks_beyond_what_they_never_pulled_confirms_nothing(post: Post, api: Api) -> None:
    first, second = await post.hand_over(channel=Channel.PULL), await post.hand_over(channel=Channel.PULL)
    await api.pull(after=2)
    assert [(await post.now(message)).state for message in (first, second)] == [MessageState.DUE] * 2


async def test_a_number_that_was_never_given_out_is_refused(post: Post, api: Api) -> None:
    await post.hand_over(channel=Channel.PULL)
    assert await api.status("practice", after=2) == 422
    assert await api.status("practice", after=-1) == 422
    assert await api.status("practice", limit=0) == 422


async def test_systems_pull_and_people_do_not(post: Post, api: Api) -> None:
    sent = await post.hand_over(channel=Channel.PULL)
    assert await api.status("nurse", after=0) == 403
    assert (await api.pull("hospital", after=0))["messages"] == []
    await api.pull(after=0)
    rows = await post.admin.fetch("SELECT patients FROM audit WHERE event_code = 'messages.pull'")
    assert [sent.patient_id] in [list(row["patients"]) for row in rows]


async def test_who_never_pulls_is_given_up_and_the_next_channel_is_tried(post: Post, api: Api) -> None:
    await post.hand_over(channel=Channel.PULL, body='{"channels": ["email"]}')
    await send_due(post.pool, {}, NOW_US + 31 * 60_000_000)
    [pulled, mail] = await post.all_messages()
    assert (pulled.state, pulled.why) == (MessageState.GIVEN_UP, "not tried in time")
    assert mail.channel is Channel.EMAIL
    assert ("undelivered", f"pull to {PRACTICE}") in await post.trouble()
    # Who comes back later still finds it, and reads what became of it.
    page = await api.pull(after=0)
    assert [body["state"] for body in page["messages"]] == ["given_up", "due"]
