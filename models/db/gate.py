"""What the front gate asks the database while it takes something in; all as `thuiswacht_gateway`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import asyncpg

from models.clock import to_datetime
from models.db.pool import Connection

_STORED = """
SELECT place, revision, void, value, code, absent, remark FROM gateway_stored($1, $2, $3, $4, $5)
"""
_FATE = """
SELECT passed, log_position, reason, field, expected, found FROM gateway_fate($1, $2, $3, $4, $5)
"""


class Identity(NamedTuple):
    """What makes a reading the same one, its revisions aside. **Units**: microseconds since 1970 UTC."""

    patient_id: UUID
    kind: int
    taken_at_us: int
    device_id: str


class Content(NamedTuple):
    """What a reading says, in the canonical unit of its kind; all None for one that takes others back."""

    value: float | None = None
    code: int | None = None
    absent: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """One of what is stored of an identity."""

    revision: int
    is_void: bool
    content: Content


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused of a message: a reading, by its place in it, or with −1 the whole of it."""

    position: int
    reason: str
    field: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message of the log; nothing can be told before the storing group has passed it."""

    is_passed: bool
    refused: tuple[Refused, ...] = ()


async def stored_of(
    connection: Connection, identities: Sequence[Identity], patients: Sequence[UUID]
) -> tuple[list[list[Stored]], frozenset[UUID]]:
    """All that is stored of each of these identities; of which of these patients the log has not told yet."""
    found: list[list[Stored]] = [[] for _ in identities]
    unheard: set[UUID] = set()
    rows = await connection.fetch(
        _STORED,
        [one.patient_id for one in identities],
        [one.kind for one in identities],
        [to_datetime(one.taken_at_us) for one in identities],
        [one.device_id for one in identities],
        list(patients),
    )
    for row in rows:
        place: int = row[0]
        if place < 0:
            unheard.add(patients[-place - 1])
        else:
            found[place - 1].append(Stored(row[1], row[2], Content(*row[3:])))
    return found, frozenset(unheard)


async def fate_of(
    connection: Connection, group: str, cluster_id: str, topic: str, partition: int, offset: int
) -> Fate:
    """What became of a message, as far as the storing group has come."""
    rows = await connection.fetch(_FATE, group, cluster_id, topic, partition, offset)
    return Fate(rows[0]["passed"], tuple(_refused(row) for row in rows if row["log_position"] is not None))


def _refused(row: asyncpg.Record) -> Refused:
    return Refused(row["log_position"], row["reason"], row["field"], row["expected"], row["found"])
