"""How many readings a second the engine takes on one core, beside what memory alone allows.

*Replay*: all readings of a chunk of patients at once, as `evaluate` does. *Live*: batches in the order of
arrival with the clock in between, onto patients whose windows are full. *At home*: 1 to 10 readings a day.
*By the minute*: heart rate, oxygen saturation and breathing each minute, glucose every five.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.engine.engine import Engine, warm_up
from alerting.engine.verdict import NO_CLOCK, Verdict, What
from benchmarks.rules.batches import FIRST_DAY, STREAMS, arrivals, at_home, batched, by_the_minute, readings
from benchmarks.rules.ceilings import Ceilings
from benchmarks.rules.crowd import SHARES_OF_WEARABLES, Crowd, crowd
from models.clock import DAY_US, MINUTE_US
from models.columns import Readings

BEGIN_US = FIRST_DAY * DAY_US
LIVE_BATCH = 10_000
CHUNK = 500_000
"""Readings of a chunk of patients in a replay, and of a step towards full windows."""

DAY_MIN = 1_440
LIVED_DAYS = 7
SPARSE = 15
"""Once a quarter is enough to fill what is kept in bins of a quarter."""

LEAST_TAKEN = 0.85
"""Share of what should be measured that is."""

DENSE_MIN = 5 * DAY_MIN // 2
"""Longer than anything is kept reading by reading."""

A_MINUTE = sum(1 / every for every in STREAMS.values())
"""Readings of a wearable."""

Batch = tuple[Readings, int]
"""Readings, and the clock after them."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. `warm_days`: until windows are full. `streamed`: patients with wearables."""

    patients: int
    streamed: int
    days: int
    stream_days: int
    warm_days: int
    live: int


FULL = Size(patients=100_000, streamed=10_000, days=30, stream_days=1, warm_days=35, live=2_000_000)


@dataclass(frozen=True, slots=True)
class Measured:
    """One case. **Units**: seconds; nanoseconds per reading for what memory alone takes."""

    case: str
    patients: int
    readings: int
    elapsed_s: float
    cpu_s: float
    findings: int
    walk_ns: float
    visit_ns: float
    bytes_per_patient: float

    @property
    def per_s(self) -> float:
        """Readings per second."""
        return self.readings / self.elapsed_s

    @property
    def ns(self) -> float:
        """Nanoseconds per reading."""
        return self.elapsed_s / self.readings * 1e9


class Watch:
    """Adds up what feeding an engine takes and gives."""

    def __init__(self, since_us: int = NO_CLOCK) -> None:
        self._since_us = since_us
        self.elapsed_s = self.cpu_s = 0.0
        self.readings = 0
        self.found: dict[int, set[tuple[int, int]]] = defaultdict(set)
        """By patient, the findings that stand and opened after a time: rule and time of opening.

        Without that time, what a replay opens again from before the first batch would count, and how far a
        replay goes back depends on when a snapshot was made.
        """

    @property
    def findings(self) -> int:
        """How many findings stand."""
        return sum(map(len, self.found.values()))

    @property
    def ns(self) -> float:
        """Nanoseconds per reading."""
        return self.elapsed_s / self.readings * 1e9

    def apply(self, engine: Engine, batch: Readings | None, now_us: int) -> None:
        """One batch, timed."""
        begun_s, cpu_s = time.perf_counter(), time.process_time()
        verdict = engine.apply(batch, now_us)
        self.elapsed_s += time.perf_counter() - begun_s
        self.cpu_s += time.process_time() - cpu_s
        self.readings += 0 if batch is None else len(batch)
        self.fold(verdict)

    def fold(self, verdict: Verdict) -> None:
        """What was found after a snapshot is found again, or retracted."""
        for patient, from_us in verdict.replayed:
            self.found[patient] = {each for each in self.found[patient] if each[1] <= from_us}
        opened = verdict.transitions[verdict.transitions["what"] == What.OPEN]
        columns = opened["patient"].tolist(), opened["rule"].tolist(), opened["opened_at_us"].tolist()
        for patient, rule, opened_us in zip(*columns, strict=True):
            if opened_us > self._since_us:
                self.found[patient].add((rule, opened_us))

    def measured(self, case: str, engine: Engine, patients: int, ceilings: Ceilings) -> Measured:
        """What was seen so far."""
        return Measured(
            case=case,
            patients=patients,
            readings=self.readings,
            elapsed_s=self.elapsed_s,
            cpu_s=self.cpu_s,
            findings=self.findings,
            walk_ns=ceilings.walked_s / self.readings * 1e9,
            visit_ns=ceilings.visited_s / self.readings * 1e9,
            bytes_per_patient=engine.bytes / patients,
        )


def enrolled(people: Crowd) -> Engine:
    """An engine that knows everybody and has seen nothing yet."""
    engine = Engine(people.compiled)
    people.enrol(engine, BEGIN_US)
    return engine


def everybody(people: Crowd) -> NDArray[np.int32]:
    """The rows of all patients."""
    return np.arange(len(people), dtype=np.int32)


def chunks(patients: int, readings_each: float) -> Iterator[NDArray[np.int32]]:
    """Patients in parts that have about CHUNK readings."""
    size = max(1, int(CHUNK / max(readings_each, 1.0)))
    for first in range(0, patients, size):
        yield np.arange(first, min(patients, first + size), dtype=np.int32)


def home_chunks(people: Crowd, day: int, days: int) -> Iterator[Readings]:
    """Days of measuring at home, patient by patient."""
    each = days * len(people.kinds) / len(people)
    return (readings(at_home(people, part, day, days)) for part in chunks(len(people), each))


