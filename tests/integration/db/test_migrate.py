"""Migrations: whole, once, and never the wrong database."""

import asyncio
import json
import secrets
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from click.testing import CliRunner

from models.db.commands import migrate as migrate_command
from models.db.installation import migration_files, purpose, require_migrated, require_trial
from models.db.migrate import migrate
from models.errors import RefuseToStart
from models.kinds import KINDS

NAMES = [name for number, name, _ in migration_files() if number > 0]


def test_numbers_run_without_gaps() -> None:
    assert [number for number, _, _ in migration_files()] == list(range(len(NAMES) + 1))


async def test_applied_once(empty_database: str) -> None:
    assert await migrate(empty_database, purpose="live") == NAMES
    assert await migrate(empty_database, purpose="live") == []


async def test_two_at_once_do_it_once(empty_database: str) -> None:
    both = await asyncio.gather(
        migrate(empty_database, purpose="trial"), migrate(empty_database, purpose="trial")
    )
    assert sorted(both, key=len) == [[], NAMES]


async def test_a_database_keeps_its_purpose(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    try:
        with pytest.raises(RefuseToStart, match="run `thuiswacht migrate`"):
            await purpose(connection)
        await migrate(empty_database, purpose="live")
        with pytest.raises(RefuseToStart, match="is live and stays live"):
            await migrate(empty_database, purpose="trial")
        assert await purpose(connection) == "live"
        with pytest.raises(RefuseToStart, match="nothing simulated may enter"):
            await require_trial(connection)
        for statement in (
            "UPDATE installation SET purpose = 'trial'",
            "DELETE FROM installation",
            "TRUNCATE installation",
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_services_want_every_migration(empty_database: str) -> None:
    await migrate(empty_database, purpose="trial")
    connection = await asyncpg.connect(empty_database)
    try:
        assert await require_migrated(connection) == "trial"
        await connection.execute("DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)")
        with pytest.raises(RefuseToStart, match="run `thuiswacht migrate`"):
            await require_migrated(connection)
    finally:
        await connection.close()


async def test_what_was_applied_may_not_differ(empty_database: str) -> None:
    await migrate(empty_database, purpose="trial")
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute("UPDATE migration SET sha256 = 'x' WHERE number = 2")
        with pytest.raises(RefuseToStart, match=r"0002_.* is not what was applied"):
            await migrate(empty_database, purpose="trial")
        await connection.execute("DELETE FROM migration WHERE number = 2")
        await connection.execute("INSERT INTO migration (number, name, sha256) VALUES (99, 'y', 'z')")
        with pytest.raises(RefuseToStart, match="does not know"):
            await migrate(empty_database, purpose="trial")
    finally:
        await connection.close()


async def test_kinds_are_brought_up_to_date(empty_database: str) -> None:
    await migrate(empty_database, purpose="trial")
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute("UPDATE kind SET dutch = 'x', codes = codes[1:1] WHERE number = 10")
        await connection.execute("DELETE FROM kind WHERE number = $1", len(KINDS) - 1)
        await migrate(empty_database, purpose="trial")
        rows = await connection.fetch("SELECT number, name, dutch, unit, codes FROM kind ORDER BY number")
        assert [tuple(row) for row in rows] == [
            (kind.number, kind.name, kind.dutch, kind.unit, list(kind.codes)) for kind in KINDS
        ]
        await connection.execute("UPDATE kind SET unit = 'g' WHERE number = 0")
        with pytest.raises(RefuseToStart, match="never change their meaning"):
            await migrate(empty_database, purpose="trial")
    finally:
        await connection.close()


async def test_no_superuser_is_needed(empty_database: str) -> None:
    name, password = f"deployer_{secrets.token_hex(8)}", secrets.token_hex(16)
    database = urlsplit(empty_database).path.removeprefix("/")
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{password}'")
        await connection.execute(f"ALTER DATABASE {database} OWNER TO {name}")
        address = urlsplit(empty_database)
        as_deployer = urlunsplit(
            address._replace(netloc=f"{name}:{password}@{address.hostname}:{address.port}")
        )
        # The roles belong to the cluster, and another user has made them: membership has to be given.
        with pytest.raises(RefuseToStart, match="member of thuiswacht_owner"):
            await migrate(as_deployer, purpose="live")
        await connection.execute(f"GRANT thuiswacht_owner TO {name}")
        assert await migrate(as_deployer, purpose="live") == NAMES
        owners = await connection.fetch(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        )
        assert [row["tableowner"] for row in owners] == ["thuiswacht_owner"]
    finally:
        await connection.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER")
        await connection.execute(f"DROP ROLE {name}")
        await connection.close()


def test_the_command(empty_database: str) -> None:
    run = CliRunner().invoke(
        migrate_command,
        ["--postgres", empty_database, "--purpose", "trial", "--json"],
        catch_exceptions=False,
    )
    assert json.loads(run.output) == {"purpose": "trial", "applied": NAMES}
    again = CliRunner().invoke(
        migrate_command, ["--postgres", empty_database, "--purpose", "trial"], catch_exceptions=False
    )
    assert again.output == "The database is up to date (trial).\n"


async def test_everything_is_explained(empty_database: str) -> None:
    await migrate(empty_database, purpose="trial")
    connection = await asyncpg.connect(empty_database)
    try:
        silent = await connection.fetch(
            """
            SELECT relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
              AND obj_description(oid, 'pg_class') IS NULL
            """
        )
        assert [row["relname"] for row in silent] == []
        # Patients' data says whose it is: what later decides who may see it.
        without = await connection.fetch(
            """
            SELECT table_name FROM information_schema.columns JOIN information_schema.tables
                USING (table_schema, table_name)
            WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
            GROUP BY table_name
            HAVING bool_or(column_name = 'patient_id') AND NOT bool_or(column_name = 'organisation_id')
            """
        )
        assert [row["table_name"] for row in without] == []
    finally:
        await connection.close()
