"""What a database is for, and whether it is ready for this program."""

from importlib.resources import files
from typing import Literal, TypeAlias

import asyncpg

from models.db.pool import Connection
from models.errors import RefuseToStart

Purpose: TypeAlias = Literal["live", "trial"]

_FOLDER = files("models.db") / "migrations"


def migration_files() -> list[tuple[int, str, str]]:
    """The migrations that this program knows: number, file name, SQL, in order; 0 is the roles."""
    found = [path for path in _FOLDER.iterdir() if path.name.endswith(".sql")]
    return sorted((int(path.name[:4]), path.name, path.read_text(encoding="utf-8")) for path in found)


async def purpose(connection: Connection) -> Purpose:
    """Whether this database is live or trial.

    **Raises**: RefuseToStart when it was never migrated.
    """
    try:
        found: Purpose | None = await connection.fetchval("SELECT purpose FROM installation")
    except asyncpg.UndefinedTableError as error:
        raise RefuseToStart(
            "This database is not one of Thuiswacht's: run `thuiswacht migrate` first."
        ) from error
    if found is None:
        raise RefuseToStart(
            "This database does not say whether it is live or trial: run `thuiswacht migrate`."
        )
    return found


async def require_trial(connection: Connection) -> None:
    """Lets simulators through to databases that hold no real patients, and to no others.

    **Raises**: RefuseToStart on a live database.
    """
    if await purpose(connection) != "trial":
        raise RefuseToStart(
            "This is a live database, with real patients: nothing simulated may enter it. Use a trial "
            "database (`thuiswacht migrate --purpose trial` on an empty one)."
        )


async def require_migrated(connection: Connection) -> Purpose:
    """Lets a service through to a database that has what it needs; returns what the database is for.

    **Raises**: RefuseToStart when migrations are missing.
    """
    found = await purpose(connection)
    applied = await connection.fetchval("SELECT coalesce(max(number), 0) FROM migration")
    newest = migration_files()[-1][0]
    # A newer database is fine: migrations keep what the version before needs, so that both can run.
    if applied < newest:
        raise RefuseToStart(
            f"This database is at migration {applied}, this program needs {newest}: run `thuiswacht migrate`."
        )
    return found
