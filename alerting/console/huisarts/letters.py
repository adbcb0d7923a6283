"""The letter of an escalation, for the page and as PDF: as it was sent, with how things are now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alerting.engine.programme import Programme
from alerting.explain import figures
from alerting.explain.amounts import unit_words
from alerting.explain.moments import short_moment
from alerting.explain.vocabulary import Language
from alerting.notify.letter.facts import load_letter, load_letter_of
from alerting.notify.letter.letter import Letter, Person, Series
from ingest.acting import Acting
from models.db.asked import Asked, find_sent
from models.db.identity import identities
from models.identity import Keys
from models.kinds import KIND_BY_NAME

_ROWS = 100


@dataclass(frozen=True, slots=True)
class Table:
    """The readings of a chart, the newest first. `beyond`: whether one lies beyond a limit."""

    rows: Sequence[tuple[str, str, bool]]
    more: int


async def letter_of(
    act: Acting,
    keys: Keys,
    asked: Asked,
    now_us: int,
    programmes: Sequence[Programme],
    link: str | None = None,
) -> Letter:
    """What somebody was written, or would have been; with who the patient is, as far as they may know.

    **Units**: microseconds since 1970 UTC. **Raises**: Broken.
    """
    escalation = asked.escalation
    sent = await find_sent(act.connection, escalation)
    if sent is None:
        letter = await load_letter_of(
            act.connection, escalation, now_us=now_us, link=link, programmes=programmes
        )
    else:
        letter = await load_letter(act.connection, sent, now_us=now_us, link=link, programmes=programmes)
    found = await identities(act.connection, keys, patients=[escalation.patient_id])
    if (who := found.get(escalation.patient_id)) is None:
        return letter
    return replace(letter, person=Person(who.family_name, who.birth_date, who.given_names, who.phone))


def table_of(series: Series, language: Language) -> Table:
    """What a chart shows, in numbers. Pure."""
    newest = list(reversed(series.points))
    unit = KIND_BY_NAME[series.kind].unit or ""
    words = unit_words(unit, series.kind, 2, language)

    def value(of: float) -> str:
        return f"{figures.number(of, language, figures.decimals_for(unit, of))} {words}".rstrip()

    def is_beyond(of: float) -> bool:
        return any(figures.order(of, limit.level) == (1 if limit.upwards else -1) for limit in series.limits)

    rows = [(short_moment(at_us, language), value(of), is_beyond(of)) for at_us, of in newest[:_ROWS]]
    return Table(rows, max(0, len(newest) - _ROWS))