def stream_chunks(people: Crowd, minute: int, minutes: int, sparse: int = 1) -> Iterator[Readings]:
    """Minutes of wearables, patient by patient."""
    for part in chunks(len(people), minutes * A_MINUTE / sparse):
        yield readings(by_the_minute(part, minute, minutes, by_patient=True, sparse=sparse))


def settle(people: Crowd, days: int) -> Engine:
    """An engine after days of measuring at home: its windows are full.

    All but the last days at once by patient, which takes a third of the time; those each followed by the
    clock, after which memory lies as it does live.
    """
    engine = enrolled(people)
    at_once = max(0, days - LIVED_DAYS)
    for part in chunks(len(people), at_once * len(people.kinds) / len(people)):
        engine.apply(readings(at_home(people, part, 0, at_once)), NO_CLOCK)
        engine.give_back(part.tolist())
    for day in range(at_once, days):
        for batch in home_chunks(people, day, 1):
            engine.apply(batch, BEGIN_US + day * DAY_US)
        engine.apply(None, BEGIN_US + (day + 1) * DAY_US)
    return engine


def settle_streams(people: Crowd, days: int) -> Engine:
    """An engine after days of wearables: once a quarter, and the last days each minute."""
    engine = enrolled(people)
    sparse_min = max(0, days * DAY_MIN - DENSE_MIN) // DAY_MIN * DAY_MIN
    steps = [(at, DAY_MIN, SPARSE) for at in range(0, sparse_min, DAY_MIN)]
    steps += [(at, min(60, days * DAY_MIN - at), 1) for at in range(sparse_min, days * DAY_MIN, 60)]
    for at, minutes, sparse in steps:
        for batch in stream_chunks(people, at, minutes, sparse):
            engine.apply(batch, BEGIN_US + at * MINUTE_US)
        engine.apply(None, BEGIN_US + (at + minutes) * MINUTE_US)
    return engine


def live_home(
    people: Crowd,
    who: NDArray[np.int32],
    day: int,
    wanted: int,
    *,
    late_share: float = 0.0,
    size: int = LIVE_BATCH,
) -> Iterator[Batch]:
    """Batches in the order of arrival from a day on, as many readings as wanted."""
    each_day = int((people.starts[who + 1] - people.starts[who]).sum())
    days = 1 + int(wanted / each_day / LEAST_TAKEN)
    columns, received_us = arrivals(at_home(people, who, day, days), late_share)
    return batched(columns.take(slice(wanted)), received_us[:wanted], size)


def live_streams(
    who: NDArray[np.int32], minute: int, wanted: int, *, size: int = LIVE_BATCH
) -> Iterator[Batch]:
    """The same for wearables; everybody's upload comes within the minute, in an order of its own."""
    in_turn = np.random.default_rng(1).permutation(who).astype(np.int32)
    minutes = 1 + int(wanted / A_MINUTE / len(who))
    columns = by_the_minute(in_turn, minute, minutes, by_patient=False).take(slice(wanted))
    return batched(columns, columns.taken_at_us, size)


def replayed(case: str, people: Crowd, parts: Iterable[Readings], end_us: int) -> Measured:
    """All readings of some patients at a time, without a clock, then everybody up to the end."""
    engine, watch, ceilings = enrolled(people), Watch(), Ceilings(len(people))
    for batch in parts:
        ceilings.measure(batch)
        watch.apply(engine, batch, NO_CLOCK)
    watch.apply(engine, None, end_us)
    return watch.measured(case, engine, len(people), ceilings)


def lived(case: str, people: Crowd, engine: Engine, batches: Iterable[Batch], since_us: int) -> Measured:
    """Batches in the order of arrival, each with the clock after it; `since_us` is the clock before."""
    watch, ceilings = Watch(since_us), Ceilings(len(people))
    for batch, now_us in batches:
        ceilings.measure(batch)
        watch.apply(engine, batch, now_us)
    return watch.measured(case, engine, len(people), ceilings)


def measure(size: Size) -> Iterator[Measured]:
    """All cases, one after the other."""
    warm_up()
    gc.disable()  # as the services do while they work on a batch
    home, all_in_all = crowd(size.patients), crowd(size.patients, everybody_in_all=True)
    end_us, minutes = BEGIN_US + size.days * DAY_US, size.stream_days * DAY_MIN
    yield replayed("at home, replay", home, home_chunks(home, 0, size.days), end_us)
    yield replayed("all in all programmes, replay", all_in_all, home_chunks(all_in_all, 0, size.days), end_us)
    since_us = BEGIN_US + size.warm_days * DAY_US
    for case, people, late in (("at home", home, 0.0), ("at home, 1 % late", home, 0.01)):
        batches = live_home(people, everybody(people), size.warm_days, size.live, late_share=late)
        yield lived(f"{case}, live", people, settle(people, size.warm_days), batches, since_us)
    worn = crowd(size.streamed, SHARES_OF_WEARABLES)
    end_us = BEGIN_US + minutes * MINUTE_US
    yield replayed("by the minute, replay", worn, stream_chunks(worn, 0, minutes), end_us)
    batches = live_streams(everybody(worn), size.warm_days * DAY_MIN, size.live)
    yield lived("by the minute, live", worn, settle_streams(worn, size.warm_days), batches, since_us)


def line(x: Measured) -> str:
    """One case as text."""
    return (
        f"{x.case:32} {x.readings:>11,} readings of {x.patients:>9,} patients: {x.per_s:>10,.0f}/s, "
        f"{x.ns:6.0f} ns, {x.cpu_s:.1f} s processor, {x.findings:,} findings; memory alone: walk "
        f"{x.walk_ns:.1f} ns, with a visit to the patient {x.visit_ns:.1f} ns; "
        f"{x.bytes_per_patient:,.0f} bytes a patient"
    )
