"""Whose records are gone, so that nobody who reads the log takes them up again."""

from collections.abc import Mapping
from uuid import UUID

from models.db.pool import Connection
from models.errors import NotMine


async def latest(connection: Connection) -> int:
    """The number of the latest tombstone; 0 where there is none."""
    found: int = await connection.fetchval("SELECT coalesce(max(number), 0) FROM destroyed")
    return found


async def destroyed_patients(connection: Connection) -> list[UUID]:
    """All whose records are gone."""
    rows = await connection.fetch("SELECT patient_id FROM destroyed")
    return [row["patient_id"] for row in rows]


async def require_none_newer(connection: Connection, known: Mapping[int, int]) -> None:
    """Lets a batch through that was prepared by somebody who knows of every destruction.

    `known` has the latest tombstone that was known when each partition was taken over. To be asked once the
    offsets are claimed: a destruction waits for them. **Raises**: NotMine, so that the partitions are taken
    over anew, without the patient.
    """
    newest = await latest(connection)
    outdated = tuple(partition for partition, number in known.items() if number < newest)
    if outdated:
        raise NotMine(
            f"A record was destroyed since partitions {', '.join(map(str, outdated))} were taken over.",
            partitions=outdated,
        )
