"""Which readings are implausible, from all of a series at once: counting, suspect, or not decided yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.naive.features import millionths
from tests.naive.readings import Taken, canonical

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
OLDEST_FORMER_US = 14 * DAY_US


@dataclass(frozen=True)
class Gate:
    """What is implausible in one kind, and how long a repeat is waited for."""

    wait_us: int
    jump_share: float | None = None
    above: float | None = None

    @property
    def reason(self) -> str:
        return "above" if self.jump_share is None else "jump"

    def stops(self, value: float, former: float) -> bool:
        """Whether a value asks for a repeat, given the one before it."""
        if self.jump_share is not None:
            return millionths(abs(value - former) / former) > millionths(self.jump_share)
        assert self.above is not None
        return millionths(value) > millionths(self.above) >= millionths(former)


GATES = {
    # Who stood on the scale?
    "body_weight": Gate(wait_us=4 * 60 * MINUTE_US, jump_share=0.10),
    # 45 mg/dL labelled mmol/L would read as the opposite of what it is.
    "glucose": Gate(wait_us=30 * MINUTE_US, above=33.3),
}


@dataclass(frozen=True)
class Request:
    """A repeat that was asked for, and what became of it."""

    kind: str
    taken_at_us: int
    due_us: int
    reason: str
    status: str


@dataclass(frozen=True)
class Judged:
    """What the gates say of all readings of a patient, as far as the horizon."""

    suspect: frozenset[Taken]
    pending: frozenset[Taken]
    requests: frozenset[Request]


def judged(readings: Sequence[Taken], horizon_us: int) -> Judged:
    """Every reading with a value, against the gate of its kind."""
    found: list[tuple[Taken, Request]] = []
    for kind in GATES:
        found += requests_of(kind, [taken for taken in readings if taken.kind == kind], horizon_us)
    return Judged(
        suspect=frozenset(taken for taken, request in found if request.status == "suspect"),
        pending=frozenset(taken for taken, request in found if request.status == "pending"),
        requests=frozenset(request for _, request in found),
    )


def requests_of(kind: str, series: Sequence[Taken], horizon_us: int) -> Iterator[tuple[Taken, Request]]:
    """The readings of a series at which a repeat is asked for.

    Each is compared with the latest counting one before it, at most 14 days older. The repeat is the next
    reading within the wait: where it lies nearer to the former value than to the one in doubt, that one is
    suspect; otherwise, and where none came, it counts.
    """
    gate = GATES[kind]
    former: Taken | None = None
    for taken in series:
        status = ""
        if former is not None and taken.t - former.t <= OLDEST_FORMER_US:
            x, f = canonical(taken), canonical(former)
            if gate.stops(x, f):
                due_us = taken.t + gate.wait_us
                repeat = next((r for r in series if taken.t < r.t <= due_us), None)
                status = status_of(x, f, repeat, is_over=horizon_us >= due_us)
                yield taken, Request(kind, taken.t, due_us, gate.reason, status)
        if status != "suspect":
            former = taken


def status_of(x: float, former: float, repeat: Taken | None, *, is_over: bool) -> str:
    """What becomes of a reading in doubt."""
    if repeat is None:
        return "unanswered" if is_over else "pending"
    y = canonical(repeat)
    return "suspect" if abs(y - former) < abs(y - x) else "confirmed"
