"""Letters as secure mail carries them."""

import asyncio
from collections.abc import Sequence

from alerting.engine.programme import Programme
from alerting.notify.body import link_of
from alerting.notify.channels import Note, Refused
from alerting.notify.channels.secure_mail import Write
from alerting.notify.letter.facts import load_letter
from alerting.notify.letter.pdf import render_pdf
from models.db.pool import Connection
from models.escalations import MessageKind
from models.identity import Keys

_WRITTEN = (MessageKind.ESCALATION, MessageKind.QUESTION, MessageKind.CORRECTION)


def letters(keys: Keys | None, public_url: str | None, programmes: Sequence[Programme]) -> Write:
    """Writes the letter of a note as PDF; without `keys` it does not say who the patient is."""

    async def write(connection: Connection, note: Note) -> bytes | Refused:
        if note.message.kind not in _WRITTEN or not note.escalations:
            return Refused("nothing to write a letter about")
        link = link_of(note.escalations[0], public_url)
        letter = await load_letter(
            connection, keys, note.message, now_us=note.now_us, link=link, programmes=programmes
        )
        # Some tenths of a second, in which others send.
        return await asyncio.to_thread(render_pdf, letter)

    return write
