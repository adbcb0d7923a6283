"""How time per reading and memory per patient grow with the number of patients, and why.

For each size, onto patients whose windows are full, side by side. *All*: everybody measures. *Few*: as many
patients in memory, but the same few of them measure whatever the size, and the clock stands still so that
nobody else is due; what the algorithm does with the others would show here. *A visit*: a bare loop touches
one cache line of each reading's patient, in memory as large as the engine's; *waited for*: one line at random
on which the next one depends. Where *few* stays as it is and *all* grows like some lines, the growth is
waiting for memory.
"""

import gc
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import psutil
from numpy.typing import NDArray

from alerting.engine.engine import Engine, warm_up
from benchmarks.rules.ceilings import chase_ns, rows_of, visit_ns
from benchmarks.rules.crowd import SHARES_OF_WEARABLES, Crowd, crowd
from benchmarks.rules.engine import (
    A_MINUTE,
    BEGIN_US,
    DAY_MIN,
    LIVE_BATCH,
    Batch,
    Watch,
    everybody,
    live_home,
    live_streams,
    settle,
    settle_streams,
)
from models.clock import DAY_US

SESSION = 2.4
"""About so many readings come from a patient at once; a batch never holds more of each, whatever the size."""

ROOM = 0.8
"""Share of the memory that is free which may be taken."""

WHILE_GROWING = 1.7
"""So much of what it ends with may be needed while arrays move into larger ones."""


@dataclass(frozen=True, slots=True)
class Grown:
    """One size. **Units**: nanoseconds per reading, or per line; bytes per patient.

    `days`: so long they had measured before. `touched`: different patients in a batch. `arrays_bytes`: what
    the engine's arrays take; `resident_bytes`: by how much the process has grown.
    """

    mix: str
    patients: int
    days: int
    readings: int
    all_ns: float
    few_ns: float
    visit_ns: float
    chase_ns: float
    touched: float
    arrays_bytes: float
    resident_bytes: float


@dataclass(frozen=True, slots=True)
class NoRoom:
    """A size that this machine has no memory for. **Units**: gigabytes."""

    mix: str
    patients: int
    needed_gb: float
    available_gb: float


@dataclass(frozen=True, slots=True)
class Mix:
    """How people measure. `few`: so many measure whatever the size. `most_bytes`: of a patient, at first."""

    name: str
    few: int
    most_bytes: float
    batch_of_each: float
    crowd: Callable[[int], Crowd]
    settle: Callable[[Crowd, int], Engine]
    live: Callable[[Crowd, NDArray[np.int32], int, int, int], Iterator[Batch]]


AT_HOME = Mix(
    name="at home",
    few=10_000,
    most_bytes=6_000,
    batch_of_each=SESSION,
    crowd=crowd,
    settle=settle,
    live=lambda people, who, day, wanted, size: live_home(people, who, day, wanted, size=size),
)
BY_THE_MINUTE = Mix(
    name="by the minute",
    few=1_000,
    most_bytes=80_000,
    batch_of_each=A_MINUTE,
    crowd=lambda patients: crowd(patients, SHARES_OF_WEARABLES),
    settle=settle_streams,
    live=lambda _, who, day, wanted, size: live_streams(who, day * DAY_MIN, wanted, size=size),
)


def measure(mix: Mix, sizes: Sequence[int], days: int, wanted: int) -> Iterator[Grown | NoRoom]:
    """Every size, the smallest first: settled for days, then about as many readings as wanted."""
    warm_up()
    each = mix.most_bytes
    for patients in sorted(sizes):
        needed, available = patients * each * WHILE_GROWING, psutil.virtual_memory().available
        if needed > ROOM * available:
            yield NoRoom(mix.name, patients, needed / 2**30, available / 2**30)
        else:
            found = grown(mix, patients, days, wanted)
            each = found.arrays_bytes
            yield found


def grown(mix: Mix, patients: int, days: int, wanted: int) -> Grown:
    """One size: settled, measured, and what memory of the same size costs."""
    people = mix.crowd(patients)
    gc.collect()
    before = psutil.Process().memory_info().rss
    engine = mix.settle(people, days)
    resident, arrays = psutil.Process().memory_info().rss - before, engine.bytes
    who = everybody(people)
    size = min(LIVE_BATCH, max(1, int(mix.batch_of_each * patients)))
    watch, seen, now_us = _fed(engine, mix.live(people, who, days, wanted, size))
    later = (now_us - BEGIN_US) // DAY_US + 2
    now_us = BEGIN_US + later * DAY_US
    engine.apply(None, now_us)
    few = who[:: max(1, patients // mix.few)][: mix.few]
    watch_of_few, _, _ = _fed(engine, mix.live(people, few, later, wanted, size), now_us)
    del engine
    rows = rows_of(patients, arrays / patients)
    return Grown(
        mix=mix.name,
        patients=patients,
        days=days,
        readings=watch.readings,
        all_ns=watch.ns,
        few_ns=watch_of_few.ns,
        visit_ns=visit_ns(seen, rows),
        chase_ns=chase_ns(rows),
        touched=float(np.mean([len(np.unique(patient)) for patient in seen])),
        arrays_bytes=arrays / patients,
        resident_bytes=resident / patients,
    )


def _fed(
    engine: Engine, batches: Iterable[Batch], standing_us: int | None = None
) -> tuple[Watch, list[NDArray[np.int32]], int]:
    """Batches, timed; whose they were, and the clock at their end. The clock may be made to stand still."""
    watch, now_us = Watch(), 0
    seen: list[NDArray[np.int32]] = []
    for batch, at_us in batches:
        now_us = at_us if standing_us is None else standing_us
        watch.apply(engine, batch, now_us)
        seen.append(batch.patient)
    return watch, seen, now_us


def line(x: Grown | NoRoom) -> str:
    """One size as text."""
    if isinstance(x, NoRoom):
        return (
            f"{x.mix:14} {x.patients:>9,} patients: not measured, up to {x.needed_gb:.1f} GB would be needed "
            f"and {x.available_gb:.1f} GB are available"
        )
    return (
        f"{x.mix:14} {x.patients:>9,} patients after {x.days} days: all {x.all_ns:6.0f} ns, few "
        f"{x.few_ns:6.0f} ns a reading; a visit {x.visit_ns:5.1f} ns, waited for {x.chase_ns:5.1f} ns; "
        f"{x.touched:,.0f} patients a batch; {x.arrays_bytes:,.0f} bytes a patient in arrays, "
        f"{x.resident_bytes:,.0f} resident"
    )


def comparison(sizes: Sequence[Grown | NoRoom]) -> list[str]:
    """What each size adds to the one before it: in time, and in lines of memory of that size."""
    measured = [x for x in sizes if isinstance(x, Grown)]
    return [_added(smaller, larger) for smaller, larger in itertools.pairwise(measured)]


def _added(smaller: Grown, larger: Grown) -> str:
    more_ns = larger.all_ns - smaller.all_ns
    wait_ns = larger.chase_ns - smaller.chase_ns
    share = f", as much as {more_ns / wait_ns:.1f} of these" if wait_ns > 1 and more_ns > 0 else ""
    return (
        f"{larger.mix}, {smaller.patients:,} to {larger.patients:,} patients: {more_ns:+.0f} ns a reading, "
        f"{larger.few_ns - smaller.few_ns:+.0f} ns when few measure; a line costs "
        f"{larger.visit_ns - smaller.visit_ns:+.1f} ns, one waited for {wait_ns:+.1f} ns{share}"
    )
