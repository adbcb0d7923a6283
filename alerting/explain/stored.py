"""What explains a finding, from the database and the folder of programmes."""

from collections.abc import Sequence
from uuid import UUID

from alerting.engine.programme import Programme
from alerting.explain.explanation import Explanation, Found, Known, explain, looks
from models.db.findings import find_finding
from models.db.installation import require_migrated
from models.db.patients import load_changes_of
from models.db.pool import Connection, connect
from models.db.positions import latest_clock_us
from models.db.values import load_values
from models.errors import BadInput
from models.findings import Finding


async def explain_stored(dsn: str, finding_id: UUID, programmes: Sequence[Programme]) -> Explanation:
    """The explanation of a stored finding. Reads only.

    **Raises**: BadInput where there is no such finding; TryAgain when the database is away; RefuseToStart
    where it is not one of ours.
    """
    pool = await connect(dsn, role="thuiswacht_read", application="thuiswacht-explain", max_size=1)
    try:
        async with pool.connection() as connection:
            await require_migrated(connection)
            # One picture of the database, though the services go on.
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await _explained(connection, finding_id, programmes)
    finally:
        await pool.close()


async def _explained(
    connection: Connection, finding_id: UUID, programmes: Sequence[Programme]
) -> Explanation:
    finding = await find_finding(connection, finding_id)
    if finding is None:
        raise BadInput(
            where="FINDING_ID",
            expected="the id of a finding in this database",
            found=str(finding_id),
            reason="unknown_finding",
        )
    changes = await load_changes_of(connection, finding.patient_id)
    now_us = await latest_clock_us(connection, finding.log_partition)
    known = Known(finding, _version(finding, programmes), changes, now_us or 0)
    found = {
        look: Found(tuple(readings), count)
        for look in looks(known)
        for count, readings in [
            await load_values(
                connection, finding.patient_id, look.kinds, look.after_us, look.to_us, look.most
            )
        ]
    }
    return explain(known, found)


def _version(finding: Finding, programmes: Sequence[Programme]) -> Programme | None:
    wanted = finding.programme, finding.version
    return next((one for one in programmes if (one.programme, one.version) == wanted), None)
