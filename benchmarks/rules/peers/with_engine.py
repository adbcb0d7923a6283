"""Our engine, twice: all readings of a patient at once, and batches in the order of arrival."""

import numpy as np

from alerting.engine.engine import warm_up
from alerting.engine.verdict import NO_CLOCK
from benchmarks.rules.batches import arrivals, batched, readings
from benchmarks.rules.engine import BEGIN_US, CHUNK, LIVE_BATCH, Batch, Watch, enrolled
from benchmarks.rules.peers.compared import RULES, Compared, Outcome
from models.clock import DAY_US


def replayed(given: Compared) -> Outcome:
    """A chunk of patients after the other, then the clock."""
    ends = np.append(np.arange(CHUNK, len(given), CHUNK), len(given))
    # No patient in two chunks.
    ends = np.unique(np.searchsorted(given.columns.patient, given.columns.patient[ends - 1], side="right"))
    parts = [
        (readings(given.columns.take(slice(a, b))), NO_CLOCK) for a, b in zip([0, *ends], ends, strict=False)
    ]
    return _outcome("engine, replay", "all readings of some patients at once", given, parts)


def lived(given: Compared) -> Outcome:
    """Batches as they would arrive, with the clock after each."""
    columns, received_us = arrivals(given.columns)
    how = f"batches of {LIVE_BATCH:,} in the order of arrival"
    return _outcome("engine, live", how, given, list(batched(columns, received_us, LIVE_BATCH)))


def _outcome(peer: str, how: str, given: Compared, batches: list[Batch]) -> Outcome:
    warm_up()
    engine, watch = enrolled(given.people), Watch()
    for batch, now_us in batches:
        watch.apply(engine, batch, now_us)
    watch.apply(engine, None, BEGIN_US + given.days * DAY_US)
    opened = np.zeros((len(RULES), len(given.people)), np.int64)
    for patient, found in watch.found.items():
        for rule, _ in found:  # numbered as their programme has them
            opened[rule, patient] += 1
    return Outcome(peer, how, watch.readings, watch.elapsed_s, watch.cpu_s, opened)
