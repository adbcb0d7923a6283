"""Messages into the outbox, in the transaction of what they tell of."""

from collections.abc import Sequence

from alerting.notify.grouping import put
from models.db.outbox import add_messages, rewrite, unsent
from models.db.pool import Connection
from models.escalations import Message


async def put_messages(connection: Connection, messages: Sequence[Message]) -> list[Message]:
    """Adds messages, or lets them join what waits; gives what stands in the outbox for them, numbered."""
    if not messages:
        return []
    waiting = await unsent(connection, {message.patient_id for message in messages})
    decided = put(messages, waiting)
    await rewrite(connection, decided.changed)
    return [*await add_messages(connection, decided.added), *decided.changed]
