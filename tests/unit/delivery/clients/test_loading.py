"""Questions that come together are asked together, and answered from a query that was sent after them."""

import asyncio
from collections.abc import Sequence

import pytest

from ingest.delivery.clients.loading import Loader


class Answering:
    """Answers when it is let; remembers what it was asked at once."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()
        self.may_go = asyncio.Event()

    async def __call__(self, asked: Sequence[int]) -> list[str]:
        self.batches.append(list(asked))
        self.begun.set()
        await self.may_go.wait()
        return [str(one) for one in asked]


async def test_while_queries_are_out_the_next_collects() -> None:
    answering = Answering()
    loader: Loader[int, str] = Loader(answering, most=3)
    first = asyncio.create_task(loader(0))
    await answering.begun.wait()
    others = [asyncio.create_task(loader(n)) for n in range(1, 6)]
    # The same question again is asked again: the answer that is on its way may be older than it.
    again = asyncio.create_task(loader(0))
    await asyncio.sleep(0)
    answering.may_go.set()
    assert await asyncio.gather(first, *others, again) == ["0", "1", "2", "3", "4", "5", "0"]
    # Two are out, the third had to wait for one of them.
    assert answering.batches == [[0], [1, 2, 3], [4, 5, 0]]


async def test_never_are_more_than_two_out_and_whoever_asks_is_answered_whenever_that_is() -> None:
    out = most = 0

    async def load(asked: Sequence[int]) -> list[str]:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await asyncio.sleep(0)
        out -= 1
        return [str(one) for one in asked]

    loader: Loader[int, str] = Loader(load, most=4)

    async def ask(number: int) -> str:
        # In every turn of the loop somebody asks, also in that in which a query has just ended.
        for _ in range(number % 97):
            await asyncio.sleep(0)
        return await loader(number)

    assert await asyncio.gather(*map(ask, range(1_000))) == [str(number) for number in range(1_000)]
    assert most == 2


async def test_several_at_once_in_their_order() -> None:
    answering = Answering()
    answering.may_go.set()
    loader: Loader[int, str] = Loader(answering)
    assert await loader.several([3, 1, 2]) == ["3", "1", "2"]
    assert await loader.several([]) == []
    assert answering.batches == [[3, 1, 2]]


async def test_what_goes_wrong_is_heard_by_all_who_asked_and_by_nobody_later() -> None:
    wrong = True

    async def load(asked: Sequence[int]) -> list[str]:
        if wrong:
            raise RuntimeError("away")
        return [str(one) for one in asked]

    loader: Loader[int, str] = Loader(load)
    results = await asyncio.gather(loader(1), loader(2), return_exceptions=True)
    assert [str(one) for one in results] == ["away", "away"]
    wrong = False
    assert await loader(3) == "3"


async def test_who_gives_up_is_not_asked_for_and_takes_nobody_along() -> None:
    answering = Answering()
    loader: Loader[int, str] = Loader(answering)
    first = asyncio.create_task(loader(0))
    await answering.begun.wait()
    second, third = asyncio.create_task(loader(1)), asyncio.create_task(loader(2))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()
    answering.may_go.set()
    assert await third == "2"
    assert answering.batches == [[0], [2]]
    for task in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await task
