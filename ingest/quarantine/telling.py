"""Tells the log what is tried again, each message at least once; a second time it is known already."""

from ingest.log import Writer
from ingest.quarantine.retries import Place, mark_of
from models import metrics
from models.db import refused
from models.db.pool import Connection

AT_ONCE = 50
"""A message may be as large as the topic takes."""


async def tell_again(connection: Connection, writer: Writer) -> int:
    """Tells all that is to be tried again; how many. Acts as thuiswacht_register. **Raises**: TryAgain."""
    count = 0
    while waiting := await refused.to_try(connection, AT_ONCE):
        await writer.write_marked(
            [(one.patient_id, one.raw, mark_of(Place(one.partition, one.offset))) for one in waiting]
        )
        await refused.tried(connection, waiting)
        metrics.REGISTER_RETRIES_TOLD.inc(len(waiting))
        count += len(waiting)
    return count
