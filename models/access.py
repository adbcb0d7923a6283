"""Who may do what with whom: one pure decision, from a table that the database holds too.

An action is allowed to a role on certain *grounds*. Most grounds are a relation between the user and the
patient: their organisation treats the patient, the patient consented, an emergency was declared. The same
table is written into Postgres by every migration, where row-level security asks it again: the second fence
stands on the same ground as the first, and neither relies on the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

POLICY_VERSION = 5
"""Counts changes of `POLICY`; stands in every audit row."""


class Role(StrEnum):
    """As what somebody acts. One at a time: who has several chooses at login."""

    NURSE = "nurse"
    COMMUNITY_NURSE = "community_nurse"
    HUISARTS = "huisarts"
    SPECIALIST = "specialist"
    COORDINATOR = "coordinator"
    PRIVACY_OFFICER = "privacy_officer"
    ADMINISTRATOR = "administrator"
    ENGINEER = "engineer"
    SERVICE = "service"


class Ground(StrEnum):
    """Why an action is allowed; in the order in which they are looked for."""

    OFFICE = "office"
    """The role itself: the action is about no patient, or about one who is not there yet."""
    TREATMENT = "treatment"
    """The user's organisation treats the patient, today."""
    ESCALATED = "escalated"
    """An alert of the patient was handed to the user's organisation and is not over for more than a day."""
    CONSENT = "consent"
    """The patient consented that this organisation looks, without being treated there."""
    OWN_ORGANISATION = "own_organisation"
    """The user's organisation treats the patient, or once did: for those who see to the patient's rights."""
    SIMULATED = "simulated"
    """The patient does not exist."""
    EMERGENCY = "emergency"
    """The user declared an emergency, with a reason, for a limited time; it is reviewed afterwards."""


class Action(StrEnum):
    """What is asked for; each route of the API and each command names one."""

    PATIENT_SEARCH = "patient.search"
    PATIENT_READ = "patient.read"
    IDENTITY_READ = "identity.read"
    PATIENT_INCLUDE = "patient.include"
    PATIENT_CHANGE = "patient.change"
    PATIENT_MERGE = "patient.merge"
    RELATION_CHANGE = "relation.change"
    CONSENT_RECORD = "consent.record"
    EMERGENCY_DECLARE = "emergency.declare"
    LOOKS_READ = "looks.read"
    COPY_MAKE = "copy.make"
    OBJECTION_RECORD = "objection.record"
    CORRECTION_MAKE = "correction.make"
    DESTRUCTION = "destruction"
    AUDIT_REVIEW = "audit.review"
    AUDIT_VERIFY = "audit.verify"
    ORGANISATION_CHANGE = "organisation.change"
    PEOPLE_CHANGE = "people.change"
    DIRECTORY_READ = "directory.read"
    OWN_SESSION = "own.session"
    ALERT_READ = "alert.read"
    ALERT_HANDLE = "alert.handle"
    ESCALATION_ASK = "escalation.ask"
    ESCALATION_ANSWER = "escalation.answer"
    PATIENT_MESSAGE = "patient.message"
    MESSAGES_PULL = "messages.pull"
    TECHNICAL_READ = "technical.read"
    TECHNICAL_RESOLVE = "technical.resolve"
    POLICY_READ = "policy.read"
    CALL_RECORD = "call.record"
    READING_ENTER = "reading.enter"
    QUARANTINE_READ = "quarantine.read"
    QUARANTINE_RETRY = "quarantine.retry"
    INSIGHT_READ = "insight.read"
    READING_DELIVER = "reading.deliver"
    DELIVERY_READ = "delivery.read"
    FOLLOW_UP_DELIVER = "follow_up.deliver"
    RECORDING_MAKE = "recording.make"


_CARERS = (Role.NURSE, Role.COMMUNITY_NURSE, Role.HUISARTS, Role.SPECIALIST)
_LOOK = (Ground.TREATMENT, Ground.ESCALATED, Ground.CONSENT, Ground.EMERGENCY)
_TREATING = (Ground.TREATMENT,)
_ASKED = (Ground.TREATMENT, Ground.ESCALATED)
_OWN = (Ground.OWN_ORGANISATION,)
_OFFICE = (Ground.OFFICE,)
_SIMULATED = (Ground.SIMULATED,)

Grounds = tuple[Ground, ...]


def _for(*roles: Role, grounds: Grounds) -> dict[Role, Grounds]:
    return dict.fromkeys(roles, grounds)


