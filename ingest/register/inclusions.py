"""Including somebody: from one form to everything that it comes to, or a refusal. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ingest.changes import ORIGINS
from ingest.register.forms import EnrolForm, IdentityForm, InclusionForm, LimitForm, ScheduleForm
from models.bsn import bsn_of
from models.clock import DAY_US, to_datetime, to_us
from models.errors import BadInput
from models.identity import Contact, Identity
from models.messages import (
    Enrol,
    Origin,
    PersonalLimit,
    PersonalSchedule,
    Register,
)
from models.programmes import Catalogue, Offered
from models.register import Care, Device, Inclusion, Organisation, OrganisationKind

DEVICES = "devices"
"""The programme about devices: for everybody, where there is one."""
LONGEST_AHEAD_US = 400 * DAY_US


@dataclass(frozen=True, slots=True)
class Given:
    """What a decision rests on beside the form: what there is, who decides, and when."""

    catalogue: Catalogue
    organisations: Mapping[UUID, Organisation]
    origins: frozenset[Origin]
    person_id: UUID
    organisation_id: UUID
    now_us: int
    set_by: str = "register"
    """Who personal limits are said to be set by."""

    @property
    def now(self) -> datetime:
        """Now, as a datetime."""
        return to_datetime(self.now_us)


def origins_of(purpose: str) -> frozenset[Origin]:
    """Whom a database takes."""
    return ORIGINS["live" if purpose == "live" else "trial"]


def include(form: InclusionForm, given: Given, patient_id: UUID) -> Inclusion:
    """**Raises**: BadInput, saying which field, what was expected, and what to do."""
    origin = _origin(form, given)
    starts_us = _starts_us(form, given)
    huisarts = (
        None
        if form.huisarts is None
        else require_kind(given, form.huisarts, OrganisationKind.GP_PRACTICE, "huisarts")
    )
    centre = _monitoring_centre(form, given)
    identity = identity_of(form.identity, origin, given)
    return Inclusion(
        patient_id=patient_id,
        organisation_id=given.organisation_id,
        origin=origin,
        identity=identity,
        care=Care(
            huisarts_id=huisarts,
            wijk=form.wijk,
            language=form.language,
            treatment_plan=form.treatment_plan,
            advance_care=form.advance_care,
            informed_at=informed_at(form.informed_at, given) or given.now,
            informed_by=form.informed_by or given.person_id,
            copy_to_mantelzorger=identity.mantelzorger_may_be_told,
        ),
        treated_by=tuple(one for one in (given.organisation_id, huisarts, centre) if one is not None),
        devices=tuple(Device(one.device_id, one.kind) for one in form.devices),
        changes=(
            _register(form, given, origin),
            *(enrol_of(one, given, starts_us) for one in _programmes(form, given)),
        ),
        valid_from_us=starts_us,
    )


def identity_of(form: IdentityForm, origin: Origin, given: Given) -> Identity:
    """Who somebody is, checked. **Raises**: BadInput, without the number or the name."""
    if form.bsn is None and form.without_bsn is None and origin is Origin.REAL:
        raise BadInput(
            where="identity.bsn", expected="a BSN, or without_bsn with the reason", found="neither"
        )
    if form.bsn is not None and form.without_bsn is not None:
        raise BadInput(
            where="identity.without_bsn", expected="a reason only where there is no BSN", found="both"
        )
    today = given.now.date()
    if not 0 <= today.year - form.birth_date.year <= 130 or form.birth_date > today:
        raise BadInput(
            where="identity.birth_date", expected="a day in the past 130 years", found="another day"
        )
    return Identity(
        family_name=form.family_name,
        given_names=form.given_names,
        birth_date=form.birth_date,
        bsn=None if form.bsn is None else bsn_of(form.bsn, "identity.bsn"),
        without_bsn=form.without_bsn,
        phone=form.phone,
        contacts=tuple(Contact(**contact.model_dump()) for contact in form.contacts),
    )


def enrol_of(form: EnrolForm, given: Given, from_us: int) -> Enrol:
    """**Raises**: BadInput for what there is not: the programme, its version, a limit, a schedule."""
    offered = given.catalogue.find(form.programme, form.version)
    limits = {name: limit_of(offered, name, one, given, from_us) for name, one in form.limits.items()}
    schedule = {name: schedule_of(offered, name, one, given) for name, one in form.schedule.items()}
    personal = {name: one for name, one in (("limits", limits), ("schedule", schedule)) if one}
    return Enrol.model_validate({"programme": offered.programme, "version": offered.version, **personal})


def limit_of(
    offered: Offered, name: str, form: float | LimitForm, given: Given, from_us: int
) -> PersonalLimit:
    """**Raises**: BadInput: unknown name, another unit, an implausible value, an end before it begins."""
    form = form if isinstance(form, LimitForm) else LimitForm(value=form)
    unit = form.unit or offered.limit(name).unit
    until = {} if form.until is None else {"until_us": to_us(form.until)}
    limit = PersonalLimit(value=form.value, unit=unit, set_by=given.set_by, **until)
    offered.require_limit(name, limit)
    if limit.until_us is not None and limit.until_us <= from_us:
        raise BadInput(where=f"limits.{name}.until", expected="an end after it begins", found="one before")
    return limit


def schedule_of(offered: Offered, name: str, form: ScheduleForm, given: Given) -> PersonalSchedule:
    """**Raises**: BadInput for a name that the programme does not have."""
    offered.require_schedule(name)
    if len(set(form.on)) != len(form.on):
        raise BadInput(where=f"schedule.{name}.on", expected="each day once", found="a day twice")
    return PersonalSchedule(before=form.before, on=form.on, set_by=given.set_by)


def require_kind(given: Given, organisation_id: UUID, kind: OrganisationKind, where: str) -> UUID:
    """**Raises**: BadInput when there is no such organisation of this kind."""
    found = given.organisations.get(organisation_id)
    if found is None or found.kind is not kind:
        what = "an unknown one" if found is None or found.kind is None else f"a {found.kind}"
        raise BadInput(where=where, expected=f"the id of a {kind} that is in the register", found=what)
    return organisation_id


def informed_at(at: datetime | None, given: Given) -> datetime | None:
    """**Raises**: BadInput for a moment to come."""
    if at is not None and to_us(at) > given.now_us:
        raise BadInput(where="informed_at", expected="a moment that has been", found="one to come")
    return at


def _origin(form: InclusionForm, given: Given) -> Origin:
    usual = Origin.REAL if Origin.REAL in given.origins else Origin.SIMULATED
    origin = form.origin or usual
    if origin not in given.origins:
        expected = f"{' or '.join(sorted(given.origins))} in this database"
        raise BadInput(where="origin", expected=expected, found=origin.value)
    return origin


def _starts_us(form: InclusionForm, given: Given) -> int:
    if form.starts_at is None:
        return given.now_us
    starts_us = to_us(form.starts_at)
    if not given.now_us <= starts_us <= given.now_us + LONGEST_AHEAD_US:
        raise BadInput(where="starts_at", expected="now, or within 400 days", found="another moment")
    return starts_us


def _monitoring_centre(form: InclusionForm, given: Given) -> UUID | None:
    kind = OrganisationKind.MONITORING_CENTRE
    if form.monitoring_centre is not None:
        return require_kind(given, form.monitoring_centre, kind, "monitoring_centre")
    centres = [one.organisation_id for one in given.organisations.values() if one.kind is kind]
    if len(centres) > 1:
        raise BadInput(
            where="monitoring_centre",
            expected="the id of one, since there are several",
            found="none",
        )
    return centres[0] if centres else None


def _programmes(form: InclusionForm, given: Given) -> list[EnrolForm]:
    programmes = list(form.programmes)
    names = [one.programme for one in programmes]
    if len(set(names)) != len(names):
        raise BadInput(where="programmes", expected="each programme once", found="one twice")
    if form.watch_devices and DEVICES in given.catalogue.names and DEVICES not in names:
        programmes.append(EnrolForm(programme=DEVICES))
    return programmes


def _register(form: InclusionForm, given: Given, origin: Origin) -> Register:
    optional = {"huisarts": None if form.huisarts is None else str(form.huisarts), "wijk": form.wijk}
    return Register.model_validate(
        {
            "origin": origin,
            "organisation_id": given.organisation_id,
            "language": form.language,
            **{name: value for name, value in optional.items() if value is not None},
        }
    )
