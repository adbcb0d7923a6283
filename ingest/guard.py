"""A bad deployment must not quarantine the region: a partition that refuses nearly everything stops."""

from collections import Counter, deque
from collections.abc import Iterable

from models.columns import Reason, Refusal
from models.errors import Broken


class Guard:
    """Watches what share of a partition's readings is refused, over the latest batches.

    A message whose readings cannot be counted counts as one. Conflicts count for nothing: they are told from
    duplicates by the database, and mean that the message was sound.
    """

    def __init__(self, partition: int, *, limit: float, window_readings: int) -> None:
        self._partition = partition
        self._limit = limit
        self._window = window_readings
        self._batches: deque[tuple[int, Counter[Reason]]] = deque()
        self._received = 0

    def watch(self, accepted: int, refusals: Iterable[Refusal]) -> None:
        """Takes in a batch that is not yet committed.

        **Raises**: Broken where nearly everything is refused; the batch must then not be committed.
        """
        refused = Counter[Reason]()
        for refusal in refusals:
            refused[refusal.reason] += max(1, refusal.readings)
        received = accepted + refused.total()
        if not received:
            return
        self._batches.append((received, refused))
        self._received += received
        while self._received - self._batches[0][0] >= self._window:
            self._received -= self._batches.popleft()[0]
        if self._received >= self._window:
            self._require_some_sense()

    def _require_some_sense(self) -> None:
        refused = Counter[Reason]()
        for _, reasons in self._batches:
            refused.update(reasons)
        if refused.total() <= self._limit * self._received:
            return
        reasons = ", ".join(f"{reason.value} {count}" for reason, count in refused.most_common(3))
        raise Broken(
            f"Partition {self._partition} refuses {refused.total()} of its latest {self._received} readings "
            f"({reasons}). That is more likely a wrong deployment, of a sender or of this service, than bad "
            "readings. Nothing of the last batch was stored or quarantined. Look at table quarantine and at "
            "what was deployed last; once it is right, start again, and it goes on where it stopped. To let "
            "it go on as it is, raise THUISWACHT_REFUSAL_LIMIT to 1."
        )
