"""Sending, as the dispatcher runs it."""

import asyncio
from collections.abc import Iterable

from alerting.engine.programme_files import PACKAGED, load_folder
from alerting.notify.channels import Channel
from alerting.notify.in_fhir import in_fhir
from alerting.notify.letters import letters
from alerting.notify.sending import Channels, Sender
from alerting.notify.setting_up import opened, require_receivers
from models.db.installation import require_migrated
from models.db.pool import Connection, Pool
from models.db.positions import dispatch_now_us, require_dispatch_time
from models.identity import Keys
from models.settings import Settings, identity_key


async def run(pool: Pool, settings: Settings, stop: asyncio.Event, *, more: Iterable[Channel] = ()) -> None:
    """Sends what is due until told to stop; `more` are channels of other parts.

    **Raises**: RefuseToStart when the settings do not fit the database, or are half done.
    """
    async with pool.connection() as connection:
        purpose = await require_migrated(connection)
    require_dispatch_time(settings, purpose)
    require_receivers(settings, purpose)
    keys = None if settings.identity_key is None else Keys(identity_key(settings))
    programmes = load_folder(settings.programmes or PACKAGED)
    write = letters(pool, keys, settings.public_url, programmes)

    async def clock(connection: Connection) -> int:
        return await dispatch_now_us(connection, settings)

    beside = [*more, *in_fhir(pool, settings, keys, programmes)]
    async with opened(settings, write=write, more=beside) as channels:
        await Sender(pool, channels, clock).run(stop)


async def send_due(pool: Pool, channels: Channels, now_us: int) -> int:
    """Sends everything that is due at this moment, and gives up what was tried for long enough.

    Returns of how many messages something came. **Raises**: as `Pool.transaction`.
    """

    async def clock(_: Connection) -> int:
        return now_us

    return await Sender(pool, channels, clock).round()
