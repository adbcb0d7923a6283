"""Each client has its limits, and its turn: who sends too much is told when again, and holds nobody up."""

import asyncio

from fastapi import Request
from prometheus_client import REGISTRY

from ingest.delivery.clients.registry import WantedKey
from models.clock import SECOND_US
from tests.integration.delivery.asking import deliver, signed_headers, token_of
from tests.integration.delivery.gates import Gate, gate
from tests.unit.login.signing import ec


def refused(client: str, reason: str) -> float:
    labels = {"client": client, "reason": reason}
    return REGISTRY.get_sample_value("thuiswacht_gateway_refused_requests_total", labels) or 0.0


async def test_more_than_the_rate_is_refused_with_the_time_to_wait(made: Gate) -> None:
    key = ec()
    await made.add("busy", WantedKey(public_key=key.as_pem(private=False).decode()), per_second=0.1, burst=2)
    await made.add("calm", WantedKey(hmac=True))
    before = refused("busy", "rate")
    token = await token_of(made, "busy", key)
    answers = [await deliver(made, token) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert 5 <= int(answers[2].headers["retry-after"]) <= 10
    assert refused("busy", "rate") == before + 1
    made.clock.moved_us += 10 * SECOND_US
    assert (await deliver(made, token)).status_code == 200


async def test_who_only_says_to_be_a_client_uses_nothing_of_its_limits(made: Gate) -> None:
    secret = await made.add("hub", WantedKey(hmac=True), per_second=0.1, burst=1)
    for _ in range(5):
        wrong = signed_headers("hub", b"w" * 32, b"{}", made.clock.now_us())
        assert (await deliver(made, wrong)).status_code == 401
    right = signed_headers("hub", secret, b"{}", made.clock.now_us())
    assert (await deliver(made, right)).status_code == 200


async def test_clients_take_turns(database: str, organisations: None) -> None:
    order: list[str] = []
    arrived, go_on = asyncio.Queue[str](), asyncio.Semaphore(0)

    async def at_the_desk(request: Request) -> None:
        name = request.headers["x-client-id"]
        order.append(name)
        arrived.put_nowait(name)
        await go_on.acquire()

    async with gate(database, at_work=2, at_the_desk=at_the_desk) as made:
        secrets = {name: await made.add(name, WantedKey(hmac=True)) for name in ("greedy", "small")}

        def come(name: str) -> asyncio.Task[int]:
            headers = signed_headers(name, secrets[name], b"{}", made.clock.now_us())

            async def sent() -> int:
                return (await deliver(made, headers)).status_code

            return asyncio.create_task(sent())

        tasks = [come("greedy") for _ in range(6)]
        assert await arrived.get() == "greedy"
        # The other half of the room is kept for others, and nobody of the five before it is in its way.
        tasks.append(come("small"))
        assert await arrived.get() == "small"
        for _ in tasks:
            go_on.release()
        assert await asyncio.gather(*tasks) == [200] * 7
        assert order == ["greedy", "small", *["greedy"] * 5]


async def test_who_is_cut_off_gives_its_turn_back(database: str, organisations: None) -> None:
    arrived, go_on = asyncio.Queue[None](), asyncio.Event()

    async def at_the_desk(_: Request) -> None:
        arrived.put_nowait(None)
        await go_on.wait()

    async with gate(database, at_work=1, at_the_desk=at_the_desk) as made:
        secret = await made.add("hub", WantedKey(hmac=True))

        def come() -> asyncio.Task[int]:
            headers = signed_headers("hub", secret, b"{}", made.clock.now_us())

            async def sent() -> int:
                return (await deliver(made, headers)).status_code

            return asyncio.create_task(sent())

        first = come()
        await arrived.get()
        second, third = come(), come()
        first.cancel()
        await arrived.get()
        second.cancel()
        third.cancel()
        await asyncio.gather(first, second, third, return_exceptions=True)
        assert (made.entrance.at_work, made.entrance.waiting) == (0, 0)


async def test_nobody_waits_for_long(database: str, organisations: None) -> None:
    arrived, go_on = asyncio.Queue[None](), asyncio.Event()

    async def at_the_desk(_: Request) -> None:
        arrived.put_nowait(None)
        await go_on.wait()

    async with gate(database, at_work=1, at_the_desk=at_the_desk, longest_wait_s=0.05) as made:
        secret = await made.add("hub", WantedKey(hmac=True))
        headers = [signed_headers("hub", secret, b"{}", made.clock.now_us()) for _ in range(2)]
        at_work = asyncio.create_task(deliver(made, headers[0]))
        await arrived.get()
        answer = await deliver(made, headers[1])
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        go_on.set()
        assert (await at_work).status_code == 200
        assert (await deliver(made, headers[1])).status_code == 200
        assert (made.entrance.at_work, made.entrance.waiting) == (0, 0)


async def test_more_than_may_wait_is_told_so(database: str, organisations: None) -> None:
    arrived, go_on = asyncio.Queue[None](), asyncio.Event()

    async def at_the_desk(_: Request) -> None:
        arrived.put_nowait(None)
        await go_on.wait()

    async with gate(database, at_work=1, at_the_desk=at_the_desk) as made:
        secret = await made.add("hub", WantedKey(hmac=True))

        async def sent() -> int:
            headers = signed_headers("hub", secret, b"{}", made.clock.now_us())
            return (await deliver(made, headers)).status_code

        tasks = [asyncio.create_task(sent()) for _ in range(6)]
        await arrived.get()
        # One at work, four wait, and one is told to come again.
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert [one.result() for one in done] == [429]
        go_on.set()
        assert sorted(await asyncio.gather(*tasks)) == [200] * 5 + [429]
