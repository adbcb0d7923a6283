"""What a hospital's word comes to, given what holds: changes, proposals, or nothing. Pure.

What can be taken back is done: admitted, home again. What cannot is proposed to people, but for death.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

from ingest.delivery.content import Code, Fault
from ingest.delivery.hospital.told import EpisodeTold, PersonTold, StayTold
from ingest.register.decisions import decide
from ingest.register.forms import ChangeForm, EndForm, PatientChange
from ingest.register.inclusions import Given
from ingest.register.state import State, fold
from models.clock import DAY_US, to_datetime
from models.hospital import About, ProposalKind, Proposed, Said, Word
from models.messages import Admit, AnyChange, Discharge
from models.register import Decided, Registered

AFTER_DISCHARGE = "hospital_at_home"
"""The programme that is proposed to who went home."""
LATELY_US = 30 * DAY_US
"""Later after a discharge nothing is proposed because of it."""
_NAMES = UUID("6b3d7b9e-0c57-5f0e-9a86-8e0c2a6f4d11")

_ORDER = {
    Said.PLANNED: 0, Said.IN_HOSPITAL: 1, Said.AWAY: 1, Said.ACTIVE: 1, Said.OVER: 2, Said.TAKEN_BACK: 3,
    Said.ALIVE: 0, Said.DIED: 0,
}  # fmt: skip
"""Which state follows on which where nobody said when; of two in the same place nobody can tell."""


Void = tuple[tuple[ProposalKind, UUID], ...]
"""Kinds of proposals, each with its subject."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What is done. `says` tells the sender; `void`: what is proposed no more."""

    says: str
    word: Word | None = None
    decided: Decided | None = None
    proposed: tuple[Proposed, ...] = ()
    void: Void = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """What it is decided on: the patient, what was told of them before, and what all decisions rest on."""

    who: Registered
    words: Sequence[Word]
    given: Given
    organisation_id: UUID
    """Whose system tells."""
    state: State = field(init=False)

    def __post_init__(self) -> None:
        """Folds what holds now."""
        object.__setattr__(self, "state", fold(self.who.changes, self.given.now_us))

    def known(self, about: About, keys: Collection[UUID]) -> Word | None:
        """The word about the same thing as these keys."""
        return next((one for one in self.words if one.about is about and one.keys & set(keys)), None)


def keys_of(organisation_id: UUID, texts: Collection[str]) -> frozenset[UUID]:
    """Digests of identifiers, which mean something within one organisation alone."""
    return frozenset(uuid5(_NAMES, f"{organisation_id} {one}") for one in texts)


def decide_stay(told: StayTold, before: Before) -> Effect:
    """What an Encounter comes to."""
    keys = keys_of(before.organisation_id, told.keys)
    known = before.known(About.STAY, keys)
    if known is None and not told.in_hospital:
        return Effect("This encounter is no stay in hospital: nothing changes.")
    settled = _settled(told.said, told.told_us, known)
    if settled is not None:
        return settled
    word = replace(_word(told, keys, About.STAY, known), ended_us=told.ended_us)
    if before.state.end is not None:
        return Effect("The follow-up of this patient has ended: nothing changes.", word)
    if told.said is Said.IN_HOSPITAL:
        return _admit(told, known, word, before)
    return _leave(told, known, word, before)


def _word(told: StayTold | EpisodeTold, keys: frozenset[UUID], about: About, known: Word | None) -> Word:
    if known is None:
        return Word(min(keys), about, keys, told.said, told.told_us)
    newest_us = _newest(told.told_us, known.told_us)
    return replace(known, keys=known.keys | keys, said=told.said, told_us=newest_us)


def _settled(said: Said, told_us: int | None, known: Word | None) -> Effect | None:
    """Whether nothing is to be done any more, or nobody can tell; None where there is."""
    if known is None:
        return None
    if _is_older(told_us, known):
        return Effect("Something newer was told of it before: nothing changes.")
    if said is known.said:
        word = replace(known, told_us=_newest(told_us, known.told_us))
        return Effect("So it stands already: nothing changes.", word)
    newer = told_us is not None and known.told_us is not None and told_us > known.told_us
    if newer or _ORDER[said] > _ORDER[known.said]:
        return None
    return Effect(
        "",
        faults=(
            Fault(
                where="meta.lastUpdated",
                expected=f"a later one than before, to go back from what was told before ({known.said})",
                found="none, or the same",
                code=Code.CONFLICT,
            ),
        ),
    )


def _is_older(told_us: int | None, known: Word | None) -> bool:
    before_us = None if known is None else known.told_us
    return told_us is not None and before_us is not None and told_us < before_us


