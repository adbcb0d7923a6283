"""What hospital systems tell, each in a unit of work: find the patient, decide, write; on record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from ingest.acting import Acting, Decide, Deed, Known, doing
from ingest.delivery.content import Caller, Code, Fault, Named
from ingest.delivery.hospital import decisions
from ingest.delivery.hospital.decisions import Before, Effect
from ingest.delivery.hospital.elements import ALONE, Bundled, Json
from ingest.delivery.hospital.encounter import map_encounter
from ingest.delivery.hospital.episode import map_episode
from ingest.delivery.hospital.patient import map_patient
from ingest.delivery.hospital.told import EpisodeTold, PersonTold, StayTold, Told
from ingest.register.acts import given
from ingest.register.state import fold
from models.access import Action, decide
from models.audit import Kind
from models.bsn import Bsn
from models.db import hospital, register
from models.db.declared import REFUSED
from models.db.identity import identities
from models.db.pool import Pool
from models.errors import BadInput, NotAllowed
from models.hospital import ProposalKind, Proposed
from models.identity import Identity, Keys

Merge = tuple[UUID, UUID]
"""A double and the registration that stays."""
SOURCE = "thuiswacht.gateway"

_Map = Callable[..., Told | tuple[Fault, ...]]
RESOURCES: Mapping[str, _Map] = {
    "Patient": map_patient,
    "Encounter": map_encounter,
    "EpisodeOfCare": map_episode,
}
"""What is taken, by its type."""
_OURS = "a patient whom your organisation treats"
_SUBJECT = {"Patient": "identifier", "Encounter": "subject", "EpisodeOfCare": "patient"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a resource: faults, and nothing was done but to ask people; or what was done.

    `says` tells it to the sender.
    """

    says: str
    faults: tuple[Fault, ...] = ()
    patient_id: UUID | None = None
    changed: bool = False
    """Whether anything is otherwise than before: what is told again changes nothing."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """A resource while it is acted on; `where` it stands in what was sent."""

    act: Acting
    keys: Keys
    where: str
    now_us: int


@dataclass(frozen=True, slots=True)
class HospitalDesk:
    """Takes what hospital systems tell. `pool` is of thuiswacht_people; `keys` find and open identities."""

    pool: Pool
    keys: Keys
    decide: Decide = decide
    """The policy: another one in tests of what the database refuses by itself."""

    async def tell(
        self, caller: Caller, resource: Json, now_us: int, *,
        where: str | None = None, bundled: Bundled = ALONE,
    ) -> Answer:  # fmt: skip
        """Does what a Patient, Encounter or EpisodeOfCare comes to; said again it has no second effect.

        `where` is the place of the resource in what was sent, for faults; `bundled` what came with it.
        **Units**: microseconds since 1970 UTC. **Raises**: TryAgain.
        """
        kind = resource.get("resourceType")
        if not isinstance(kind, str) or kind not in RESOURCES:
            place = f"{where or 'resource'}.resourceType"
            return _refused(place, f"one of {', '.join(RESOURCES)}", "another", Code.NOT_SUPPORTED)
        where = where or kind
        if not caller.names_patients:
            expected = "a client that may name patients: an administrator adds it with --names-patients"
            return _refused(where, expected, "one that may not", Code.FORBIDDEN)
        told = RESOURCES[kind](resource, now_us, where=where, bundled=bundled)
        if isinstance(told, tuple):
            return Answer("", told)
        known = Known(caller.user, f"client-{caller.client_id}")
        deed = Deed(Action.FOLLOW_UP_DELIVER, Kind.UPDATE, SOURCE, told.whom.patient_id, self.decide)
        try:
            async with doing(self.pool, known, deed) as act:
                return await _tell(_Telling(act, self.keys, where, now_us), told)
        except NotAllowed:
            return _refused(f"{where}.{_SUBJECT[kind]}", _OURS, "none", Code.NOT_FOUND)
        except BadInput as error:
            return _refused(f"{where}.{error.where}", error.expected, error.found, Code.RULE)


def _refused(where: str, expected: str, found: str, code: Code) -> Answer:
    return Answer("", (Fault(where, expected, found, code),))


async def _tell(telling: _Telling, told: Told) -> Answer:
    act = telling.act
    patient_id, identity = await _find(telling, told.whom)
    await register.lock(act.connection, patient_id)
    before = Before(
        who=await register.registered(act.connection, patient_id),
        words=await hospital.words_of(act.connection, patient_id),
        given=await given(act, telling.now_us),
        organisation_id=act.user.organisation_id,
    )
    effect = _placed(_mismatch(told, identity) or await _decide(told, before, act), telling.where)
    merges: tuple[Merge, ...] = ()
    if isinstance(told, PersonTold) and not effect.faults:
        faults, merges = await _doubles(telling, told, before)
        effect = replace(effect, faults=faults) if faults else effect
    if not effect.faults or effect.proposed:
        await _carry_out(telling, before, effect, merges)
    if merges:
        effect = replace(effect, says=f"{effect.says} Merging is proposed.")
    act.details = f"{type(told).__name__}: {'refused' if effect.faults else told_of(told)}"
    changed = not effect.faults and (effect.decided is not None or _is_news(effect, before) or bool(merges))
    return Answer(effect.says, effect.faults, patient_id, changed)


def _is_news(effect: Effect, before: Before) -> bool:
    """Whether it was told otherwise before."""
    word = effect.word
    said = {one.word_id: one.said for one in before.words}
    return word is not None and said.get(word.word_id) is not word.said


def told_of(told: Told) -> str:
    """What was told, for the record: no value and no name."""
    match told:
        case StayTold() | EpisodeTold():
            return told.said.value
        case PersonTold():
            return "died" if told.died else "doubles" if told.doubles else "nothing"


async def _find(telling: _Telling, named: Named) -> tuple[UUID, Identity | None]:
    """The registration of somebody that counts, and who they are. **Raises**: NotAllowed."""
    act = telling.act
    if named.patient_id is not None:
        patient_id = named.patient_id
        found = await identities(act.connection, telling.keys, patients=[patient_id])
        identity = found.get(patient_id)
        if named.bsn is not None and (identity is None or identity.bsn != named.bsn):
            raise NotAllowed(REFUSED)
    else:
        patient_id, identity = await _find_by_number(telling, Bsn(named.bsn or ""))
    return await _merged_into(telling, patient_id), identity


async def _find_by_number(telling: _Telling, bsn: Bsn) -> tuple[UUID, Identity]:
    act = telling.act
    found = await identities(act.connection, telling.keys, bsn=bsn)
    patient_id = await register.last_of(act.connection, list(found))
    if patient_id is None:
        raise NotAllowed(REFUSED)
    await act.require(patient_id)
    return patient_id, found[patient_id]


async def _merged_into(telling: _Telling, patient_id: UUID) -> UUID:
    """The registration that stays of a person. **Raises**: NotAllowed where it is none of the sender's."""
    act, seen = telling.act, {patient_id}
    while True:
        stays = (await register.ended_among(act.connection, [patient_id])).get(patient_id)
        if stays is None or stays in seen:
            return patient_id
        await act.require(stays)
        seen.add(stays)
        patient_id = stays


