"""Postgres away, in all its forms, is one thing: try again."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from models.db.migrate import migrate
from models.db.pool import Connection, connect
from models.db.positions import take
from models.errors import RefuseToStart, TryAgain
from simulators.stack import Stack
from simulators.stack.ports import free_port

CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"


@pytest.fixture
def postgres_back(stack: Stack) -> Iterator[None]:
    """Whatever the test does to Postgres, the others find it running."""
    yield
    stack.restart_server("postgres")


async def test_nobody_listens() -> None:
    nowhere = f"postgresql://x:y@127.0.0.1:{free_port()}/z"
    pool = await connect(nowhere, role="thuiswacht_ingest", application="test")
    with pytest.raises(TryAgain):
        async with pool.connection():
            pass
    await pool.close()
    with pytest.raises(TryAgain):
        await migrate(nowhere, purpose="trial")


async def test_not_let_in(database: str) -> None:
    address = urlsplit(database)
    wrong_user = urlunsplit(address._replace(netloc=f"x:hunter2@{address.hostname}:{address.port}"))
    no_database = urlunsplit(address._replace(path="/nothing_of_the_kind"))
    misspelt = urlunsplit(address._replace(query="sslmod=disable"))
    for wrong in (wrong_user, no_database, misspelt):
        with pytest.raises(RefuseToStart, match="does not let us in") as refused:
            await migrate(wrong, purpose="trial")
        assert "hunter2" not in str(refused.value)
        pool = await connect(wrong, role="thuiswacht_ingest", application="test")
        with pytest.raises(RefuseToStart, match="`thuiswacht migrate`"):
            async with pool.connection():
                pass
        await pool.close()


async def test_a_server_that_only_follows(database: str, admin: Connection) -> None:
    name = urlsplit(database).path.lstrip("/")
    pool = await connect(database, role="thuiswacht_ingest", application="test", max_size=1)

    async def write() -> None:
        async with pool.transaction() as connection:
            await take(connection, "group", "cluster", "log", [0])

    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(TryAgain, match="25006"):
        await write()
    await admin.execute("SET default_transaction_read_only = off")
    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    await write()
    await pool.close()


async def test_off_this_machine_certificates_are_needed() -> None:
    with pytest.raises(RefuseToStart, match="verify-full"):
        await connect("postgresql://db.example.org/x", role="thuiswacht_read", application="test")
    with pytest.raises(RefuseToStart, match="verify-full"):
        await migrate("postgresql://db.example.org/x", purpose="live")


async def test_a_connection_that_is_cut_off(database: str, admin: Connection) -> None:
    pool = await connect(database, role="thuiswacht_ingest", application="test.cut")

    async def work() -> None:
        async with pool.transaction() as connection:
            own = await connection.fetchval("SELECT pg_backend_pid()")
            await admin.execute("SELECT pg_terminate_backend($1, 5000)", own)
            await connection.execute("SELECT 1")

    with pytest.raises(TryAgain):
        await work()
    async with pool.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await pool.close()


async def test_a_statement_that_hangs(database: str, admin: Connection) -> None:
    pool = await connect(database, role="thuiswacht_ingest", application="test")

    async def work() -> None:
        async with pool.transaction() as connection:
            await connection.execute("SET LOCAL lock_timeout = '50ms'")
            await connection.execute("SELECT * FROM log_position")

    async with admin.transaction():
        await admin.execute("LOCK TABLE log_position")
        with pytest.raises(TryAgain):
            await work()
    await pool.close()


async def test_our_own_mistakes_stay_visible(database: str) -> None:
    pool = await connect(database, role="thuiswacht_ingest", application="test")
    with pytest.raises(asyncpg.UndefinedTableError):
        async with pool.connection() as connection:
            await connection.execute("SELECT * FROM nothing_of_the_kind")
    await pool.close()


@pytest.mark.usefixtures("postgres_back")
async def test_a_crash_in_the_middle(stack: Stack, database: str) -> None:
    pool = await connect(database, role="thuiswacht_ingest", application="test")

    async def work() -> None:
        async with pool.transaction() as connection:
            await connection.execute("INSERT INTO organisation VALUES (gen_random_uuid())")
            await asyncio.to_thread(stack.kill_server, "postgres")
            await connection.execute("SELECT 1")

    with pytest.raises(TryAgain):
        await work()
    with pytest.raises(TryAgain):
        async with pool.connection():
            pass
    await asyncio.to_thread(stack.start_server, "postgres")
    async with pool.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM organisation WHERE origin IS NULL") == 0
    await pool.close()


async def test_cut_off_under_load(database: str, admin: Connection) -> None:
    """Connections break in the middle of every kind of statement: nothing but TryAgain comes of it."""
    pool = await connect(database, role="thuiswacht_ingest", application="test.load", max_size=8)
    done = again = 0
    cutting = True

    async def work() -> None:
        nonlocal done, again
        while cutting:
            try:
                async with pool.transaction() as connection:
                    await connection.execute("CREATE TEMP TABLE t (n int) ON COMMIT DROP")
                    await connection.copy_records_to_table("t", records=[(n,) for n in range(5000)])
                    await connection.execute("SELECT sum(n) FROM t, generate_series(1, 20)")
                    await connection.executemany("INSERT INTO t VALUES ($1)", [(n,) for n in range(300)])
                done += 1
            except TryAgain:
                again += 1

    workers = [asyncio.create_task(work()) for _ in range(8)]
    for _ in range(25):
        enough = done + 4
        while done < enough and not any(worker.done() for worker in workers):
            await asyncio.wait(workers, timeout=0.02)
        await admin.execute(CUT_OFF, "test.load")
    cutting = False
    await asyncio.gather(*workers)
    assert again >= 25
    await pool.close()
