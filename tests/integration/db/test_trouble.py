"""Technical alerts: one for each trouble and subject while it lasts, however often it is noticed."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from models.db.pool import Connection, connect
from models.db.trouble import load_trouble, raise_trouble, resolve_trouble
from models.escalations import Trouble
from models.findings import Severity


@pytest.fixture
async def dispatch_connection(database: str) -> AsyncIterator[Connection]:
    pool = await connect(database, role="thuiswacht_dispatch", application="test")
    async with pool.connection() as connection:
        yield connection
    await pool.close()


async def notice(connection: Connection, at_us: int, severity: Severity, subject: str = "endpoint") -> bool:
    return await raise_trouble(
        connection, Trouble.UNDELIVERED, subject, organisation_id=None, severity=severity, now_us=at_us,
        details=f"at {at_us}",
    )  # fmt: skip


async def test_noticed_again_it_counts(dispatch_connection: Connection) -> None:
    assert await notice(dispatch_connection, 10, Severity.MEDIUM)
    assert not await notice(dispatch_connection, 20, Severity.HIGH)
    assert not await notice(dispatch_connection, 15, Severity.LOW)
    assert await notice(dispatch_connection, 15, Severity.LOW, "another")
    first, other = await load_trouble(dispatch_connection)
    assert (first.opened_at_us, first.last_at_us, first.times) == (10, 20, 3)
    assert (first.severity, first.details) == (Severity.HIGH, "at 15")
    assert (other.subject, other.times) == ("another", 1)


async def test_resolved_it_opens_anew(dispatch_connection: Connection) -> None:
    person = uuid4()
    assert not await resolve_trouble(dispatch_connection, Trouble.UNDELIVERED, "endpoint", now_us=5)
    await notice(dispatch_connection, 10, Severity.HIGH)
    assert await resolve_trouble(dispatch_connection, Trouble.UNDELIVERED, "endpoint", now_us=30, by=person)
    assert await load_trouble(dispatch_connection) == []
    assert await notice(dispatch_connection, 40, Severity.LOW)
    closed, open_now = await load_trouble(dispatch_connection, resolved_too=True)
    assert (closed.resolved_at_us, closed.resolved_by) == (30, person)
    assert (open_now.severity, open_now.times) == (Severity.LOW, 1)
