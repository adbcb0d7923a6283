"""Questions that come together are asked together: one query for all that waited while others were out.

Nothing is kept: an answer goes to who asked before the query was sent, and to nobody after. So what was
revoked a moment ago is gone from the next query on, and several instances need to tell each other nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Found = TypeVar("Found")


OUT = 2
"""So many queries are out at a time: with one, whoever just missed it would wait for two."""


class Loader(Generic[Asked, Found]):
    """Answers one question after another by loading several at once. `most`: at once, the rest after that."""

    def __init__(
        self, load: Callable[[Sequence[Asked]], Awaitable[Sequence[Found]]], *, most: int = 500
    ) -> None:
        self._load = load
        self._most = most
        self._waiting: list[tuple[Asked, asyncio.Future[Found]]] = []
        self._out = 0
        self._tasks = set[asyncio.Task[None]]()

    async def __call__(self, asked: Asked) -> Found:
        """The answer. **Raises**: what loading raises."""
        return await self._ask(asked)

    async def several(self, asked: Sequence[Asked]) -> list[Found]:
        """The answers to several questions, in their order. **Raises**: what loading raises."""
        # All are put before the first is waited for.
        futures = [self._ask(one) for one in asked]
        return await asyncio.gather(*futures)

    def _ask(self, asked: Asked) -> asyncio.Future[Found]:
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._out < OUT:
            self._out += 1
            task = asyncio.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                # Who gave up meanwhile is not asked for.
                batch = [(asked, future) for asked, future in batch if not future.done()]
                if batch:
                    await self._answer(batch)
        finally:
            # Here, not when the task is seen to be done: who asks in between would wait for nobody.
            self._out -= 1

    async def _answer(self, batch: list[tuple[Asked, asyncio.Future[Found]]]) -> None:
        try:
            found = await self._load([asked for asked, _ in batch])
            answers = list(zip(batch, found, strict=True))
        except Exception as error:  # noqa: BLE001  whoever asked gets it, each as its own
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in answers:
            if not future.done():
                future.set_result(answer)