_CHANGES: dict[Role, Grounds] = {
    **_for(*_CARERS, Role.COORDINATOR, grounds=_TREATING),
    Role.ENGINEER: _SIMULATED,
}

POLICY: Mapping[Action, Mapping[Role, Grounds]] = {
    Action.PATIENT_SEARCH: {
        **_for(*_CARERS, Role.COORDINATOR, grounds=_LOOK),
        Role.PRIVACY_OFFICER: _OWN,
        Role.ENGINEER: _SIMULATED,
    },
    Action.PATIENT_READ: {**_for(*_CARERS, Role.COORDINATOR, grounds=_LOOK), Role.ENGINEER: _SIMULATED},
    Action.IDENTITY_READ: {
        **_for(*_CARERS, Role.COORDINATOR, grounds=_LOOK),
        Role.PRIVACY_OFFICER: _OWN,
        Role.ENGINEER: _SIMULATED,
    },
    Action.PATIENT_INCLUDE: _for(
        Role.NURSE, Role.HUISARTS, Role.SPECIALIST, Role.COORDINATOR, Role.ENGINEER, grounds=_OFFICE
    ),
    Action.PATIENT_CHANGE: _CHANGES,
    Action.PATIENT_MERGE: {Role.COORDINATOR: _TREATING, Role.ENGINEER: _SIMULATED},
    Action.RELATION_CHANGE: _CHANGES,
    Action.CONSENT_RECORD: _CHANGES,
    Action.EMERGENCY_DECLARE: _for(*_CARERS, grounds=_OFFICE),
    Action.LOOKS_READ: {Role.PRIVACY_OFFICER: _OWN},
    Action.COPY_MAKE: {Role.PRIVACY_OFFICER: _OWN},
    Action.OBJECTION_RECORD: {Role.COORDINATOR: _TREATING, Role.PRIVACY_OFFICER: _OWN},
    Action.CORRECTION_MAKE: {**_CHANGES, Role.PRIVACY_OFFICER: _OWN},
    Action.DESTRUCTION: {Role.PRIVACY_OFFICER: _OWN},
    Action.AUDIT_REVIEW: {Role.PRIVACY_OFFICER: _OFFICE},
    Action.AUDIT_VERIFY: _for(Role.PRIVACY_OFFICER, Role.ADMINISTRATOR, grounds=_OFFICE),
    Action.ORGANISATION_CHANGE: {Role.ADMINISTRATOR: _OFFICE},
    Action.PEOPLE_CHANGE: {Role.ADMINISTRATOR: _OFFICE},
    Action.DIRECTORY_READ: _for(
        *_CARERS, Role.COORDINATOR, Role.ADMINISTRATOR, Role.ENGINEER, grounds=_OFFICE
    ),
    Action.OWN_SESSION: _for(*Role, grounds=_OFFICE),
    Action.ALERT_READ: {**_for(*_CARERS, Role.COORDINATOR, grounds=_LOOK), Role.ENGINEER: _SIMULATED},
    Action.ALERT_HANDLE: {
        **_for(Role.NURSE, Role.COMMUNITY_NURSE, Role.SPECIALIST, grounds=_ASKED),
        Role.HUISARTS: (Ground.ESCALATED,),
        Role.ENGINEER: _SIMULATED,
    },
    Action.ESCALATION_ASK: {**_for(*_CARERS, grounds=_ASKED), Role.ENGINEER: _SIMULATED},
    Action.ESCALATION_ANSWER: _for(*_CARERS, Role.COORDINATOR, Role.SERVICE, grounds=(Ground.ESCALATED,)),
    Action.PATIENT_MESSAGE: {
        **_for(Role.NURSE, Role.COMMUNITY_NURSE, grounds=_TREATING),
        Role.ENGINEER: _SIMULATED,
    },
    Action.MESSAGES_PULL: {Role.SERVICE: _OFFICE},
    Action.TECHNICAL_READ: _for(
        Role.NURSE, Role.COORDINATOR, Role.ADMINISTRATOR, Role.ENGINEER, grounds=_OFFICE
    ),
    Action.TECHNICAL_RESOLVE: _for(Role.NURSE, Role.ADMINISTRATOR, Role.ENGINEER, grounds=_OFFICE),
    Action.POLICY_READ: _for(*_CARERS, Role.COORDINATOR, Role.ADMINISTRATOR, Role.ENGINEER, grounds=_OFFICE),
    Action.CALL_RECORD: {**_for(*_CARERS, grounds=_ASKED), Role.ENGINEER: _SIMULATED},
    Action.READING_ENTER: {**_for(*_CARERS, grounds=_TREATING), Role.ENGINEER: _SIMULATED},
    Action.QUARANTINE_READ: {
        **_for(Role.NURSE, Role.COORDINATOR, grounds=_TREATING),
        Role.ENGINEER: _SIMULATED,
    },
    Action.QUARANTINE_RETRY: {
        **_for(Role.NURSE, Role.COORDINATOR, grounds=_TREATING),
        Role.ENGINEER: _SIMULATED,
    },
    Action.INSIGHT_READ: _for(*_CARERS, Role.COORDINATOR, Role.ADMINISTRATOR, Role.ENGINEER, grounds=_OFFICE),
    # A system delivers for those whom its organisation treats, also in trials: there it is tried who may not.
    Action.READING_DELIVER: {Role.SERVICE: _TREATING},
    # What became of its own deliveries; their addresses are sealed, and open for who delivered alone.
    Action.DELIVERY_READ: {Role.SERVICE: _OFFICE},
    Action.FOLLOW_UP_DELIVER: {Role.SERVICE: _TREATING},
    # History taken out of the house, to try rules on: of one's own patients, by who answers for them.
    Action.RECORDING_MAKE: {Role.PRIVACY_OFFICER: _OWN},
}
"""What is allowed to whom, on which grounds; what is not here is refused."""


