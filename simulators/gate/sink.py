"""A scenario on two ways: uploads of some patients through the front gate, all else into the log itself."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from simulators.gate.requests import Format, Request, requests_of
from simulators.gate.sending import IN_FLIGHT, Gate, side_by_side
from simulators.simulate import Sink
from simulators.wire import TICK, Message

_FEW = 20
"""So few uploads go as one request; sending them side by side would only cost."""


@dataclass(slots=True)
class Way:
    """A client, in what it writes, and the uploads that wait to be sent; those of a patient stay in order."""

    gate: Gate
    form: Format
    held: list[Message] = field(default_factory=list[Message])

    def lanes(self) -> list[list[Request]]:
        """What waits as requests, in rows that may go side by side; nothing waits any more."""
        rows: list[list[Message]] = [[] for _ in range(min(IN_FLIGHT, 1 + len(self.held) // _FEW))]
        for message in self.held:
            rows[message.patient % len(rows)].append(message)
        self.held = []
        return [list(requests_of(row, self.form)) for row in rows if row]


class ThroughGate:
    """Sends uploads through the gate, each between the same two ticks of the clock as in the log without it.

    What the engine finds depends on that alone: between two ticks it takes all readings together.
    """

    def __init__(self, log: Sink, way_of: Callable[[int], Way | None]) -> None:
        """`way_of`: for a patient's row; None for those whose uploads go into the log."""
        self._log = log
        self._way_of = way_of
        self._ways: list[Way] = []

    async def put(self, messages: Iterable[Message]) -> None:
        """Take messages over; uploads are with the gate before the next tick of the clock is in the log."""
        direct: list[Message] = []
        for message in messages:
            way = self._way_of(message.patient) if message.readings else None
            if way is not None:
                if not way.held:
                    self._ways.append(way)
                way.held.append(message)
                continue
            if message.patient == TICK and self._ways:
                await self._log.put(direct)
                direct = []
                await self.flush()
            direct.append(message)
        await self._log.put(direct)

    def early(self, messages: Sequence[Message], every_us: int) -> list[Message]:
        """The same in another order: what goes through the gate comes at the first tick of its stretch.

        Waiting at each tick for what came in before it takes longer than all else that a fast simulation
        does; so it is done once in so long. The engine finds the same: it goes by when something was measured
        and received, and is used to devices whose clocks are ahead of the log's.
        **Units**: `every_us` in microseconds.
        """
        waiting: dict[int, list[Message]] = {}
        others: list[Message] = []
        for message in messages:
            through = message.readings and self._way_of(message.patient) is not None
            (waiting.setdefault(message.at_us // every_us, []) if through else others).append(message)
        arranged: list[Message] = []
        for message in others:
            arranged.append(message)
            if message.patient == TICK:
                arranged += waiting.pop(message.at_us // every_us, ())
        return [*arranged, *(message for some in waiting.values() for message in some)]

    async def flush(self) -> None:
        """Return when everything taken over is in the log, or refused by the gate."""
        # The tick before them, and what was decided about their patients.
        await self._log.flush()
        ways, self._ways = self._ways, []
        await side_by_side(way.gate.send_all(way.lanes()) for way in ways)
