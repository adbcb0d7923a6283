"""How far storing has come in the log: what became of a message, and whether all before it is stored."""

import asyncio
from collections.abc import Collection

from ingest.delivery.status import Became, Part, became
from ingest.log import Ends
from models.db import gate
from models.db.gate import Fate
from models.db.pool import Connection, Pool

LOOK_AGAIN_S = 0.05


class Following:
    """Looks at the position of the group that stores into this database."""

    def __init__(self, pool: Pool, ends: Ends, group: str, cluster_id: str, topic: str) -> None:
        """`pool`: as thuiswacht_gateway."""
        self._pool = pool
        self._ends = ends
        self._log = group, cluster_id, topic

    async def became(self, part: Part) -> Became | None:
        """What became of readings in the log; None while they wait to be stored. **Raises**: TryAgain."""
        async with self._pool.connection() as connection:
            return became(part, await self._fate_of(connection, part.partition, part.offset))

    async def until_stored(self, partitions: Collection[int]) -> None:
        """Waits until all that was in these partitions when it was asked is stored. **Raises**: TryAgain."""
        for partition in partitions:
            end = await self._ends.end_of(partition)
            # Nobody tells when another service has committed.
            while end and not await self._is_passed(partition, end - 1):  # noqa: ASYNC110  (see above)
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _is_passed(self, partition: int, offset: int) -> bool:
        async with self._pool.connection() as connection:
            return (await self._fate_of(connection, partition, offset)).is_passed

    async def _fate_of(self, connection: Connection, partition: int, offset: int) -> Fate:
        return await gate.fate_of(connection, *self._log, partition, offset)
