"""A sender that gets as far as a named point with one message, says so, and waits there to be killed.

`dying_sender.py POINT DATABASE AUTHORITY KEY NOW_US`; POINT is claimed, sent or recorded.
"""

import asyncio
import sys
from pathlib import Path

from alerting.notify.channels import Note, Outgoing, Receipt, Refused
from alerting.notify.channels.webhook import Webhook
from alerting.notify.https import Https, tls_of
from alerting.notify.sender import send_due
from models.db.pool import Connection, connect


async def say_and_wait(point: str) -> None:
    print(point, flush=True)
    await asyncio.Event().wait()


class Dying(Webhook):
    """Stops when it has claimed the message, or has sent it and before anybody hears of that."""

    point = ""

    async def compose(self, connection: Connection, note: Note) -> bytes | Refused:
        if self.point == "claimed":
            await say_and_wait(self.point)
        return await super().compose(connection, note)

    async def send(self, outgoing: Outgoing) -> Receipt:
        receipt = await super().send(outgoing)
        if self.point == "sent":
            await say_and_wait(self.point)
        return receipt


async def main(point: str, database: str, authority: str, key: str, now_us: str) -> None:
    pool = await connect(database, role="thuiswacht_dispatch", application="test.dying")
    webhook = Dying(Https(tls_of(Path(authority)), own_machine=True), [bytes.fromhex(key)])
    webhook.point = point
    await send_due(pool, {webhook.name: webhook}, int(now_us))
    await say_and_wait("recorded")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
