"""Routes of the directory: organisations, people, their roles, and where messages to them go."""

from typing import Any
from uuid import UUID

from ingest.gateway.routes import Act, Routes
from ingest.register import directory
from ingest.register.directory import (
    AddressForm,
    EndRoleForm,
    OrganisationChangeForm,
    OrganisationForm,
    PersonForm,
    RoleForm,
)
from models.access import Action
from models.audit import Kind

routes = Routes("/directory", "directory")


@routes.route("GET", "/organisations", action=Action.DIRECTORY_READ, kind=Kind.READ)
async def list_organisations(act: Act) -> dict[str, Any]:
    """All organisations."""
    return {"organisations": await directory.list_organisations(act)}


@routes.route("POST", "/organisations", action=Action.ORGANISATION_CHANGE, kind=Kind.CREATE, status=201)
async def add_organisation(act: Act, form: OrganisationForm) -> dict[str, Any]:
    """Enter an organisation."""
    return {"organisation_id": await directory.add_organisation(act, form)}


@routes.route(
    "PUT",
    "/organisations/{organisation_id}",
    action=Action.ORGANISATION_CHANGE,
    kind=Kind.UPDATE,
    status=204,
)
async def change_organisation(act: Act, organisation_id: UUID, form: OrganisationChangeForm) -> None:
    """Change an organisation's name or kind; 409 when somebody was faster."""
    await directory.change_organisation(act, organisation_id, form)


@routes.route("GET", "/programmes", action=Action.DIRECTORY_READ, kind=Kind.READ)
async def list_programmes(act: Act) -> dict[str, Any]:
    """What patients can be enrolled in, with the limits that can be set for one."""
    return {"programmes": await directory.list_programmes(act)}


@routes.route("GET", "/people", action=Action.PEOPLE_CHANGE, kind=Kind.READ)
async def list_people(act: Act) -> dict[str, Any]:
    """Everybody who works with the service, with their roles."""
    return {"people": await directory.list_people(act)}


@routes.route("POST", "/people", action=Action.PEOPLE_CHANGE, kind=Kind.CREATE, status=201)
async def add_person(act: Act, form: PersonForm) -> dict[str, Any]:
    """Enter somebody, without any role yet."""
    return {"person_id": await directory.add_person(act, form)}


@routes.route("POST", "/people/{person_id}/leave", action=Action.PEOPLE_CHANGE, kind=Kind.UPDATE, status=204)
async def leave(act: Act, person_id: UUID) -> None:
    """Somebody leaves: from now on they may do nothing."""
    await directory.leave(act, person_id)


@routes.route("POST", "/people/{person_id}/roles", action=Action.PEOPLE_CHANGE, kind=Kind.CREATE, status=204)
async def give_role(act: Act, person_id: UUID, form: RoleForm) -> None:
    """Somebody may act as this there."""
    await directory.give_role(act, person_id, form)


@routes.route(
    "POST", "/people/{person_id}/roles/end", action=Action.PEOPLE_CHANGE, kind=Kind.UPDATE, status=204
)
async def end_role(act: Act, person_id: UUID, form: EndRoleForm) -> None:
    """Somebody may no longer act as this there."""
    await directory.end_role(act, person_id, form)


@routes.route("GET", "/addresses", action=Action.DIRECTORY_READ, kind=Kind.READ)
async def list_addresses(act: Act) -> dict[str, Any]:
    """Where messages to organisations and people go."""
    return {"addresses": await directory.list_addresses(act)}


@routes.route("POST", "/addresses", action=Action.ORGANISATION_CHANGE, kind=Kind.CREATE, status=201)
async def add_address(act: Act, form: AddressForm) -> dict[str, Any]:
    """From now on messages go there too."""
    return {"address_id": await directory.add_address(act, form)}


@routes.route(
    "POST", "/addresses/{address_id}/end", action=Action.ORGANISATION_CHANGE, kind=Kind.UPDATE, status=204
)
async def end_address(act: Act, address_id: UUID) -> None:
    """From now on no messages go there."""
    await directory.end_address(act, address_id)
