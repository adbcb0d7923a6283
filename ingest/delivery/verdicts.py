"""What a reading is beside what is stored of it: new, the same, at odds with it; and its revision."""

from collections.abc import Sequence
from typing import NamedTuple

from ingest.delivery.content import Correction, Result
from ingest.delivery.preview import Sound
from models.db.gate import Content, Stored
from models.kinds import KINDS


class Verdict(NamedTuple):
    """What it is and as which revision it goes to the log; refused here means: at odds with what is known."""

    result: Result
    revision: int
    known: Content | None = None


def verdict_on(sound: Sound, correction: Correction, stored: Sequence[Stored], *, own: bool) -> Verdict:
    """`own`: the reading says its revision itself.

    A correction comes above all that is stored, also when it is only on its way: nobody can know that. One
    that says what counts already is a duplicate, so that sending it again changes nothing.
    """
    if own or correction is Correction.NONE:
        return _as_it_says(sound, stored)
    if correction is Correction.IN_ERROR:
        return _taking_back(stored)
    taken_back = max((one.revision for one in stored if one.is_void), default=-1)
    counting = max(
        (one for one in stored if not one.is_void and one.revision > taken_back),
        key=lambda one: one.revision, default=None,
    )  # fmt: skip
    if counting is not None and counting.content == sound.content:
        return Verdict(Result.DUPLICATE, counting.revision)
    return Verdict(Result.ACCEPTED, max((one.revision for one in stored), default=0) + 1)


def _as_it_says(sound: Sound, stored: Sequence[Stored]) -> Verdict:
    for one in stored:
        if one.revision == sound.revision and one.is_void == sound.is_void:
            if one.content == sound.content:
                return Verdict(Result.DUPLICATE, sound.revision)
            return Verdict(Result.REFUSED, sound.revision, one.content)
    return Verdict(Result.ACCEPTED, sound.revision)


def _taking_back(stored: Sequence[Stored]) -> Verdict:
    highest = max((one.revision for one in stored if not one.is_void), default=0)
    if any(one.is_void and one.revision >= highest for one in stored):
        return Verdict(Result.DUPLICATE, highest)
    return Verdict(Result.ACCEPTED, highest)


def shown(kind: int, content: Content) -> str:
    """What is known, for who sent something else: in the canonical unit.

    >>> shown(0, Content(value=81.4)), shown(10, Content(code=1)), shown(0, Content())
    ('81.4 kg', 'C', 'taken back')
    """
    if content.value is not None:
        return f"{content.value:.15g} {KINDS[kind].unit}"
    if content.code is not None:
        return KINDS[kind].codes[content.code]
    return content.absent or content.text or "taken back"
