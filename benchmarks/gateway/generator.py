"""Sends prepared requests at planned moments over kept connections, and costs next to nothing itself.

An open loop: what is due is sent whether or not what was sent before has been answered; while every
connection waits for an answer it stands in line, and its time runs. Latency is from the planned moment to the
last byte.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from simulators.load.connections import Connection, NoAnswer, connect

LAST_ANSWER_WITHIN_S = 60.0
SHOWN_REFUSALS = 3


@dataclass(slots=True)
class Run:
    """What came of requests. **Units**: seconds.

    `lag_s`: how much later than planned the generator itself got to each. `accepted`: how often the mark of
    what is accepted stood in the answers. `own_s`: the generator's own processor time.
    """

    latency_s: list[float] = field(default_factory=list[float])
    lag_s: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])
    accepted: int = 0
    elapsed_s: float = 0.0
    own_s: float = 0.0
    refusals: list[bytes] = field(default_factory=list[bytes])

    @property
    def per_s(self) -> float:
        """Requests answered in a second, from the first one sent to the last answer."""
        return len(self.latency_s) / self.elapsed_s if self.elapsed_s else 0.0


class Generator:
    """Kept connections to one or more gates, and what is sent over them. `mark`: what accepted things say."""

    def __init__(self, ports: Sequence[int], connections: int, mark: bytes) -> None:
        self._ports = ports
        self._number = connections
        self.mark = mark
        self._all: list[Connection] = []
        self.idle: deque[Connection] = deque()
        self.waiting: deque[tuple[bytes, float]] = deque()
        self._planned_s: dict[Connection, float] = {}
        self.run = Run()
        self.ended: asyncio.Future[None] | None = None
        self._open = 0

    async def __aenter__(self) -> Self:
        for number in range(self._number):
            url = f"http://127.0.0.1:{self._ports[number % len(self._ports)]}"
            self._all.append(await connect(url, self._answered, self._lost))
        self.idle.extend(self._all)
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._all:
            await connection.close()

    async def open_loop(self, requests: Sequence[bytes], at_s: Sequence[float]) -> Run:
        """Sends each at its moment, counted from now. **Raises**: NoAnswer."""
        self._begin(len(requests))
        begun_s = time.perf_counter()
        due, number = 0, len(requests)
        while due < number:
            now_s = time.perf_counter()
            while due < number and begun_s + at_s[due] <= now_s:
                planned_s = begun_s + at_s[due]
                self.run.lag_s.append(time.perf_counter() - planned_s)
                self._send(requests[due], planned_s)
                due += 1
            if due < number:
                await asyncio.sleep(max(0.0, begun_s + at_s[due] - time.perf_counter()))
        return await self._end(begun_s)

    async def closed_loop(self, requests: Sequence[bytes]) -> Run:
        """Sends each as soon as a connection is free: as many as can be. **Raises**: NoAnswer."""
        self._begin(len(requests))
        begun_s = time.perf_counter()
        for request in requests:
            self.waiting.append((request, begun_s))
        for _ in range(min(len(self.idle), len(requests))):
            self._give(self.idle.popleft())
        return await self._end(begun_s)

    def _begin(self, number: int) -> None:
        self.run, self._open = Run(own_s=-time.process_time()), number
        self.ended = asyncio.get_running_loop().create_future()

    async def _end(self, begun_s: float) -> Run:
        assert self.ended is not None
        try:
            async with asyncio.timeout(LAST_ANSWER_WITHIN_S + 60.0):
                await self.ended
        except TimeoutError:
            raise NoAnswer(f"{self._open} requests were never answered.") from None
        self.run.elapsed_s = time.perf_counter() - begun_s
        self.run.own_s += time.process_time()
        return self.run

    def _send(self, request: bytes, planned_s: float) -> None:
        if self.idle:
            self._ask(self.idle.popleft(), request, planned_s)
        else:
            self.waiting.append((request, planned_s))

    def _ask(self, connection: Connection, request: bytes, planned_s: float) -> None:
        self._planned_s[connection] = planned_s
        connection.send(request)

    def _give(self, connection: Connection) -> None:
        if self.waiting:
            self._ask(connection, *self.waiting.popleft())
        else:
            self.idle.append(connection)

    def _answered(self, connection: Connection, status: int, body: bytes) -> None:
        run = self.run
        run.latency_s.append(time.perf_counter() - self._planned_s[connection])
        run.statuses[status] += 1
        found = body.count(self.mark)
        run.accepted += found
        if not found and len(run.refusals) < SHOWN_REFUSALS:
            run.refusals.append(body[-300:])
        self._open -= 1
        if self._open == 0 and self.ended is not None and not self.ended.done():
            self.ended.set_result(None)
        self._give(connection)

    def _lost(self, why: str) -> None:
        if self.ended is not None and not self.ended.done():
            self.ended.set_exception(NoAnswer(why))


def poisson(per_s: float, seconds: float, seed: int) -> list[float]:
    """Moments at which requests of many who know nothing of each other come. **Units**: seconds."""
    chance = np.random.default_rng(seed)
    gaps = chance.exponential(1 / per_s, int(per_s * seconds))
    return np.cumsum(gaps).tolist()
