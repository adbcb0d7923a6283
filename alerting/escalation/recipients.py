"""From the recipient that a policy names to the party that is meant for a patient."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from models.access import Role
from models.db.pool import Connection
from models.db.reach import Around, Reachable, load_around, load_reachable
from models.escalations import Channel, Party, Recipient
from models.messages import Origin
from models.register import OrganisationKind

MEANT: Mapping[Recipient, tuple[OrganisationKind, Role]] = {
    Recipient.COMMUNITY_NURSE: (OrganisationKind.COMMUNITY_NURSING, Role.COMMUNITY_NURSE),
    Recipient.OUT_OF_HOURS_POST: (OrganisationKind.OUT_OF_HOURS_POST, Role.HUISARTS),
    Recipient.REFERRAL_DESK: (OrganisationKind.REFERRAL_DESK, Role.COORDINATOR),
    Recipient.SPECIALIST: (OrganisationKind.HOSPITAL, Role.SPECIALIST),
    Recipient.COORDINATION_CENTRE: (OrganisationKind.COORDINATION_CENTRE, Role.COORDINATOR),
    Recipient.HOME_VISIT: (OrganisationKind.ELDERLY_CARE, Role.SPECIALIST),
}
"""The kind of organisation and the role that a recipient stands for: but for the centre and the practice."""

_OF_ROLE = {
    Role.NURSE: Recipient.NURSE,
    Role.COMMUNITY_NURSE: Recipient.COMMUNITY_NURSE,
    Role.HUISARTS: Recipient.HUISARTS,
    Role.SPECIALIST: Recipient.SPECIALIST,
    Role.COORDINATOR: Recipient.COORDINATION_CENTRE,
}


@dataclass(frozen=True, slots=True)
class Contact:
    """Who a recipient is for a patient, and by which channels they can be reached: the worklist always."""

    party: Party
    channels: frozenset[Channel] = frozenset((Channel.WORKLIST,))


Contacts = Mapping[Recipient, Contact]
"""For one patient; a recipient who is nobody is not in it."""


async def parties(connection: Connection, patients: Mapping[UUID, UUID]) -> dict[UUID, Contacts]:
    """For each patient, who each recipient is. `patients`: with the organisation that their alerts belong to.

    Nobody is meant whose origin is another than the patient's: an invented patient's alert reaches no real
    practice. Two queries, however many patients.
    """
    around = await load_around(connection, patients.keys())
    kinds = [kind for kind, _ in MEANT.values()]
    wanted = set(patients.values())
    for one in around:
        wanted.update(one.treated_by)
        if one.huisarts_id is not None:
            wanted.add(one.huisarts_id)
    reachable = await load_reachable(connection, wanted, kinds)
    region = Region.of(reachable)
    # The patients of one practice that nobody else treats have the same people around them.
    known: dict[tuple[object, ...], Contacts] = {}
    found: dict[UUID, Contacts] = {}
    for one in around:
        own = patients[one.patient_id]
        key = own, one.origin, one.huisarts_id, one.treated_by
        if key not in known:
            known[key] = contacts(one, own, region)
        found[one.patient_id] = known[key]
    return found


@dataclass(frozen=True, slots=True)
class Region:
    """The organisations that may be meant, by id, and the first of each kind and origin."""

    by_id: Mapping[UUID, Reachable]
    first: Mapping[tuple[OrganisationKind, Origin | None], Reachable]

    @classmethod
    def of(cls, organisations: Sequence[Reachable]) -> "Region":
        """Of organisations in the order in which they are preferred."""
        first: dict[tuple[OrganisationKind, Origin | None], Reachable] = {}
        for one in organisations:
            first.setdefault((one.kind, one.origin), one)
        return cls({one.organisation_id: one for one in organisations}, first)


def contacts(around: Around, own_organisation_id: UUID, region: Region) -> Contacts:
    """Who each recipient is for one patient; pure.

    The centre is the alert's own organisation. Of another kind it is who treats the patient, the longest;
    else the alert's own organisation, if it is of that kind; else, of what serves the whole region, the one
    that could be reached the longest. A hospital that does not treat the patient is never meant.
    """
    by_id = region.by_id
    own = by_id.get(own_organisation_id)
    nurses = Party(Role.NURSE, own_organisation_id)
    found = {Recipient.NURSE: Contact(nurses) if own is None else Contact(nurses, _channels(own))}
    practice = None if around.huisarts_id is None else by_id.get(around.huisarts_id)
    if practice is not None and practice.origin is around.origin:
        party = Party(Role.HUISARTS, practice.organisation_id)
        found[Recipient.HUISARTS] = Contact(party, _channels(practice))
    near = [by_id[key] for key in (*around.treated_by, own_organisation_id) if key in by_id]
    near = [one for one in near if one.origin is around.origin]
    for recipient, (kind, role) in MEANT.items():
        meant = _first(kind, near)
        if meant is None and kind is not OrganisationKind.HOSPITAL:
            meant = region.first.get((kind, around.origin))
        if meant is not None:
            found[recipient] = Contact(Party(role, meant.organisation_id), _channels(meant))
    return found


def as_recipient(party: Party, contacts: Contacts) -> Recipient:
    """As whom a party is on duty for a patient: what it is there, else what its role usually is."""
    there = next((recipient for recipient, contact in contacts.items() if contact.party == party), None)
    return there or _OF_ROLE.get(party.role, Recipient.NURSE)


def _first(kind: OrganisationKind, organisations: Iterable[Reachable]) -> Reachable | None:
    return next((one for one in organisations if one.kind is kind), None)


def _channels(one: Reachable) -> frozenset[Channel]:
    return one.channels | {Channel.WORKLIST}
