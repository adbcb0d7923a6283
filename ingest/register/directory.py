"""Who works with the service: forms for organisations, people, roles, addresses; what is done with them."""

from dataclasses import asdict
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

from pydantic import AwareDatetime, Field, model_validator

from ingest.acting import Acting
from ingest.on_command import SOURCE
from ingest.register.forms import Form, Short
from ingest.register.inclusions import origins_of
from models.access import Role, User
from models.audit import Event, Kind
from models.clock import wall_now_us
from models.db import audit, directory
from models.db.directory import Address
from models.db.installation import purpose
from models.db.pool import Pool
from models.db.programmes import catalogue
from models.errors import BadInput, NotThere
from models.messages import Origin
from models.reachable import require_allowed
from models.register import Channel, Organisation, OrganisationKind


class OrganisationForm(Form):
    """A new organisation, or with its id one that a registration named before."""

    name: Short
    kind: OrganisationKind
    organisation_id: UUID | None = None


class OrganisationChangeForm(Form):
    """Another name or kind of an organisation, as it was seen in `version`."""

    version: Annotated[int, Field(ge=1)]
    name: Short
    kind: OrganisationKind


class PersonForm(Form):
    """Somebody who is to work with the service, or a system, without any role yet."""

    name: Short
    is_system: bool = False


class RoleForm(Form):
    """As what somebody may act where; until when, where that is known."""

    organisation_id: UUID
    role: Role
    until: AwareDatetime | None = None


class EndRoleForm(Form):
    """As what somebody may no longer act where."""

    organisation_id: UUID
    role: Role


class AddressForm(Form):
    """Where messages go: of an organisation, or of a person."""

    organisation_id: UUID | None = None
    person_id: UUID | None = None
    channel: Channel
    address: Short

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.organisation_id is None) == (self.person_id is None):
            raise ValueError("either organisation_id or person_id")
        return self


async def begin(pool: Pool, organisation: OrganisationForm, person: PersonForm, known_by: str) -> User:
    """Makes the first organisation and its administrator, in a database without people.

    `known_by` marks the session in the audit log. **Raises**: BadInput where there are people already.
    """
    organisation_id, person_id = uuid4(), uuid4()
    first = User(person_id, organisation_id, Role.ADMINISTRATOR)
    new = Organisation(organisation_id, organisation.name, organisation.kind, origin=None)
    async with pool.transaction() as connection:
        if not await directory.begin(connection, new, person_id, person.name):
            raise BadInput(
                where="begin",
                expected="a database without people (an administrator enters the others)",
                found="one with people",
            )
        event = Event(
            event_code="register.begin",
            action=Kind.CREATE,
            happened_us=wall_now_us(),
            user_id=str(person_id),
            user_role=first.role.value,
            identifier_type="none",
            identifier="-",
            authorisation_protocol="register.begin/nobody there yet",
            source=SOURCE,
            organisation_id=organisation_id,
            session=known_by,
        )
        await audit.write(connection, event)
    return first


async def add_organisation(act: Acting, form: OrganisationForm) -> UUID:
    """Enters an organisation; its id. **Raises**: BadInput when it is there already."""
    new = form.organisation_id or uuid4()
    origins = origins_of(await purpose(act.connection))
    origin = Origin.REAL if Origin.REAL in origins else Origin.SIMULATED
    await directory.add_organisations(act.connection, [Organisation(new, form.name, form.kind, origin)])
    act.details = f"organisation {new}"
    return new


async def change_organisation(act: Acting, organisation_id: UUID, form: OrganisationChangeForm) -> None:
    """**Raises**: NotThere, Outdated."""
    await directory.change_organisation(act.connection, organisation_id, form.version, form.name, form.kind)
    act.details = f"organisation {organisation_id}"


async def list_organisations(act: Acting) -> list[dict[str, Any]]:
    """All organisations."""
    return [asdict(one) for one in (await directory.organisations(act.connection)).values()]


async def list_programmes(act: Acting) -> list[dict[str, Any]]:
    """What patients can be enrolled in, with the limits that can be set for one."""
    return [asdict(one) for one in await catalogue(act.connection)]


async def list_people(act: Acting) -> list[dict[str, Any]]:
    """Everybody who works with the service, with their roles."""
    return [asdict(one) for one in await directory.people(act.connection)]


async def list_addresses(act: Acting) -> list[dict[str, Any]]:
    """Where messages go."""
    return [asdict(one) for one in await directory.addresses(act.connection)]


async def add_person(act: Acting, form: PersonForm) -> UUID:
    """Enters somebody; their id."""
    person_id = await directory.add_person(act.connection, form.name, is_system=form.is_system)
    act.details = f"person {person_id}"
    return person_id


async def leave(act: Acting, person_id: UUID) -> None:
    """Somebody leaves. **Raises**: NotThere; BadInput for oneself."""
    if person_id == act.user.person_id:
        raise BadInput(where="person_id", expected="somebody else", found="yourself")
    await directory.leave(act.connection, person_id)
    act.details = f"person {person_id} left"


async def give_role(act: Acting, person_id: UUID, form: RoleForm) -> None:
    """Somebody may act as this there. **Raises**: NotThere, BadInput."""
    if not await directory.organisations(act.connection, [form.organisation_id]):
        raise NotThere("There is no such person, or no such organisation.")
    await directory.give_role(act.connection, person_id, form.organisation_id, form.role, form.until)
    act.details = f"person {person_id} becomes {form.role} at {form.organisation_id}"


async def end_role(act: Acting, person_id: UUID, form: EndRoleForm) -> None:
    """Somebody may no longer act as this there. **Raises**: NotThere."""
    await directory.end_role(act.connection, person_id, form.organisation_id, form.role)
    act.details = f"person {person_id} is no more {form.role} at {form.organisation_id}"


async def add_address(act: Acting, form: AddressForm) -> UUID:
    """From now on messages go there too. **Raises**: NotThere, BadInput."""
    own_machine = await purpose(act.connection) == "trial"
    require_allowed(form.channel, form.address, own_machine=own_machine)
    address_id = uuid4()
    new = Address(address_id, form.organisation_id, form.person_id, form.channel, form.address)
    await directory.add_address(act.connection, new)
    act.details = f"address {address_id}"
    return address_id


async def end_address(act: Acting, address_id: UUID) -> None:
    """From now on no messages go there. **Raises**: NotThere."""
    await directory.end_address(act.connection, address_id)
    act.details = f"address {address_id} ends"
