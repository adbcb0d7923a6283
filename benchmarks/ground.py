"""Servers, databases and topics of the benchmarks, each measurement with its own."""

import secrets
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from ingest.log import create_topic
from models.db.migrate import migrate
from models.settings import Settings, load_settings
from simulators.stack import Stack

PARTITIONS = 4


async def fresh_ground(stack: Stack) -> Settings:
    """An empty trial database and an empty topic on the running servers."""
    name = f"benchmark_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(stack.postgres_dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    dsn = urlunsplit(urlsplit(stack.postgres_dsn)._replace(path=f"/{name}"))
    await migrate(dsn, purpose="trial")
    topic = f"thuiswacht.{name}"
    await create_topic(stack.kafka, topic, PARTITIONS)
    return load_settings(kafka=stack.kafka, postgres=dsn, topic=topic)