def _mismatch(told: Told, identity: Identity | None) -> Effect | None:
    """Whether somebody else is meant: the number is theirs, and the day of birth is not."""
    if not isinstance(told, PersonTold) or told.birth_date is None or identity is None:
        return None
    if told.birth_date == identity.birth_date:
        return None
    expected = "the day of birth that is known of this patient: who is meant?"
    return Effect("", faults=(Fault("birthDate", expected, "another", Code.CONFLICT),))


async def _decide(told: Told, before: Before, act: Acting) -> Effect:
    match told:
        case StayTold():
            keys = decisions.keys_of(before.organisation_id, told.keys)
            if await hospital.is_told_of_another(act.connection, keys, before.who.patient_id):
                expected = "the patient of whom it was told before; take it back of them first"
                return Effect("", faults=(Fault("subject", expected, "another", Code.CONFLICT),))
            return decisions.decide_stay(told, before)
        case EpisodeTold():
            return decisions.decide_episode(told, before)
        case PersonTold():
            return decisions.decide_person(told, before)


def _placed(effect: Effect, where: str) -> Effect:
    faults = tuple(replace(one, where=f"{where}.{one.where}") for one in effect.faults)
    return replace(effect, faults=faults)


async def _doubles(
    telling: _Telling, told: PersonTold, before: Before
) -> tuple[tuple[Fault, ...], tuple[Merge, ...]]:
    """Which registrations people are asked to merge, or what is wrong with it."""
    faults: list[Fault] = []
    merges: list[Merge] = []
    who = before.who
    for double in told.doubles:
        try:
            other_id = await _required(telling, double.other)
        except NotAllowed:
            faults.append(Fault(double.where, _OURS, "none", Code.NOT_FOUND))
            continue
        if other_id == who.patient_id:
            continue
        other = await register.registered(telling.act.connection, other_id)
        stays, gone = (who, other) if double.is_other else (other, who)
        if fold(stays.changes, telling.now_us).end is not None or stays.origin is not gone.origin:
            expected = "that somebody stays who is followed"
            faults.append(Fault(double.where, expected, "one who is not", Code.RULE))
            continue
        merges.append((gone.patient_id, stays.patient_id))
    return tuple(faults), tuple(merges)


async def _required(telling: _Telling, named: Named) -> UUID:
    """The registration of another patient than the one that it is about. **Raises**: NotAllowed."""
    if named.patient_id is not None:
        await telling.act.require(named.patient_id)
    found, _ = await _find(telling, named)
    return found


async def _carry_out(telling: _Telling, before: Before, effect: Effect, merges: Sequence[Merge]) -> None:
    act, who = telling.act, before.who
    connection, by, told_by = act.connection, act.user.person_id, before.organisation_id
    if effect.decided is not None:
        await register.move_version(connection, who.patient_id, who.version)
        moved = replace(who, version=who.version + 1)
        await register.change(connection, telling.keys, moved, effect.decided, by)
    if effect.word is not None and effect.word not in before.words:
        await hospital.write_word(connection, who.patient_id, effect.word, told_by, by)
    await hospital.void(connection, who.patient_id, effect.void, by)
    await hospital.propose(connection, who.patient_id, effect.proposed, told_by, by)
    for gone, stays in merges:
        proposed = Proposed(ProposalKind.MERGE, stays, into=stays)
        await hospital.propose(connection, gone, [proposed], told_by, by)
