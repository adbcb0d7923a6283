"""Audit rows into their chains, and whole chains back out to be verified."""

from collections.abc import AsyncGenerator
from typing import Any

import asyncpg

from models.audit import COLUMNS, SHARDS, Entry, Event, Head, Kind, Outcome, values_of
from models.db.pool import Connection

_WRITE = f"SELECT write_audit($1, {', '.join(f'${n}' for n in range(2, 2 + len(COLUMNS)))})"
_CHAIN = f"""
    SELECT shard, number, {", ".join(COLUMNS)}, previous_hash, hash
    FROM audit WHERE shard = $1 ORDER BY number
"""


async def write(connection: Connection, event: Event) -> None:
    """Append an event to the chain of its user, as the last statement of the transaction that it tells of.

    The end of that chain stays locked until the commit.
    """
    await connection.execute(_WRITE, shard_of(event.user_id), *_row(event))


def shard_of(user_id: str) -> int:
    """Whose rows go into which chain: nobody waits for the transaction of somebody else, mostly.

    >>> shard_of("x")
    8
    """
    return sum(user_id.encode()) % SHARDS


async def chain(connection: Connection, shard: int) -> AsyncGenerator[Entry]:
    """All rows of a shard in order, read through a cursor; needs a transaction."""
    async for row in connection.cursor(_CHAIN, shard, prefetch=1_000):
        yield entry_of(row)


async def heads(connection: Connection) -> dict[int, Head]:
    """Where each chain ends, by shard."""
    rows = await connection.fetch("SELECT shard, number, hash FROM audit_head")
    return {row["shard"]: Head(row["shard"], row["number"], row["hash"]) for row in rows}


def entry_of(row: asyncpg.Record) -> Entry:
    """A row of the table as an entry."""
    return Entry(row["shard"], row["number"], event_of(row), row["previous_hash"], row["hash"])


def event_of(row: asyncpg.Record) -> Event:
    """What a row of the table says."""
    fields: dict[str, Any] = {name: row[name] for name in COLUMNS}
    fields["action"] = Kind(fields["action"])
    fields["outcome"] = Outcome(fields["outcome"])
    fields["patients"] = tuple(fields["patients"])
    return Event(**fields)


def _row(event: Event) -> list[object]:
    return [list(value) if name == "patients" else value for name, value in values_of(event)]
