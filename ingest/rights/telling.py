"""Tells the log which readings are corrected, each at least once; a second time it is known already."""

from ingest.log import Writer
from models import logs
from models.db import corrections
from models.db.pool import Pool
from models.errors import TryAgain

log = logs.get(__name__)

AT_ONCE = 500


async def tell(pool: Pool, writer: Writer) -> int:
    """Tells all that is to be told; how many. `pool` as thuiswacht_register. **Raises**: TryAgain."""
    count = 0
    while True:
        async with pool.connection() as connection:
            waiting = await corrections.to_tell(connection, AT_ONCE)
            if not waiting:
                return count
            await writer.write_many([(one.patient_id, one.message) for one in waiting])
            await corrections.told(connection, waiting)
        count += len(waiting)


async def tell_if_possible(pool: Pool, writer: Writer) -> int | None:
    """The same; None while Kafka is away: what is to be told stays."""
    try:
        async with writer:
            return await tell(pool, writer)
    except TryAgain as error:
        log.warning("corrections_not_told", why=str(error))
        return None
