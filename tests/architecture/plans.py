"""A database that has been in use for some months, and how Postgres runs what is asked of it.

Postgres itself tells (auto_explain), so that what is looked at is what the services really send.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from models.db.pool import Connection
from simulators.stack import Stack

NOW_US = 1_793_487_600_000_000  # 2026-10-31, 23:00 UTC
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
GROWN = Path(__file__).with_name("grown.sql")

# Of Postgres itself, or never large.
SMALL = (
    "pg_",
    "installation",
    "kind",
    "message_address",
    "migration",
    "organisation",
    "patient_app",
    "reading_staging",
)

Plans = Callable[[Awaitable[object]], Awaitable[list[dict[str, Any]]]]


def patient(n: int) -> UUID:
    return UUID(f"a0000000-0000-4000-8000-{n:012x}")


SOME = [patient(n) for n in range(40, 80, 4)]  # of partition 0


@pytest.fixture(scope="session")
def grown_database(stack: Stack, template_database: str) -> str:
    """The DSN of a database that has been in use for some months; nothing that a test writes to it stays."""

    async def grow(dsn: str) -> None:
        server = await asyncpg.connect(stack.postgres_dsn)
        await server.execute(f"CREATE DATABASE grown TEMPLATE {template_database}")
        await server.close()
        database = await asyncpg.connect(dsn)
        await database.execute(GROWN.read_text(encoding="utf-8"))
        await database.close()

    dsn = urlunsplit(urlsplit(stack.postgres_dsn)._replace(path="/grown"))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, grow(dsn)).result()
    return dsn


@pytest.fixture
async def connection(grown_database: str) -> AsyncIterator[Connection]:
    """Within a transaction that is rolled back, with Postgres telling how it runs each statement."""
    opened = await asyncpg.connect(grown_database)
    await opened.execute("LOAD 'auto_explain'")
    for setting in (
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_format = json",
        "auto_explain.log_level = notice",
        "auto_explain.log_nested_statements = on",
        "jit = off",
    ):
        await opened.execute(f"SET {setting}")
    transaction = opened.transaction()
    await transaction.start()
    yield opened
    await transaction.rollback()
    await opened.close()


@pytest.fixture
def plans(connection: Connection) -> Plans:
    """Awaits work and returns every node of every plan it took."""

    async def run(work: Awaitable[object]) -> list[dict[str, Any]]:
        said: list[str] = []

        def listen(_: object, message: Any) -> None:
            said.append(message.message)

        connection.add_log_listener(listen)
        try:
            await work
            # A statement is over when the next one comes; the driver tells of it at the loop's next turn.
            await connection.execute("SELECT 1")
            await asyncio.sleep(0)
        finally:
            connection.remove_log_listener(listen)
        taken = [text.partition("plan:\n")[2] for text in said if "plan:\n" in text]
        assert taken, "Postgres told of no plan"
        return [node for plan in taken for node in nodes(json.loads(plan)["Plan"])]

    return run


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def wasteful(taken: list[dict[str, Any]]) -> list[str]:
    """Nodes that read a whole table, or read many rows to throw them away."""
    return [
        f"{node['Node Type']} on {node['Relation Name']}, {node.get('Rows Removed by Filter', 0)} thrown away"
        for node in taken
        if "Relation Name" in node
        and not node["Relation Name"].startswith(SMALL)
        and (node["Node Type"] == "Seq Scan" or node.get("Rows Removed by Filter", 0) > 200)
    ]
