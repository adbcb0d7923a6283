"""Tells the log which readings are corrected, each at least once; a second time it is known already."""

from ingest.log import Writer
from models import logs
from models.db import corrections
from models.db.pool import Connection, Pool
from models.errors import TryAgain

log = logs.get(__name__)

AT_ONCE = 500


async def tell(connection: Connection, writer: Writer) -> int:
    """Tells all that is to be told; how many. Acts as thuiswacht_register. **Raises**: TryAgain."""
    count = 0
    while waiting := await corrections.to_tell(connection, AT_ONCE):
        await writer.write_many([(one.patient_id, one.message) for one in waiting])
        await corrections.told(connection, waiting)
        count += len(waiting)
    return count


async def tell_if_possible(pool: Pool, writer: Writer) -> int | None:
    """The same; None while Kafka is away: what is to be told stays."""
    try:
        async with writer, pool.connection() as connection:
            return await tell(connection, writer)
    except TryAgain as error:
        log.warning("corrections_not_told", why=str(error))
        return None
