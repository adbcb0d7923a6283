"""Turns: who waits is let in round robin by client, so that one that sends a thousand keeps nobody waiting.

Nothing in here waits itself: who holds a ticket is told by whoever uses this that it may go.
"""

from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

Ticket = TypeVar("Ticket", bound=Hashable)


class Entered(Enum):
    """What becomes of who comes."""

    GO = "go"
    WAIT = "wait"
    TOO_MANY = "too_many"
    """Of this client wait as many as may."""
    FULL = "full"
    """So many wait, of all clients, that waiting would be pointless."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many may be at work at a time, in all and of one client; how many may wait, of one and in all."""

    at_work: int
    at_work_each: int
    waiting_each: int
    waiting: int

    @classmethod
    def of(cls, at_work: int) -> "Room":
        """Half for one client at most, so that whoever works slowly leaves room; waiting, four times that."""
        return cls(at_work, max(1, at_work // 2), 4 * at_work, 16 * at_work)


class Turns(Generic[Ticket]):
    """Who is at work, and who waits, in the order of their turns."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._at_work: Counter[str] = Counter()
        self._busy = 0
        self._waiting = 0
        self._queues: dict[str, deque[Ticket]] = {}
        """By client, in the order of turns: whose turn it was goes to the end."""

    def enter(self, client: str, ticket: Ticket) -> Entered:
        """Somebody comes; who may go is at work from here on, until `leave`."""
        queue = self._queues.get(client)
        if queue is None and self._has_room(client):
            self._start(client)
            return Entered.GO
        if queue is not None and len(queue) >= self._room.waiting_each:
            return Entered.TOO_MANY
        if self._waiting >= self._room.waiting:
            return Entered.FULL
        if queue is None:
            queue = self._queues[client] = deque()
        queue.append(ticket)
        self._waiting += 1
        return Entered.WAIT

    def leave(self, client: str) -> list[Ticket]:
        """Somebody is done; whose turn it is now, who is at work from here on."""
        self._busy -= 1
        self._at_work[client] -= 1
        if not self._at_work[client]:
            del self._at_work[client]
        return self._next()

    def give_up(self, client: str, ticket: Ticket) -> bool:
        """Somebody does not wait any longer; False when it was let in meanwhile, and has to leave."""
        queue = self._queues.get(client)
        if queue is None or ticket not in queue:
            return False
        queue.remove(ticket)
        self._waiting -= 1
        if not queue:
            del self._queues[client]
        return True

    @property
    def at_work(self) -> int:
        """How many are at work."""
        return self._busy

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting

    def _next(self) -> list[Ticket]:
        called: list[Ticket] = []
        while True:
            client = next((one for one in self._queues if self._has_room(one)), None)
            if client is None:
                return called
            queue = self._queues.pop(client)
            called.append(queue.popleft())
            self._waiting -= 1
            if queue:
                self._queues[client] = queue
            self._start(client)

    def _has_room(self, client: str) -> bool:
        return self._busy < self._room.at_work and self._at_work[client] < self._room.at_work_each

    def _start(self, client: str) -> None:
        self._busy += 1
        self._at_work[client] += 1
