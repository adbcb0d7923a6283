"""Gates and the broker killed under load: what was acknowledged is stored once, all else at most once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.gateway.ground import Ground, opened, until_up
from benchmarks.gateway.requests import Home
from simulators.stack import Stack

SENDERS = 12
HOMES = 60
BEGIN = datetime(2026, 11, 29, 8, tzinfo=UTC)
HANGS_AFTER_S = 25.0
"""Far beyond the gate's own deadline: who gets no answer for so long is hanging."""

STORED = """
SELECT device_id, taken_at, value, count(*) AS times FROM reading GROUP BY device_id, taken_at, value
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """One reading of a home, and what its value tells it by."""

    home: Home
    taken_at: datetime
    value: float

    def body(self) -> dict[str, Any]:
        taken_at = self.taken_at.isoformat()
        reading = {"kind": "body_weight", "value": self.value, "unit": "kg", "taken_at": taken_at}
        return {"device_id": self.home.device_id, "readings": [reading]}

    @property
    def key(self) -> tuple[str, datetime, float]:
        return self.home.device_id, self.taken_at, self.value


@dataclass(slots=True)
class Load:
    """Senders that go on whatever happens; half of them try again until they hear that it was taken."""

    ground: Ground
    sent: set[tuple[str, datetime, float]] = field(default_factory=set[tuple[str, datetime, float]])
    acknowledged: set[tuple[str, datetime, float]] = field(default_factory=set[tuple[str, datetime, float]])
    answers: Counter[str] = field(default_factory=Counter[str])
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)
    _made: int = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as senders:
            for number in range(SENDERS):
                senders.create_task(self._send(number))

    async def until(self, enough: Callable[[Counter[str]], bool]) -> None:
        """Waits for what the senders hear."""
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: enough(self.answers))

    async def until_more(self, answer: str, number: int) -> None:
        wanted = self.answers[answer] + number
        await self.until(lambda answers: answers[answer] >= wanted)

    async def _send(self, number: int) -> None:
        headers = {"Authorization": f"Bearer {self.ground.requests.token}"}
        async with httpx.AsyncClient(timeout=HANGS_AFTER_S, headers=headers) as client:
            turn = number
            while not self.stop.is_set():
                upload, is_taken = self._next(), False
                while not is_taken:
                    turn += 1
                    port = self.ground.ports[turn % len(self.ground.ports)]
                    is_taken = await self._post(client, port, upload)
                    if number % 2:
                        break

    def _next(self) -> Upload:
        self._made += 1
        home = self.ground.requests.homes[self._made % HOMES]
        upload = Upload(home, BEGIN + timedelta(seconds=self._made), 60 + self._made % 1_000 / 10)
        self.sent.add(upload.key)
        return upload

    async def _post(self, client: httpx.AsyncClient, port: int, upload: Upload) -> bool:
        try:
            answer = await client.post(f"http://127.0.0.1:{port}/v1/uploads", json=upload.body())
        except httpx.TimeoutException as error:
            raise AssertionError("the gate hangs") from error
        except httpx.TransportError:
            await self._hear("none")
            # Nobody listens there now: the next attempt goes to the other gate, but not at once.
            await asyncio.sleep(0.02)
            return False
        assert answer.status_code in (200, 202, 503), answer.text
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
        else:
            self.acknowledged.add(upload.key)
        await self._hear(str(answer.status_code))
        return answer.is_success

    async def _hear(self, answer: str) -> None:
        async with self._more:
            self.answers[answer] += 1
            self._more.notify_all()


@dataclass(slots=True)
class Troubles:
    """What happens to gates and broker while the load goes on."""

    stack: Stack
    ground: Ground
    load: Load

    async def kill_gate(self, number: int) -> None:
        """In the middle of requests, and started again."""
        names = [name for name in self.ground.services.processes if name.startswith("gateway")]
        process = self.ground.services.processes[names[number]]
        await self.load.until_more("202", 20)
        process.kill()
        process.wait()
        await self.load.until_more("none", 1)
        self.ground.services.start(names[number])
        await until_up(f"http://127.0.0.1:{self.ground.ports[number]}", self.ground.services)
        await self.load.until_more("202", 20)

    async def kill_broker(self) -> None:
        """With what it was just given, and started again: meanwhile it is 503, and soon 202 again."""
        await self.load.until_more("202", 20)
        await asyncio.to_thread(self.stack.kill_server, "kafka")
        await self.load.until_more("503", SENDERS)
        await asyncio.to_thread(self.stack.start_server, "kafka")
        await self.load.until_more("202", 50)


@pytest.mark.acceptance
@pytest.mark.timeout(240)
async def test_what_was_acknowledged_is_stored_once_and_all_else_at_most_once(
    stack: Stack, tmp_path: Path
) -> None:
    async with opened(stack, tmp_path, gates=2, homes=HOMES) as ground:
        load = Load(ground)
        troubles = Troubles(stack, ground, load)
        sending = asyncio.create_task(load.run())
        try:
            await troubles.kill_gate(0)
            await troubles.kill_broker()
            await troubles.kill_gate(1)
            await troubles.kill_broker()
            await asyncio.gather(troubles.kill_gate(0), troubles.kill_broker())
        finally:
            load.stop.set()
            await sending
        await ground.until_followed()
        rows = await ground.admin.fetch(STORED)
        stored = Counter({(row["device_id"], row["taken_at"], row["value"]): row["times"] for row in rows})
        assert set(stored.values()) == {1}
        assert load.acknowledged - stored.keys() == set(), "acknowledged, and lost"
        assert stored.keys() <= load.sent
        assert await ground.admin.fetchval("SELECT count(*) FROM quarantine") == 0
        assert len(load.acknowledged) > 100
