"""Letting a shadow go, with all that it found."""

from models.db import shadows
from models.db.installation import require_migrated
from models.db.pool import connected
from models.errors import BadInput


async def forget_shadow(dsn: str, group: str) -> int:
    """How many findings it had. **Raises**: BadInput where there is no such shadow."""
    async with (
        connected(dsn, role="thuiswacht_shadow", application="thuiswacht-shadow", max_size=1) as pool,
        pool.transaction() as connection,
    ):
        await require_migrated(connection)
        gone = await shadows.forget(connection, group)
        if gone is None:
            known = ", ".join(await shadows.names(connection)) or "none"
            raise BadInput(where="GROUP", expected=f"a shadow of this database ({known})", found=group)
        return gone
