"""Everything that is held of one patient, table by table, for a copy: no table is left out."""

import json
from typing import Any
from uuid import UUID

from models.db.pool import Connection

_TABLES = """
SELECT t::text AS name FROM tables_of_patients() AS t WHERE has_table_privilege(t, 'SELECT') ORDER BY 1
"""
# One day's readings of a dense sensor at once: each row is decided on by itself.
_AT_ONCE = 2_000

Rows = list[dict[str, Any]]


async def load_record(connection: Connection, patient_id: UUID) -> dict[str, Rows]:
    """All rows of a patient that the declared user sees, by table, as JSON has them; within a transaction.

    Sealed identities are not among them: no role may read that table.
    """
    tables = [row["name"] for row in await connection.fetch(_TABLES)]
    return {table: await _rows(connection, table, patient_id) for table in tables}


async def _rows(connection: Connection, table: str, patient_id: UUID) -> Rows:
    query = f"SELECT to_jsonb(held)::text AS row FROM {table} AS held WHERE patient_id = $1"
    cursor = connection.cursor(query, patient_id, prefetch=_AT_ONCE)
    return [json.loads(row["row"]) async for row in cursor]