def _newest(one: int | None, other: int | None) -> int | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _admit(told: StayTold, known: Word | None, word: Word, before: Before) -> Effect:
    """In hospital from when the stay began, or from when they came back to it."""
    stays = {word.word_id, *(one.word_id for one in before.words if one.about is About.STAY)}
    void = tuple((kind, stay) for stay in sorted(stays) for kind in (ProposalKind.ENROL, ProposalKind.END))
    if before.state.admitted:
        return Effect("In hospital, as is known already.", word, void=void)
    came_back = known is not None and known.said is not Said.PLANNED
    wanted_us = (told.turned_us or told.told_us) if came_back else told.began_us
    from_us = _within(wanted_us, before)
    word = replace(word, held_from_us=from_us)
    says = f"In hospital from {to_datetime(from_us).isoformat()}: alerts are held back."
    return Effect(says, word, _change(Admit(), from_us, before), void=void)


def _leave(told: StayTold, known: Word | None, word: Word, before: Before) -> Effect:
    """Not in hospital any more, or never; unless another stay goes on."""
    void = _void(told, word)
    proposed = tuple(_after_discharge(told, word, before))
    if any(one.said is Said.IN_HOSPITAL for one in _others(word, before)):
        return Effect("Another stay in hospital goes on: nothing changes.", word, void=void)
    if told.said is Said.TAKEN_BACK and known is not None:
        return _take_back(known, word, before, void)
    was_in = known is not None and known.said is Said.IN_HOSPITAL
    admitted_us = _admitted_us(before)
    left_us = told.ended_us or told.turned_us or told.told_us or before.given.now_us
    if admitted_us is None or (not was_in and (told.said is not Said.OVER or left_us < admitted_us)):
        return Effect(_told(word.said, proposed), word, proposed=proposed, void=void)
    if told.by_death:
        says = "The stay ended by death: people are asked to end the follow-up; a Patient says it for sure."
        return Effect(says, word, proposed=proposed, void=void)
    from_us = _within(left_us, before)
    says = f"Not in hospital from {to_datetime(from_us).isoformat()} on. {_told(word.said, proposed)}"
    return Effect(says, word, _change(Discharge(), from_us, before), proposed, void)


def _take_back(known: Word, word: Word, before: Before, void: Void) -> Effect:
    """As though the stay had never been: home from when its admission held, or from when the others ended."""
    if known.held_from_us is not None:
        decided = Decided(known.held_from_us, correction=True, changes=(Discharge(),))
        says = "Taken back: the patient was never admitted by it."
        return Effect(says, replace(word, held_from_us=None), decided, void=void)
    admitted_us = _admitted_us(before)
    ends = [one.ended_us for one in _others(word, before) if one.ended_us is not None]
    if known.said is Said.IN_HOSPITAL and admitted_us is not None and max(ends, default=0) >= admitted_us:
        decided = _change(Discharge(), _within(max(ends), before), before)
        return Effect("Taken back: home since the other stays ended.", word, decided, void=void)
    return Effect("Taken back; it had come to nothing.", word, void=void)


def _others(word: Word, before: Before) -> list[Word]:
    """What was told of other stays."""
    return [one for one in before.words if one.about is About.STAY and one.word_id != word.word_id]


def _void(told: StayTold, word: Word) -> tuple[tuple[ProposalKind, UUID], ...]:
    if told.said is Said.TAKEN_BACK:
        return (ProposalKind.ENROL, word.word_id), (ProposalKind.END, word.word_id)
    return ()


def _after_discharge(told: StayTold, word: Word, before: Before) -> Iterator[Proposed]:
    """What is asked of people when a stay is over."""
    ended_us, now_us = told.ended_us, before.given.now_us
    if told.said is not Said.OVER or ended_us is None or ended_us < now_us - LATELY_US:
        return
    if told.by_death:
        yield Proposed(ProposalKind.END, word.word_id, happened_us=ended_us)
    elif told.goes_home and _may_join(AFTER_DISCHARGE, before):
        yield Proposed(ProposalKind.ENROL, word.word_id, programme=AFTER_DISCHARGE, happened_us=ended_us)


def _may_join(programme: str, before: Before) -> bool:
    """Whether it is offered, and the patient is not in it, nor will be."""
    return (
        programme in before.given.catalogue.names
        and programme not in before.state.enrolments
        and programme not in fold(before.who.changes).enrolments
    )


def _told(said: Said, proposed: Sequence[Proposed]) -> str:
    if any(one.kind is ProposalKind.ENROL for one in proposed):
        return "Follow-up after discharge is proposed."
    if proposed:
        return "People are asked to end the follow-up."
    return "Nothing is planned for it before it begins." if said is Said.PLANNED else "It is kept."


