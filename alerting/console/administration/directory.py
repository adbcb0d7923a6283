"""Organisations and their addresses; people and what they may act as."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import frame_of, happened, page, render
from ingest.acting import Acting
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
from models.access import Action, Role
from models.audit import Kind
from models.clock import to_datetime, wall_now_us
from models.register import Channel, OrganisationKind

routes = Routes("/console/administration", "console")


async def of_organisations(act: Acting) -> Mapping[str, Any]:
    """All organisations with the addresses of each; those that nobody has entered last."""
    organisations = sorted(
        await directory.list_organisations(act),
        key=lambda one: (one["kind"] is None, one["name"] or "", str(one["organisation_id"])),
    )
    addresses: dict[UUID, list[Any]] = {}
    for one in await directory.list_addresses(act):
        if one["organisation_id"] is not None:
            addresses.setdefault(one["organisation_id"], []).append(one)
    return {
        "organisations": organisations,
        "addresses": addresses,
        "kinds": tuple(OrganisationKind),
        "channels": tuple(Channel),
    }


async def of_people(act: Acting) -> Mapping[str, Any]:
    """Everybody who works here, those who left last; and where one may work."""
    people = sorted(
        await directory.list_people(act),
        key=lambda one: (one["left_at"] is not None, one["is_system"], one["name"]),
    )
    now = to_datetime(wall_now_us())
    for one in people:
        one["posts"] = [post for post in one["posts"] if post["until_at"] is None or post["until_at"] > now]
    organisations = [one for one in await directory.list_organisations(act) if one["kind"] is not None]
    return {
        "people": people,
        "organisations": sorted(organisations, key=lambda one: one["name"] or ""),
        "names": {one["organisation_id"]: one["name"] for one in organisations},
        "roles": tuple(Role),
    }


@routes.route("POST", "/organisations", action=Action.ORGANISATION_CHANGE, kind=Kind.CREATE)
async def add_organisation(request: Request, act: Act, form: OrganisationForm) -> HTMLResponse:
    """Enter an organisation."""
    await directory.add_organisation(act, form)
    return await _organisations(request, act)


@routes.route("POST", "/organisations/{organisation_id}", action=Action.ORGANISATION_CHANGE, kind=Kind.UPDATE)
async def change_organisation(
    request: Request, act: Act, organisation_id: UUID, form: OrganisationChangeForm
) -> HTMLResponse:
    """Another name or kind."""
    await directory.change_organisation(act, organisation_id, form)
    return await _organisations(request, act)


@routes.route("POST", "/addresses", action=Action.ORGANISATION_CHANGE, kind=Kind.CREATE)
async def add_address(request: Request, act: Act, form: AddressForm) -> HTMLResponse:
    """From now on messages go there too."""
    await directory.add_address(act, form)
    return await _organisations(request, act)


@routes.route("POST", "/addresses/{address_id}/end", action=Action.ORGANISATION_CHANGE, kind=Kind.UPDATE)
async def end_address(request: Request, act: Act, address_id: UUID) -> HTMLResponse:
    """From now on no messages go there."""
    await directory.end_address(act, address_id)
    return await _organisations(request, act)


@routes.route("GET", "/people", action=Action.PEOPLE_CHANGE, kind=Kind.READ)
async def people(request: Request, act: Act) -> HTMLResponse:
    """Everybody who works with the service, with their roles."""
    return await page(request, act, "administration/people.html.j2", **await of_people(act))


@routes.route("POST", "/people", action=Action.PEOPLE_CHANGE, kind=Kind.CREATE)
async def add_person(request: Request, act: Act, form: PersonForm) -> HTMLResponse:
    """Enter somebody, without any role yet."""
    await directory.add_person(act, form)
    return await _people(request, act)


@routes.route("POST", "/people/{person_id}/leave", action=Action.PEOPLE_CHANGE, kind=Kind.UPDATE)
async def leave(request: Request, act: Act, person_id: UUID) -> HTMLResponse:
    """Somebody leaves: from now on they may do nothing."""
    await directory.leave(act, person_id)
    return await _people(request, act)


@routes.route("POST", "/people/{person_id}/roles", action=Action.PEOPLE_CHANGE, kind=Kind.CREATE)
async def give_role(request: Request, act: Act, person_id: UUID, form: RoleForm) -> HTMLResponse:
    """Somebody may act as this there."""
    await directory.give_role(act, person_id, form)
    return await _people(request, act)


@routes.route("POST", "/people/{person_id}/roles/end", action=Action.PEOPLE_CHANGE, kind=Kind.UPDATE)
async def end_role(request: Request, act: Act, person_id: UUID, form: EndRoleForm) -> HTMLResponse:
    """Somebody may no longer act as this there."""
    await directory.end_role(act, person_id, form)
    return await _people(request, act)


async def _organisations(request: Request, act: Acting) -> HTMLResponse:
    return await _saved(request, act, "administration/organisation_list.html.j2", await of_organisations(act))


async def _people(request: Request, act: Acting) -> HTMLResponse:
    return await _saved(request, act, "administration/people_list.html.j2", await of_people(act))


async def _saved(request: Request, act: Acting, template: str, values: Mapping[str, Any]) -> HTMLResponse:
    frame = await frame_of(request, act)
    response = render(template, frame=frame, t=frame.t, **values)
    return happened(response, said={"text": frame.t("administration.saved")})
