"""Systems that come by themselves, their keys, and the devices that are with people."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from alerting.console.frame import frame_of, happened, page, render
from ingest.acting import Acting
from ingest.gateway.login.keys import public_key_from_pem, public_pem
from ingest.gateway.routes import Act, Routes
from ingest.register import directory
from ingest.register.directory import PersonForm, RoleForm
from ingest.register.forms import Form, Short
from models.access import Action, Role
from models.audit import Kind
from models.db import administration
from models.db.worklist import names_of
from models.errors import BadInput

routes = Routes("/console/administration", "console")


class SystemForm(Form):
    """A system, the organisation that it acts for, and the key with which it signs."""

    client_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,62}$")]
    name: Short
    organisation_id: UUID
    public_key: Annotated[str, Field(max_length=10_000, description="PEM, BEGIN PUBLIC KEY.")]


@routes.route("GET", "/systems", action=Action.PEOPLE_CHANGE, kind=Kind.READ)
async def systems(request: Request, act: Act) -> HTMLResponse:
    """Which systems there are, for which organisation, and by which keys they are known."""
    return await page(request, act, "administration/systems.html.j2", **await _of_systems(act))


@routes.route("POST", "/systems", action=Action.PEOPLE_CHANGE, kind=Kind.CREATE)
async def add_system(request: Request, act: Act, form: SystemForm) -> HTMLResponse:
    """A system that may log in from now on, with its own key; it needs no secret of ours."""
    key = public_pem(public_key_from_pem(form.public_key))
    if not [
        one
        for one in await directory.list_organisations(act)
        if one["organisation_id"] == form.organisation_id
    ]:
        raise BadInput(where="organisation_id", expected="an organisation in the register", found="another")
    person_id = await directory.add_person(act, PersonForm(name=form.name, is_system=True))
    await directory.give_role(
        act, person_id, RoleForm(organisation_id=form.organisation_id, role=Role.SERVICE)
    )
    await administration.add_system(act.connection, form.client_id, person_id, form.organisation_id, key)
    act.details = f"system {form.client_id}"
    return await _listed(request, act)


@routes.route("POST", "/systems/{client_id}/remove", action=Action.PEOPLE_CHANGE, kind=Kind.UPDATE)
async def remove_system(request: Request, act: Act, client_id: str) -> HTMLResponse:
    """From now on it is nobody, and the tokens that it has are worth nothing."""
    await administration.remove_system(act.connection, client_id)
    act.details = f"system {client_id} revoked"
    return await _listed(request, act)


@routes.route("GET", "/devices", action=Action.ORGANISATION_CHANGE, kind=Kind.READ)
async def devices(request: Request, act: Act) -> HTMLResponse:
    """How many devices are out, and since when; which ones and with whom stands at the patient."""
    out = await administration.count_devices_out(act.connection)
    names = await names_of(act.connection, {one.organisation_id for one in out})
    return await page(request, act, "administration/devices.html.j2", devices=out, names=names)


async def _of_systems(act: Acting) -> dict[str, Any]:
    found = await administration.list_systems(act.connection)
    ids = {key for one in found for key in (one.person_id, one.organisation_id)}
    organisations = [one for one in await directory.list_organisations(act) if one["kind"] is not None]
    return {
        "systems": found,
        "names": await names_of(act.connection, ids),
        "organisations": sorted(organisations, key=lambda one: one["name"] or ""),
    }


async def _listed(request: Request, act: Acting) -> HTMLResponse:
    frame = await frame_of(request, act)
    response = render("administration/system_list.html.j2", frame=frame, t=frame.t, **await _of_systems(act))
    return happened(response, said={"text": frame.t("administration.saved")})