def _admitted_us(before: Before) -> int | None:
    """From when the admission holds that holds now; None for who is at home."""
    if not before.state.admitted:
        return None
    return max(at_us for at_us, one in _been(before) if isinstance(one, Admit))


def _been(before: Before) -> list[tuple[int, AnyChange]]:
    return [(at_us, one) for at_us, one in before.who.changes if at_us <= before.given.now_us]


def _within(wanted_us: int | None, before: Before) -> int:
    """The moment that is wanted, if the patient was known then and nothing was decided about it since."""
    now_us = before.given.now_us
    turns = [at_us for at_us, one in _been(before) if isinstance(one, Admit | Discharge)]
    begun_us = min((at_us for at_us, _ in before.who.changes), default=now_us)
    return min(now_us, max(wanted_us if wanted_us is not None else now_us, begun_us, *turns))


def _change(change: AnyChange, from_us: int, before: Before) -> Decided:
    """What began before now is a correction, which says so."""
    return Decided(from_us, correction=from_us < before.given.now_us, changes=(change,))


def decide_episode(told: EpisodeTold, before: Before) -> Effect:
    """What an EpisodeOfCare comes to: monitoring begins and ends by people alone, who are asked to."""
    if told.programme not in before.given.catalogue.names:
        expected = f"one of {', '.join(before.given.catalogue.names) or 'none yet'}"
        return Effect("", faults=(Fault("type", expected, "another programme", Code.UNKNOWN_CODE),))
    keys = keys_of(before.organisation_id, told.keys)
    known = before.known(About.EPISODE, keys)
    settled = _settled(told.said, told.told_us, known)
    if settled is not None:
        return settled
    word = _word(told, keys, About.EPISODE, known)
    if before.state.end is not None:
        return Effect("The follow-up of this patient has ended: nothing changes.", word)
    enrol, withdraw = (ProposalKind.ENROL, word.word_id), (ProposalKind.WITHDRAW, word.word_id)
    if told.said is Said.ACTIVE and _may_join(told.programme, before):
        proposed = Proposed(ProposalKind.ENROL, word.word_id, programme=told.programme)
        return Effect("Enrolment is proposed.", word, proposed=(proposed,), void=(withdraw,))
    if told.said is Said.OVER and told.programme in before.state.enrolments:
        proposed = Proposed(ProposalKind.WITHDRAW, word.word_id, programme=told.programme)
        return Effect("Leaving the programme is proposed.", word, proposed=(proposed,), void=(enrol,))
    void = {Said.ACTIVE: (withdraw,), Said.OVER: (enrol,), Said.TAKEN_BACK: (enrol, withdraw)}
    return Effect("It is kept; nothing changes.", word, void=void.get(told.said, ()))


def decide_person(told: PersonTold, before: Before) -> Effect:
    """What a Patient comes to, but for doubles: who died is followed no more, at once."""
    if told.died is None:
        return Effect("Nothing is taken from it.")
    keys = keys_of(before.organisation_id, ("Patient",))
    known = before.known(About.PERSON, keys)
    end = before.state.end
    has_died = end is not None and end.reason == "died"
    if _is_older(told.told_us, known):
        return Effect("Something newer was told of this patient before: nothing changes.")
    said = Said.DIED if told.died else Said.ALIVE
    newest = _newest(told.told_us, None if known is None else known.told_us)
    word = Word(min(keys), About.PERSON, keys, said, newest)
    void = ((ProposalKind.ALIVE, word.word_id),)
    if told.died:
        return _died(told, word, before, void)
    if has_died:
        expected = "what was told before: that this patient has died; people were asked to look"
        fault = Fault("deceasedBoolean", expected, "that they are alive", Code.CONFLICT)
        return Effect("", word, proposed=(Proposed(ProposalKind.ALIVE, word.word_id),), faults=(fault,))
    return Effect("As is known already.", word)


def _died(told: PersonTold, word: Word, before: Before, void: Void) -> Effect:
    end = before.state.end
    if end is not None:
        says = "As is known already." if end.reason == "died" else "The follow-up had ended before."
        return Effect(says, word, void=void)
    begun_us = min((at_us for at_us, _ in before.who.changes), default=before.given.now_us)
    # A day less: it may be yesterday still where it was written down.
    if told.died_on is not None and told.died_on < to_datetime(begun_us - DAY_US).date():
        fault = Fault(
            "deceasedDateTime",
            "a day since the patient is followed",
            "one before: who is meant?",
            Code.CONFLICT,
        )
        return Effect("", faults=(fault,))
    form = ChangeForm(version=before.who.version, change=PatientChange(end=EndForm(reason="died")))
    return Effect("The follow-up ends, at once.", word, decide(before.who, form, before.given), void=void)
