"""What browsers are told: that something changed, where anything did, one after the other."""
# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncIterator

from alerting.console.delays import Delay, Stage
from alerting.console.live import Hub, news
from models.settings import Settings

LATE = [Delay(Stage.STORING, 5)]
AWAY = [Delay(Stage.DATABASE, 7_000)]


def names(told: tuple[int, list[Delay]] | None, now: tuple[int, list[Delay]]) -> list[str]:
    return [one.partition("event: ")[2].partition("\n")[0] for one in news(told, now)]


def test_a_browser_looks_at_what_changed_and_at_nothing_else() -> None:
    assert names(None, (3, [])) == ["delayed", "changed"]
    assert names((3, []), (4, [])) == ["changed"]
    assert names((3, []), (3, LATE)) == ["delayed"]
    assert names((3, LATE), (4, [])) == ["delayed", "changed"]


def test_while_the_database_is_away_there_is_nothing_to_look_at_and_after_it_everything() -> None:
    assert names((3, []), (3, AWAY)) == ["away"]
    assert names((3, AWAY), (3, [])) == ["delayed", "changed"]
    assert list(news((3, []), (3, AWAY))) == ["event: away\ndata: 7\n\n"]


async def test_everybody_is_told_one_after_the_other_and_who_leaves_makes_room() -> None:
    hub, stop = Hub(Settings()), asyncio.Event()
    order: list[int] = []

    async def still() -> bool:
        return True

    async def listen(number: int, heard: AsyncIterator[str]) -> None:
        async for said in heard:
            if "event: changed" in said:
                order.append(number)
                return

    browsers = [hub.events(still, stop) for _ in range(5)]
    for browser in browsers:
        while "event: changed" not in await anext(browser):
            pass
    waiting = [asyncio.create_task(listen(n, one)) for n, one in reversed(list(enumerate(browsers)))]
    # Only who hears of it while nothing else was told lately has a place to wait for.
    while len(hub._news._waiters) < len(browsers):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await hub._tell(2, [])
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3, 4]
    await browsers[1].aclose()
    await browsers[3].aclose()
    late = hub.events(still, stop)
    await anext(late)
    assert hub._places == {0, 1, 2, 4}
    for browser in (*browsers, late):
        await browser.aclose()
