"""Letters as secure mail carries them."""

import asyncio
from collections.abc import Sequence

from alerting.engine.programme import Programme
from alerting.notify.body import link_of
from alerting.notify.channels import Finish, Note, Refused
from alerting.notify.channels.secure_mail import Write
from alerting.notify.letter.facts import load_letter, with_person
from alerting.notify.letter.pdf import render_pdf
from models.db.pool import Connection, Pool
from models.escalations import MessageKind
from models.identity import Keys

_WRITTEN = (MessageKind.ESCALATION, MessageKind.QUESTION, MessageKind.CORRECTION)


def letters(pool: Pool, keys: Keys | None, public_url: str | None, programmes: Sequence[Programme]) -> Write:
    """Writes the letter of a note as PDF; without `keys` it does not say who the patient is."""

    async def write(connection: Connection, note: Note) -> Refused | Finish:
        if note.message.kind not in _WRITTEN or not note.escalations:
            return Refused("nothing to write a letter about")
        link = link_of(note.escalations[0], public_url)
        letter = await load_letter(
            connection, note.message, now_us=note.now_us, link=link, programmes=programmes
        )

        async def finish() -> bytes:
            told = letter if keys is None else await with_person(pool, keys, letter)
            # Some tenths of a second, in which others send.
            return await asyncio.to_thread(render_pdf, told)

        return finish

    return write
