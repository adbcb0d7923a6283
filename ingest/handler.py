"""What a consumer group does with the messages of the log; `ingest.loop` calls it."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from ingest.decode import Record

Prepared = TypeVar("Prepared")


class Handler(Protocol[Prepared]):
    """What is done with the messages. Calls come one after the other; only `commit` overlaps `prepare`."""

    @property
    def group(self) -> str:
        """The consumer group."""
        ...

    async def assigned(
        self, cluster_id: str, partitions: Sequence[int], partition_count: int
    ) -> Mapping[int, int]:
        """Takes these partitions over; from which offset on each is to be read.

        `partition_count` is how many the log has, ours or not: patients belong to one of them by their key.
        May take long. It is cancelled where the group deals anew meanwhile; `dropped` follows then.

        **Raises**: TryAgain while that cannot be told.
        """
        ...

    def prepare(self, records: Mapping[int, Sequence[Record]]) -> Prepared:
        """Works out a batch, without the world; runs in a thread of its own, state may advance."""
        ...

    async def commit(self, prepared: Prepared) -> None:
        """Writes a batch and its offsets in one transaction.

        **Raises**: TryAgain to be called again with the same; NotMine where another worker owns a partition.
        """
        ...

    async def dropped(self, partitions: Sequence[int]) -> None:
        """These partitions are no longer ours, or not in the state that was prepared: forget them."""
        ...

    async def idle(self) -> None:
        """Room for other work, about every second while nothing is being prepared or committed."""
        ...
