"""Audit rows into their chains, and whole chains back out to be verified."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import asyncpg

from models.audit import COLUMNS, SHARDS, Entry, Event, Head, Kind, Outcome, values_of
from models.clock import to_datetime
from models.db.pool import Connection

_WRITE = f"SELECT write_audit($1, {', '.join(f'${n}' for n in range(2, 2 + len(COLUMNS)))})"
_FIELDS = ", ".join(COLUMNS)
_LET_GO = "SELECT let_go_shard, rows FROM let_go_of_audit($1, $2, $3, $4, $5, $6, $7)"
_TO_LET_GO = """
    SELECT t.shard, count(*) AS rows FROM audit_to_let_go($1) AS t JOIN audit AS a USING (shard)
    WHERE a.number <= t.number GROUP BY t.shard ORDER BY t.shard
"""
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
    return sum(storable(user_id).encode()) % SHARDS


async def chain(connection: Connection, shard: int) -> AsyncGenerator[Entry]:
    """All rows of a shard in order, read through a cursor; needs a transaction."""
    async for row in connection.cursor(_CHAIN, shard, prefetch=1_000):
        yield entry_of(row)


async def stand_still(connection: Connection) -> None:
    """Makes a transaction, at its beginning, see one moment only; it cannot write."""
    await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


async def bases(connection: Connection) -> dict[int, Head]:
    """The last row of each chain that was let go of, by shard."""
    rows = await connection.fetch("SELECT shard, number, hash FROM audit_base")
    return {row["shard"]: Head(row["shard"], row["number"], row["hash"]) for row in rows}


async def has_strays(connection: Connection) -> bool:
    """Whether rows say that they belong to a chain that does not exist."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM audit WHERE shard < 0) OR EXISTS (SELECT FROM audit WHERE shard >= $1)",
        SHARDS,
    )
    return found


async def database_of(connection: Connection) -> str:
    """Which database this is; another one, also of the same name, has another."""
    name: str = await connection.fetchval(
        "SELECT purpose || ' ' || current_database() || ' ' || installed_at FROM installation"
    )
    return name


async def to_let_go(connection: Connection, at_us: int) -> dict[int, int]:
    """How many rows of each shard are older at a moment than they must be kept."""
    rows = await connection.fetch(_TO_LET_GO, to_datetime(at_us))
    return {row["shard"]: row["rows"] for row in rows}


async def let_go(connection: Connection, at_us: int, event: Event) -> dict[int, int]:
    """Deletes those rows; how many in each shard. `event` says who does it, when and why: a row in each."""
    rows = await connection.fetch(
        _LET_GO, to_datetime(at_us), event.happened_us, event.user_id, event.user_role,
        event.authorisation_protocol, event.organisation_id, event.reason,
    )  # fmt: skip
    return {row["let_go_shard"]: row["rows"] for row in rows}


async def looks_at(connection: Connection, patient_id: UUID) -> list[Event]:
    """All that is on record about one patient, in order, where the declared user may have it."""
    rows = await connection.fetch(f"SELECT {_FIELDS} FROM looks_at($1)", patient_id)
    return [event_of(row) for row in rows]


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
    return [
        list(value) if name == "patients" else storable(value) if isinstance(value, str) else value
        for name, value in values_of(event)
    ]


def storable(text: str) -> str:
    r"""A text as Postgres can hold it: what it cannot stands there as an escape.

    >>> storable("a\x00b\ud800")
    'a\\x00b\\ud800'
    """
    return text.replace("\0", r"\x00").encode("utf-8", "backslashreplace").decode("utf-8")