@dataclass(frozen=True, slots=True)
class User:
    """Who acts: a person or a system, as one role at one organisation."""

    person_id: UUID
    organisation_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class Relation:
    """How a user stands to a patient, today. All false: not at all, or there is no such patient."""

    treatment: bool = False
    escalated: bool = False
    consent: bool = False
    own_organisation: bool = False
    simulated: bool = False
    emergency: bool = False
    objection: bool = False
    """The patient objected to this organisation: treatment, consent, escalation are no ground any more."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed on a ground, or refused with None; `policy` and `version` say by which rule."""

    action: Action
    role: Role
    ground: Ground | None
    why: str
    version: int = POLICY_VERSION

    @property
    def allowed(self) -> bool:
        """Whether the action may be done."""
        return self.ground is not None

    @property
    def protocol(self) -> str:
        """The authorisation protocol as an audit row names it (NEN 7513).

        >>> decide(User(UUID(int=1), UUID(int=2), Role.NURSE), Action.PATIENT_READ, Relation()).protocol
        'patient.read/nurse/refused v5'
        """
        return f"{self.action}/{self.role}/{self.ground or 'refused'} v{self.version}"


def decide(user: User, action: Action, relation: Relation | None = None) -> Decision:
    """Whether this user may do this, to a patient in this relation or, with None, to nobody in particular.

    With None, an action about patients is allowed to a role that has any ground for it: which patients it
    finds is then decided for each, by the same table in the database.

    >>> nurse = User(UUID(int=1), UUID(int=2), Role.NURSE)
    >>> decide(nurse, Action.PATIENT_READ, Relation(treatment=True)).ground
    <Ground.TREATMENT: 'treatment'>
    >>> decide(nurse, Action.PATIENT_READ, Relation(treatment=True, objection=True)).allowed
    False
    """
    grounds = POLICY[action].get(user.role, ())
    if not grounds:
        return Decision(action, user.role, None, f"the role {user.role} may not do this")
    if relation is None or Ground.OFFICE in grounds:
        return Decision(action, user.role, Ground.OFFICE, "the role alone")
    held = grounds_of(relation)
    found = next((ground for ground in grounds if ground in held), None)
    if found is not None:
        return Decision(action, user.role, found, f"ground: {found}")
    if relation.objection:
        return Decision(action, user.role, None, "the patient objected to this organisation")
    return Decision(action, user.role, None, f"none of these holds: {', '.join(grounds)}")


def grounds_of(relation: Relation) -> frozenset[Ground]:
    """The grounds that a relation gives; an objection takes treatment, escalations and consent away."""
    return frozenset(_held(relation))


def _held(relation: Relation) -> Iterator[Ground]:
    if relation.treatment and not relation.objection:
        yield Ground.TREATMENT
    if relation.escalated and not relation.objection:
        yield Ground.ESCALATED
    if relation.consent and not relation.objection:
        yield Ground.CONSENT
    if relation.own_organisation:
        yield Ground.OWN_ORGANISATION
    if relation.simulated:
        yield Ground.SIMULATED
    if relation.emergency:
        yield Ground.EMERGENCY
