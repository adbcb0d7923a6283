"""The letter as a hospital's system takes it: its text, and the same as PDF."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

from alerting.engine.programme import Programme
from alerting.explain.vocabulary import Language
from alerting.notify.body import link_of
from alerting.notify.channels import Note
from alerting.notify.channels.fhir import Draw, Letters
from alerting.notify.fhir.handed import Written
from alerting.notify.letter.composing import Page, compose
from alerting.notify.letter.facts import load_letter, with_person
from alerting.notify.letter.pdf import render_pdf
from models.db.pool import Connection, Pool
from models.escalations import MessageKind
from models.identity import Keys

_OF_A_LETTER = (MessageKind.ESCALATION, MessageKind.QUESTION, MessageKind.CORRECTION)


def written_letters(
    pool: Pool, keys: Keys | None, public_url: str | None, programmes: Sequence[Programme]
) -> Letters:
    """Writes the letter of a note; without `keys` it does not say who the patient is."""

    async def read(connection: Connection, note: Note) -> Draw:
        if note.message.kind not in _OF_A_LETTER or not note.escalations:
            return partial(_as_notice, note)
        link = link_of(note.escalations[0], public_url)
        letter = await load_letter(
            connection, note.message, now_us=note.now_us, link=link, programmes=programmes
        )

        async def draw() -> Written:
            told = letter if keys is None else await with_person(pool, keys, letter)
            pdf = await asyncio.to_thread(render_pdf, told)
            return Written(text_of(compose(told, Language.NL)), pdf)

        return draw

    return read


def text_of(page: Page) -> str:
    """A page as plain text: who is responsible in the first line, then all that stands in it but charts."""
    return "\n".join(_lines(page)).strip()


def _lines(page: Page) -> Iterator[str]:
    yield from (page.responsible, page.banner, "", page.title, "")
    yield from (f"{label}: {said}" for label, said in (*page.head, *page.key))
    for section in page.sections:
        yield from ("", section.heading.upper())
        for block in section.blocks:
            said = f"{block.label}: {block.text}" if block.label and block.text else block.label or block.text
            if said:
                yield said
            yield from (f"- {item}" for item in block.items)
    yield from ("", page.foot)


async def _as_notice(note: Note) -> Written:
    return Written(_notice(note))


def _notice(note: Note) -> str:
    ring = f", telefoon {note.sender.telephone}" if note.sender.telephone else ""
    return (
        f"Verantwoordelijk is {note.sender.name or 'de afzender'}{ring}. "
        "Er is iets veranderd aan een melding over een patiënt."
    )
