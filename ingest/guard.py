"""A bad deployment must not quarantine the region: a partition that refuses nearly everything stops."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.columns import Reason, Refusal
from models.errors import Broken


@dataclass(frozen=True, slots=True)
class _Batch:
    received: float
    refused: float
    reasons: Counter[Reason]


class Guard:
    """Watches what share of a partition's readings is refused, over its latest batches.

    One message counts for a hundredth of the window at most, so that no single upload can stop anything; one
    whose readings cannot be counted counts as one reading. Conflicts count for nothing: their messages are
    sound.
    """

    def __init__(self, partition: int, *, limit: float, window_readings: int) -> None:
        self._partition = partition
        self._limit = limit
        self._window = window_readings
        self._most = max(1, window_readings // 100)
        self._batches: deque[_Batch] = deque()
        self._received = 0.0

    def watch(self, accepted: NDArray[np.int64], refusals: Sequence[Refusal]) -> None:
        """Takes in a batch that is not yet committed; `accepted` are the offsets of its sound readings.

        **Raises**: Broken where nearly everything is refused; the batch must then not be committed.
        """
        batch = self._weighed(accepted, refusals)
        if not batch.received:
            return
        self._batches.append(batch)
        self._received += batch.received
        while self._received - self._batches[0].received >= self._window:
            self._received -= self._batches.popleft().received
        refused = sum(batch.refused for batch in self._batches)
        if self._received >= self._window and refused > self._limit * self._received:
            raise Broken(self._what_is_wrong(refused))

    def _weighed(self, accepted: NDArray[np.int64], refusals: Sequence[Refusal]) -> _Batch:
        offsets, counts = np.unique(accepted, return_counts=True)
        received = float(np.minimum(counts, self._most).sum())
        if not refusals:
            return _Batch(received, 0.0, Counter())
        sound: dict[int, int] = dict(zip(offsets.tolist(), counts.tolist(), strict=True))
        bad = Counter[int]()
        reasons = Counter[Reason]()
        for refusal in refusals:
            bad[refusal.offset] += max(1, refusal.readings)
            reasons[refusal.reason] += 1
        refused = 0.0
        for offset, count in bad.items():
            good = sound.get(offset, 0)
            weight = min(good + count, self._most)
            received += weight - min(good, self._most)
            refused += weight * count / (good + count)
        return _Batch(received, refused, reasons)

    def _what_is_wrong(self, refused: float) -> str:
        reasons = Counter[Reason]()
        for batch in self._batches:
            reasons.update(batch.reasons)
        named = ", ".join(f"{reason.value} {count}" for reason, count in reasons.most_common(3))
        return (
            f"Partition {self._partition} refuses {refused / self._received:.0%} of its latest readings "
            f"({named}). That is more likely a wrong deployment, of a sender or of this service, than bad "
            "readings. Of the last batch nothing was stored or quarantined. Look at the table quarantine and "
            "at what was deployed last; once that is right, start again: it goes on where it stopped. To let "
            "it go on as it is, set THUISWACHT_REFUSAL_LIMIT=1."
        )
