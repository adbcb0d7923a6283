"""How far each consumer group has come in the log: moved by compare-and-set, with what was derived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.clock import wall_now_us
from models.db.installation import Purpose
from models.db.pool import Connection
from models.errors import Broken, NotMine, RefuseToStart, ThuiswachtError, TryAgain
from models.settings import Settings

ALERTING_GROUP = "thuiswacht.alerting"
"""The consumer group of alerting, unless its settings say otherwise."""


class AlreadyAdvanced(ThuiswachtError):
    """This batch was committed before: its commit had an unknown outcome, or another worker did the same."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a group goes on in one partition, the last clock message before it, and its sums so far.

    **Units**: `clock_us` in microseconds since 1970, None before the first clock message.
    """

    next_offset: int
    clock_us: int | None
    received: int
    stored: int
    duplicate: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Advance:
    """One partition's step: from the offset that the batch began at to the one after its last message.

    `clock_us` is the last clock message in the batch, None where it had none; the counts are of readings.
    """

    partition: int
    from_offset: int
    to_offset: int
    clock_us: int | None = None
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0


async def take(
    connection: Connection, group: str, cluster_id: str, topic: str, partitions: Sequence[int]
) -> dict[int, Position]:
    """The positions of these partitions; those never seen begin at offset 0.

    **Raises**: RefuseToStart when this group has read another log into this database.
    """
    other = await connection.fetchrow(
        """
        SELECT cluster_id, topic FROM log_position
        WHERE consumer_group = $1 AND (cluster_id, topic) <> ($2, $3) LIMIT 1
        """,
        group, cluster_id, topic,
    )  # fmt: skip
    if other is not None:
        raise RefuseToStart(
            f"{group} has read topic {other['topic']} of Kafka cluster {other['cluster_id']} into this "
            f"database, and now finds topic {topic} of cluster {cluster_id}. Offsets of two logs mean "
            "nothing together: use the log that belongs to this database, or an empty database."
        )
    await connection.execute(
        """
        INSERT INTO log_position (consumer_group, cluster_id, topic, partition)
        SELECT $1, $2, $3, unnest($4::integer[])
        ON CONFLICT ON CONSTRAINT log_position_pkey DO NOTHING
        """,
        group, cluster_id, topic, list(partitions),
    )  # fmt: skip
    return await read(connection, group, cluster_id, topic, partitions)


async def read(
    connection: Connection, group: str, cluster_id: str, topic: str, partitions: Sequence[int]
) -> dict[int, Position]:
    """The positions of a group, also of another than one's own; partitions never seen are left out."""
    rows = await connection.fetch(
        """
        SELECT partition, next_offset, clock_us,
               readings_received, readings_stored, readings_duplicate, readings_quarantined
        FROM log_position
        WHERE (consumer_group, cluster_id, topic) = ($1, $2, $3) AND partition = ANY ($4::integer[])
        """,
        group, cluster_id, topic, list(partitions),
    )  # fmt: skip
    return {row["partition"]: Position(*row[1:]) for row in rows}


async def latest_clock_us(connection: Connection, partition: int) -> int | None:
    """The last clock message of a partition that any group has seen; None where none has seen one."""
    at_us: int | None = await connection.fetchval(
        "SELECT max(clock_us) FROM log_position WHERE partition = $1", partition
    )
    return at_us


async def log_clock_us(connection: Connection, group: str = ALERTING_GROUP) -> int | None:
    """Up to when a group has followed every partition whose clock it knows; None where it knows none.

    **Units**: microseconds since 1970 UTC.
    """
    at_us: int | None = await connection.fetchval(
        "SELECT min(clock_us) FROM log_position WHERE consumer_group = $1", group
    )
    return at_us


async def dispatch_now_us(connection: Connection, settings: Settings) -> int:
    """Now, for the dispatcher and for what people do with alerts: the wall's time, or in trials the log's.

    **Units**: microseconds since 1970 UTC. **Raises**: TryAgain while the log's clock has not begun.
    """
    if settings.dispatch_time == "wall":
        return wall_now_us()
    at_us = await log_clock_us(connection, settings.consumer_group or ALERTING_GROUP)
    if at_us is None:
        raise TryAgain("Alerting has not seen a clock message in the log yet: nobody knows what time it is.")
    return at_us


def require_dispatch_time(settings: Settings, purpose: Purpose) -> None:
    """Lets the log's time through in trial databases only. **Raises**: RefuseToStart."""
    if settings.dispatch_time == "log" and purpose == "live":
        raise RefuseToStart(
            "THUISWACHT_DISPATCH_TIME=log is for trial databases: in a live one people wait by the clock on "
            "the wall, also when the log stands still. Leave it out."
        )


async def claim(
    connection: Connection, group: str, cluster_id: str, topic: str, advances: Sequence[Advance]
) -> None:
    """Make sure that a batch is ours, and that nobody moves its partitions before this transaction ends.

    Worth calling before the work of a transaction, whose counts are known only at its end, when it advances.
    **Raises**: NotMine when another worker moved one of them; AlreadyAdvanced when all stand where this
    batch would have brought them. Either way nothing was moved: roll back.
    """
    steps = sorted(advances, key=lambda step: step.partition)
    # Locked in the order of the partitions, so that two workers with overlapping ones cannot deadlock.
    rows = await connection.fetch(
        """
        SELECT partition, next_offset FROM log_position
        WHERE (consumer_group, cluster_id, topic) = ($1, $2, $3) AND partition = ANY ($4::integer[])
        ORDER BY partition FOR NO KEY UPDATE
        """,
        group, cluster_id, topic, [step.partition for step in steps],
    )  # fmt: skip
    require_mine(steps, {row["partition"]: row["next_offset"] for row in rows})


async def advance(
    connection: Connection, group: str, cluster_id: str, topic: str, advances: Sequence[Advance]
) -> None:
    """Move these partitions on, within the transaction of what was derived.

    **Raises**: as `claim`.
    """
    await claim(connection, group, cluster_id, topic, advances)
    await connection.executemany(
        """
        UPDATE log_position SET
            next_offset = $5, clock_us = coalesce($6, clock_us), readings_received = readings_received + $7,
            readings_stored = readings_stored + $8, readings_duplicate = readings_duplicate + $9,
            readings_quarantined = readings_quarantined + $10, updated_at = clock_timestamp()
        WHERE (consumer_group, cluster_id, topic, partition) = ($1, $2, $3, $4)
        """,
        [
            (
                group, cluster_id, topic, step.partition, step.to_offset, step.clock_us,
                step.received, step.stored, step.duplicate, step.quarantined,
            )
            for step in advances
        ],
    )  # fmt: skip


def require_mine(steps: Sequence[Advance], found: Mapping[int, int]) -> None:
    """Let a batch through that begins where the database stands.

    **Raises**: as `claim`; Broken for a step backwards.

    >>> require_mine([Advance(0, from_offset=5, to_offset=9)], {0: 5})
    """
    if wrong := [step for step in steps if step.to_offset < step.from_offset]:
        raise Broken(f"An offset may not go back: {wrong}.")
    if all(found.get(step.partition) == step.from_offset for step in steps):
        return
    if all(found.get(step.partition) == step.to_offset for step in steps):
        raise AlreadyAdvanced("This batch is in the database already.")
    lost = tuple(step.partition for step in steps if found.get(step.partition) != step.from_offset)
    raise NotMine(
        f"Partitions {', '.join(map(str, lost))} stand elsewhere than where this batch began: another worker "
        "owns them now.",
        partitions=lost,
    )
