"""Each service may do its work and nothing else."""

import secrets
from typing import get_args
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from models.db.pool import Connection, Pool, Role, connect
from models.errors import RefuseToStart

INGEST_WRITES = {
    "log_position", "organisation", "patient", "patient_change", "reading",
    "quarantine", "quarantine_message", "source_activity", "source_hour",
}  # fmt: skip
ALERTING_WRITES = {
    "log_position",
    "finding",
    "alert",
    "alert_finding",
    "alert_event",
    "escalation_step",
    "policy_version",
    "reevaluation",
    "measurement_request",
    "programme_version",
    "programme_catalogue",
    "incident",
    "incident_alert",
    "figure_report",
}
DISPATCH_WRITES = {
    "alert",
    "alert_event",
    "alert_finding",
    "escalation",
    "escalation_step",
    "message",
    "policy_version",
    "recipient_count",
    "sign_of_life",
    "technical_alert",
}
WRITES = {
    "thuiswacht_ingest": INGEST_WRITES,
    "thuiswacht_dispatch": DISPATCH_WRITES,
    "thuiswacht_alerting": ALERTING_WRITES,
    "thuiswacht_register": {"organisation"},
    "thuiswacht_read": set[str](),
    "thuiswacht_gateway": set[str](),
    "thuiswacht_shadow": {
        "log_position",
        "shadow",
        "shadow_start",
        "shadow_finding",
        "shadow_reevaluation",
        "shadow_unfit",
    },
}


async def test_who_may_write_where(admin: Connection) -> None:
    rows = await admin.fetch(
        """
        SELECT role, relname, has_table_privilege(role, pg_class.oid, 'INSERT') AS may_insert,
               has_table_privilege(role, pg_class.oid, 'DELETE, TRUNCATE, TRIGGER, MAINTAIN') AS may_spoil
        FROM unnest($1::text[]) AS role, pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        """,
        list(WRITES),
    )
    found: dict[str, set[str]] = {role: set() for role in WRITES}
    for row in rows:
        assert not row["may_spoil"], row
        if row["may_insert"]:
            found[row["role"]].add(row["relname"])
    assert found == WRITES


async def test_nobody_but_the_owner_makes_things(ingest: Pool, alerting: Pool) -> None:
    for pool in (ingest, alerting):
        async with pool.connection() as connection:
            for statement in (
                "CREATE TABLE x ()",
                "CREATE FUNCTION x() RETURNS int LANGUAGE sql RETURN 1",
                "ALTER TABLE reading ADD COLUMN x int",
                "DROP TABLE finding",
                "CREATE SCHEMA x",
                "UPDATE installation SET purpose = 'live'",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)


async def test_partitions_are_made_for_ingest_alone(ingest: Pool, alerting: Pool, admin: Connection) -> None:
    make = "SELECT ensure_reading_partitions(ARRAY['2026-11-05']::date[])"
    async with alerting.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(make)
    async with ingest.connection() as connection:
        # A table of ours by the name of one that the function uses changes nothing.
        await connection.execute("CREATE TEMPORARY TABLE reading (x int)")
        assert await connection.fetchval(make) == 1
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await connection.execute("SELECT ensure_reading_partitions(ARRAY['2999-01-01']::date[])")
    owner = await admin.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'reading_2026_11'")
    assert owner == "thuiswacht_owner"


async def test_connections_act_as_their_role(database: str) -> None:
    for role in get_args(Role):
        pool = await connect(database, role=role, application="test.role")
        async with pool.connection() as connection:
            assert await connection.fetchval("SELECT current_user::text") == role
            assert await connection.fetchval("SHOW application_name") == "test.role"
        await pool.close()


async def test_a_login_without_membership_is_refused(database: str, admin: Connection) -> None:
    name, password = f"stranger_{secrets.token_hex(8)}", secrets.token_hex(16)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    address = urlsplit(database)
    dsn = urlunsplit(address._replace(netloc=f"{name}:{password}@{address.hostname}:{address.port}"))
    try:
        pool = await connect(dsn, role="thuiswacht_ingest", application="test")
        with pytest.raises(RefuseToStart, match="member of thuiswacht_ingest") as refused:
            async with pool.connection():
                pass
        assert password not in str(refused.value)
        await pool.close()
        await admin.execute(f"GRANT thuiswacht_ingest TO {name}")
        pool = await connect(dsn, role="thuiswacht_ingest", application="test")
        async with pool.connection() as connection:
            assert await connection.fetchval("SELECT current_user::text") == "thuiswacht_ingest"
        await pool.close()
    finally:
        await admin.execute(f"DROP ROLE {name}")
