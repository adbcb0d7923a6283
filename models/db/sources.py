"""From where readings come: when something last came from each source, and of how many patients each hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.clock import to_datetime, to_us
from models.db.pool import Connection
from models.sources import HOURS_KEPT, Activity

FEWEST_PATIENTS = 2
"""An hour with fewer has no row: a hub of one patient is no gateway."""

_LAST = """
INSERT INTO source_activity AS a (cluster_id, topic, log_partition, source, last_received_at)
SELECT $1, $2, log_partition, source, max(at)
FROM unnest($3::integer[], $4::text[], $5::timestamptz[]) AS noted (log_partition, source, at)
GROUP BY log_partition, source ORDER BY source, log_partition
ON CONFLICT ON CONSTRAINT source_activity_pkey DO UPDATE SET last_received_at = excluded.last_received_at
WHERE a.last_received_at < excluded.last_received_at
"""

_HOURS = f"""
INSERT INTO source_hour AS h (cluster_id, topic, log_partition, source, slot, hour, patients)
SELECT $1, $2, log_partition, source, hour % {HOURS_KEPT}, hour, patients
FROM unnest($3::integer[], $4::text[], $5::bigint[], $6::integer[])
    AS noted (log_partition, source, hour, patients)
ORDER BY source, log_partition, hour
ON CONFLICT ON CONSTRAINT source_hour_pkey DO UPDATE SET
    hour = excluded.hour,
    patients = CASE WHEN h.hour = excluded.hour THEN greatest(h.patients, excluded.patients)
                    ELSE excluded.patients END
WHERE h.hour < excluded.hour OR (h.hour = excluded.hour AND h.patients < excluded.patients)
"""

# Now is where storing is in the partition that is furthest behind: nobody can say yet who was silent later.
_WHERE_STORING_IS = """
SELECT cluster_id, min(clock_us) AS now_us FROM log_position
WHERE consumer_group = $1 AND topic = $2 AND clock_us IS NOT NULL
GROUP BY cluster_id
"""

_SILENT_SINCE = """
SELECT source, max(last_received_at) AS last FROM source_activity
WHERE (cluster_id, topic) = ($1, $2)
GROUP BY source HAVING max(last_received_at) < $3
"""

_LAST_OF = """
SELECT source, max(last_received_at) AS last FROM source_activity
WHERE (cluster_id, topic) = ($1, $2) AND source = ANY($3::text[])
GROUP BY source
"""

_PATIENTS_BY_HOUR = """
SELECT source, hour, sum(patients)::integer AS patients FROM source_hour
WHERE (cluster_id, topic) = ($1, $2) AND source = ANY($3::text[])
GROUP BY source, hour
"""


@dataclass(frozen=True, slots=True)
class Storing:
    """The log that is stored, and up to when. **Units**: microseconds since 1970 UTC."""

    cluster_id: str
    now_us: int


async def note_activity(
    connection: Connection, cluster_id: str, topic: str, noted: Sequence[tuple[int, Activity]]
) -> None:
    """Keeps what a batch says of sources, by partition, within its transaction."""
    if not noted:
        return
    await connection.execute(
        _LAST,
        cluster_id,
        topic,
        [partition for partition, _ in noted],
        [activity.source for _, activity in noted],
        [to_datetime(activity.last_received_us) for _, activity in noted],
    )
    hours = [(n, activity) for n, activity in noted if activity.patients >= FEWEST_PATIENTS]
    if hours:
        await connection.execute(
            _HOURS,
            cluster_id,
            topic,
            [partition for partition, _ in hours],
            [activity.source for _, activity in hours],
            [activity.hour for _, activity in hours],
            [activity.patients for _, activity in hours],
        )


async def where_storing_is(connection: Connection, group: str, topic: str) -> Storing | None:
    """Which log the group stores, and its clock; None before the first clock message."""
    row = await connection.fetchrow(_WHERE_STORING_IS, group, topic)
    return None if row is None else Storing(row["cluster_id"], row["now_us"])


async def silent_since(connection: Connection, cluster_id: str, topic: str, at_us: int) -> Mapping[str, int]:
    """The sources from which nothing came since a moment, with their last receipt."""
    rows = await connection.fetch(_SILENT_SINCE, cluster_id, topic, to_datetime(at_us))
    return {row["source"]: to_us(row["last"]) for row in rows}


async def last_received(
    connection: Connection, cluster_id: str, topic: str, sources: Sequence[str]
) -> Mapping[str, int]:
    """When something last came from each of these sources."""
    rows = await connection.fetch(_LAST_OF, cluster_id, topic, list(sources))
    return {row["source"]: to_us(row["last"]) for row in rows}


async def patients_by_hour(
    connection: Connection, cluster_id: str, topic: str, sources: Sequence[str]
) -> Mapping[str, Mapping[int, int]]:
    """Of how many patients each of these sources sent something in the hours of the last eight days."""
    if not sources:
        return {}
    found: dict[str, dict[int, int]] = {source: {} for source in sources}
    for row in await connection.fetch(_PATIENTS_BY_HOUR, cluster_id, topic, list(sources)):
        found[row["source"]][row["hour"]] = row["patients"]
    return found
