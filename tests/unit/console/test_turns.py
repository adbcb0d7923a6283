"""What people do waits for nothing that pages ask by themselves."""

import asyncio

from starlette.types import Receive, Scope, Send

from alerting.console.turns import AT_ONCE, Turns

BY_ITSELF = [(b"x-by-itself", b"true")]


async def test_lists_that_look_again_take_turns_and_people_do_not_wait_for_them() -> None:
    running: list[str] = []
    goes_on = asyncio.Event()

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        running.append(scope["path"])
        await goes_on.wait()

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(_: object) -> None:
        return

    turns = Turns(app)
    by_itself = [
        asyncio.create_task(
            turns(
                {"type": "http", "path": f"list {n}", "headers": [(b"x-by-itself", b"true")]}, receive, send
            )
        )
        for n in range(50)
    ]
    await asyncio.sleep(0)
    person = asyncio.create_task(turns({"type": "http", "path": "act", "headers": []}, receive, send))
    await asyncio.sleep(0)
    assert running == [*(f"list {n}" for n in range(AT_ONCE)), "act"]
    goes_on.set()
    await asyncio.gather(*by_itself, person)
    assert len(running) == 51
