"""In trials who simulates tells when something was received; in live databases nobody does."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from ingest.gateway.delivery.told import HEADER, ToldTime, require_gateway_time, told_now_us
from models.clock import wall_now_us
from models.errors import RefuseToStart
from models.settings import Settings

AT_US = 1_772_436_000_000_000


async def received_us(*told: bytes) -> int:
    """The time of receipt of a request that tells this."""
    found: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(told_now_us())

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        del message

    headers = [(HEADER.encode(), one) for one in told]
    await ToldTime(app)({"type": "http", "headers": headers}, receive, send)
    return found[0]


async def test_what_is_told_is_the_time_of_that_request_alone() -> None:
    assert await received_us(b"%d" % AT_US) == AT_US
    before_us = wall_now_us()
    assert await received_us() >= before_us


@pytest.mark.parametrize("told", [b"", b"soon", b"-1", b"1e9", b"4102444800000001", b"9" * 400, b"\xd9\xa1"])
async def test_what_is_no_time_is_not_believed(told: bytes) -> None:
    before_us = wall_now_us()
    assert before_us <= await received_us(told) <= wall_now_us()


def test_a_live_database_has_its_own_clock() -> None:
    told = Settings(gateway_time="told")
    require_gateway_time(told, "trial")
    require_gateway_time(Settings(), "live")
    with pytest.raises(RefuseToStart, match="THUISWACHT_GATEWAY_TIME"):
        require_gateway_time(told, "live")
