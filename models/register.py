"""What the register keeps of a patient beside their identity, and what a decision about one comes to."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.identity import Identity
from models.messages import (
    SCHEMA,
    Admit,
    AnyChange,
    ChangeContent,
    Discharge,
    End,
    Enrol,
    MoveVersion,
    Origin,
    Pause,
    Register,
    Resume,
    SetLimits,
    SetSchedule,
    Withdraw,
)

_NAMES: dict[type[AnyChange], str] = {
    Register: "register",
    Enrol: "enrol",
    Withdraw: "withdraw",
    SetLimits: "limits",
    SetSchedule: "schedule",
    MoveVersion: "version",
    Pause: "pause",
    Resume: "resume",
    Admit: "admit",
    Discharge: "discharge",
    End: "end",
}


class OrganisationKind(StrEnum):
    """What an organisation is."""

    HOSPITAL = "hospital"
    MONITORING_CENTRE = "monitoring_centre"
    GP_PRACTICE = "gp_practice"
    OUT_OF_HOURS_POST = "out_of_hours_post"
    COMMUNITY_NURSING = "community_nursing"
    REFERRAL_DESK = "referral_desk"
    MUNICIPALITY = "municipality"
    COORDINATION_CENTRE = "coordination_centre"
    ELDERLY_CARE = "elderly_care"


class Channel(StrEnum):
    """By what a message reaches an organisation or a person."""

    EMAIL = "email"
    SECURE_MAIL = "secure_mail"
    FHIR = "fhir"
    PHONE = "phone"
    WEBHOOK = "webhook"
    KAFKA = "kafka"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation; without a kind, nobody has entered it yet."""

    organisation_id: UUID
    name: str | None
    kind: OrganisationKind | None
    origin: Origin | None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Care:
    """What is known of a patient's care, in one version of their registration."""

    huisarts_id: UUID | None = None
    wijk: str | None = None
    language: str = "nl"
    treatment_plan: str | None = None
    advance_care: str | None = None
    informed_at: datetime | None = None
    informed_by: UUID | None = None
    review_on: date | None = None
    ended_at: datetime | None = None
    merged_into: UUID | None = None
    copy_to_mantelzorger: bool = False
    """Follows from the contacts, which are sealed: one of them is a mantelzorger who may be told."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device by the id with which it sends, and what it is."""

    device_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Registered:
    """A patient's registration as it stands; `changes` are all that were decided, in order.

    **Units**: each with the time from which it holds, in microseconds since 1970 UTC.
    """

    patient_id: UUID
    organisation_id: UUID
    origin: Origin
    version: int
    care: Care
    changes: tuple[tuple[int, AnyChange], ...]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Everything that including a patient comes to."""

    patient_id: UUID
    organisation_id: UUID
    origin: Origin
    identity: Identity
    care: Care
    treated_by: tuple[UUID, ...]
    devices: tuple[Device, ...]
    changes: tuple[AnyChange, ...]
    valid_from_us: int


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything that a change of a registered patient comes to; what is not there stays as it is.

    `treats` gets a treatment relation, and `treats_no_more` loses it.
    """

    valid_from_us: int
    correction: bool = False
    changes: tuple[AnyChange, ...] = ()
    care: Care | None = None
    identity: Identity | None = None
    frees_number: bool = False
    """From now on the same person may be registered anew."""
    hand_out: tuple[Device, ...] = ()
    take_back: tuple[str, ...] = ()
    treats: UUID | None = None
    treats_no_more: UUID | None = None


@dataclass(frozen=True, slots=True)
class Untold:
    """A change that the log does not have yet. `content` is as on the wire."""

    patient_id: UUID
    number: int
    change_id: UUID
    valid_from_us: int
    correction: bool
    content: dict[str, Any]


def content_of(change: AnyChange) -> dict[str, Any]:
    """A change as it stands in its message, under its name.

    >>> content_of(Pause(reason="vakantie"))
    {'pause': {'reason': 'vakantie'}}
    """
    return {_NAMES[type(change)]: change.model_dump(mode="json", exclude_unset=True)}


def change_of(content: str) -> AnyChange:
    """The change that JSON as of `content_of` stands for."""
    only = ChangeContent.model_validate_json(content).only
    if only is None:
        raise ValueError("a change without content")
    return only


def message_of(untold: Untold) -> dict[str, Any]:
    """The whole message: the same each time it is told."""
    message: dict[str, Any] = {
        "schema": SCHEMA,
        "type": "change",
        "change_id": str(untold.change_id),
        "patient_id": str(untold.patient_id),
        "valid_from_us": untold.valid_from_us,
    }
    if untold.correction:
        message["correction"] = True
    return message | {"change": untold.content}
