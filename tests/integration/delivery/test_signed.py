"""Hubs that sign each request, clouds that sign their webhooks: genuine, new, each with its effect once."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator

import pytest
from fastapi import Request

from ingest.delivery.clients import registry
from ingest.delivery.clients.registry import WantedKey
from ingest.gateway.delivery.entrance import LARGE_AT_ONCE
from ingest.gateway.problems import Problem
from models.clock import MINUTE_US, SECOND_US
from models.db.pool import Connection
from tests.integration.delivery.asking import deliver, signed_headers
from tests.integration.delivery.gates import SEALING, Gate, gate
from tests.integration.delivery.homes import THEIRS

BODY = b'{"value": 81.4}'
HMAC = WantedKey(hmac=True)


async def test_what_a_hub_signs_is_let_in_once(made: Gate) -> None:
    secret = await made.add("hub", HMAC)
    headers = signed_headers("hub", secret, BODY, made.clock.now_us(), "msg_1")
    first = await deliver(made, headers, BODY)
    assert (first.status_code, first.json()["client_id"]) == (200, "hub")
    again = await deliver(made, headers, BODY)
    assert again.status_code == 200
    assert (again.json()["result"], "counts once" in again.json()["detail"]) == ("duplicate", True)
    other = signed_headers("hub", secret, BODY, made.clock.now_us(), "msg_2")
    assert "client_id" in (await deliver(made, other, BODY)).json()


async def test_an_id_is_that_of_its_client(made: Gate) -> None:
    secrets = {name: await made.add(name, HMAC) for name in ("hub-1", "hub-2")}
    for name, secret in secrets.items():
        headers = signed_headers(name, secret, BODY, made.clock.now_us(), "msg_1")
        assert "client_id" in (await deliver(made, headers, BODY)).json()


async def test_what_was_not_answered_well_may_come_again(database: str, organisations: None) -> None:
    trouble = [True]

    async def at_the_desk(_: Request) -> None:
        if trouble:
            trouble.pop()
            raise Problem("not this time")

    async with gate(database, at_the_desk=at_the_desk) as made:
        secret = await made.add("hub", HMAC)
        headers = signed_headers("hub", secret, BODY, made.clock.now_us())
        assert (await deliver(made, headers, BODY)).status_code == 400
        assert "client_id" in (await deliver(made, headers, BODY)).json()
        assert "client_id" not in (await deliver(made, headers, BODY)).json()


async def test_another_gate_knows_what_was_delivered(made: Gate, database: str) -> None:
    secret = await made.add("hub", HMAC)
    headers = signed_headers("hub", secret, BODY, made.clock.now_us())
    assert "client_id" in (await deliver(made, headers, BODY)).json()
    async with gate(database) as other:
        assert "client_id" not in (await deliver(other, headers, BODY)).json()


@pytest.mark.parametrize("moved_us", [-6 * MINUTE_US, 6 * MINUTE_US])
async def test_old_and_future_signatures(made: Gate, moved_us: int) -> None:
    secret = await made.add("hub", HMAC)
    headers = signed_headers("hub", secret, BODY, made.clock.now_us() + moved_us)
    assert (await deliver(made, headers, BODY)).status_code == 401


async def test_what_its_key_did_not_sign(made: Gate) -> None:
    secret = await made.add("hub", HMAC)
    other = await made.add("other", HMAC)
    now_us = made.clock.now_us()
    wrong = [
        (signed_headers("hub", other, BODY, now_us), BODY),
        (signed_headers("hub", secret, BODY, now_us), BODY + b" "),
        (signed_headers("nobody", secret, BODY, now_us), BODY),
        ({"X-Client-Id": "hub"}, BODY),
        ({**signed_headers("hub", secret, BODY, now_us), "webhook-timestamp": str(now_us)}, BODY),
    ]
    for headers, body in wrong:
        assert (await deliver(made, headers, body)).status_code == 401, headers


async def test_secrets_change_over_side_by_side_and_are_revoked_at_once(
    made: Gate, admin: Connection
) -> None:
    old = await made.add("hub", HMAC)
    now_us = made.clock.now_us()
    chosen = WantedKey(hmac=True, secret="0123456789abcdef0123456789abcdef")
    await registry.rotate_key(made.login, "hub", chosen, SEALING, keep_s=3600, now_us=now_us)
    new = b"0123456789abcdef0123456789abcdef"
    assert new not in b"".join([row[0] for row in await admin.fetch("SELECT sealed_secret FROM client_key")])
    for secret in (old, new):
        headers = signed_headers("hub", secret, BODY, now_us)
        assert (await deliver(made, headers, BODY)).status_code == 200
    await registry.revoke(made.login, "hub", 1, now_us)
    assert (await deliver(made, signed_headers("hub", old, BODY, now_us), BODY)).status_code == 401
    await registry.revoke(made.login, "hub", None, now_us)
    assert (await deliver(made, signed_headers("hub", new, BODY, now_us), BODY)).status_code == 401


async def test_the_day_of_use_is_noted(made: Gate, admin: Connection) -> None:
    secret = await made.add("hub", HMAC)
    for _ in range(2):
        await deliver(made, signed_headers("hub", secret, BODY, made.clock.now_us()), BODY)
        assert await admin.fetchval("SELECT used_on = (now() AT TIME ZONE 'UTC')::date FROM client_key")


async def test_a_clouds_webhook_is_signed_as_its_adapter_says(made: Gate) -> None:
    secret = await made.add("cloud", HMAC, adapter="cellular_hub")
    await made.add("plain", HMAC)
    await made.add("stranger", HMAC, adapter="scaled_measures", organisation=THEIRS)
    signature = hmac.new(secret, BODY, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={signature}"}
    async with made.http() as http:
        answers = [await http.post("/webhooks/cloud", content=BODY, headers=headers) for _ in range(2)]
        assert answers[0].json() == {"client_id": "cloud", "adapter": "cellular_hub"}
        assert "counts once" in answers[1].json()["detail"]
        for path in ("/webhooks/plain", "/webhooks/stranger", "/webhooks/nobody"):
            assert (await http.post(path, content=BODY, headers=headers)).status_code == 401, path
        other = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
        assert (await http.post("/webhooks/cloud", content=BODY, headers=other)).status_code == 401


async def test_twice_at_the_same_moment_is_known_afterwards(made: Gate) -> None:
    """Neither was answered when the other came: their readings are the same, and count once by themselves."""
    secret = await made.add("hub", HMAC)
    headers = signed_headers("hub", secret, BODY, made.clock.now_us())
    answers = await asyncio.gather(*(deliver(made, headers, BODY) for _ in range(5)))
    assert [one.status_code for one in answers] == [200] * 5
    assert "client_id" not in (await deliver(made, headers, BODY)).json()


async def test_what_nobody_would_take_any_more_is_forgotten(made: Gate, admin: Connection) -> None:
    secret = await made.add("hub", HMAC)
    await deliver(made, signed_headers("hub", secret, BODY, made.clock.now_us()), BODY)
    await admin.execute("UPDATE client_request SET until_at = now() - interval '1 second'")
    later_us = made.clock.now_us() + SECOND_US
    await deliver(made, signed_headers("hub", secret, BODY, later_us), BODY)
    assert await admin.fetchval("SELECT count(*) FROM client_request") == 1


@pytest.mark.parametrize("client_id", ["x%00y", "%C3%28", "a" * 300, "hub%0A"])
async def test_an_id_that_can_be_none_takes_nobody_along(made: Gate, client_id: str) -> None:
    """Postgres would stumble over some of these, and with it the questions of all who came at that moment."""
    secret = await made.add("hub", HMAC)
    async with made.http() as http:
        headers = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
        answers = await asyncio.gather(
            http.post(f"/webhooks/{client_id}", content=BODY, headers=headers),
            deliver(made, signed_headers("hub", secret, BODY, made.clock.now_us()), BODY),
            http.post("/deliver", headers={b"X-Client-Id": b"x\x00"}),
        )
    assert [one.status_code for one in answers] == [401, 200, 401]


async def test_strangers_fill_no_memory_under_a_clients_name(database: str, organisations: None) -> None:
    """Of what says that a client signed it, and is large, a few are read at a time; small ones go on."""
    reading, go_on = asyncio.Queue[None](), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        reading.put_nowait(None)
        yield b"{"
        await go_on.wait()
        yield b"}"

    async with gate(database, longest_wait_s=0.05) as made:
        secret = await made.add("hub", HMAC)
        wrong = signed_headers("hub", b"w" * 32, b"{}", made.clock.now_us())
        async with made.http() as http:
            strangers = [
                asyncio.create_task(http.post("/deliver", content=slowly(), headers=wrong))
                for _ in range(LARGE_AT_ONCE)
            ]
            for _ in strangers:
                await reading.get()
            assert (await http.post("/deliver", content=slowly(), headers=wrong)).status_code == 503
            right = signed_headers("hub", secret, BODY, made.clock.now_us())
            assert (await deliver(made, right, BODY)).status_code == 200
            go_on.set()
            assert {one.status_code for one in await asyncio.gather(*strangers)} == {401}
            assert (await http.post("/deliver", content=slowly(), headers=wrong)).status_code == 401
