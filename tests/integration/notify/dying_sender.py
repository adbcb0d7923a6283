"""A sender that sends one message, says so, and records nothing until it is killed.

`dying_sender.py DATABASE AUTHORITY KEY NOW_US`
"""

import asyncio
import sys
from pathlib import Path

from alerting.notify.channels import Outgoing, Receipt
from alerting.notify.channels.webhook import Webhook
from alerting.notify.https import Https, tls_of
from alerting.notify.sender import send_due
from models.db.pool import connect


class SaysAndWaits(Webhook):
    """Has sent, and hangs before anybody hears of it."""

    async def send(self, outgoing: Outgoing) -> Receipt:
        receipt = await super().send(outgoing)
        print("sent", flush=True)
        await asyncio.Event().wait()
        return receipt


async def main(database: str, authority: str, key: str, now_us: str) -> None:
    pool = await connect(database, role="thuiswacht_dispatch", application="test.dying")
    webhook = SaysAndWaits(Https(tls_of(Path(authority)), own_machine=True), [bytes.fromhex(key)])
    await send_due(pool, {webhook.name: webhook}, int(now_us))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
