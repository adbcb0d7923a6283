"""The filters of the worklist that somebody keeps under names; each sees their own alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from models.db.pool import Connection

MOST = 20
"""So many views somebody keeps at most."""

_SAVE = """
INSERT INTO worklist_view AS v (view_id, person_id, name, wanted)
SELECT $1, declared_person(), $2, $3
WHERE (SELECT count(*) FROM worklist_view WHERE person_id = declared_person() AND name <> $2) < $4
ON CONFLICT ON CONSTRAINT worklist_view_name_once DO UPDATE SET wanted = excluded.wanted
RETURNING view_id
"""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A filter by its name."""

    view_id: UUID
    name: str
    wanted: Mapping[str, str]


async def views(connection: Connection) -> list[SavedView]:
    """The views of the declared person, by name."""
    rows = await connection.fetch(
        "SELECT view_id, name, wanted FROM worklist_view WHERE person_id = declared_person() ORDER BY name"
    )
    return [SavedView(row["view_id"], row["name"], json.loads(row["wanted"])) for row in rows]


async def save_view(connection: Connection, name: str, wanted: Mapping[str, str]) -> bool:
    """Keeps a filter under a name, in place of what went by it; False where there are too many."""
    return await connection.fetchval(_SAVE, uuid4(), name, json.dumps(dict(wanted)), MOST) is not None


async def drop_view(connection: Connection, view_id: UUID) -> None:
    """Forgets a view of the declared person, if there is such a one."""
    await connection.execute(
        "DELETE FROM worklist_view WHERE view_id = $1 AND person_id = declared_person()", view_id
    )
