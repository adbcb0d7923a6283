"""Brings a database to the schema that this program needs: forward only, each step whole or not at all."""

import hashlib
from collections.abc import Sequence

import asyncpg

from models.access import POLICY
from models.db.installation import Purpose, migration_files, purpose
from models.db.pool import Connection, outages, refusals
from models.endpoints import require_safe_postgres
from models.errors import RefuseToStart
from models.kinds import KINDS, Kind

_LOCK = 7_548_473_201
"""Any number, known to nobody else: one migration at a time in a database."""

_WAIT_FOR_OTHERS = "120s"
_LOCK_TIMEOUT = "5s"
_STATEMENT_TIMEOUT = "60s"

_MIGRATION_TABLE = """
    CREATE TABLE IF NOT EXISTS migration (
        number integer NOT NULL,
        name text NOT NULL,
        sha256 text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT migration_pkey PRIMARY KEY (number)
    );
    COMMENT ON TABLE migration IS 'The migrations that this database has, with the text they had.';
    GRANT SELECT ON migration TO thuiswacht_ingest, thuiswacht_alerting, thuiswacht_register, thuiswacht_read;
"""

_FORGET_POLICY = """
    DELETE FROM access_policy AS p WHERE NOT EXISTS (
        SELECT FROM unnest($1::text[], $2::text[], $3::text[]) AS ours (action, role, ground)
        WHERE (ours.action, ours.role, ours.ground) = (p.action, p.role, p.ground)
    )
"""
_WRITE_POLICY = """
    INSERT INTO access_policy (action, role, ground)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
    ON CONFLICT ON CONSTRAINT access_policy_pkey DO NOTHING
"""


async def migrate(dsn: str, *, purpose: Purpose) -> list[str]:
    """Apply what is missing, in order; returns the names of what was applied (nothing, the second time).

    **Raises**: RefuseToStart when the database serves the other purpose, has other migrations than ours, or
    its user may not create roles; TryAgain when Postgres is away or somebody holds a lock for too long.
    """
    require_safe_postgres(dsn)
    with outages():
        with refusals("the user and its password, and that the database exists"):
            connection = await asyncpg.connect(
                dsn, timeout=10, server_settings={"application_name": "thuiswacht.migrate", "timezone": "UTC"}
            )
        try:
            return await _migrate(connection, purpose)
        finally:
            await connection.close(timeout=10)


async def _migrate(connection: Connection, wanted: Purpose) -> list[str]:
    await connection.execute(f"SET statement_timeout = '{_WAIT_FOR_OTHERS}'")
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    roles, *numbered = migration_files()
    try:
        async with connection.transaction():
            await _limit_waiting(connection)
            await connection.execute(roles[2])
    except asyncpg.InsufficientPrivilegeError as error:
        raise RefuseToStart(
            "Migrating needs a user who owns the database and may create roles (CREATEROLE), or is a member "
            f"of thuiswacht_owner when the roles are there already; Postgres says: {error}."
        ) from error
    await connection.execute("SET ROLE thuiswacht_owner")
    applied = await _applied(connection)
    _require_same(applied, numbered)
    if applied:
        await _require_purpose(connection, wanted)
    missing = [file for file in numbered if file[0] not in applied]
    for number, name, sql in missing:
        async with connection.transaction():
            await _limit_waiting(connection)
            await connection.execute(sql)
            if number == 1:
                await connection.execute("INSERT INTO installation (purpose) VALUES ($1)", wanted)
            await connection.execute(
                "INSERT INTO migration (number, name, sha256) VALUES ($1, $2, $3)", number, name, _digest(sql)
            )
    async with connection.transaction():
        await _limit_waiting(connection)
        await _write_kinds(connection)
        await _write_policy(connection)
    return [name for _, name, _ in missing]


async def _limit_waiting(connection: Connection) -> None:
    # A migration that waits for a lock makes everybody behind it wait: better to give up and try again.
    await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
    await connection.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'")


async def _applied(connection: Connection) -> dict[int, str]:
    if await connection.fetchval("SELECT to_regclass('public.migration') IS NULL"):
        async with connection.transaction():
            await connection.execute(_MIGRATION_TABLE)
    rows = await connection.fetch("SELECT number, sha256 FROM migration ORDER BY number")
    return {row["number"]: row["sha256"] for row in rows}


def _require_same(applied: dict[int, str], numbered: Sequence[tuple[int, str, str]]) -> None:
    ours = {number: (name, _digest(sql)) for number, name, sql in numbered}
    for number, digest in applied.items():
        if number not in ours:
            raise RefuseToStart(
                f"This database has migration {number}, which this program does not know: it is older than "
                "the database. Run a newer version."
            )
        name, expected = ours[number]
        if digest != expected:
            raise RefuseToStart(
                f"{name} is not what was applied to this database. Applied migrations never change: restore "
                "the file and write a new one."
            )


async def _require_purpose(connection: Connection, wanted: Purpose) -> None:
    found = await purpose(connection)
    if found != wanted:
        raise RefuseToStart(
            f"This database is {found} and stays {found}; asked was {wanted}. Real and simulated patients "
            "never mix: use another database."
        )


async def _write_policy(connection: Connection) -> None:
    wanted = [
        (action.value, role.value, ground.value)
        for action, roles in POLICY.items()
        for role, grounds in roles.items()
        for ground in grounds
    ]
    columns = [list(column) for column in zip(*wanted, strict=True)]
    await connection.execute(_FORGET_POLICY, *columns)
    await connection.execute(_WRITE_POLICY, *columns)


async def _write_kinds(connection: Connection) -> None:
    rows = await connection.fetch("SELECT number, name, unit, codes FROM kind ORDER BY number")
    for row in rows:
        _require_same_kind(row["number"], row["name"], row["unit"], tuple(row["codes"]))
    await connection.executemany(
        """
        INSERT INTO kind (number, name, dutch, english, unit, low, high, low_excluded, codes, dense)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (number) DO UPDATE SET
            dutch = excluded.dutch, english = excluded.english, low = excluded.low, high = excluded.high,
            low_excluded = excluded.low_excluded, codes = excluded.codes, dense = excluded.dense
        """,
        [_kind_row(kind) for kind in KINDS],
    )


def _require_same_kind(number: int, name: str, unit: str | None, codes: tuple[str, ...]) -> None:
    kind = KINDS[number] if number < len(KINDS) else None
    if kind is None or (kind.name, kind.unit) != (name, unit) or kind.codes[: len(codes)] != codes:
        raise RefuseToStart(
            f"Kind {number} is {name} in {unit or 'codes'} in this database, and another in this program. "
            "Stored numbers never change their meaning: new kinds and codes go to the end."
        )


def _kind_row(kind: Kind) -> tuple[object, ...]:
    low, high = (None, None) if kind.is_coded else (float(kind.low), float(kind.high))
    return (
        kind.number, kind.name, kind.dutch, kind.english, kind.unit,
        low, high, kind.low_excluded, list(kind.codes), kind.dense,
    )  # fmt: skip


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
